import Glibc
import Tensors
import Testing
import TransNet
import TransNetReference

let models = root + "/models/transnetv2"

@Suite("TransNetV2 in float32")
struct ReferenceTests {
  @Test("Both heads give PyTorch's probabilities to within 5e-4", arguments: FilmCase.stored)
  func parity(_ film: FilmCase) throws {
    let found = ReferenceNetwork(try TransNetWeights(folder: models)).predict(film.frames)
    #expect(found.oneHot.count == film.frames.count / ReferenceNetwork.bytesPerFrame)
    #expect(largestDifference(found.oneHot, film.expected.oneHot) <= 5e-4)
    #expect(largestDifference(found.manyHot, film.expected.manyHot) <= 5e-4)
  }

  @Test("No frame gives no prediction")
  func empty() throws {
    let network = ReferenceNetwork(try TransNetWeights(folder: models))
    #expect(network.predict([]).oneHot.isEmpty)
    #expect(network.run([]).manyHot.isEmpty)
    #expect(network.predict([UInt8](repeating: 0, count: ReferenceNetwork.bytesPerFrame - 1)).oneHot.isEmpty)
  }
}

@Suite("The published windows")
struct WindowsTests {
  @Test("Every frame is kept by exactly one window, which has it at its place", arguments: [1, 49, 50, 51, 100, 149, 150])
  func cover(frames: Int) {
    let windows = Windows(frames: frames)
    #expect((0..<windows.count).flatMap { windows.kept(by: $0) } == Array(0..<frames))
    for window in 0..<windows.count {
      for (position, frame) in windows.kept(by: window).enumerated() {
        #expect(windows.frame(at: Windows.margin + position, of: window) == frame)
      }
    }
  }

  @Test("Before the first and after the last frame stand copies of them")
  func padding() {
    let windows = Windows(frames: 60)
    #expect(
      (0..<100).map { windows.frame(at: $0, of: 0) } == [Int](repeating: 0, count: 25) + Array(0..<60) + [Int](repeating: 59, count: 15))
    #expect((0..<100).map { windows.frame(at: $0, of: 1) } == Array(25..<60) + [Int](repeating: 59, count: 65))
  }
}

/// A whole film, for a person: `GST_SHOTS_TRANSNET=FOLDER swift test -c release --filter FilmParity`, with a folder that
/// Tests/tools/make_transnet_fixtures.py has written.
@Suite("A film of one's own")
struct FilmParity {
  @Test("Both heads give PyTorch's probabilities to within 5e-4", .enabled(if: folder != nil))
  func parity() throws {
    let folder = try #require(Self.folder)
    let film = try #require(FilmCase.read(folder: folder).first)
    let clock = ContinuousClock()
    let begin = clock.now
    let weights = try TransNetWeights(folder: models)
    let loaded = clock.now
    let found = ReferenceNetwork(weights).predict(film.frames)
    let oneHot = largestDifference(found.oneHot, film.expected.oneHot)
    let manyHot = largestDifference(found.manyHot, film.expected.manyHot)
    print(
      "\(found.oneHot.count) frames: max |Δp| one_hot \(oneHot), many_hot \(manyHot); \(loaded - begin) to load, \(clock.now - loaded) to run"
    )
    #expect(oneHot <= 5e-4)
    #expect(manyHot <= 5e-4)
  }

  private static var folder: String? { getenv("GST_SHOTS_TRANSNET").map { String(cString: $0) } }
}
