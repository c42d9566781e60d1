import Extension
import Shots
import Testing
import Timing

/// Sources that are back after a stall with times that are off.
@Suite("Timeline: moved times") struct TimelineMovedTests {
  /// A camera, the clock, and what is shown in its place: everything at the pace of the clock.
  private struct Camera {
    var feed: TimelineFeed
    /// Running time by the clock.
    var now: ClockTime = 0
    var left: [(time: ClockTime, frame: Flow.PassingFrame)] = []
    let late: ClockTime
    /// Frames that are shown in its place at most.
    var longest = Int.max

    /// Two seconds that play, each frame so much after its time.
    init(
      _ triggers: Set<TimelineSettings.Trigger> = [.stall], timeout: ClockTime = 1000, late: ClockTime = 5 * ms,
      segment: TestSegment = TestSegment(), hasSound: Bool = false
    ) {
      feed = TimelineFeed(triggers, segment: segment, stallTimeout: timeout * ms)
      if hasSound { feed.soundCaps(TimelineFeed.mono, segment: segment) }
      self.late = late
      for number in 0..<50 {
        now = feed.time(number) + segment.base + late
        _ = frame(at: segment.start + feed.time(number))
        if hasSound { _ = feed.sound(TimelineFeed.mono, at: segment.start + feed.time(number), lasting: 40 * ms, now: now) }
      }
    }

    /// The clock goes on without frames; others are shown from the timeout on.
    mutating func stall(until end: ClockTime) {
      while now < end {
        now += 10 * ms
        let isStalled = feed.flow.stallTime(feed.settings).map { now >= $0 } ?? false
        if feed.flow.run == nil, isStalled { feed.begin(isLive: true, hasSound: true, stalledAt: now) }
        showDue()
      }
    }

    /// Generated frames that are due, and an end when the source is back.
    mutating func showDue() {
      guard feed.flow.run != nil else { return }
      while feed.flow.run != nil {
        let front = feed.flow.picture.front
        if feed.flow.isSourceBack(at: front, duration: 40 * ms) || longest == 0 {
          _ = feed.finish()
        } else if front <= now {
          feed.show(1, now: now)
          longest -= 1
        } else {
          return
        }
      }
    }

    /// A frame comes now; it waits for as long as it has to.
    mutating func frame(at pts: ClockTime?, mark: Boundary? = nil) -> Arrived {
      let came = now
      for _ in 0..<1000 {
        switch feed.flow.arrive(pts: pts, duration: 40 * ms, marked: mark, now: came, feed.settings, keep: { nil }) {
        case nil:
          showDue()
          guard feed.flow.run != nil else { continue }
          now += 10 * ms
        case .dropped: return .dropped
        case .ended: return .ended
        case .passes(let passing):
          left.append((now, passing))
          feed.flow.tookFrame(now: now)
          return .passes(passing)
        }
      }
      return .waits
    }

    /// Frames at the pace of the clock, the first now; what became of each.
    mutating func play(_ count: Int, from pts: ClockTime, every step: ClockTime = 40 * ms) -> [Arrived] {
      let start = now
      return (0..<count).map { number in
        stall(until: start + ClockTime(number) * step)
        return frame(at: pts + feed.time(number))
      }
    }
  }

  @Test(
    "Times from 0 on, or late by the stall, or far ahead, are moved a timeout after they came, and the stream goes on to the nanosecond",
    arguments: [0, 2, 3600, 1_000_000_000] as [ClockTime], [100, 1000, 2500] as [ClockTime])
  func offForGood(_ first: ClockTime, _ timeout: ClockTime) throws {
    var camera = Camera(timeout: timeout)
    camera.stall(until: 5 * second)
    let before = camera.left.count
    let came = camera.now
    let frames = camera.play(100, from: first * second)
    let passed = camera.left[before...]
    let back = try #require(passed.first)
    #expect(back.time - came <= timeout * ms + 80 * ms, "within a frame or two after the timeout")
    #expect(back.time - came >= timeout * ms / 2)
    #expect(back.frame.isReturn && back.frame.isFirstMoved)
    #expect(frames.suffix(passed.count).allSatisfy { $0.frame != nil }, "from there on all pass")
    for (number, next) in passed.enumerated() {
      #expect(next.frame.time == back.frame.time + camera.feed.time(number))
      #expect(next.frame.isFirstMoved == (number == 0) && next.frame.shift == back.frame.shift)
      #expect(next.time.less(next.frame.time) < 100 * ms && next.frame.time.less(next.time) < 100 * ms, "by the clock")
    }
  }

  @Test(
    "A stall of any length that a camera has slept through is found, also where it is short beside the timeout", arguments: [1, 10, 40])
  func resumed(_ more: ClockTime) throws {
    var camera = Camera(timeout: 1000)
    camera.stall(until: 3 * second + more * 40 * ms)
    let before = camera.left.count
    _ = camera.play(100, from: 2 * second)
    let back = try #require(camera.left[before...].first)
    #expect(back.frame.isFirstMoved && back.frame.shift.isLater && back.frame.shift.amount >= second)
    #expect(camera.left[before...].count >= 72)
  }

  @Test("Where the stream has come to is where it was shown to", arguments: [0, 7 * second])
  func exact(_ base: ClockTime) throws {
    var camera = Camera(segment: TestSegment(start: second, base: base, time: 60 * second))
    camera.stall(until: 5 * second + base)
    _ = camera.play(50, from: second)
    let shown = try #require(camera.left.dropFirst(50).first?.frame)
    let boundary = try #require(shown.boundary)
    #expect(boundary.runningTime == shown.time && boundary.pts == shown.time - base + second)
    #expect(boundary.streamTime == shown.time - base + 60 * second)
    #expect(camera.feed.flow.sourceTime(of: shown.time, .video) == base + (boundary.pts ?? 0) - shown.shift.amount - second)
    #expect(camera.feed.flow.sourceTime(of: shown.time - 1, .video) == nil)
    #expect(shown.departures.map(\.text) == ["key \(shown.time / ms)"])
  }

  @Test("A source that is back with its own times has them, at once", arguments: [5, 100, 600] as [ClockTime])
  func right(_ late: ClockTime) throws {
    var camera = Camera(late: late * ms)
    camera.stall(until: 5 * second + late * ms)
    let before = camera.left.count
    let frames = camera.play(60, from: 5 * second)
    #expect(frames.allSatisfy { $0.frame?.shift.amount ?? 0 == 0 })
    // What was covered is over: as late as it is they come.
    #expect(frames.prefix(while: { $0.frame == nil }).count <= Int(late) / 40 + 2)
    #expect(camera.left[before...].allSatisfy { $0.frame.time >= 5 * second })
  }

  @Test("A burst of what a network held back is no restart")
  func burst() throws {
    var camera = Camera()
    camera.stall(until: 5 * second)
    let before = camera.left.count
    _ = camera.play(85, from: 2 * second, every: 5 * ms)
    _ = camera.play(50, from: 5400 * ms)
    #expect(camera.left.count > before + 35)
    #expect(camera.left[before...].allSatisfy { $0.frame.shift.amount == 0 })
  }

  @Test("Behind shots that are over the source's times are moved too", arguments: [0, 2] as [ClockTime])
  func afterShots(_ first: ClockTime) throws {
    var camera = Camera()
    camera.longest = 25
    camera.stall(until: 9 * second)
    #expect(camera.feed.flow.run == nil)
    let before = camera.left.count
    _ = camera.play(100, from: first * second)
    let moved = try #require(camera.left[before...].first { $0.frame.isFirstMoved })
    #expect(moved.time <= 10 * second + 80 * ms)
    #expect(moved.time - moved.frame.time < 100 * ms, "by the clock, not where the shots ended")
    #expect(camera.left.last?.frame.shift == moved.frame.shift)
  }

  @Test("A second restart moves them again, and a return to the right times takes them back", arguments: [false, true])
  func again(_ isRight: Bool) throws {
    var camera = Camera()
    camera.stall(until: 5 * second)
    _ = camera.play(100, from: 0)
    let first = try #require(camera.left.last?.frame.shift)
    camera.stall(until: 12 * second)
    let before = camera.left.count
    _ = camera.play(100, from: isRight ? 12 * second : 0)
    let last = try #require(camera.left.last)
    #expect(camera.left.count > before + 60)
    #expect(isRight ? last.frame.shift.amount == 0 : last.frame.shift.amount > first.amount + 5 * second)
    #expect(last.time.less(last.frame.time) < 100 * ms)
  }

  @Test("A new segment has times of its own")
  func newSegment() throws {
    var camera = Camera()
    camera.stall(until: 5 * second)
    _ = camera.play(60, from: 0)
    let front = camera.feed.flow.picture.front
    _ = camera.feed.event("again", .segment(TestSegment()))
    #expect(camera.frame(at: 0).frame?.shift.amount ?? 0 > 0, "the same one changes nothing")
    _ = camera.feed.event("new", .segment(TestSegment(base: front)))
    #expect(camera.frame(at: 0).frame?.shift.amount == 0)
  }

  @Test("Boundaries of moved frames are moved with them")
  func boundaries() throws {
    var camera = Camera()
    camera.stall(until: 5 * second)
    _ = camera.play(60, from: 0)
    var mark = TimelineFeed.boundary(2, frame: 60, at: 2400 * ms)
    (mark.transitionStart, mark.transitionEnd) = (2360 * ms, 2400 * ms)
    let frame = try #require(camera.frame(at: 2400 * ms, mark: mark).frame)
    let boundary = try #require(frame.boundary)
    let shift = frame.shift.amount
    #expect(boundary.pts == 2400 * ms + shift && boundary.streamTime == boundary.pts && boundary.runningTime == frame.time)
    #expect(boundary.transitionStart == 2360 * ms + shift && boundary.transitionEnd == 2400 * ms + shift)
  }

  @Test("Gaps are moved with what they lie between")
  func gaps() throws {
    var camera = Camera()
    #expect(camera.feed.event("gap", .gap(until: second)) == ["gap"])
    camera.stall(until: 5 * second)
    _ = camera.play(60, from: 0)
    let shift = try #require(camera.left.last?.frame.shift)
    #expect(camera.feed.event("gap", .gap(until: 3 * second)) == ["gap +\(shift.amount / ms)"])
  }

  @Test("Without a stall times that go back are left alone")
  func noStall() {
    var camera = Camera()
    let frames = camera.play(50, from: 0)
    #expect(frames.allSatisfy { $0.frame?.shift.amount == 0 })
  }

  @Test("A closed segment that comes with the return is opened for what is moved beyond its end")
  func closed() throws {
    var camera = Camera()
    camera.stall(until: 5 * second)
    _ = camera.feed.event("new", .segment(TestSegment(stop: 4 * second)))
    let before = camera.left.count
    _ = camera.play(50, from: 0)
    let back = try #require(camera.left[before...].first?.frame)
    #expect(back.departures.map(\.text).prefix(2) == ["new base 0", "new base 0"])
    #expect(camera.feed.flow.picture.shifted.stop == nil)
  }

  // MARK: Sound

  @Test("Sound is moved with its picture, and only where it was off as well", arguments: [0, 2, 3600] as [ClockTime], [false, true])
  func sound(_ first: ClockTime, _ isOther: Bool) throws {
    var camera = Camera(hasSound: true)
    camera.stall(until: 5 * second)
    _ = camera.feed.made(nil)
    let start = camera.now
    var shifts: [TimeOffset] = []
    var lost = 0
    for number in 0..<75 {
      camera.stall(until: start + camera.feed.time(number))
      _ = camera.frame(at: first * second + camera.feed.time(number))
      _ = camera.feed.made(nil)
      let arrival = camera.feed.flow.arriveSound(
        pts: isOther ? camera.now : first * second + camera.feed.time(number), duration: 40 * ms, size: 3840,
        now: camera.now, camera.feed.settings
      ) { [UInt8](repeating: 0, count: $0) }
      if case .passes(let passing)? = arrival { shifts.append(passing.shift) } else { lost += 1 }
    }
    let picture = try #require(camera.left.last?.frame.shift)
    #expect(picture.amount > 0)
    #expect(shifts.last == (isOther ? TimeOffset() : picture))
    #expect(lost <= (isOther ? 3 : 29))
  }

  @Test("Sound that is off alone is moved alone")
  func soundAlone() throws {
    var camera = Camera(hasSound: true)
    camera.stall(until: 5 * second)
    _ = camera.feed.made(nil)
    let start = camera.now
    var moved: [ClockTime] = []
    for number in 0..<75 {
      camera.stall(until: start + camera.feed.time(number))
      _ = camera.frame(at: start + camera.feed.time(number))
      _ = camera.feed.made(nil)
      let arrival = camera.feed.flow.arriveSound(
        pts: camera.feed.time(number), duration: 40 * ms, size: 3840, now: camera.now, camera.feed.settings
      ) { [UInt8](repeating: 0, count: $0) }
      if case .passes(let passing)? = arrival, passing.isFirstMoved { moved.append(passing.shift.amount) }
    }
    #expect(moved.count == 1 && moved.first ?? 0 > 4 * second)
    #expect(camera.left.allSatisfy { $0.frame.shift.amount == 0 })
  }

  @Test("Sound that does not begin with its picture keeps its place beside it", arguments: [0, 3])
  func beside(_ earlier: Int) throws {
    var camera = Camera(hasSound: true)
    camera.stall(until: 5 * second)
    _ = camera.feed.made(nil)
    let start = camera.now
    var shifts: [TimeOffset] = []
    for number in 0..<75 {
      camera.stall(until: start + camera.feed.time(number))
      if number >= earlier { _ = camera.frame(at: camera.feed.time(number)) }
      _ = camera.feed.made(nil)
      let arrival = camera.feed.flow.arriveSound(
        pts: camera.feed.time(number) + 200 * ms, duration: 40 * ms, size: 3840, now: camera.now, camera.feed.settings
      ) { [UInt8](repeating: 0, count: $0) }
      if case .passes(let passing)? = arrival { shifts.append(passing.shift) }
    }
    let picture = try #require(camera.left.last?.frame.shift)
    #expect(picture.amount > 0 && shifts.count > 40)
    #expect(shifts.allSatisfy { $0 == picture })
  }

  @Test("Sound that is back before its picture, with times that are off, is moved while the picture still stalls")
  func soundBefore() throws {
    var camera = Camera(hasSound: true)
    camera.stall(until: 5 * second)
    _ = camera.feed.made(nil)
    let start = camera.now
    var passed: [ClockTime] = []
    for number in 0..<75 {
      camera.stall(until: start + camera.feed.time(number))
      _ = camera.feed.made(nil)
      let arrival = camera.feed.flow.arriveSound(
        pts: camera.feed.time(number), duration: 40 * ms, size: 3840, now: camera.now, camera.feed.settings
      ) { [UInt8](repeating: 0, count: $0) }
      if case .passes? = arrival { passed.append(camera.now) }
    }
    #expect(passed.first ?? .max <= start + second + 80 * ms && passed.count >= 45)
  }

  @Test("What is off once and right in between is not off for good")
  func inBetween() {
    var camera = Camera()
    camera.stall(until: 5 * second)
    func arrive(_ pts: ClockTime, _ now: ClockTime) -> Flow.PictureArrival? {
      camera.feed.flow.arrive(pts: pts, duration: 40 * ms, marked: nil, now: now, camera.feed.settings) { nil }
    }
    for (pts, now) in [(2 * second, 5 * second), (4960 * ms, 5040 * ms), (2 * second, 6100 * ms)] as [(ClockTime, ClockTime)] {
      guard case .dropped? = arrive(pts, now) else { return #expect(Bool(false), "it is dropped at \(now)") }
    }
    // It waits for the extension's end, and is moved.
    if let arrival = arrive(2 * second, 7100 * ms) { #expect(Bool(false), "\(arrival)") }
  }

  // MARK: Shifts

  @Test("A shift brings one time to another, and traps nowhere")
  func shifts() {
    #expect(TimeOffset(from: 3, to: 10).moved(5) == 12 && TimeOffset(from: 10, to: 3).moved(12) == 5)
    #expect(TimeOffset(from: 0, to: .max).moved(.max) == .max && TimeOffset(from: .max, to: 0).moved(5) == 0)
    #expect(TimeOffset(from: 4, to: 4) == TimeOffset() && TimeOffset().moved(7) == 7)
  }
}
