import Extension
import Shots
import Testing
import Timing

/// When extensions begin, and what follows them.
@Suite("Timeline: extensions") struct TimelineExtensionTests {
  // MARK: Behind the end

  @Test(
    "What follows the end goes on to the nanosecond, and then the end leaves", arguments: [(25, 1), (24_000, 1001), (60, 1)], [1, 13, 100])
  func tail(_ rate: (Int, Int), _ count: Int) {
    var feed = TimelineFeed(fps: rate.0, rate.1)
    feed.play(0..<10)
    _ = feed.event("end", .endOfStream)
    let beginning = feed.begin()
    #expect(beginning?.run.kind == .tail && beginning?.run.start == feed.time(10) && beginning?.picture.continuation == feed.time(10))
    feed.show(count)
    // Rounded once, from the last frame's end.
    let end = feed.flow.picture.front
    #expect(max(end, feed.time(10 + count)) - min(end, feed.time(10 + count)) <= 1)
    #expect(feed.finish() == ["end"])
    #expect(feed.flow.isPictureOver && feed.flow.picture.frames == UInt64(10 + count))
  }

  @Test("An end without frames before it is held, and followed by nothing but the end")
  func emptyTail() {
    var feed = TimelineFeed()
    _ = feed.event("end", .endOfStream)
    #expect(feed.begin()?.run.kind == .tail)
    #expect(feed.finish() == ["end"])
  }

  @Test("Who takes no more frames still has the end", arguments: [Flow.Downstream.refuses, .takes, .flushes])
  func refused(_ downstream: Flow.Downstream) {
    var feed = TimelineFeed([.stall])
    feed.play(0..<5)
    feed.begin(stalledAt: 10 * second)
    _ = feed.event("end", .endOfStream)
    feed.show(3)
    #expect(feed.finish(downstream) == (downstream == .flushes ? [] : ["end"]))
  }

  @Test("A closed segment is opened once, with the same base")
  func opened() {
    var feed = TimelineFeed([.stall], segment: TestSegment(start: 0, stop: 10 * second, base: 7 * second))
    feed.play(0..<5)
    feed.begin(isLive: true, stalledAt: 9 * second)
    #expect(feed.flow.openSegment()?.base == 7 * second)
    #expect(feed.flow.openSegment() == nil)
  }

  // MARK: Inserted

  @Test("What follows inserted shots is later by them, to the nanosecond", arguments: [1, 12, 13, 50, 1000], [false, true])
  func inserted(_ count: Int, _ hasNewSegment: Bool) {
    var feed = TimelineFeed()
    feed.play(0..<10)
    #expect(feed.flow.ask(1, prompts: nil, feed.settings) == .taken)
    #expect(feed.frame(10).text == "waits")
    #expect(feed.begin()?.run.kind == .insert)
    feed.show(count)
    if hasNewSegment { #expect(feed.event("moved", .segment(TestSegment(base: 400 * ms))) == ["(waits)"]) }
    #expect(feed.finish() == [])
    // Both say the same: a segment in which the time stamp of frame 10 is later.
    let frame = feed.flow.arrive(
      pts: hasNewSegment ? 0 : feed.time(10), duration: 40 * ms, marked: nil, now: 0, feed.settings
    ) { 10 }
    guard case .passes(let passing)? = frame else { return #expect(Bool(false), "it passes") }
    let length = feed.time(count)
    let base = hasNewSegment ? 400 * ms + length : length
    #expect(passing.time == feed.time(10) + length && passing.isReturn)
    #expect(passing.departures.map(\.text) == ["\(hasNewSegment ? "moved" : "new") base \(base / ms)", "key next"])
    #expect(feed.flow.picture.front == feed.time(11) + length)
  }

  @Test("Insertions add up", arguments: 1...4)
  func severalInsertions(_ times: Int) {
    var feed = TimelineFeed()
    var number = 0
    for _ in 0..<times {
      feed.play(number..<number + 5)
      number += 5
      _ = feed.flow.ask(1, prompts: nil, feed.settings)
      feed.begin()
      feed.show(10)
      _ = feed.finish()
    }
    #expect(feed.frame(number).frame?.time == feed.time(number + 10 * times))
  }

  @Test("An extension of no frames moves nothing")
  func emptyInsertion() {
    var feed = TimelineFeed()
    feed.play(0..<5)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin()
    #expect(feed.finish() == [])
    let frame = feed.frame(5).frame
    #expect(frame?.time == feed.time(5) && frame?.isReturn == false && frame?.boundary == nil)
  }

  @Test("Before the first frame nothing is inserted")
  func early() {
    var feed = TimelineFeed()
    #expect(feed.flow.ask(1, prompts: nil, feed.settings) == .taken)
    #expect(feed.begin() == nil)
    #expect(feed.frame(0).text == "passes")
    #expect(feed.frame(1).text == "waits")
  }

  // MARK: Covered

  @Test("What is asked for of a live source covers its frames, and their boundaries are counted")
  func covered() {
    var feed = TimelineFeed([.stall])
    feed.play(0..<5)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    #expect(feed.begin(isLive: true)?.run.kind == .cover(untilBack: false))
    feed.show(10)
    for number in 5..<15 {
      #expect(feed.frame(number, mark: number == 8 ? TimelineFeed.boundary(2, frame: 8) : nil).text == "dropped")
    }
    #expect(feed.finish() == [])
    let back = feed.frame(15).frame
    // Shot 1, the generated one, and now the source's.
    #expect(back?.isReturn == true && back?.boundary?.shot == 3 && back?.boundary?.frame == 15 && back?.boundary?.detector == "test")
    #expect(back?.departures.map(\.text) == ["key 600"])
    let marked = feed.frame(16, mark: TimelineFeed.boundary(3, frame: 16, at: feed.time(16))).frame
    #expect(marked?.boundary?.shot == 4 && marked?.boundary?.frame == 16)
  }

  @Test("Where the source is back: frames that were covered by more than half are dropped", arguments: 0...6)
  func returning(_ ahead: Int) {
    var feed = TimelineFeed([.stall])
    feed.play(0..<5)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(isLive: true)
    feed.show(ahead)
    _ = feed.finish()
    for number in 5..<5 + ahead { #expect(feed.frame(number).text == "dropped") }
    #expect(feed.frame(5 + ahead).text == "passes")
  }

  @Test("A mark on a frame that was dropped goes to the next one that passes")
  func droppedMark() {
    var feed = TimelineFeed([.stall])
    feed.play(0..<5)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(isLive: true)
    feed.show(2)
    _ = feed.finish()
    _ = feed.frame(5, mark: TimelineFeed.boundary(2, frame: 5))
    _ = feed.frame(6)
    #expect(feed.frame(7).frame?.boundary?.shot == 3)
    #expect(feed.frame(8, mark: TimelineFeed.boundary(3, frame: 8)).frame?.boundary?.shot == 4)
  }

  // MARK: Stalls

  @Test("A source stalls exactly at the timeout after its last frame", arguments: [60, 1000, 70_000])
  func stalls(_ timeout: ClockTime) {
    var feed = TimelineFeed([.stall], stallTimeout: timeout * ms)
    #expect(feed.flow.stallTime(feed.settings) == nil, "before the first frame")
    feed.play(0..<10)
    let time = feed.time(9) + timeout * ms
    #expect(feed.flow.stallTime(feed.settings) == time)
    #expect(feed.begin(isLive: true, stalledAt: time - 1) == nil)
    #expect(feed.begin(isLive: true, stalledAt: time)?.run.kind == .cover(untilBack: true))
    #expect(feed.flow.stallTime(feed.settings) == nil, "once")
  }

  @Test("The time of a pause is none of a stall")
  func pauses() {
    var feed = TimelineFeed([.stall])
    feed.play(0..<5)
    feed.flow.watchStalls(isPlaying: false, now: 3 * second)
    #expect(feed.flow.stallTime(feed.settings) == nil)
    feed.flow.watchStalls(isPlaying: true, now: 90 * second)
    feed.flow.watchStalls(isPlaying: true, now: 90 * second + 7)
    #expect(feed.flow.stallTime(feed.settings) == 91 * second)
  }

  @Test("Backwards nothing is covered and nothing is asked for")
  func backwards() {
    var feed = TimelineFeed([.stall, .eos], segment: TestSegment(isForward: false))
    feed.play(0..<5)
    #expect(feed.flow.stallTime(feed.settings) == nil)
    #expect(feed.flow.ask(1, prompts: nil, feed.settings) == .refused)
    #expect(feed.begin(stalledAt: 99 * second) == nil)
  }

  @Test("A source that had stalled has the stream when its frames are there", arguments: [0, 1, 5, 25])
  func back(_ late: Int) {
    var feed = TimelineFeed([.stall])
    feed.play(0..<5)
    feed.begin(isLive: true, stalledAt: feed.time(5) + 2 * second)
    feed.show(50)
    // The first frame that comes is `late` frames behind what was shown.
    let first = 55 - late
    let text = feed.frame(first).text
    #expect(text == (late == 0 ? "waits" : "dropped"))
    // It is near: frames that come as they are made are never ahead.
    #expect(feed.flow.isSourceBack(at: feed.time(first), duration: 40 * ms))
    #expect(!feed.flow.isSourceBack(at: feed.time(first).less(second), duration: 40 * ms))
    _ = feed.finish()
    #expect(feed.frame(55).frame?.isReturn == true)
  }

  @Test("Frames from long ago are no return")
  func longAgo() {
    var feed = TimelineFeed([.stall])
    feed.play(0..<5)
    feed.begin(isLive: true, stalledAt: 5 * second)
    feed.show(100)
    #expect(feed.frame(10).text == "dropped")
    #expect(!feed.flow.isSourceBack(at: feed.time(105), duration: 40 * ms))
  }

  @Test("A source without times goes on where the generated frames are")
  func untimedReturn() {
    var feed = TimelineFeed([.stall])
    feed.play(0..<5)
    feed.begin(isLive: true, stalledAt: 5 * second)
    feed.show(10)
    #expect(feed.frame(5, isTimed: false).text == "waits")
    #expect(feed.flow.isSourceBack(at: feed.time(15), duration: 40 * ms))
  }

  @Test("The end of a source that had stalled makes its cover the tail")
  func endInStall() {
    var feed = TimelineFeed([.stall, .eos])
    feed.play(0..<5)
    feed.begin(isLive: true, stalledAt: 5 * second)
    feed.show(5)
    #expect(feed.event("end", .endOfStream) == ["(held)"])
    #expect(feed.flow.run?.kind == .tail)
    #expect(feed.finish() == ["end"])
  }

  @Test("Where the end is no trigger it ends what goes on with its shot")
  func endOfCover() {
    var feed = TimelineFeed([.stall])
    feed.play(0..<5)
    feed.begin(isLive: true, stalledAt: 5 * second)
    feed.show(5)
    #expect(feed.event("end", .endOfStream) == ["(waits)"])
    #expect(feed.flow.isToEnd)
    #expect(feed.finish() == ["end"])
  }

  @Test("The stream can end though its source does not", arguments: [false, true])
  func endEarly(_ hasSound: Bool) {
    var feed = TimelineFeed([.stall])
    if hasSound { feed.soundCaps(SoundFormat(rate: 48_000, channels: 1, bytesPerFrame: 2)) }
    feed.play(0..<5)
    feed.begin(isLive: true, stalledAt: 5 * second)
    feed.flow.endEarly()
    #expect(feed.flow.holdsEnd(of: .sound) == hasSound)
    #expect(feed.finish() == ["made end"])
  }

  @Test("Events that come meanwhile wait, and leave in their order before what follows")
  func pendingEvents() {
    var feed = TimelineFeed([.stall])
    feed.play(0..<5)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(isLive: true)
    #expect(feed.event("one", .other) == ["(waits)"])
    #expect(feed.event("two", .other) == ["(waits)"])
    feed.show(3)
    _ = feed.finish()
    #expect(feed.event("three", .other) == ["one", "two", "three"])
  }

  @Test("They leave before a tail begins")
  func pendingBeforeTail() {
    var feed = TimelineFeed([.stall, .eos])
    feed.play(0..<5)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(isLive: true)
    _ = feed.event("tag", .other)
    feed.show(2)
    _ = feed.event("end", .endOfStream)
    #expect(feed.finish() == [])
    #expect(feed.begin()?.departures.map(\.text) == ["tag"])
  }
}
