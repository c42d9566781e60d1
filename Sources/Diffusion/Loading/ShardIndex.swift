import Tensors

/// `*.safetensors.index.json`: which shard each tensor is in.
struct ShardIndex {
  /// Names of files in the index's folder, in the order in which they first appear.
  private(set) var shards: [String] = []
  /// Tensors, and which of `shards` each is in.
  private(set) var places: [String: Int] = [:]

  private static let largest = 32 << 20
  private static let mostTensors = 250_000
  /// Each stays open. The largest model that is published has some two hundred.
  private static let mostShards = 512

  /// - Throws: no `weight_map` of names, a tensor in it twice, or a shard's name that leads out of the folder.
  init(path: String) throws(WeightsError) {
    func malformed(_ fault: JSONReader.Fault) -> WeightsError {
      WeightsError(.malformed, path: path, "is no index of shards with an object \"weight_map\": it \(fault.reason)")
    }
    var index = ShardIndex()
    var hasMap = false
    try ConfigurationFile.read(path: path, largest: Self.largest) { reader throws(WeightsError) in
      try reader.object(
        { reader, name throws(WeightsError) in
          guard name == "weight_map" else {
            do throws(JSONReader.Fault) { try reader.skip() } catch { throw malformed(error) }
            return
          }
          guard !hasMap else { throw malformed(JSONReader.Fault(reason: "has \"weight_map\" twice")) }
          hasMap = true
          try index.readMap(&reader, path: path, malformed)
        }, or: malformed)
    }
    guard hasMap else { throw malformed(JSONReader.Fault(reason: "has none")) }
    guard !index.places.isEmpty else { throw WeightsError(.malformed, path: path, "names no tensors in its \"weight_map\"") }
    self = index
  }

  private init() {}

  private mutating func readMap(
    _ reader: inout JSONReader, path: String, _ malformed: (JSONReader.Fault) -> WeightsError
  ) throws(WeightsError) {
    var numbers: [String: Int] = [:]
    try reader.object(
      { reader, tensor throws(WeightsError) in
        func refuse(_ reason: String) -> WeightsError { WeightsError(.malformed, path: path, tensor: tensor, reason) }
        let shard: String
        do throws(JSONReader.Fault) { shard = try reader.string() } catch { throw refuse("is in no file: \"weight_map\" \(error.reason)") }
        guard isPlainFileName(shard), shard.hasSuffix(".safetensors") else {
          throw refuse("is in \"\(shard.prefix(60))\", which is no name of a safetensors file in the folder")
        }
        let number = numbers[shard] ?? shards.count
        if number == shards.count {
          numbers[shard] = number
          shards.append(shard)
        }
        guard places.updateValue(number, forKey: tensor) == nil else { throw refuse("is there twice") }
        guard places.count <= Self.mostTensors, shards.count <= Self.mostShards else {
          throw WeightsError(.malformed, path: path, "names more than \(Self.mostTensors) tensors or \(Self.mostShards) files")
        }
      }, or: malformed)
  }
}

/// A file's or folder's name that stays in the folder it is looked up in.
func isPlainFileName(_ name: String) -> Bool {
  !name.isEmpty && name != "." && name != ".." && name.utf8.count <= 255 && name.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "/") }
}
