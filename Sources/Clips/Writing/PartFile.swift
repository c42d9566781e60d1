import Files
import ShotLists

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file that is written beside its place and gets its name when it is complete, in one step: whoever finds the name finds
/// all of it, whenever the process is killed. Unless it does, it is gone with this value.
public struct PartFile: ~Copyable {
  /// Where it lies until then: the name that it is meant to get, with `.PROCESS-NUMBER.part` behind it; of a long name only
  /// as much as leaves room for that.
  public let path: String
  /// For reading and writing. −1 when closed.
  public private(set) var descriptor: Int32
  private var isPublished = false

  /// Blocking, as everything here.
  ///
  /// - Throws: also for a name that is too long, or stands for a folder or device: nothing could take its place.
  public init(beside name: String) throws(FileError) {
    if FileName.isTooLong(name) { throw FileError(.open, path: name, code: ENAMETOOLONG) }
    try Self.checkPlace(name)
    var number = 0
    while true {
      let path = FileName.beside(name, ending: ".\(getpid())-\(number).part")
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
  ///   - overwriting: takes the first name, whatever file is there.
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
      if overwriting { try Self.checkPlace(target) }
      let code = overwriting ? (rename(path, target) == 0 ? 0 : errno) : moveToFreeName(path, target)
      if code == 0 {
        isPublished = true
        return attempt
      }
      guard !overwriting, code == EEXIST else { throw FileError(.replace, path: target, code: code) }
      attempt += 1
    }
  }

  /// Renaming would put the file in the place of a device as in that of a file.
  private static func checkPlace(_ name: String) throws(FileError) {
    if let kind = FileKind(at: name), kind != .regular { throw FileError(.open, path: name, kind: kind) }
  }
}

/// Gives a file another name, in one step, if nobody has it; the error number else, `EEXIST` if somebody has.
private func moveToFreeName(_ path: String, _ target: String) -> Int32 {
  // A file may have two names for a moment, and both are whole.
  if link(path, target) == 0 {
    unlink(path)
    return 0
  }
  let code = errno
  // File systems without links, such as FAT: two that want one name at the same instant may take it from each other there.
  guard [EPERM, EOPNOTSUPP, ENOSYS, EMLINK, EACCES].contains(code) else { return code }
  var status = stat()
  if lstat(target, &status) == 0 { return EEXIST }
  return rename(path, target) == 0 ? 0 : errno
}
