import Extension
import Testing
import Timing

/// Which frames generated shots are shown in.
@Suite("Shot pacing") struct ShotPacingTests {
  private func pacing(_ fps: (Int, Int)) -> ShotPacing { ShotPacing(FrameTimes(start: second, numerator: fps.0, denominator: fps.1)) }

  @Test("Shots of 12.5 frames have 13 and 12 in turns")
  func halves() {
    var pacing = pacing((25, 1))
    let counts = (0..<6).map { _ in
      let count = pacing.begin(lasting: 500 * ms)
      for _ in 0..<count { pacing.advance() }
      return count
    }
    #expect(counts == [13, 12, 13, 12, 13, 12])
  }

  @Test(
    "Over all of them they are as long as they are planned to, to half a frame",
    arguments: [(25, 1), (24_000, 1001), (30_000, 1001), (60_000, 1001), (1001, 17)], [333, 500, 1234, 2500])
  func sums(_ fps: (Int, Int), _ milliseconds: ClockTime) {
    var pacing = pacing(fps)
    for number in 1...40 as ClosedRange<ClockTime> {
      let count = pacing.begin(lasting: milliseconds * ms)
      let end = pacing.end(after: count)
      for _ in 0..<count { pacing.advance() }
      #expect(pacing.next.pts == end)
      let wanted = second + number * milliseconds * ms
      #expect(max(end, wanted) - min(end, wanted) <= pacing.next.duration / 2 + 1)
    }
  }

  @Test("A shot that is slowed down lasts longer, and shows its own time", arguments: [1.0, 0.5, 0.25])
  func slow(_ speed: Double) {
    var pacing = pacing((25, 1))
    #expect(pacing.begin(lasting: 2 * second, speed: speed) == UInt64(50 / speed))
    for _ in 0..<25 { pacing.advance() }
    #expect(pacing.elapsed == ClockTime(Double(second) * speed))
  }

  @Test("Every shot has a frame", arguments: [0, 1, 10] as [ClockTime])
  func short(_ milliseconds: ClockTime) {
    var pacing = pacing((25, 1))
    #expect(pacing.begin(lasting: milliseconds * ms) == 1)
  }

  @Test("Lengths beyond all limits do not trap", arguments: [1.0, 0.25])
  func limits(_ speed: Double) {
    var pacing = pacing((25, 1))
    #expect(pacing.begin(lasting: .max, speed: speed) > 1_000_000)
    #expect(pacing.end(after: .max) == .max)
  }

  @Test("Each shot shows its own time, at its own speed")
  func ownTime() {
    var pacing = pacing((25, 1))
    for speed in [0.5, 1, 0.25] {
      let count = pacing.begin(lasting: second, speed: speed)
      #expect(pacing.elapsed == 0 && count == UInt64(25 / speed))
      for _ in 0..<count { pacing.advance() }
      #expect(pacing.elapsed == second)
    }
  }

  @Test("What shots that had to have a frame had too much, the next one lacks")
  func debt() {
    var pacing = pacing((25, 1))
    for _ in 0..<3 {
      #expect(pacing.begin(lasting: 0) == 1)
      pacing.advance()
    }
    #expect(pacing.begin(lasting: second) == 22)
  }

  @Test("Frames last to the next one, which is rounded by itself")
  func durations() {
    var pacing = pacing((24_000, 1001))
    for _ in 0..<100 {
      let (pts, duration) = pacing.next
      pacing.advance()
      #expect(pts + duration == pacing.next.pts)
    }
  }
}
