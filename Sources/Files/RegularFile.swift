#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file on a disk, open: never a FIFO, a device or a socket, which have no end and whose opening can wait for ever.
///
/// ```swift
/// let file = try RegularFile(reading: path)
/// let bytes = try file.contents(limit: 1 << 20)
/// ```
///
/// Links are followed. Opening never waits for somebody else, and has no effect on what is no regular file. Reading and
/// writing wait for the disk, and for nothing else. It is closed when this value goes.
public struct RegularFile: ~Copyable {
  /// For the system's calls; owned here.
  public let descriptor: Int32
  /// Bytes when it was opened.
  public let size: Int64

  /// Opens a file that is there, to be read.
  public init(reading path: String) throws(RegularFileFailure) { try self.init(path, O_RDONLY) }

  /// Opens a file to be written, and makes it where there is none.
  ///
  /// - Parameter flags: besides, such as `O_APPEND` or `O_TRUNC`.
  public init(writing path: String, flags: Int32 = 0) throws(RegularFileFailure) { try self.init(path, O_WRONLY | O_CREAT | flags) }

  private init(_ path: String, _ flags: Int32) throws(RegularFileFailure) {
    // Asked before, too: opening a terminal, a tape or a FIFO has effects of its own.
    if let kind = FileKind(at: path), kind != .regular { throw .kind(kind) }
    var descriptor: Int32 = -1
    repeat { descriptor = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0o666) } while descriptor < 0 && errno == EINTR
    guard descriptor >= 0 else { throw .system(errno) }
    var status = stat()
    let code = fstat(descriptor, &status) == 0 ? 0 : errno
    let kind = FileKind(status.st_mode)
    // Somebody may have put another one there meanwhile.
    guard code == 0, kind == .regular else {
      close(descriptor)
      throw code == 0 ? .kind(kind) : .system(code)
    }
    self.descriptor = descriptor
    size = Int64(status.st_size)
  }

  deinit { close(descriptor) }

  /// All of it, read from the beginning.
  ///
  /// - Parameter limit: bytes; nothing of a file that has more is returned. What claims to be small and goes on, as files of
  ///   the system do, is noticed too.
  public func contents(limit: Int) throws(RegularFileFailure) -> [UInt8] {
    guard size <= limit else { throw .size(limit: limit) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(size))
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = pread(descriptor, &chunk, chunk.count, off_t(bytes.count))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system(errno) }
      if count == 0 { return bytes }
      guard bytes.count + count <= limit else { throw .size(limit: limit) }
      bytes += chunk[..<count]
    }
  }
}

/// Why there is no regular file to be had.
public enum RegularFileFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The system's error number.
  case system(Int32)
  /// What is there instead.
  case kind(FileKind)
  /// It has more bytes than this.
  case size(limit: Int)

  /// What follows the file's name in a sentence: "is a FIFO, not a regular file".
  public var description: String {
    switch self {
    case .system(let code): "cannot be opened: " + (strerror(code).map { String(cString: $0) } ?? "error \(code)")
    case .kind(let kind): "is \(kind.words), not a regular file"
    case .size(let limit): "has more than \(limit) bytes"
    }
  }
}

/// What a name stands for, once links are followed.
public enum FileKind: Hashable, Sendable {
  case regular, folder, fifo, socket, device

  /// nil if there is nothing of that name, or nobody may know.
  public init?(at path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status.st_mode)
  }

  init(_ mode: mode_t) {
    self =
      switch mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .folder
      case S_IFIFO: .fifo
      case S_IFSOCK: .socket
      default: .device
      }
  }

  /// For people: "a FIFO".
  public var words: String {
    switch self {
    case .regular: "a regular file"
    case .folder: "a folder"
    case .fifo: "a FIFO"
    case .socket: "a socket"
    case .device: "a device"
    }
  }
}
