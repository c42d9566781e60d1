import Files
import Threads
import Timing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file that grows at its end, with a footer that each addition overwrites, so that it is whole at all times.
///
/// Only regular files have that: a FIFO, a terminal, a device, and whatever is named below /dev or /proc is a stream,
/// to which the footer is written once, at the end. Blocking; for the writer's thread only.
struct OutputFile: ~Copyable {
  /// How long a reader is waited for, all in all, once the file is to be closed: who stops a pipeline waits as long.
  private static let patience = ClockTime.milliseconds(500)

  private let path: String
  /// −1 when closed.
  private var descriptor: Int32
  let isStream: Bool
  private var bodyEnd: Int64 = 0
  private var foot: [UInt8] = []
  private let isClosing: () -> Bool
  /// When it was first seen that the file is to be closed.
  private var closing: ClockTime?

  /// Opens or makes the file and empties it. A FIFO is waited for until somebody reads it or `isClosing`.
  init(path: String, isClosing: @escaping () -> Bool) throws(FileError) {
    self.path = path
    self.isClosing = isClosing
    descriptor = try Self.open(path, isClosing)
    var status = stat()
    let isRegular = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    isStream = !isRegular || path.hasPrefix("/dev/") || path.hasPrefix("/proc/")
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  private static func open(_ path: String, _ isClosing: () -> Bool) throws(FileError) -> Int32 {
    // What is redirected may be a socket, which cannot be opened, or a file, which a second opening would overwrite
    // from the beginning.
    if let number = standardDescriptor(path) {
      let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
      guard copy >= 0 else { throw FileError(.open, path: path, code: errno) }
      return copy
    }
    // Non-blocking, so that a FIFO nobody reads does not hang the thread for ever; regular files do not care.
    let flags = O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    while true {
      var descriptor = sysOpen(path, flags | O_RDWR, isFIFO: Self.isFIFO(path))
      if descriptor < 0, errno == EACCES || errno == EINVAL {
        descriptor = sysOpen(path, flags | O_WRONLY, isFIFO: true)
      }
      if descriptor >= 0 { return descriptor }
      switch errno {
      case EINTR: continue
      case ENXIO where Self.isFIFO(path) && !isClosing(): usleep(20_000)
      case let code: throw FileError(.open, path: path, code: code)
      }
    }
  }

  /// A FIFO opened for reading too would never lack a reader.
  private static func sysOpen(_ path: String, _ flags: Int32, isFIFO: Bool) -> Int32 {
    #if canImport(Glibc)
      Glibc.open(path, isFIFO ? flags & ~O_RDWR | O_WRONLY : flags, 0o666)
    #else
      Musl.open(path, isFIFO ? flags & ~O_RDWR | O_WRONLY : flags, 0o666)
    #endif
  }

  private static func isFIFO(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
  }

  private static func standardDescriptor(_ path: String) -> Int32? {
    switch path {
    case "/dev/stdout": STDOUT_FILENO
    case "/dev/stderr": STDERR_FILENO
    default: path.hasPrefix("/dev/fd/") ? Int32(path.dropFirst("/dev/fd/".count)) : nil
    }
  }

  /// Adds `body` and puts `foot` behind it, in one write. Where that fails the file is left whole as it was before.
  mutating func append(_ body: [UInt8], foot: [UInt8]) throws(FileError) {
    if isStream {
      self.foot = foot
      return try writeStream(body)
    }
    let before = self.foot
    if let code = writeAll(body + foot, at: bodyEnd) {
      // The old footer fits where it stood, even on a full disk.
      _ = writeAll(before, at: bodyEnd)
      _ = ftruncate(descriptor, off_t(bodyEnd + Int64(before.count)))
      throw FileError(.write, path: path, code: code)
    }
    bodyEnd += Int64(body.count)
    self.foot = foot
    if foot.count < before.count, ftruncate(descriptor, off_t(bodyEnd + Int64(foot.count))) != 0 {
      throw FileError(.write, path: path, code: errno)
    }
  }

  /// Empties a regular file, for another beginning.
  mutating func restart() throws(FileError) {
    guard ftruncate(descriptor, 0) == 0 else { throw FileError(.write, path: path, code: errno) }
    (bodyEnd, foot) = (0, [])
  }

  /// Puts another beginning, `newHead`, in place of the first `oldHead` bytes of a regular file, as ``finish(oldHead:newHead:)``
  /// does, and goes on.
  mutating func rewrite(oldHead: Int, newHead: [UInt8]) throws(FileError) {
    try replace(oldHead: oldHead, newHead: newHead)
    #if canImport(Glibc)
      let new = Glibc.open(path, O_RDWR | O_CLOEXEC | O_NOCTTY)
    #else
      let new = Musl.open(path, O_RDWR | O_CLOEXEC | O_NOCTTY)
    #endif
    guard new >= 0 else { throw FileError(.open, path: path, code: errno) }
    close(descriptor)
    descriptor = new
    bodyEnd += Int64(newHead.count - oldHead)
  }

  /// Ends and closes the file: a stream gets its footer; a file whose first bytes, `oldHead` of them, shall now be
  /// `newHead` is written anew beside itself and takes its own place in one step.
  mutating func finish(oldHead: Int, newHead: [UInt8]?) throws(FileError) {
    if isStream { try writeStream(foot) } else if let newHead { try replace(oldHead: oldHead, newHead: newHead) }
    // Network file systems tell of a full disk only now.
    let code = close(descriptor) == 0 ? 0 : errno
    descriptor = -1
    if code != 0, code != EINTR { throw FileError(.close, path: path, code: code) }
  }

  private func replace(oldHead: Int, newHead: [UInt8]) throws(FileError) {
    guard let resolved = realpath(path, nil) else { throw FileError(.replace, path: path, code: errno) }
    defer { free(resolved) }
    let target = String(cString: resolved)
    let beside = FileName.beside(target, ending: ".\(getpid()).part")
    unlink(beside)
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError(.replace, path: path, code: errno) }
    #if canImport(Glibc)
      let new = Glibc.open(beside, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, status.st_mode & 0o777)
    #else
      let new = Musl.open(beside, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, status.st_mode & 0o777)
    #endif
    guard new >= 0 else { throw FileError(.replace, path: path, code: errno) }
    var failure = Self.writeAll(newHead, to: new, at: 0)
    var (from, to) = (Int64(oldHead), Int64(newHead.count))
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while failure == nil {
      let count = pread(descriptor, &chunk, chunk.count, off_t(from))
      if count == 0 { break }
      guard count > 0 else {
        failure = errno
        break
      }
      failure = Self.writeAll(Array(chunk[..<count]), to: new, at: to)
      from += Int64(count)
      to += Int64(count)
    }
    // The umask took bits away that the running file has.
    if failure == nil, fchmod(new, status.st_mode & 0o777) != 0 { failure = errno }
    if close(new) != 0, failure == nil { failure = errno }
    if failure == nil, rename(beside, target) != 0 { failure = errno }
    if let failure {
      unlink(beside)
      throw FileError(.replace, path: path, code: failure)
    }
  }

  private func writeAll(_ bytes: [UInt8], at offset: Int64) -> Int32? {
    Self.writeAll(bytes, to: descriptor, at: offset)
  }

  /// The error number, or nil when everything was written.
  private static func writeAll(_ bytes: [UInt8], to descriptor: Int32, at offset: Int64) -> Int32? {
    bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let rest = UnsafeRawBufferPointer(rebasing: buffer[done...])
        let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + Int64(done)))
        if count > 0 { done += count } else if count == 0 { return EIO } else if errno != EINTR { return errno }
      }
      return nil
    }
  }

  /// Pieces that a pipe takes whole once it has room (PIPE_BUF), each after waiting for room: the descriptor may be
  /// shared with others, so its flags are left alone.
  private mutating func writeStream(_ bytes: [UInt8]) throws(FileError) {
    var done = 0
    while done < bytes.count {
      var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      let ready = poll(&waiting, 1, 50)
      if ready == 0 {
        if closing == nil, isClosing() { closing = monotonicTime() }
        if let closing, monotonicTime().less(closing) >= Self.patience { throw FileError(.write, path: path, code: ETIMEDOUT) }
        continue
      }
      let piece = Array(bytes[done..<min(done + 4096, bytes.count)])
      let count = write(descriptor, piece, piece.count)
      if count > 0 {
        done += count
      } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
        throw FileError(.write, path: path, code: count == 0 ? EIO : errno)
      }
    }
  }
}
