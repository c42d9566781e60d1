#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Names of files, as the system limits them: in bytes, for the last part of a path and for all of it.
public enum FileName {
  /// Bytes of one name on the file systems of today; others tell.
  static let usualLimit = 255
  /// Bytes of a path, without its end.
  static let pathLimit = 4095

  /// The path with an ending behind its name, in the same folder: `folder/clip.mp4` → `folder/clip.mp4.7-0.part`.
  ///
  /// Where that would be longer than a name may be, the name loses so much of its end: every name that is legal has one
  /// beside it.
  public static func beside(_ path: String, ending: String) -> String { joined(path, keeping: 0, ending) }

  /// The path with text before its extension, in the same folder: `folder/clip.mp4` → `folder/clip-2.mp4`. Shortened
  /// likewise, before the text.
  public static func extended(_ path: String, by text: String) -> String {
    let (_, name) = split(path)
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return joined(path, keeping: 0, text) }
    let last = name[dot...]
    return joined(path, keeping: last.unicodeScalars.count, text + last)
  }

  /// Whether the last part of the path is longer than names may be in its folder.
  public static func isTooLong(_ path: String) -> Bool {
    let (folder, name) = split(path)
    return name.utf8.count > limit(of: folder) || path.utf8.count > pathLimit
  }

  private static func split(_ path: String) -> (folder: Substring, name: Substring) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return ("", path[...]) }
    let name = path.utf8.index(after: slash)
    return (path[..<name], path[name...])
  }

  private static func limit(of folder: Substring) -> Int {
    let limit = pathconf(folder.isEmpty ? "." : String(folder), Int32(_PC_NAME_MAX))
    return limit > 0 ? limit : usualLimit
  }

  /// - Parameter kept: characters of the name's end that `ending` has again.
  private static func joined(_ path: String, keeping kept: Int, _ ending: String) -> String {
    let (folder, name) = split(path)
    var stem = name.unicodeScalars.dropLast(kept)
    let room = min(limit(of: folder), pathLimit - folder.utf8.count) - ending.utf8.count
    var length = Substring(stem).utf8.count
    while length > room, let last = stem.popLast() { length -= last.utf8.count }
    return "\(folder)\(Substring(stem))\(ending)"
  }
}
