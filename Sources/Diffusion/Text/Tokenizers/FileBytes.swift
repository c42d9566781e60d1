import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Small files as bytes.
enum FileBytes {
  /// No tokenizer is near this size; umT5's `tokenizer.json` has 17 MB.
  static let limit = 64 << 20

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// - Throws: also when the file is empty or larger than ``limit``.
  static func read(_ path: String) throws(WeightsError) -> [UInt8] {
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw failure(errno, path) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure(errno, path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw WeightsError(.unreadable, path: path, "is not a regular file") }
    guard let size = Int(exactly: status.st_size), size > 0 else { throw WeightsError(.malformed, path: path, "is empty") }
    guard size <= limit else {
      throw WeightsError(.malformed, path: path, "is \(size) bytes long, where a tokenizer has \(limit) at most")
    }
    var code: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        let got = read(file, buffer, count, size)
        if got < 0, errno == EINTR { continue }
        if got < 0 { code = errno }
        if got <= 0 { break }
        count += got
      }
    }
    guard code == 0 else { throw failure(code, path) }
    return bytes
  }

  /// Reads a JSON file of at most ``limit`` bytes.
  static func json<Value: Decodable>(_: Value.Type = Value.self, path: String) throws(WeightsError) -> Value {
    var status = stat()
    if stat(path, &status) == 0, status.st_size > limit {
      throw WeightsError(.malformed, path: path, "is \(status.st_size) bytes long, where a tokenizer has \(limit) at most")
    }
    return try ConfigurationFile.read(path: path)
  }

  private static func read(_ file: Int32, _ buffer: UnsafeMutableBufferPointer<UInt8>, _ start: Int, _ end: Int) -> Int {
    guard let base = buffer.baseAddress else { return 0 }
    #if canImport(Glibc)
      return Glibc.read(file, base + start, end - start)
    #else
      return Musl.read(file, base + start, end - start)
    #endif
  }

  private static func failure(_ code: Int32, _ path: String) -> WeightsError {
    if code == ENOENT || code == ENOTDIR { return WeightsError(.notFound, path: path, "does not exist") }
    let reason = strerror(code).map { String(cString: $0) } ?? "error \(code)"
    return WeightsError(.unreadable, path: path, "cannot be read: \(reason)")
  }
}
