import Glibc
import Testing
import TransNet
import TransNetReference

let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

func bytes(of path: String) -> [UInt8] {
  guard let file = fopen(path, "rb") else { return [] }
  defer { fclose(file) }
  var all: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 20)
  while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { all += chunk[..<count] }
  return all
}

/// A model's folder that is gone when the test is over.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/shots-test-XXXXXX".utf8CString)
    path = mkdtemp(&template).map { String(cString: $0) } ?? "/nonexistent"
  }

  deinit {
    for name in ["config.json", "model.safetensors"] { unlink("\(path)/\(name)") }
    rmdir(path)
  }
}

/// Frames and what PyTorch's TransNetV2 says of them: Tests/tools/make_transnet_fixtures.py.
struct FilmCase: Sendable, CustomTestStringConvertible {
  var name: String
  /// `[T][27][48][3]`
  var frames: [UInt8]
  var expected: Predictions

  var testDescription: String { name }

  static let stored = read(folder: root + "/Tests/TransNetTests/Fixtures")

  static func read(folder: String) -> [FilmCase] {
    let frames = bytes(of: folder + "/frames.rgb")
    let lines = String(decoding: bytes(of: folder + "/predictions.txt"), as: UTF8.self).split(separator: "\n")
    return stride(from: 0, to: lines.count / 3 * 3, by: 3).map { line in
      let words = lines[line].split(separator: " ")
      let (first, count) = (Int(words[1]) ?? 0, Int(words[2]) ?? 0)
      let size = ReferenceNetwork.bytesPerFrame
      let seen = words[0] == "black" ? [UInt8](repeating: 0, count: count * size) : Array(frames[first * size..<(first + count) * size])
      var expected = Predictions()
      expected.oneHot = lines[line + 1].split(separator: " ").compactMap { Float($0) }
      expected.manyHot = lines[line + 2].split(separator: " ").compactMap { Float($0) }
      return FilmCase(name: String(words[0]), frames: seen, expected: expected)
    }
  }
}

/// The largest |Δp|; infinite if they are not of one length.
func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).map { ($0 - $1).isNaN ? .infinity : abs($0 - $1) }.max() ?? 0
}
