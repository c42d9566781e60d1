import ShotLists

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file that is written beside its place and gets its name when it is complete. Unless it does, it is gone with this
/// value.
public struct PartFile: ~Copyable {
  /// Where it lies until then: the name that it is meant to get, with `.PROCESS-NUMBER.part` behind it.
  public let path: String
  /// For reading and writing. −1 when closed.
  public private(set) var descriptor: Int32
  private var isPublished = false

  /// Blocking, as everything here.
  public init(beside name: String) throws(FileError) {
    var number = 0
    while true {
      let path = "\(name).\(getpid())-\(number).part"
      let descriptor = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o666)
      if descriptor >= 0 {
        self.path = path
        self.descriptor = descriptor
        return
      }
      guard errno == EEXIST || errno == EINTR else { throw FileError(.open, path: name, code: errno) }
      number += 1
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if !isPublished { unlink(path) }
  }

  /// Brings everything to the disk, closes the file and gives it the first name that is free.
  ///
  /// - Parameters:
  ///   - overwriting: takes the first name, whatever is there.
  ///   - name: the name for each attempt, from 0; all in the folder that the file was made in.
  /// - Returns: the attempt whose name it has.
  public mutating func publish(overwriting: Bool, as name: (UInt64) -> String) throws(FileError) -> UInt64 {
    guard fdatasync(descriptor) == 0 else { throw FileError(.write, path: name(0), code: errno) }
    let code = close(descriptor) == 0 ? 0 : errno
    descriptor = -1
    if code != 0, code != EINTR { throw FileError(.close, path: name(0), code: code) }
    var attempt: UInt64 = 0
    while true {
      let target = name(attempt)
      if !overwriting {
        // An empty file takes the name: nobody else can then, and a rename replaces it on every file system.
        let placeholder = open(target, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o666)
        if placeholder < 0 {
          guard errno == EEXIST || errno == EINTR else { throw FileError(.replace, path: target, code: errno) }
          if errno == EEXIST { attempt += 1 }
          continue
        }
        close(placeholder)
      }
      guard rename(path, target) == 0 else {
        let code = errno
        if !overwriting { unlink(target) }
        throw FileError(.replace, path: target, code: code)
      }
      isPublished = true
      return attempt
    }
  }
}
