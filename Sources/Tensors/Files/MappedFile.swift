#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file's bytes, read by the system as they are touched and given back under memory pressure.
///
/// The file must not be shortened while it is mapped: the system kills a process that touches what is gone.
package final class MappedFile: @unchecked Sendable {  // the memory is only ever read
  /// Valid as long as this lives.
  package let bytes: UnsafeRawBufferPointer

  /// - Throws: when there is no such file, it cannot be read, is no regular file, or is empty.
  package init(path: String) throws(WeightsError) {
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

  /// Takes the pages that lie wholly in a part of the file out of the process's memory; they are read anew when touched.
  func letGo(of part: Range<Int>) {
    let page = max(1, sysconf(Int32(_SC_PAGESIZE)))
    let start = (part.lowerBound + page - 1) / page * page
    let end = part.upperBound / page * page
    guard 0 <= start, start < end, end <= bytes.count, let base = bytes.baseAddress else { return }
    madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, MADV_DONTNEED)
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
