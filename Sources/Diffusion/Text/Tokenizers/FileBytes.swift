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
  static func read(_ path: String) throws(WeightsError) -> [UInt8] { try ModelFile(path: path).contents(atMost: limit) }

  /// Reads a JSON file, which ``ConfigurationFile`` has a limit of its own for.
  static func json<Value: Decodable>(_: Value.Type = Value.self, path: String) throws(WeightsError) -> Value {
    try ConfigurationFile.read(path: path)
  }
}
