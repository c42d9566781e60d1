import Diffusion
import Tensors
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A text encoder of random weights, and what transformers computes with it.
struct EncoderFixture {
  let fixture: Fixture

  init(_ name: String) { fixture = Fixture("encoders/" + name) }

  var folder: String { fixture.folder }

  func tokens(_ name: String) throws -> [Int32] { try Self.integers(name + ".ids", in: folder + "/values.safetensors") }

  func expected(_ name: String) throws -> [Float] { try fixture.floats(name).values }

  /// A tensor of int32.
  static func integers(_ name: String, in path: String) throws -> [Int32] {
    let view = try #require(try SafetensorsFile(path: path)[name])
    try #require(view.type == .int32)
    let bytes = try view.bytes()
    return bytes.withUnsafeBytes { bytes in (0..<view.count).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self) } }
  }

  /// The folder's weights in another folder, as float32, with some of them changed.
  ///
  /// - Parameter change: gets a tensor's name and values and returns those that are written; nil leaves the tensor out.
  func copy(_ change: (String, [Float]) -> (name: String, values: [Float])?) throws -> TemporaryFolder {
    let file = try SafetensorsFile(path: folder + "/model.safetensors")
    let target = TemporaryFolder()
    var tensors: [(name: String, shape: [Int], values: [Float])] = []
    for name in file.names {
      let view = try #require(file[name])
      if let changed = change(name, try #require(try view.floats())) { tensors.append((changed.name, view.shape, changed.values)) }
    }
    target.write(safetensors(tensors), name: "model.safetensors")
    target.write(Array(try configuration().utf8), name: "config.json")
    return target
  }

  /// The folder's `config.json`.
  private func configuration() throws -> String {
    let file = try #require(fopen(folder + "/config.json", "r"))
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes.prefix(count), as: UTF8.self)
  }

  /// A file with the configuration, in which a field has another value, written as JSON; nil leaves the field out.
  func configuration(_ field: String, _ value: String?) throws -> (path: String, owner: TemporaryFolder) {
    let lines = try configuration().split(separator: "\n").dropFirst().dropLast()
    var fields = lines.map { $0.hasSuffix(",") ? $0.dropLast() : $0 }
    // Of an array that spans lines none is a field of its own, and no test is about one.
    try #require(fields.contains { $0.hasPrefix("  \"") })
    fields = fields.filter { $0.hasPrefix("  \"") && !$0.hasSuffix("[") && !$0.hasPrefix("  \"\(field)\":") }
    if let value { fields.append("  \"\(field)\": \(value)") }
    let owner = TemporaryFolder()
    return (owner.write(Array("{\(fields.joined(separator: ","))}".utf8), name: "config.json"), owner)
  }
}

/// What a test throws to stop an encoder.
struct Stopped: Error {}
