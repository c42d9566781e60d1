#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file's bytes, read by the system as they are touched and given back under memory pressure.
///
/// The file must not be shortened while it is mapped: the system kills a process that touches what is gone.
final class MappedFile: @unchecked Sendable {  // the memory is only ever read
  let bytes: UnsafeRawBufferPointer

  init(path: String) throws(WeightsError) {
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw .system(errno, path: path) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw .system(errno, path: path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw WeightsError(.unreadable, path: path, "is not a regular file") }
    guard let size = Int(exactly: status.st_size), size > 0 else { throw WeightsError(.malformed, path: path, "is empty") }
    guard let memory = mmap(nil, size, PROT_READ, MAP_PRIVATE, file, 0), Int(bitPattern: memory) != -1 else {
      throw .system(errno, path: path)
    }
    bytes = UnsafeRawBufferPointer(start: memory, count: size)
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}

extension WeightsError {
  static func system(_ code: Int32, path: String) -> WeightsError {
    if code == ENOENT || code == ENOTDIR { return WeightsError(.notFound, path: path, "does not exist") }
    let reason = strerror(code).map { String(cString: $0) } ?? "error \(code)"
    return WeightsError(.unreadable, path: path, "cannot be read: \(reason)")
  }
}
