import Tensors

/// `*.safetensors.index.json`: which shard each tensor is in.
struct ShardIndex {
  /// Names of files in the index's folder, sorted.
  let shards: [String]
  /// Tensors, and which of `shards` each is in.
  let places: [String: Int]

  private static let largest = 32 << 20
  private static let mostShards = 10_000

  /// - Throws: no `weight_map` of names, a tensor in it twice, or a shard's name that leads out of the folder.
  init(path: String) throws(WeightsError) {
    func malformed(_ reason: String) -> WeightsError { WeightsError(.malformed, path: path, reason) }
    guard case .object(let members) = try ConfigurationFile.value(path: path, largest: Self.largest),
      case .object(let map)? = members.first(where: { $0.name == "weight_map" })?.value
    else { throw malformed("has no object \"weight_map\"") }
    guard !map.isEmpty else { throw malformed("names no tensors in its \"weight_map\"") }

    var shardOf: [String: String] = [:]
    for (tensor, value) in map {
      guard case .string(let shard) = value else { throw WeightsError(.malformed, path: path, tensor: tensor, "is in no file, by \"weight_map\"") }
      guard isPlainFileName(shard), shard.hasSuffix(".safetensors") else {
        throw WeightsError(.malformed, path: path, tensor: tensor, "is in \"\(shard)\", which is no name of a safetensors file in the folder")
      }
      shardOf[tensor] = shard
    }
    shards = Set(shardOf.values).sorted()
    guard shards.count <= Self.mostShards else { throw malformed("names \(shards.count) files, more than \(Self.mostShards)") }
    let numbers = Dictionary(uniqueKeysWithValues: shards.enumerated().map { ($1, $0) })
    places = shardOf.compactMapValues { numbers[$0] }
  }
}

/// A file's or folder's name that stays in the folder it is looked up in.
func isPlainFileName(_ name: String) -> Bool {
  !name.isEmpty && name != "." && name != ".." && name.utf8.count <= 255 && name.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "/") }
}
