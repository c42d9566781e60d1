import Extension
import Shots
import Testing
import Timing

/// Streams one after the other, flushes, ends: what is forgotten and what is not.
@Suite("Timeline: streams") struct TimelineStreamTests {
  private static let mono = SoundFormat(rate: 48_000, channels: 1, bytesPerFrame: 2)

  /// A stream whose end is held.
  private func ended(_ triggers: Set<TimelineSettings.Trigger> = [.eos]) -> TimelineFeed {
    var feed = TimelineFeed(triggers)
    feed.play(0..<5)
    _ = feed.event("end", .endOfStream)
    return feed
  }

  // MARK: Flushes

  @Test("After a flush the rate is known still")
  func flushedRate() {
    var feed = TimelineFeed(fps: 50)
    feed.play(0..<5)
    feed.flow.reset(.video)
    _ = feed.flow.arrive(pts: 0, duration: nil, marked: nil, now: 0, feed.settings) { 0 }
    #expect(feed.flow.picture.next == 20 * ms)
  }

  @Test("A flush takes back what was asked for")
  func flushedRequest() {
    var feed = TimelineFeed()
    feed.play(0..<5)
    _ = feed.flow.ask(2, prompts: nil, feed.settings)
    feed.flow.reset(.video)
    feed.play(0..<2)
    #expect(feed.frame(2).text == "passes" && feed.begin() == nil)
  }

  @Test("A flush takes the stream from an extension")
  func flushedRun() {
    var feed = ended()
    feed.begin()
    feed.show(3)
    feed.flow.reset(.video)
    #expect(feed.flow.run == nil && feed.flow.isToEnd)
    #expect(feed.finish() == [] && !feed.flow.isPictureOver)
    #expect(feed.frame(0).frame?.isReturn == false)
  }

  @Test("After a flush the next cut counts again")
  func flushedCut() {
    var feed = TimelineFeed([.cut])
    for _ in 0..<2 {
      feed.play(0..<3)
      #expect(feed.frame(3, mark: TimelineFeed.boundary(2, frame: 3)).text == "waits")
      feed.begin()
      feed.flow.reset(.video)
    }
  }

  @Test("After a flush an extension is not short because one before was")
  func flushedLast() {
    var feed = ended()
    feed.flow.stopExtension()
    feed.flow.reset(.video)
    feed.play(0..<5)
    _ = feed.event("end", .endOfStream)
    feed.begin()
    #expect(!feed.flow.isToEnd)
  }

  @Test("A flush of the picture forgets inserted shots that the sound has not come to")
  func flushedInsertion() {
    var feed = TimelineFeed()
    feed.soundCaps(Self.mono)
    feed.play(0..<10)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(hasSound: true)
    feed.flow.reset(.video)
    #expect(feed.sound(Self.mono, at: 400 * ms, lasting: 20 * ms) == .passes([], skipped: 0))
  }

  @Test("A flush of the sound lets its events go that waited, and its segment holds")
  func flushedSound() {
    var feed = TimelineFeed()
    feed.soundCaps(Self.mono, segment: TestSegment(base: 3 * second))
    feed.play(0..<10)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(hasSound: true)
    #expect(feed.sound(Self.mono, at: 0, lasting: 20 * ms) == .waits)
    #expect(feed.event("s-tag", .other, .sound) == ["(waits)"])
    feed.flow.reset(.sound)
    #expect(feed.event("s-tag", .other, .sound) == ["s-tag"])
    // In its segment it is behind the inserted shots still.
    #expect(feed.sound(Self.mono, at: 0, lasting: 20 * ms) == .waits)
  }

  @Test("After a flush generated sound begins anew")
  func flushedGenerated() {
    var feed = ended()
    feed.soundCaps(Self.mono)
    _ = feed.sound(Self.mono, at: 0, lasting: 200 * ms)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(5)
    _ = feed.flow.nextSound(feed.settings, TestSupply())
    feed.flow.reset(.sound)
    _ = feed.event("s-segment", .segment(TestSegment()), .sound)
    _ = feed.event("s-end", .endOfStream, .sound)
    guard case .samples(_, at: 0, .some(let after))? = feed.flow.nextSound(feed.settings, TestSupply()) else {
      return #expect(Bool(false), "sound")
    }
    #expect(after == [])
  }

  @Test("A flush behind the sound's end lets sound pass")
  func flushedSoundEnd() {
    var feed = TimelineFeed([.stall])
    feed.soundCaps(Self.mono)
    #expect(feed.event("s-end", .endOfStream, .sound) == ["s-end"])
    feed.flow.reset(.sound)
    #expect(feed.sound(Self.mono, at: 0, lasting: 20 * ms) == .passes([], skipped: 0))
  }

  // MARK: Streams

  @Test("A stream that begins without an end before it goes on with what left")
  func streamGoesOn() {
    var feed = TimelineFeed()
    feed.soundCaps(Self.mono)
    feed.play(0..<5)
    _ = feed.event("again", .streamStart)
    #expect(feed.flow.picture.frames == 5 && feed.flow.picture.next == feed.time(5))
  }

  @Test("Behind the sound's end another stream begins anew")
  func nextSound() {
    var feed = TimelineFeed([.stall])
    feed.soundCaps(Self.mono)
    _ = feed.event("s-end", .endOfStream, .sound)
    _ = feed.event("s-stream", .streamStart, .sound)
    #expect(feed.sound(Self.mono, at: 0, lasting: 20 * ms) == .passes([], skipped: 0))
  }

  @Test("A picture that begins anew does not make the sound do so")
  func ownLane() {
    var feed = TimelineFeed([.stall])
    feed.soundCaps(Self.mono)
    _ = feed.event("s-end", .endOfStream, .sound)
    _ = feed.event("again", .streamStart)
    #expect(feed.sound(Self.mono, at: 0, lasting: 20 * ms) == .ended)
  }

  @Test("Only a stream whose end is held is cut short by the next one")
  func cutShort() {
    var feed = TimelineFeed()
    feed.play(0..<5)
    feed.flow.endWithShownShot()
    _ = feed.event("end", .endOfStream)
    feed.begin()
    #expect(!feed.flow.isToEnd)
    feed.flow.endWithShownShot()
    #expect(feed.flow.isToEnd)
  }

  // MARK: Segments and caps

  @Test("A frame without a time stamp begins a segment where that does")
  func untimedSegment() {
    var feed = TimelineFeed()
    feed.play(0..<5)
    _ = feed.event("segment", .segment(TestSegment(start: 10 * second, base: 200 * ms)))
    #expect(feed.flow.picture.continuation == 10 * second)
    _ = feed.frame(5, isTimed: false)
    #expect(feed.flow.picture.next == 10 * second + 40 * ms)
  }

  @Test("A segment behind inserted shots is later by them", arguments: [0, 5] as [ClockTime])
  func laterSegment(_ base: ClockTime) {
    var feed = TimelineFeed()
    feed.play(0..<5)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin()
    feed.show(25)
    _ = feed.finish()
    _ = feed.frame(5)
    #expect(feed.event("again", .segment(TestSegment(base: base * second))) == ["again base \(1000 + base * 1000)"])
  }

  @Test("Caps that are not read change nothing but what is kept")
  func unknownCaps() {
    var feed = TimelineFeed(fps: 50)
    feed.play(0..<5)
    #expect(feed.flow.picture.kept == 4)
    _ = feed.event("caps", .videoCaps(rate: nil, isKnown: false))
    #expect(feed.flow.picture.hasCaps && feed.flow.picture.frameDuration == 20 * ms && feed.flow.picture.kept == nil)
  }

  @Test("What the sound ended with is forgotten where its format changes, and a gap of the picture is none of the sound")
  func soundChanges() {
    var feed = TimelineFeed()
    feed.soundCaps(Self.mono)
    feed.play(0..<10)
    _ = feed.sound(Self.mono, at: 0, lasting: 400 * ms)
    _ = feed.event("gap", .gap(until: 900 * ms))
    _ = feed.event("s-caps", .soundCaps(Self.mono), .sound)
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(50)
    guard case .samples(_, let time, let after)? = feed.flow.nextSound(feed.settings, TestSupply()) else {
      return #expect(Bool(false), "sound")
    }
    #expect(time == 400 * ms && after == [])
  }

  @Test("Generated sound begins where the segment does that has had none")
  func emptySoundSegment() {
    var feed = TimelineFeed()
    feed.soundCaps(Self.mono)
    feed.play(0..<10)
    _ = feed.sound(Self.mono, at: 0, lasting: 400 * ms)
    _ = feed.event("s-segment", .segment(TestSegment(start: 2 * second, base: 400 * ms)), .sound)
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(5)
    guard case .samples(_, let time, _)? = feed.flow.nextSound(feed.settings, TestSupply()) else { return #expect(Bool(false), "sound") }
    #expect(time == 2 * second)
  }

  // MARK: Ends

  @Test("What comes behind an end that has left is dropped")
  func secondEnd() {
    var feed = TimelineFeed([.stall])
    feed.play(0..<5)
    #expect(feed.event("end", .endOfStream) == ["end"])
    #expect(feed.event("end", .endOfStream) == ["(dropped)"])
    #expect(feed.flow.isOver(.video) && !feed.flow.isOver(.sound))
    #expect(feed.event("s-end", .endOfStream, .sound) == ["s-end"])
    #expect(feed.event("s-end", .endOfStream, .sound) == ["(dropped)"])
    #expect(feed.flow.isOver(.sound))
  }

  @Test("The end of the sound does not make a stall's cover the tail, nor the picture's end a cover that was asked for")
  func otherEnd() {
    var feed = TimelineFeed([.stall, .eos])
    feed.play(0..<5)
    feed.begin(isLive: true, stalledAt: 5 * second)
    #expect(feed.event("s-end", .endOfStream, .sound) == ["(held)"])
    #expect(feed.flow.run?.kind == .cover(untilBack: true))
    var asked = TimelineFeed([.stall, .eos])
    asked.play(0..<5)
    _ = asked.flow.ask(1, prompts: nil, asked.settings)
    asked.begin(isLive: true)
    #expect(asked.event("end", .endOfStream) == ["(held)"])
    #expect(asked.flow.run?.kind == .cover(untilBack: false))
  }

  @Test("The stream ends early with the ends that have come, and with none where one has left")
  func endsEarly() {
    var feed = TimelineFeed([.stall, .eos])
    feed.soundCaps(Self.mono)
    feed.play(0..<5)
    feed.begin(isLive: true, stalledAt: 5 * second)
    feed.show(2)
    feed.flow.endEarly()
    #expect(feed.flow.run?.kind == .tail && feed.finish() == ["made end"])
    var held = ended()
    held.begin()
    held.flow.endEarly()
    #expect(held.finish() == ["end"])
    var over = TimelineFeed([.stall])
    over.soundCaps(Self.mono)
    over.play(0..<5)
    _ = over.event("s-end", .endOfStream, .sound)
    over.begin(isLive: true, stalledAt: 5 * second)
    over.flow.endEarly()
    #expect(!over.flow.holdsEnd(of: .sound))
  }

  @Test("Events leave once, and those of the sound while the picture is extended")
  func eventsOnce() {
    var feed = TimelineFeed([.stall])
    feed.play(0..<5)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(isLive: true)
    #expect(feed.event("one", .other) == ["(waits)"])
    #expect(feed.event("s-one", .other, .sound) == ["s-one"])
    feed.show(3)
    _ = feed.finish()
    #expect(feed.event("two", .other) == ["one", "two"])
    #expect(feed.event("three", .other) == ["three"])
  }

  @Test("What waited leaves before the end", arguments: [false, true])
  func pendingBeforeEnd(_ isTail: Bool) {
    var feed = isTail ? ended() : TimelineFeed([.stall])
    if !isTail { feed.play(0..<5) }
    feed.begin(isLive: true, stalledAt: 9 * second)
    feed.show(3)
    #expect(feed.event("tag", .other) == ["(waits)"])
    if !isTail { _ = feed.event("end", .endOfStream) }
    #expect(feed.finish() == ["tag", "end"])
  }
}
