import Glibc

/// A folder that is gone, with what lies in it, when the last user is.
final class Folder {
  let path: String

  init() throws {
    var template = Array("/tmp/shots-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure("no temporary folder") }
    path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
  }

  deinit { Self.remove(path) }

  private static func remove(_ path: String) {
    if let folder = opendir(path) {
      while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        guard name != ".", name != ".." else { continue }
        if unlink(path + "/" + name) != 0 { remove(path + "/" + name) }
      }
      closedir(folder)
    }
    rmdir(path)
  }

  func file(_ name: String) -> String { path + "/" + name }
}

/// A file's bytes; none if there is no such file.
func contents(of path: String) -> [UInt8] {
  guard let file = fopen(path, "rb") else { return [] }
  defer { fclose(file) }
  var all: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { all += chunk[..<count] }
  return all
}

/// The text of a file; empty if there is none.
func text(of path: String) -> String { String(decoding: contents(of: path), as: UTF8.self) }

func write(_ bytes: some Collection<UInt8>, to path: String) throws {
  guard let file = fopen(path, "wb") else { throw Failure("\(path) cannot be written") }
  defer { fclose(file) }
  let array = Array(bytes)
  guard fwrite(array, 1, array.count, file) == array.count else { throw Failure("\(path) cannot be written") }
}

func lines(of path: String) -> [String] { text(of: path).split(separator: "\n").map { String($0) } }

/// What somebody else's detector found in the excerpt: Tests/tools/make_excerpt_fixtures.py.
enum Excerpt {
  static let film = Plugin.root + "/samples/media/big-buck-bunny-excerpt.mp4"
  static let frames = 1440

  private static let rows = lines(of: Plugin.root + "/Tests/PluginTests/Fixtures/excerpt.txt").map { $0.split(separator: " ") }

  static func cuts(_ detector: String) -> [UInt64] {
    rows.first { $0.starts(with: ["cuts", Substring(detector)]) }?.dropFirst(2).compactMap { UInt64($0) } ?? []
  }

  /// Of the second frame and all after it.
  static let contentScores: [Double] = rows.first { $0.first == "content_val" }?.dropFirst().compactMap { Double($0) } ?? []
}
