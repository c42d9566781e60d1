#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file that is open, and sure to be one: of bytes that are there at once, anywhere in it, and that have an end.
///
/// ```swift
/// let file = try RegularFile(path: "prompts.txt")
/// let bytes = try file.contents(atMost: 1 << 20)
/// ```
///
/// Whoever names a file may name anything: a FIFO that nobody writes to would wait for ever, a device such as `/dev/zero` has no end.
/// Both are refused before they are opened. What is open stays the same file when another takes its name; what is written into it
/// in place is seen, and told by ``read(at:into:)``. Memory is never mapped: who touches a page that was cut off is killed.
package final class RegularFile: Sendable {
  /// Why a file cannot be read. `description` is a clause without a full stop; its subject is the file.
  package enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The system's error number.
    case system(Int32)
    /// What is there instead.
    case kind(FileKind)
    /// It has more bytes than are read.
    case tooLong(size: Int, most: Int)
    /// It was written to or cut short since it was opened.
    case changed

    package var description: String {
      switch self {
      case .system(let code): "cannot be read: \(strerror(code).map { String(cString: $0) } ?? "error \(code)")"
      case .kind(let kind): "is \(kind.words), not a regular file"
      case .tooLong(let size, let most): "is \(size) bytes long, more than the \(most) that are read"
      case .changed: "was written to or cut short while it was in use"
      }
    }
  }

  /// By which a file that was written to, or replaced, is known. Not by its contents, nor by its name.
  package struct Stamp: Hashable, Sendable {
    /// When its contents changed last.
    package var seconds, nanoseconds: Int
    /// In bytes.
    package var size: Int
    /// Which file it is, on which device.
    package var number, device: UInt64

    fileprivate init(_ status: stat) {
      (seconds, nanoseconds) = (Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec))
      size = Int(clamping: status.st_size)
      (number, device) = (UInt64(status.st_ino), UInt64(status.st_dev))
    }
  }

  /// Of the file as it was opened.
  package let stamp: Stamp
  /// For the system's calls; owned here.
  package let descriptor: Int32

  /// Bytes it had when it was opened; 0 also for the files of `/proc`, which have some.
  package var size: Int { stamp.size }

  /// Opens a file to be read, and does not wait for anybody.
  package convenience init(path: String) throws(Failure) { try self.init(path, O_RDONLY) }

  /// Opens a file to be written, and makes it where there is none.
  ///
  /// - Parameter flags: besides, such as `O_APPEND` or `O_TRUNC`.
  package convenience init(writing path: String, flags: Int32 = 0) throws(Failure) { try self.init(path, O_WRONLY | O_CREAT | flags) }

  private init(_ path: String, _ flags: Int32) throws(Failure) {
    // Looked at before it is opened too: opening a FIFO wakes its writers, and opening some devices does things.
    if let kind = FileKind(at: path), kind != .regular { throw .kind(kind) }
    var descriptor: Int32 = -1
    repeat { descriptor = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0o666) } while descriptor < 0 && errno == EINTR
    guard descriptor >= 0 else { throw .system(errno) }
    do throws(Failure) {
      // Somebody may have put another one there meanwhile.
      stamp = try Self.stamp { fstat(descriptor, &$0) }
      self.descriptor = descriptor
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  /// That of a file that need not be opened.
  package static func stamp(path: String) throws(Failure) -> Stamp { try stamp { stat(path, &$0) } }

  /// The names in a folder, of whatever kind, in no order; a hundred thousand at most.
  package static func names(in folder: String) throws(Failure) -> [String] {
    guard let directory = opendir(folder) else { throw .system(errno) }
    defer { closedir(directory) }
    var names: [String] = []
    while names.count < 100_000, let entry = readdir(directory) {
      names.append(withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names
  }

  private static func stamp(_ look: (inout stat) -> Int32) throws(Failure) -> Stamp {
    var status = stat()
    guard look(&status) == 0 else { throw .system(errno) }
    let kind = FileKind(status.st_mode)
    guard kind == .regular else { throw .kind(kind) }
    return Stamp(status)
  }

  /// Reads as many bytes as there is room for, from `offset` on.
  ///
  /// - Throws: ``Failure/changed`` also where the bytes are there, but may be others than when the file was opened.
  package func read(at offset: Int, into room: UnsafeMutableRawBufferPointer) throws(Failure) {
    guard try readSome(at: offset, into: room) == room.count else { throw .changed }
    try requireUnchanged()
  }

  /// Throws ``Failure/changed`` if the file was written to, or cut short, since it was opened.
  package func requireUnchanged() throws(Failure) {
    guard try Self.stamp({ fstat(descriptor, &$0) }) == stamp else { throw .changed }
  }

  /// All there is from its beginning: of a file that somebody writes to meanwhile, what is there by then.
  ///
  /// - Throws: ``Failure/tooLong(size:most:)``; no more than `most` bytes and one are read, however fast the file grows.
  package func contents(atMost most: Int) throws(Failure) -> [UInt8] {
    guard size <= most else { throw .tooLong(size: size, most: most) }
    var bytes: [UInt8] = []
    // One byte more than it should have tells whether it has grown.
    var room = size + 1
    while true {
      let start = bytes.count
      var failure: Failure?
      bytes.append(contentsOf: repeatElement(0, count: room))
      var count = 0
      bytes.withUnsafeMutableBytes { bytes in
        do throws(Failure) {
          count = try readSome(at: start, into: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
        } catch { failure = error }
      }
      if let failure { throw failure }
      bytes.removeLast(room - count)
      guard bytes.count <= most else { throw .tooLong(size: bytes.count, most: most) }
      guard count == room else { return bytes }
      room = min(1 << 16, most - bytes.count + 1)
    }
  }

  /// - Returns: how many bytes were read: fewer than there is room for at the file's end.
  private func readSome(at offset: Int, into room: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
    var done = 0
    while done < room.count, let base = room.baseAddress {
      let count = pread(descriptor, base + done, room.count - done, off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system(errno) }
      if count == 0 { break }
      done += count
    }
    return done
  }
}
