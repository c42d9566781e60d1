import Extension
import Shots
import Testing
import Timing

/// The source's frames, their boundaries and events.
@Suite("Timeline: picture") struct TimelinePictureTests {
  @Test(
    "Frames pass, and what left ends where they do", arguments: [(25, 1), (24_000, 1001), (30_000, 1001), (60, 1), (1, 1)], [1, 10, 250])
  func passing(_ rate: (Int, Int), _ count: Int) {
    var feed = TimelineFeed(fps: rate.0, rate.1)
    for number in 0..<count {
      let frame = feed.frame(number).frame
      #expect(frame?.time == feed.time(number) && frame?.boundary == nil && frame?.isReturn == false)
    }
    #expect(feed.flow.picture.frames == UInt64(count) && feed.flow.picture.front == feed.time(count))
    #expect(feed.flow.picture.kept == count - 1)
  }

  @Test("A frame that does not say how long it lasts lasts one of the rate", arguments: [(25, 40), (50, 20), (1, 1000), (0, 40)])
  func duration(_ fps: Int, _ milliseconds: ClockTime) {
    var flow = Flow(detector: "test")
    _ = flow.receive("c", .videoCaps(rate: FrameRate(fps), isKnown: true), .video, TimelineSettings(), takesMore: true, hasVideo: true)
    _ = flow.arrive(pts: 70 * ms, duration: nil, marked: nil, now: 0, TimelineSettings()) { nil }
    #expect(flow.picture.next == (70 + milliseconds) * ms)
  }

  @Test("Frames without times follow what left")
  func untimed() {
    var feed = TimelineFeed()
    for number in 0..<5 { #expect(feed.frame(number, isTimed: false).frame?.time == feed.time(number)) }
  }

  @Test("A segment's base, start and time hold", arguments: [0, 4, 100])
  func segments(_ base: ClockTime) {
    var feed = TimelineFeed(segment: TestSegment(start: 0, base: base * second, time: 60 * second))
    #expect(feed.frame(3).frame?.time == base * second + 120 * ms)
    #expect(feed.event("again", .segment(TestSegment(base: 9 * second))) == ["again base 9000"])
  }

  @Test("The source's boundaries pass as they are while all of its frames do")
  func marks() {
    var feed = TimelineFeed()
    feed.play(0..<5)
    #expect(feed.frame(5, mark: TimelineFeed.boundary(2, frame: 5)).frame?.boundary == nil)
    #expect(feed.flow.picture.shot == 2)
  }

  @Test("Events leave in their order while frames do")
  func events() {
    var feed = TimelineFeed()
    #expect(feed.event("tag", .other) == ["tag"])
    feed.play(0..<2)
    #expect(feed.event("gap", .gap(until: nil)) == ["gap"])
  }

  @Test("The end is held where shots follow it, and no frame comes behind it")
  func heldEnd() {
    var feed = TimelineFeed()
    feed.play(0..<5)
    #expect(feed.event("end", .endOfStream) == ["(held)"])
    #expect(feed.frame(5).text == "ended")
    #expect(feed.event("end", .endOfStream) == ["(dropped)"])
    #expect(feed.flow.holdsEnd(of: .video) && !feed.flow.isPictureOver)
  }

  @Test("The end leaves at once where nothing follows", arguments: 0..<3)
  func plainEnd(_ reason: Int) {
    var feed = TimelineFeed(reason == 0 ? [.stall] : [.eos], segment: TestSegment(isForward: reason != 1))
    feed.play(0..<5)
    #expect(feed.event("end", .endOfStream, takesMore: reason != 2) == ["end"])
    #expect(feed.flow.isPictureOver)
    #expect(feed.frame(5).text == "ended")
  }

  @Test("Behind an end that has left another stream begins anew")
  func nextStream() {
    var feed = TimelineFeed([.stall])
    feed.play(0..<5)
    _ = feed.event("end", .endOfStream)
    #expect(feed.event("stream", .streamStart) == ["stream"])
    #expect(feed.frame(0).text == "passes" && feed.flow.picture.frames == 1)
  }

  @Test("Another stream has what follows the last one end with its shot")
  func streamBehindHeldEnd() {
    var feed = TimelineFeed()
    feed.play(0..<5)
    _ = feed.event("end", .endOfStream)
    feed.flow.endWithShownShot()
    #expect(feed.begin()?.run.kind == .tail && feed.flow.isToEnd)
  }

  @Test("A flush forgets what came, but not the caps and the segment")
  func flush() {
    var feed = TimelineFeed(segment: TestSegment(base: second))
    feed.play(0..<5)
    _ = feed.event("end", .endOfStream)
    _ = feed.flow.ask(2, prompts: nil, feed.settings)
    feed.flow.reset(.video)
    #expect(!feed.flow.holdsEnd(of: .video) && feed.flow.picture.frames == 0 && feed.flow.picture.hasCaps)
    #expect(feed.begin() == nil)
    #expect(feed.frame(0).frame?.time == second)
  }

  @Test("Numbers at their limits do not trap", arguments: [ClockTime.max, .max - 1, .max / 2] as [ClockTime])
  func limits(_ time: ClockTime) {
    var flow = Flow(detector: "test")
    let settings = TimelineSettings(triggers: [.eos, .stall], stallTimeout: .max)
    _ = flow.receive(
      "s", .segment(TestSegment(base: time)), .video, settings, takesMore: true, hasVideo: true)
    _ = flow.arrive(pts: time, duration: time, marked: TimelineFeed.boundary(.max, frame: .max), now: time, settings) { nil }
    _ = flow.ask(1, prompts: nil, settings)
    let beginning = flow.begin(isLive: false, hasSound: true, stalledAt: time, settings)
    flow.show(until: time, runningTime: time, now: time, beginning: .max)
    _ = flow.isSourceBack(at: time, duration: time)
    _ = flow.arriveSound(pts: time, duration: time, size: 8, now: time, settings) { [UInt8](repeating: 0, count: $0) }
    _ = flow.nextSound(settings, TestSupply(ready: .max))
    if let beginning { _ = flow.finish(beginning, downstream: .takes, settings) }
    #expect(flow.picture.frames == 2)
  }
}
