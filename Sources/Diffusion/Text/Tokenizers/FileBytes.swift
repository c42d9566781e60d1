import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A tokenizer's files, whole.
enum FileBytes {
  /// No tokenizer is near this size; umT5's `tokenizer.json` has 17 MB.
  static let limit = 64 << 20

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// - Throws: also when the file is empty or larger than ``limit``.
  static func read(_ path: String) throws(WeightsError) -> [UInt8] {
    let file = try MappedFile(path: path)
    guard file.bytes.count <= limit else { throw tooLong(file.bytes.count, path) }
    return withExtendedLifetime(file) { Array(file.bytes) }
  }

  /// Reads a JSON file of at most ``limit`` bytes.
  static func json<Value: Decodable>(_: Value.Type = Value.self, path: String) throws(WeightsError) -> Value {
    var status = stat()
    if stat(path, &status) == 0, status.st_size > limit { throw tooLong(Int(status.st_size), path) }
    return try ConfigurationFile.read(path: path)
  }

  private static func tooLong(_ size: Int, _ path: String) -> WeightsError {
    WeightsError(.malformed, path: path, "is \(size) bytes long, where a tokenizer has \(limit) at most")
  }
}
