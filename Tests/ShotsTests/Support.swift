import Glibc
import Shots
import Timing

/// `frame` of a constant-rate stream, times rounded to the nanosecond as a demuxer rounds them.
func frameTime(_ frame: Int, rate: FrameRate = .fallback, begin: UInt64 = 0) -> FrameTime {
  let elapsed = rate.nanoseconds(of: UInt64(frame))
  return FrameTime(
    frame: UInt64(frame), elapsed: elapsed, pts: begin + elapsed, runningTime: elapsed, streamTime: begin + elapsed)
}

func rate(_ numerator: Int, _ denominator: Int = 1) -> FrameRate {
  FrameRate(numerator, denominator) ?? .fallback
}

/// The boundaries that a rule finds in scores given frame by frame; nil is "nothing to compare with".
func boundaries<Rule: ScoreRule>(
  _ rule: Rule, _ scores: [Double?], rate: FrameRate = .fallback, finishing: Bool = true
) -> [Boundary] {
  var rule = rule
  var findings = Findings()
  for (frame, score) in scores.enumerated() { rule.see(score, at: frameTime(frame, rate: rate), into: &findings) }
  if finishing { rule.finish(into: &findings) }
  return findings.boundaries
}

/// Quiet frames with `high` at some of them; the first frame has nothing to compare with.
func scores(_ count: Int, _ high: [Int: Double], quiet: Double = 2) -> [Double?] {
  var all = [Double?](repeating: quiet, count: count)
  for (frame, score) in high { all[frame] = score }
  all[0] = nil
  return all
}

func bytes(of path: String) -> [UInt8] {
  guard let file = fopen(path, "rb") else { return [] }
  defer { fclose(file) }
  var all: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { all += chunk[..<count] }
  return all
}

func text(of path: String) -> String { String(decoding: bytes(of: path), as: UTF8.self) }

func fixture(_ name: String) -> String {
  let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
  return text(of: "/\(folder)/Fixtures/\(name)")
}

/// A folder that is gone, with what lies directly in it, when the test is over.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/shots-test-XXXXXX".utf8CString)
    path = mkdtemp(&template).map { String(cString: $0) } ?? "/nonexistent"
  }

  deinit {
    for name in names { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  var names: [String] {
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
  func split(_ separator: Character) -> [Substring] { split(separator: separator, omittingEmptySubsequences: false) }
}
