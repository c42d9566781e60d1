import Extension
import Shots
import Testing
import Timing

/// How sound and picture end together, and what ends that has nothing to follow.
@Suite("Timeline: ends") struct TimelineEndTests {
  /// A stall that is covered, its sound too.
  private func covered(_ triggers: Set<TimelineSettings.Trigger> = [.stall], shown: Int = 30, sound end: ClockTime = 400 * ms)
    -> TimelineFeed
  {
    var feed = TimelineFeed.begun(triggers, upTo: end)
    feed.begin(isLive: true, hasSound: true, stalledAt: 2 * second)
    feed.show(shown, now: 2 * second)
    return feed
  }

  @Test("Where a stall is covered sound and picture end together, whichever end comes first", arguments: [false, true], [0, 1, 10, 30])
  func stall(_ isSoundFirst: Bool, _ shown: Int) {
    var feed = covered(shown: shown)
    let end = feed.time(10 + shown + 20)
    feed.flow.plan(until: end)
    var sound = feed.made()
    for isSound in [isSoundFirst, !isSoundFirst] {
      if isSound {
        #expect(feed.event("s-end", .endOfStream, .sound) == ["(held)"])
      } else {
        #expect(feed.event("end", .endOfStream) == ["(waits)"])
      }
      let more = feed.made(TestSupply(ready: 0, isAll: false))
      sound = (sound.samples + more.samples, sound.left + more.left)
    }
    // The shot that is shown goes on to its end.
    feed.show(20, now: 3 * second, planned: false)
    let more = feed.made(TestSupply(ready: 4 * second, isAll: false))
    #expect(feed.finish() == ["end"])
    let rest = feed.made()
    #expect(sound.left + more.left + rest.left == ["s-end"])
    #expect(feed.flow.picture.front == end)
    let heard = 400 * ms + TimelineFeed.mono.time(of: Int64(sound.samples + more.samples + rest.samples))
    #expect(max(heard, end) - min(heard, end) <= 40 * ms)
    #expect(feed.flow.isOver(.video) && feed.flow.isOver(.sound))
  }

  @Test("So it is where the sound went on in the stall of the picture")
  func picturesStall() {
    var feed = covered(shown: 1)
    _ = feed.sound(TimelineFeed.mono, at: 400 * ms, lasting: 600 * ms, now: second)
    _ = feed.event("end", .endOfStream)
    #expect(feed.event("s-end", .endOfStream, .sound) == ["(held)"])
    feed.show(49, now: 2 * second)
    let sound = feed.made()
    #expect(sound.samples == 48 * 1400 && sound.left == ["s-end"])
    #expect(feed.flow.picture.front == 2400 * ms)
  }

  @Test("And where shots that an application asked for cover the end")
  func asked() {
    var feed = TimelineFeed.begun([])
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(isLive: true, hasSound: true)
    feed.show(1)
    #expect(feed.event("s-end", .endOfStream, .sound) == ["(held)"])
    #expect(feed.event("end", .endOfStream) == ["(waits)"])
    feed.show(24)
    let sound = feed.made()
    #expect(sound.samples == 48_000 && sound.left == ["s-end"])
    #expect(feed.finish() == ["end"])
  }

  @Test("And where they are inserted before it")
  func inserted() {
    var feed = TimelineFeed.begun([])
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(hasSound: true)
    feed.show(1)
    #expect(feed.event("s-end", .endOfStream, .sound) == ["(held)"])
    feed.show(24)
    let sound = feed.made()
    #expect(sound.samples == 48_000 && sound.left == ["s-end"])
    #expect(feed.finish() == [])
    #expect(feed.frame(10).text == "passes" && feed.event("end", .endOfStream) == ["end"])
  }

  @Test("Sound that has ended in a stall is over when the picture goes on without it")
  func soundOnly() {
    var feed = covered()
    #expect(feed.event("s-end", .endOfStream, .sound) == ["(held)"])
    // A frame beyond the picture, which may be back at any time.
    #expect(feed.made().samples == 48 * 1240)
    #expect(!feed.flow.isOver(.sound))
    _ = feed.finish()
    let rest = feed.made()
    #expect(rest.samples == 0 && rest.left == ["s-end"])
    #expect(feed.frame(40).text == "passes")
  }

  @Test("Who takes no more sound is not kept waiting for its end", arguments: [false, true])
  func refused(_ isInserted: Bool) {
    var feed = isInserted ? TimelineFeed.inserted() : covered()
    if isInserted { feed.show(5) }
    #expect(feed.event("s-tag", .other, .sound) == [isInserted ? "(waits)" : "s-tag"])
    #expect(feed.event("s-end", .endOfStream, .sound, takesMore: false) == (isInserted ? ["s-tag", "s-end"] : ["s-end"]))
    #expect(feed.flow.isOver(.sound))
  }

  @Test("Before a stream has begun nothing is generated for it, and its end leaves at once")
  func notBegun() {
    var feed = TimelineFeed([.stall, .eos])
    feed.play(0..<10)
    feed.begin(isLive: true, hasSound: true, stalledAt: 2 * second)
    feed.show(30, now: 2 * second)
    _ = feed.event("s-stream", .streamStart, .sound)
    _ = feed.event("s-caps", .soundCaps(TimelineFeed.mono), .sound)
    #expect(feed.made().samples == 0)
    _ = feed.event("s-segment", .segment(TestSegment()), .sound)
    #expect(feed.made().samples > 0)
    feed.flow.reset(.sound)
    let flushed = feed.made()
    #expect(flushed.samples == 0 && flushed.left == [])
    #expect(feed.event("s-end", .endOfStream, .sound) == ["(held)"])
    #expect(feed.made().left == ["s-end"])
  }

  @Test("Behind a flush a picture has not begun before its segment")
  func flushedPicture() {
    var feed = TimelineFeed()
    feed.play(0..<5)
    feed.flow.reset(.video)
    #expect(!feed.flow.picture.isBegun && feed.flow.picture.hasCaps)
    _ = feed.event("segment", .segment(TestSegment()))
    #expect(feed.flow.picture.isBegun)
  }

  // MARK: Reports from downstream

  @Test("What downstream reports late is told in the source's time, and not told where the source has none")
  func reports() {
    var feed = TimelineFeed.begun()
    #expect(feed.flow.sourceTime(of: 200 * ms, .video) == 200 * ms && feed.flow.sourceTime(of: 200 * ms, .sound) == 200 * ms)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(hasSound: true)
    _ = feed.sound(TimelineFeed.mono, at: 400 * ms, lasting: 20 * ms)
    feed.show(25)
    #expect(feed.flow.sourceTime(of: 300 * ms, .video) == nil && feed.flow.sourceTime(of: 300 * ms, .sound) == nil)
    _ = feed.finish()
    #expect(feed.flow.sourceTime(of: 1300 * ms, .video) == nil, "a generated frame's")
    _ = feed.made()
    _ = feed.frame(10)
    _ = feed.sound(TimelineFeed.mono, at: 400 * ms, lasting: 20 * ms)
    for lane in StreamLane.allCases {
      #expect(feed.flow.sourceTime(of: 1400 * ms, lane) == 400 * ms)
      #expect(feed.flow.sourceTime(of: 1399 * ms, lane) == nil)
    }
  }

  // MARK: Returns

  @Test("A second extension, before the source is back from the first, leaves it its boundary", arguments: [0, 5])
  func secondExtension(_ shown: Int) {
    var feed = TimelineFeed([.stall])
    feed.play(0..<5)
    feed.begin(isLive: true, stalledAt: 3 * second)
    feed.show(5)
    _ = feed.finish()
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    #expect(feed.begin(isLive: true) != nil)
    if shown > 0 { feed.show(shown) }
    _ = feed.finish()
    let frame = feed.frame(10 + shown).frame
    #expect(frame?.isReturn == true && frame?.boundary?.detector == "test" && frame?.boundary?.frame == UInt64(10 + shown))
    #expect(frame?.departures.map(\.text) == ["key \(400 + 40 * shown)"])
    #expect(feed.frame(11 + shown).frame?.isReturn == false)
  }

  @Test("Sound that is back while the picture still stalls goes on where it is")
  func soundBack() {
    var feed = TimelineFeed([.stall])
    feed.soundCaps(TimelineFeed.mono)
    for number in 0..<10 {
      _ = feed.frame(number)
      _ = feed.sound(TimelineFeed.mono, at: feed.time(number), lasting: 40 * ms, now: feed.time(number))
    }
    feed.begin(isLive: true, hasSound: true, stalledAt: 1400 * ms)
    var passed: [Int] = []
    for number in 10..<100 {
      feed.show(1, now: max(1400 * ms, feed.time(number)))
      if number >= 50 {
        switch feed.sound(TimelineFeed.mono, at: feed.time(number), lasting: 40 * ms, now: feed.time(number)) {
        case .passes: passed.append(number)
        default: break
        }
      }
      _ = feed.made()
    }
    #expect(passed.first ?? 99 <= 53 && passed.count >= 47)
  }
}
