import ShotLists

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A folder for a few files that another program is to read; it is gone with this value. Nobody else can look into it.
public struct ScratchFolder: ~Copyable {
  /// Where it lies.
  public let path: String
  private let files: [String]

  /// In the folder that TMPDIR names, or /tmp.
  ///
  /// - Parameters:
  ///   - prefix: what its name begins with.
  ///   - files: names of those that may be in it at the end.
  public init(prefix: String, files: [String]) throws(FileError) {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? ""
    let folder = parent.isEmpty ? "/tmp" : parent
    var template = Array("\(folder)/\(prefix)-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw FileError(.open, path: folder, code: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    self.files = files
  }

  deinit {
    for file in files { unlink("\(path)/\(file)") }
    rmdir(path)
  }
}
