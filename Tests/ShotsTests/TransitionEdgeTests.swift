import Shots
import TestSupport
import Testing
import Timing

/// Where streams begin and end, and where a frame stands for a long time.
@Suite struct TransitionEdgeTests {
  /// Stretches of the film's shots, without a transition.
  static let shots = [20..<59, 61..<100, 164..<200, 221..<259, 340..<380, 380..<420].map { $0.map(TransitionFilm.frame) }
  static let silent: (one: Float, many: Float) = (0, 0)

  func watching(_ threshold: Double? = nil) throws -> Watching {
    Watching(rule: TransitionRule(.fused, model: try shippedModel(), threshold: threshold))
  }

  @Test("a cut is found at its frame however few frames come before or after it", arguments: [1, 2, 3, 7, 26], [0, 0.9] as [Float])
  func edges(_ few: Int, _ network: Float) throws {
    for (old, new) in zip(Self.shots, Self.shots.dropFirst()) {
      for (film, cut) in [(old + Array(new[..<few]), old.count), (Array(old[(old.count - few)...]) + new, few)] {
        // What TransNetV2 says does not change where it is.
        var p = Array(repeating: Self.silent, count: film.count)
        p[cut - 1] = (network, network)
        var watching = try watching()
        watching.watch(film, p)
        #expect(watching.transitions == [Transition(kind: "cut", frame: cut, start: cut - 1, end: cut)])
      }
    }
  }

  @Test("a cut in streams of two and of three frames is found", arguments: [[1, 1], [1, 2], [2, 1]])
  func short(_ counts: [Int]) throws {
    let film = Array(Self.shots[1][..<counts[0]]) + Array(Self.shots[3][..<counts[1]])
    var watching = try watching()
    watching.watch(film, film.map { _ in Self.silent })
    #expect(watching.transitions.map(\.frame) == [counts[0]])
  }

  @Test("a shot that goes on to the stream's end in motion has no boundary there", arguments: [10, 23, 39])
  func motion(_ count: Int) throws {
    for shot in Self.shots {
      var watching = try watching()
      let film = Array(shot[max(0, shot.count - count)...])
      watching.watch(film, film.map { _ in Self.silent })
      #expect(watching.transitions == [])
    }
  }

  // MARK: - Frames that are far apart

  /// Frames of the given shots, each `interval` after the one before.
  func found(_ shots: [Int], every interval: UInt64, _ p: Float = 0, threshold: Double? = nil) throws -> [UInt64] {
    var watching = try watching(threshold), frames = [Int](repeating: 0, count: Self.shots.count)
    for (index, shot) in shots.enumerated() {
      let time = FrameTime(frame: UInt64(index), elapsed: UInt64(index) * interval, streamTime: UInt64(index) * interval)
      Self.shots[shot][frames[shot]].withUnsafeBufferPointer { watching.rule.see(thumbnail: $0, at: time, into: &watching.findings) }
      watching.outputs((p, p))
      frames[shot] += 1
    }
    watching.rule.finish(into: &watching.findings)
    return watching.findings.boundaries.map(\.frame)
  }

  static let second = ClockTime.milliseconds(1000)

  @Test("each slide is a shot, whatever the network makes of them", arguments: [0, 0.3, 0.9] as [Float])
  func slides(_ network: Float) throws {
    let shots = (0..<40).map { [0, 1, 2, 3, 4, 5][$0 % 6] }
    for interval in [Self.second / 2, Self.second, 5 * Self.second, 86_400 * Self.second] {
      #expect(try found(shots, every: interval, network) == Array(1..<40))
    }
  }

  @Test("of slides that stay for some frames only the first is one")
  func heldSlides() throws {
    let shots = (0..<30).map { [0, 1, 2, 3, 4, 5][$0 / 3 % 6] }
    #expect(try found(shots, every: Self.second) == (1..<10).map { UInt64(3 * $0) })
  }

  @Test("time lapse of one scene is one shot, also where the network sees motion", arguments: [0, 0.4] as [Float])
  func lapse(_ network: Float) throws {
    #expect(try found(Array(repeating: 1, count: 39), every: Self.second, network) == [])
  }

  @Test("the threshold counts for slides too")
  func slideThreshold() throws {
    let shots = (0..<12).map { [0, 1, 2, 3, 4, 5][$0 % 6] }
    #expect(try found(shots, every: Self.second, threshold: 1) == [])
    // One that nothing reaches, where TransNetV2 is sure of every frame.
    #expect(try found(shots, every: Self.second / 25, 0.9, threshold: 255) == [])
  }

  @Test("frames that follow closely are judged by what lies around them, also those without a time of their own")
  func near() throws {
    let shots = Array(repeating: 0, count: 30) + Array(repeating: 2, count: 30)
    for interval in [Self.second / 60, Self.second / 24, Self.second / 5] { #expect(try found(shots, every: interval) == [30]) }
  }

  @Test("a gap in a film is no boundary, a cut in a gap is one", arguments: [false, true])
  func gap(_ isCut: Bool) throws {
    let film = Array(Self.shots[1][..<19]) + Array(isCut ? Self.shots[3][..<20] : Self.shots[1][19...])
    var watching = try watching()
    for (index, picture) in film.enumerated() {
      let time = UInt64(index) * Self.second / 25 + (index >= 19 ? 3 * Self.second : 0)
      picture.withUnsafeBufferPointer {
        watching.rule.see(thumbnail: $0, at: FrameTime(frame: UInt64(index), elapsed: time), into: &watching.findings)
      }
      watching.outputs(Self.silent)
    }
    watching.rule.finish(into: &watching.findings)
    #expect(watching.findings.boundaries.map(\.frame) == (isCut ? [19] : []))
  }
}
