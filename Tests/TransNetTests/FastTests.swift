import Tensors
import Testing
import TransNet
import TransNetReference

@Suite("TransNetV2")
struct FastTests {
  @Test(
    "In the published windows both heads give PyTorch's probabilities, as closely as the precision allows",
    arguments: Way.all([.windowed]))
  func parity(_ way: Way) throws {
    let predictor = try way.makePredictor(threads: 2)
    let tolerance: Float =
      switch way.precision {
      case .float32: 5e-4
      case .bfloat16: 2e-2
      case .int8: 5e-2
      }
    for film in FilmCase.stored {
      let found = try predictor.predict(film.frames)
      #expect(largestDifference(found.map(\.oneHot), film.expected.oneHot) <= tolerance, "\(film.name)")
      #expect(largestDifference(found.map(\.manyHot), film.expected.manyHot) <= tolerance, "\(film.name)")
    }
  }

  static let streams: [Windowing] = [8, 16, 25, 50, 98].map { .streaming(lookAhead: $0) }

  @Test("Streaming finds the transitions that the published windows find, to within a frame", arguments: streams)
  func sameScenes(_ windowing: Windowing) throws {
    let way = Way(windowing, .automatic)
    let expected = transitions(FilmCase.stored[0].expected.oneHot)
    let found = try transitions(way.makePredictor(threads: 2).predict(excerpt).map(\.oneHot))
    #expect(!expected.isEmpty)
    #expect(found.count == expected.count, "\(found) instead of \(expected)")
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 1 }, "\(found) instead of \(expected)")
  }

  static let numbers = [0, 1, 2, 24, 26, 49, 51, 99, 101]
  static let windowings: [Windowing] = [.windowed] + [8, 16, 25, 47, 48, 50, 98].map { .streaming(lookAhead: $0) }

  @Test("Streams of any length have a prediction a frame", arguments: windowings)
  func lengths(_ windowing: Windowing) throws {
    let predictor = try Way(windowing, .automatic).makePredictor(threads: 2)
    for number in Self.numbers {
      // Short of the convolutions' reach, frames cost the more the further it looks ahead.
      if 16...25 ~= predictor.lookAhead, ![0, 1, 26, 51].contains(number) { continue }
      if predictor.lookAhead == 47, ![0, 26].contains(number) { continue }
      let found = try predictor.predict(frames(0..<number))
      #expect(found.count == number)
      #expect(found.allSatisfy { 0...1 ~= $0.oneHot && 0...1 ~= $0.manyHot })
    }
  }

  @Test("A stream that stands still and a black one have no transitions", arguments: windowings.prefix(2) + [.streaming(lookAhead: 50)])
  func still(_ windowing: Windowing) throws {
    let way = Way(windowing, .automatic)
    let predictor = try way.makePredictor(threads: 2)
    let frozen = (0..<60).flatMap { _ in frames(40..<41) }
    let number = way.windowing == .streaming(lookAhead: 8) ? 30 : 60
    #expect(try predictor.predict(Array(frozen.prefix(number * frameBytes))).allSatisfy { $0.oneHot < 0.1 && $0.manyHot < 0.1 })
    #expect(try predictor.predict([UInt8](repeating: 0, count: number * frameBytes)).allSatisfy { $0.oneHot < 0.1 && $0.manyHot < 0.1 })
  }

  @Test("Look-aheads of no sense are taken as the least", arguments: [0, -1, Int.min])
  func leastLookAhead(_ lookAhead: Int) throws {
    let predictor = try Way(.streaming(lookAhead: lookAhead), .automatic).makePredictor()
    #expect(predictor.lookAhead == 1)
    #expect(try predictor.predict(frames(0..<3)).count == 3)
  }
}

@Suite("What TransNetV2's predictions do not depend on")
struct IndependenceTests {
  static let windowings: [Windowing] = [.windowed] + [8, 48, 49, 50, 98].map { .streaming(lookAhead: $0) }
  /// Every windowing in the fastest precision, and every precision in those that differ most.
  static let ways =
    windowings.map { Way($0, .automatic) }
    + Way.all([.streaming(lookAhead: 8), .streaming(lookAhead: 50)]).filter { $0.precision != .automatic }
  /// Frames around one of the excerpt's cuts; fewer where they cost more.
  static func stream(_ way: Way) -> [UInt8] { frames(way.windowing == .streaming(lookAhead: 8) ? 15..<35 : 0..<53) }

  @Test("How many frames are pushed at a time", arguments: ways)
  func chunks(_ way: Way) throws {
    let predictor = try way.makePredictor(threads: 2)
    let expected = try predictor.predict(Self.stream(way), chunk: 1)
    // Three at a time are a pair and one, 50 are eights and a pair.
    for chunk in way.precision == .automatic ? [2, 3, 8, 50] : [3, 50] {
      let found = try predictor.predict(Self.stream(way), chunk: chunk)
      #expect(difference(found, expected) == nil, "\(chunk) at a time")
    }
  }

  @Test("How many threads there are", arguments: ways)
  func threads(_ way: Way) throws {
    let expected = try way.makePredictor(threads: 1).predict(Self.stream(way))
    for threads in way.precision == .automatic ? [2, 3, 4] : [4] {
      let found = try way.makePredictor(threads: threads).predict(Self.stream(way))
      #expect(difference(found, expected) == nil, "\(threads) threads")
    }
  }

  @Test("Earlier streams, ended or dropped anywhere", arguments: windowings)
  func earlier(_ windowing: Windowing) throws {
    let way = Way(windowing, .automatic)
    let predictor = try way.makePredictor(threads: 2)
    let stream = Array(Self.stream(way).prefix(30 * frameBytes))
    let expected = try predictor.predict(stream)
    #expect(difference(try predictor.predict(stream), expected) == nil, "after a stream that ended")
    for number in [1, 31, 77] where number < 77 || way.windowing != .streaming(lookAhead: 8) {
      var dropped: [Prediction] = []
      try predictor.push(frames(80..<80 + number), into: &dropped)
      predictor.reset()
      #expect(difference(try predictor.predict(stream), expected) == nil, "after \(number) frames and a reset")
    }
  }
}

@Suite("When predictions come")
struct LookAheadTests {
  static let windowings: [Windowing] = [.windowed] + [1, 2, 5, 8, 25, 47, 48, 49, 50, 98, 120].map { .streaming(lookAhead: $0) }

  @Test("A frame's prediction is there when as many later frames are as the look-ahead says", arguments: windowings)
  func promise(_ windowing: Windowing) throws {
    let predictor = try Way(windowing, .automatic).makePredictor(threads: 2)
    if case .streaming(let wanted) = windowing { #expect(predictor.lookAhead == min(wanted, 99)) }
    #expect(windowing.lookAhead == predictor.lookAhead)
    var found: [Prediction] = []
    var least = Int.max
    for pushed in 1...(predictor.lookAhead + 12) {
      try predictor.push(frames((pushed - 1) % 160..<(pushed - 1) % 160 + 1), into: &found)
      least = min(least, found.count - (pushed - predictor.lookAhead))
      #expect(found.count >= pushed - predictor.lookAhead, "\(found.count) predictions after \(pushed) frames")
    }
    // No later than promised; at some place no sooner either, but for streams whose frames may come in pairs.
    #expect(least <= (predictor.leastCount > 1 ? 1 : 0), "the look-ahead is \(least) more than it must be")
  }

  @Test(
    "A thread's predictions can be waited for as soon as they are due",
    arguments: [1, 5, 8, 16, 48, 50, 120].map { Windowing.streaming(lookAhead: $0) })
  func thread(_ windowing: Windowing) throws {
    let inference = try InferenceThread(folder: models, windowing: windowing, precision: .automatic, threads: 2)
    var found: [Prediction] = []
    for pushed in 1...(inference.lookAhead + 12) {
      #expect(try inference.submit(frame: (pushed - 1) % 160))
      try inference.takePredictions(into: &found, least: max(0, pushed - inference.lookAhead - found.count))
      #expect(found.count >= pushed - inference.lookAhead)
    }
  }
}
