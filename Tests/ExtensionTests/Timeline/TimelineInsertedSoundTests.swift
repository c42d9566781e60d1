import Extension
import Shots
import Testing
import Timing

/// Shots between two frames of the source, and their sound.
@Suite("Timeline: inserted sound") struct TimelineInsertedSoundTests {
  @Test("Sound that ends before the shots that are inserted has theirs from there on, as long as they are")
  func insertedEarlier() {
    var feed = TimelineFeed.inserted(upTo: 390 * ms)
    feed.show(10)
    _ = feed.finish()
    let sound = feed.made()
    #expect(sound.samples == 48 * 400 && sound.left == ["again"])
    #expect(feed.sound(TimelineFeed.mono, at: 400 * ms, lasting: 20 * ms) == .passes(["new base 400"], skipped: 0))
    // Behind it the source's own times hold.
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(5)
    guard case .samples(_, let time, _)? = feed.flow.nextSound(feed.settings, TestSupply()) else { return #expect(Bool(false), "sound") }
    #expect(time == 420 * ms)
  }

  @Test("Asking again whether it may go on changes nothing; nor do events that wait")
  func insertedAgain() {
    var feed = TimelineFeed.inserted()
    feed.show(5)
    let first = feed.made(TestSupply(ready: 0, isAll: false))
    #expect(first.samples == 48 * 200 && first.left == [])
    #expect(feed.sound(TimelineFeed.mono, at: 400 * ms, lasting: 20 * ms) == .waits)
    #expect(feed.event("s-tag", .other, .sound) == ["(waits)"])
    feed.show(5)
    _ = feed.finish()
    let rest = feed.made()
    #expect(rest.samples == 48 * 200 && rest.left == ["again"])
    #expect(feed.sound(TimelineFeed.mono, at: 400 * ms, lasting: 20 * ms) == .passes(["new base 400", "s-tag"], skipped: 0))
    #expect(feed.event("s-tag", .other, .sound) == ["s-tag"])
  }

  @Test("Two insertions have their own lengths, each in its place", arguments: [false, true])
  func twoInsertions(_ isLate: Bool) {
    var feed = TimelineFeed.begun()
    var left: [String] = []
    func sounds(from start: ClockTime, shots length: Int, _ base: Int) {
      #expect(feed.sound(TimelineFeed.mono, at: start, lasting: 20 * ms) == .waits)
      let sound = feed.made()
      #expect(sound.samples == 48 * length)
      left += sound.left
      #expect(feed.sound(TimelineFeed.mono, at: start, lasting: 180 * ms) == .passes(["new base \(base)"], skipped: 0))
      _ = feed.sound(TimelineFeed.mono, at: start + 180 * ms, lasting: 20 * ms)
    }
    for (number, count) in [(10, 10), (15, 25)] {
      feed.play(10..<number)
      _ = feed.flow.ask(1, prompts: nil, feed.settings)
      feed.begin(hasSound: true)
      feed.show(count)
      _ = feed.finish()
      if !isLate, number == 10 { sounds(from: 400 * ms, shots: 400, 400) }
    }
    if isLate { sounds(from: 400 * ms, shots: 400, 400) }
    sounds(from: 600 * ms, shots: 1000, 1400)
    #expect(left == ["again", "again"])
    #expect(feed.event("s-again", .segment(TestSegment(base: 5 * ms)), .sound) == ["s-again base 1405"])
  }

  @Test("When the shots have their sound its events leave, also where the buffer that waited is refused")
  func eventsBehind() {
    var feed = TimelineFeed.inserted()
    feed.show(10)
    _ = feed.finish()
    #expect(feed.made().left == ["again"])
    #expect(feed.event("s-tag", .other, .sound) == ["new base 400", "s-tag"])
  }

  @Test("Shots that are inserted without sound to move leave it alone")
  func withoutSound() {
    var feed = TimelineFeed.begun()
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(hasSound: false)
    #expect(feed.sound(TimelineFeed.mono, at: 400 * ms, lasting: 20 * ms) == .passes([], skipped: 0))
  }

  @Test("Shots that are inserted without sound to move do not change those before them")
  func secondWithoutSound() {
    var feed = TimelineFeed.begun()
    for (index, count) in [10, 25].enumerated() {
      _ = feed.flow.ask(1, prompts: nil, feed.settings)
      feed.begin(hasSound: index == 0)
      feed.show(count)
      _ = feed.finish()
      _ = feed.frame(10 + index)
    }
    _ = feed.sound(TimelineFeed.mono, at: 400 * ms, lasting: 20 * ms)
    #expect(feed.made().samples == 48 * 400)
  }

  @Test("Inserted shots end for the sound when their last one is known, to the frame, and are not longer then")
  func settledInsertion() {
    var feed = TimelineFeed.inserted()
    feed.show(5, planned: false)
    feed.flow.plan(until: 900 * ms)
    // More may come.
    #expect(feed.made(TestSupply(ready: 0, isAll: false)).left == [])
    #expect(feed.made(TestSupply(ready: 100 * ms, isAll: true)).left == [])
    // Into what is ready it has gone: that is shown.
    let all = feed.made(TestSupply(ready: 0, isAll: true))
    #expect(all.left == ["again"] && feed.flow.isSoundAhead)
    #expect(feed.flow.ask(1, prompts: nil, feed.settings) == .taken)
  }

  @Test("Sound that has gone into the next inserted shot has it shown")
  func soundAhead() {
    var feed = TimelineFeed.inserted()
    feed.show(5)
    #expect(feed.made(TestSupply(ready: 300 * ms, isAll: false)).samples == 48 * 500)
    #expect(feed.flow.isSoundAhead)
    feed.flow.stopExtension()
    // The next one lasts 400 ms, and nothing is known to follow it.
    #expect(feed.made(TestSupply(ready: 400 * ms, isAll: false)).samples == 48 * 100)
    feed.show(10)
    let rest = feed.made(TestSupply(ready: 400 * ms, isAll: false))
    #expect(rest.samples == 0 && rest.left == ["again"] && !feed.flow.isSoundAhead)
  }

  @Test("A shot that was planned to end before what has left is no less than that")
  func shortPlan() {
    var feed = TimelineFeed.inserted()
    feed.show(10)
    feed.flow.plan(until: 500 * ms)
    #expect(feed.made(TestSupply(ready: 0, isAll: false)).samples == 48 * 400)
  }

  @Test("Sound of shots that are over does not settle how long others are")
  func othersGoOn() {
    var feed = TimelineFeed.inserted()
    feed.show(10)
    _ = feed.finish()
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(hasSound: true)
    #expect(feed.made().left == ["again"])
    #expect(!feed.flow.isSoundAhead)
    #expect(feed.flow.ask(1, prompts: nil, feed.settings) == .goesOn(AskedShots(shots: 1, prompts: nil)))
  }

  @Test("A stream that is ended early ends its sound with the picture, in inserted shots and behind them", arguments: [false, true])
  func endedEarly(_ isBehind: Bool) {
    var feed = TimelineFeed.inserted()
    feed.show(5)
    if isBehind {
      _ = feed.finish()
      #expect(feed.made().left == ["again"])
    }
    feed.flow.endEarly()
    guard case .samples(let count, let time, _)? = feed.flow.nextSound(feed.settings, TestSupply()) else {
      return #expect(Bool(false), "sound")
    }
    #expect(time == 400 * ms)
    let rest = feed.made()
    #expect(count + rest.samples == 48 * (isBehind ? 500 : 200) && rest.left == (isBehind ? [] : ["made end"]))
  }

  @Test("Generated sound of an insertion counts from where the picture's begins, however late it is")
  func lateInsertion() {
    var feed = TimelineFeed.begun(upTo: 600 * ms)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(hasSound: true)
    feed.show(5)
    #expect(feed.sound(TimelineFeed.mono, at: 600 * ms, lasting: 20 * ms) == .waits)
    // 200 ms later than the picture's, and as long.
    #expect(feed.made(TestSupply(ready: 0, isAll: false)).samples == 48 * 200)
    #expect(!feed.flow.isSoundAhead)
    feed.flow.stopExtension()
    #expect(feed.made(TestSupply(ready: second, isAll: false)).left == ["again"])
    #expect(!feed.flow.isSoundAhead)
  }

  @Test("Without samples inserted shots have gaps, and a segment follows")
  func insertedGaps() {
    var feed = TimelineFeed(sound: .gap)
    _ = feed.event("s-segment", .segment(TestSegment()), .sound)
    _ = feed.event("s-gap", .gap(until: 400 * ms), .sound)
    feed.play(0..<10)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(hasSound: true)
    feed.show(2)
    _ = feed.finish()
    let arrival = feed.flow.arriveSound(pts: 400 * ms, duration: 20 * ms, size: 8, now: 0, feed.settings) { _ in [] }
    #expect(arrival == nil)
    #expect(feed.made().left == ["gap", "gap", "again"])
  }

  @Test("A closed segment behind inserted shots is opened where it is")
  func openedMoved() {
    var feed = TimelineFeed.inserted()
    feed.show(10)
    _ = feed.finish()
    _ = feed.made()
    _ = feed.event("s-closed", .segment(TestSegment(stop: 9 * second)), .sound)
    _ = feed.sound(TimelineFeed.mono, at: 400 * ms, lasting: 20 * ms)
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(5)
    #expect(feed.made(most: 1).left == ["new base 400"])
  }

  @Test("A flush of the picture while the sound waits leaves nothing of the shots that were inserted")
  func flushedWhileWaiting() {
    var feed = TimelineFeed.inserted()
    feed.show(5)
    #expect(feed.made(TestSupply(ready: 0, isAll: false)).samples == 48 * 200)
    feed.flow.reset(.video)
    #expect(feed.sound(TimelineFeed.mono, at: 600 * ms, lasting: 20 * ms) == .passes([], skipped: 0))
    #expect(feed.event("s-tag", .other, .sound) == ["s-tag"])
    feed.play(0..<10)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(hasSound: true)
    #expect(!feed.flow.isSoundAhead)
    feed.show(10)
    _ = feed.finish()
    #expect(feed.sound(TimelineFeed.mono, at: 620 * ms, lasting: 20 * ms) == .waits)
    #expect(feed.made().samples == 48 * 400)
  }
}
