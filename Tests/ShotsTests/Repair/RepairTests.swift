import Shots
import Testing

/// What of a stream is to go, without any stream.
@Suite("Repair") struct RepairTests {
  private func boundary(_ kind: BoundaryKind = .fade, from start: UInt64?, to end: UInt64?) -> Boundary {
    Boundary(kind: kind, shot: 2, frame: 5, transitionStart: start, transitionEnd: end, score: 1, detector: "fused")
  }

  private let ms: UInt64 = 1_000_000

  // MARK: TransitionPlan

  @Test func `the last clean frame and the first are outside, what lies between inside`() {
    var plan = TransitionPlan(kinds: [.fade])
    plan.add(boundary(from: 400 * ms, to: 800 * ms))
    let inside = stride(from: 0, to: 1200, by: 40).filter { plan.transition(at: UInt64($0) * ms) != nil }
    #expect(inside == Array(stride(from: 440, through: 760, by: 40)))
    #expect(plan.transition(at: nil) == nil)
  }

  @Test func `of an odd number of frames the middle one is new, of an even number half are`() throws {
    for frames in 1...9 {
      var plan = TransitionPlan(kinds: [.fade])
      let times = (1...frames).map { UInt64($0) * 40 * ms }
      plan.add(boundary(from: 0, to: UInt64(frames + 1) * 40 * ms))
      let old = times.filter { plan.transition(at: $0)?.isOld($0) == true }
      #expect(old.count == frames / 2, "\(frames) frames")
    }
  }

  @Test func `cuts, other kinds and boundaries without an interval are left alone`() {
    var plan = TransitionPlan(kinds: [.fade, .wipe])
    for left in [boundary(.cut, from: 0, to: 40), boundary(.dissolve, from: 0, to: 400), boundary(from: nil, to: 400)] {
      #expect(!plan.treats(left))
      plan.add(left)
    }
    #expect(plan.transitions.isEmpty)
  }

  @Test func `margin takes in so many frames more, whatever the rounding of their times`() {
    for step in [40_000_000, 41_666_666, 41_666_667, 33_366_666] as [UInt64] {
      var plan = TransitionPlan(kinds: [.fade], margin: 2 * step)
      plan.add(boundary(from: 10 * step, to: 15 * step))
      let inside = (0..<30).filter { plan.transition(at: UInt64($0) * step) != nil }
      #expect(inside == Array(9...16), "\(step)")
    }
  }

  @Test func `a transition that begins inside the one before begins at its end`() throws {
    var plan = TransitionPlan(kinds: [.fade])
    plan.add(boundary(from: 400, to: 800))
    plan.add(boundary(from: 600, to: 1200))
    #expect(plan.transition(at: 800) == nil)
    #expect(try #require(plan.transition(at: 810)).start == 800)
  }

  @Test func `each cut is told once, in the middle or at the end, and what is over is dropped`() {
    for (atEnd, place) in [(false, 600), (true, 800)] as [(Bool, UInt64)] {
      var plan = TransitionPlan(kinds: [.fade])
      plan.add(boundary(from: 400, to: 800), forcesKeyUnit: true)
      var told: [UInt64] = []
      for time in stride(from: 0, through: 1000, by: 40) as StrideThrough<UInt64> {
        for due in plan.leave(at: time, atEnd: atEnd) {
          told.append(time)
          #expect(due.forcesKeyUnit)
        }
      }
      #expect(told == [place])
      #expect(plan.transitions.isEmpty)
    }
  }

  @Test func `a fade that nothing follows is all of the old shot and tells no cut`() {
    var plan = TransitionPlan(kinds: [.fade])
    plan.add(boundary(from: 400, to: nil))
    #expect(plan.transition(at: .max - 1)?.isOld(.max - 1) == true)
    #expect(plan.leave(at: 1 << 40, atEnd: true).isEmpty)
    #expect(plan.leave(at: 1 << 40, atEnd: false).isEmpty)
  }

  @Test func `a fade that is longer than told begins earlier and ends later, and keeps off its neighbours`() throws {
    var plan = TransitionPlan(kinds: [.fade])
    plan.add(boundary(from: 400, to: 800))
    plan.add(boundary(from: 1000, to: 1400))
    plan.widen(start: 700)
    #expect(plan.transitions.map(\.start) == [400, 800])
    plan.widen(start: 400, end: 900)
    #expect(plan.transitions.map(\.end) == [800, 1400], "the other begins there")
    plan.widen(start: 800, end: 1600)
    #expect(plan.transitions[1].end == 1600 && plan.transitions[1].middle == 1200 && plan.transitions[1].isMeasured)
    plan.add(boundary(from: 1500, to: 2000))
    #expect(plan.transitions[2].start == 1600)
  }

  @Test func `a fade lasts as long as the picture comes back`() {
    for (length, missed) in [(12, 3), (24, 6), (48, 10), (100, 12), (24, 0)] {
      // The one that the detector takes for clean is so many frames early.
      let distances = (0..<20).map { 0.4 * min(1, Double(length - missed + $0) / Double(length)) }
      #expect(abs(FadeExtent.frames(distances) - missed) <= 1, "\(missed) of \(length)")
    }
    #expect(FadeExtent.frames([0.4, 0.4, 0.4, 0.4]) == 0)
    #expect(FadeExtent.frames([0.4, 0.404, 0.401, 0.405, 0.4]) == 0, "pictures tremble")
    #expect(FadeExtent.frames([0.4]) == 0 && FadeExtent.frames([]) == 0)
    #expect(FadeExtent.frames((0..<50).map { 0.1 + 0.02 * Double($0) }) == FadeExtent.most)
  }

  // MARK: SoundSplice

  /// Plays `count` samples in buffers of `size` and returns the samples of the input that pass, the crossfades' sides,
  /// and where each crossfade lies in the output.
  private func play(_ splice: inout SoundSplice, count: Int64, size: Int64, decided: Int64 = .max) -> (
    passed: [Int64], old: [Int64], new: [Int64]
  ) {
    var (passed, old, new): ([Int64], [Int64], [Int64]) = ([], [], [])
    var position: Int64 = 0
    while position < count {
      let left = Int(min(size - position % size, count - position))
      switch splice.step(at: position, count: left, upTo: decided) {
      case .pass(let n):
        #expect(n > 0)
        passed += (position..<position + Int64(n)).map { $0 - splice.removed }
        position += Int64(n)
      case .old(let n, let at):
        #expect(at == old.count)
        old += position..<position + Int64(n)
        position += Int64(n)
      case .new(let n, let at):
        #expect(at == new.count)
        new += position..<position + Int64(n)
        position += Int64(n)
      case .drop(let n):
        #expect(n > 0)
        position += Int64(n)
      case .joint: splice.finishJoint()
      case .wait: return (passed, old, new)
      }
    }
    return (passed, old, new)
  }

  @Test func `a stretch goes to the sample, whatever the buffers' sizes`() {
    for size in [1, 7, 100, 1024, 5000] as [Int64] {
      var splice = SoundSplice(half: 50)
      splice.cut(from: 1000, to: 2003)
      let played = play(&splice, count: 4000, size: size)
      // The crossfade's place, 950 to 1050, is left free for it.
      #expect(played.passed == Array(0..<950) + Array(1050..<4000 - 1003), "\(size)")
      #expect(played.old == Array(950..<1050))
      #expect(played.new == Array(1953..<2053))
      #expect(splice.removed == 1003)
    }
  }

  @Test func `short stretches have short crossfades`() {
    var splice = SoundSplice(half: 50)
    splice.cut(from: 1000, to: 1021)
    let played = play(&splice, count: 2000, size: 64)
    #expect(played.old == Array(990..<1010) && played.new == Array(1011..<1031))
    #expect(played.passed == Array(0..<990) + Array(1010..<2000 - 21))
  }

  @Test func `sound waits for what is not decided`() {
    var splice = SoundSplice(half: 50)
    #expect(play(&splice, count: 4000, size: 100, decided: 1000).passed == Array(0..<950))
    #expect(splice.step(at: 950, count: 10, upTo: 1000) == .wait)
  }

  @Test func `the rest of a stream goes when its end is taken out`() {
    var splice = SoundSplice(half: 50)
    splice.cut(from: 1000, to: .max)
    let played = play(&splice, count: 4000, size: 128)
    #expect(played.passed == Array(0..<950) && played.old == Array(950..<1050) && played.new.isEmpty)
  }

  @Test func `empty stretches and those out of order are ignored`() {
    var splice = SoundSplice(half: 50)
    splice.cut(from: 1000, to: 1000)
    splice.cut(from: 2000, to: 3000)
    splice.cut(from: 2500, to: 4000)
    #expect(splice.stretches.map(\.start) == [2000])
  }

  @Test func `a crossfade is straight and keeps channels apart`() {
    let mixed = crossfade([1, -1, 1, -1, 1, -1, 1, -1], [0, 1, 0, 1, 0, 1, 0, 1], channels: 2)
    #expect(mixed == [0.875, -0.75, 0.625, -0.25, 0.375, 0.25, 0.125, 0.75])
    #expect(crossfade([], [], channels: 2).isEmpty)
  }
}
