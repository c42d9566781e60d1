import Glibc
import Shots
import Timing

/// `frame` of a constant-rate stream, times rounded to the nanosecond as a demuxer rounds them.
package func frameTime(_ frame: Int, rate: FrameRate = .fallback, begin: UInt64 = 0) -> FrameTime {
  let elapsed = rate.nanoseconds(of: UInt64(frame))
  return FrameTime(
    frame: UInt64(frame), elapsed: elapsed, pts: begin + elapsed, runningTime: elapsed, streamTime: begin + elapsed)
}

package func rate(_ numerator: Int, _ denominator: Int = 1) -> FrameRate {
  FrameRate(numerator, denominator) ?? .fallback
}

package func bytes(of path: String) -> [UInt8] {
  guard let file = fopen(path, "rb") else { return [] }
  defer { fclose(file) }
  var all: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { all += chunk[..<count] }
  return all
}

package func text(of path: String) -> String { String(decoding: bytes(of: path), as: UTF8.self) }

/// A file in `Fixtures` beside the test that asks.
package func fixture(_ name: String, for test: String = #filePath) -> String {
  let folder = test.split(separator: "/").dropLast().joined(separator: "/")
  return text(of: "/\(folder)/Fixtures/\(name)")
}

/// A folder that is gone, with what lies directly in it, when the test is over.
package final class TemporaryFolder: Sendable {
  package let path: String

  package init() {
    var template = Array("/tmp/shots-test-XXXXXX".utf8CString)
    path = mkdtemp(&template).map { String(cString: $0) } ?? "/nonexistent"
  }

  deinit {
    for name in names { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  package var names: [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var all: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { all.append(name) }
    }
    return all.sorted()
  }
}

extension String {
  package func split(_ separator: Character) -> [Substring] { split(separator: separator, omittingEmptySubsequences: false) }
}
