import Extension
import Shots
import Testing
import Timing

/// The sound beside the picture.
@Suite("Timeline: sound") struct TimelineSoundTests {
  private static let stereo = SoundFormat(rate: 48_000, channels: 2, bytesPerFrame: 4)

  /// All pieces that come now.
  private func pieces(_ feed: inout TimelineFeed, _ supply: TestSupply = TestSupply()) -> (
    samples: Int, gap: ClockTime, left: [String], most: Int
  ) {
    var result = (samples: 0, gap: ClockTime(0), left: [String](), most: 0)
    for _ in 0..<100_000 {
      switch feed.flow.nextSound(feed.settings, supply) {
      case nil: return result
      case .samples(let count, _, _): (result.samples, result.most) = (result.samples + count, max(result.most, count))
      case .gap(_, let duration): result.gap += duration
      case .leaves(let departure): result.left.append(departure.text)
      case .lookAgain: result.left.append("(again)")
      }
    }
    return result
  }

  private func feed(_ format: SoundFormat = stereo, _ triggers: Set<TimelineSettings.Trigger> = [.eos], fps: (Int, Int) = (25, 1))
    -> TimelineFeed
  {
    var feed = TimelineFeed(triggers, fps: fps.0, fps.1)
    feed.soundCaps(format)
    return feed
  }

  @Test(
    "Behind the end sound is as long as the picture, to the sample, in pieces of half a frame at most",
    arguments: [8000, 22_050, 44_100, 48_000], [(25, 1), (24_000, 1001), (60, 1)])
  func tail(_ rate: Int, _ fps: (Int, Int)) {
    let format = SoundFormat(rate: rate, channels: 1, bytesPerFrame: 2)
    var feed = feed(format, fps: fps)
    feed.play(0..<10)
    let start = feed.time(10)
    #expect(feed.sound(format, at: 0, lasting: start) == .passes([], skipped: 0))
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(50)
    let made = pieces(&feed)
    let length = feed.flow.picture.front - start
    #expect(abs(Int64(made.samples) - format.samples(in: length)) <= 1)
    #expect(made.left == ["s-end"])
    #expect(made.most <= Int(format.samples(in: min(feed.flow.picture.frameDuration / 2, 20 * ms))))
    #expect(feed.sound(format, at: start, lasting: 20 * ms) == .ended)
  }

  @Test("It runs no more than half a second ahead of the picture", arguments: [1, 5, 100])
  func ahead(_ shown: Int) {
    var feed = feed()
    feed.play(0..<10)
    _ = feed.sound(Self.stereo, at: 0, lasting: 400 * ms)
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(shown)
    feed.flow.plan(until: feed.flow.picture.front)
    let made = pieces(&feed, TestSupply(ready: 60 * second, isAll: false))
    #expect(made.left == [])
    let reached = 400 * ms + Self.stereo.time(of: Int64(made.samples))
    #expect(reached <= feed.flow.picture.front + 500 * ms && reached >= feed.flow.picture.front + 460 * ms)
  }

  @Test("It ends with the shot that is shown when the extension is to end", arguments: [false, true])
  func ends(_ isStopped: Bool) {
    var feed = feed()
    feed.play(0..<10)
    _ = feed.sound(Self.stereo, at: 0, lasting: 400 * ms)
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(10)
    if isStopped { feed.flow.stopExtension() }
    let made = pieces(&feed, TestSupply(ready: isStopped ? 60 * second : 0, isAll: true))
    #expect(made.left == ["s-end"] && Self.stereo.time(of: Int64(made.samples)) == 400 * ms)
  }

  @Test("Its end is held beside a picture only, and not twice")
  func heldEnd() {
    var feed = feed()
    #expect(feed.event("s-end", .endOfStream, .sound, hasVideo: true) == ["(held)"])
    #expect(feed.event("s-end", .endOfStream, .sound) == ["(dropped)"])
    #expect(feed.sound(Self.stereo, at: 0, lasting: 20 * ms) == .ended)
    var alone = self.feed()
    #expect(alone.event("s-end", .endOfStream, .sound, hasVideo: false) == ["s-end"])
    #expect(alone.sound(Self.stereo, at: 0, lasting: 20 * ms) == .ended)
  }

  @Test("Who takes no more sound still has the end, once")
  func refused() {
    var feed = feed()
    _ = feed.event("s-end", .endOfStream, .sound)
    #expect(feed.flow.takeRefusedSoundEnd()?.text == "s-end")
    #expect(feed.flow.takeRefusedSoundEnd() == nil)
  }

  @Test("Without samples there are gaps of a frame", arguments: [TimelineSettings.Sound.gap, .silence])
  func gaps(_ sound: TimelineSettings.Sound) {
    var feed = TimelineFeed(sound: sound)
    if sound == .gap { feed.soundCaps(Self.stereo) } else { _ = feed.event("s", .segment(TestSegment()), .sound) }
    feed.play(0..<10)
    _ = feed.event("g", .gap(until: 400 * ms), .sound)
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(25)
    let made = pieces(&feed)
    #expect(made.gap == second && made.samples == 0 && made.left == ["s-end"])
  }

  @Test("A closed segment is opened before generated sound")
  func opened() {
    var feed = TimelineFeed()
    feed.soundCaps(Self.stereo, segment: TestSegment(stop: 400 * ms, base: 3 * second))
    _ = feed.event("again", .segment(TestSegment(base: 3 * second)))
    feed.play(0..<10)
    _ = feed.sound(Self.stereo, at: 0, lasting: 400 * ms)
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(5)
    guard case .leaves(let segment)? = feed.flow.nextSound(feed.settings, TestSupply()), segment.text == "new base 3000",
      case .samples(_, at: 400 * ms, .some)? = feed.flow.nextSound(feed.settings, TestSupply())
    else { return #expect(Bool(false), "a segment, and samples behind what passed") }
    #expect(pieces(&feed).left == ["s-end"])
  }

  // MARK: Inserted

  @Test("Inserted shots have sound of their own, and what waited is later by it", arguments: [1, 13, 25, 100], [44_100, 48_000])
  func inserted(_ count: Int, _ rate: Int) {
    let format = SoundFormat(rate: rate, channels: 1, bytesPerFrame: 2)
    var feed = feed(format)
    feed.play(0..<10)
    _ = feed.sound(format, at: 0, lasting: 400 * ms)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(hasSound: true)
    #expect(feed.sound(format, at: 400 * ms, lasting: 20 * ms) == .waits)
    feed.show(count)
    let made = pieces(&feed)
    _ = feed.finish()
    let rest = pieces(&feed)
    let length = feed.time(count)
    #expect(abs(Int64(made.samples + rest.samples) - format.samples(in: length)) <= 1)
    #expect((made.left + rest.left) == ["(again)"])
    #expect(feed.sound(format, at: 400 * ms, lasting: 20 * ms) == .passes(["new base \(length / ms)"], skipped: 0))
  }

  @Test("Sound that comes before inserted shots passes")
  func beforeInsertion() {
    var feed = feed()
    feed.play(0..<10)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(hasSound: true)
    #expect(feed.sound(Self.stereo, at: 200 * ms, lasting: 20 * ms) == .passes([], skipped: 0))
  }

  @Test("What was settled for the sound is not changed any more")
  func settled() {
    var feed = feed()
    feed.play(0..<10)
    _ = feed.sound(Self.stereo, at: 0, lasting: 400 * ms)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(hasSound: true)
    _ = feed.sound(Self.stereo, at: 400 * ms, lasting: 20 * ms)
    feed.show(10)
    feed.flow.stopExtension()
    #expect(pieces(&feed).left == ["(again)"])
    // It can grow no more: this is another extension.
    #expect(feed.flow.ask(1, prompts: nil, feed.settings) == .taken)
  }

  // MARK: Covered

  @Test("Of a live source's shots that were asked for the sound is covered too, and cut to the sample behind them", arguments: [0, 5, 19])
  func covered(_ offset: ClockTime) {
    var feed = feed(Self.stereo, [.stall])
    feed.play(0..<10)
    _ = feed.sound(Self.stereo, at: 0, lasting: 400 * ms)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(isLive: true, hasSound: true)
    #expect(feed.sound(Self.stereo, at: 400 * ms, lasting: 20 * ms) == .dropped)
    feed.show(9)
    // Up to a frame beyond the picture.
    #expect(pieces(&feed).samples == 48 * 400)
    _ = feed.finish()
    let start = 800 * ms - offset * ms
    #expect(feed.sound(Self.stereo, at: start, lasting: 20 * ms) == .passes([], skipped: 48 * Int(offset)))
    #expect(feed.sound(Self.stereo, at: start + 20 * ms, lasting: 20 * ms) == .passes([], skipped: 0))
  }

  @Test("In a stall of the picture sound goes on while it comes", arguments: [500, 999, 1000, 5000])
  func stalledPicture(_ silence: ClockTime) {
    var feed = feed(Self.stereo, [.stall])
    feed.play(0..<10)
    feed.begin(isLive: true, hasSound: true, stalledAt: 2 * second)
    #expect(feed.sound(Self.stereo, at: 400 * ms, lasting: 20 * ms, now: second) == .passes([], skipped: 0))
    feed.show(30, now: second + silence * ms)
    #expect((pieces(&feed).samples > 0) == (silence >= 1000))
  }

  // MARK: What is kept

  @Test("A loop is of the last shot's sound, of a second at least and ten at most", arguments: [(1, 1), (3, 3), (30, 10)])
  func loop(_ shot: ClockTime, _ kept: Int) {
    let format = SoundFormat(rate: 1000, channels: 1, bytesPerFrame: 1)
    var feed = TimelineFeed(sound: .loop)
    feed.soundCaps(format)
    let cut = 25 * Int(40 - shot)
    for number in 0..<1000 {
      _ = feed.frame(number, mark: number == cut ? TimelineFeed.boundary(2, frame: UInt64(cut)) : nil)
      _ = feed.sound(format, at: feed.time(number), lasting: 40 * ms)
    }
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(5)
    guard case .samples(_, _, let after)? = feed.flow.nextSound(feed.settings, TestSupply()) else { return #expect(Bool(false), "sound") }
    #expect(after?.count == 1000 * kept)
    guard case .samples(_, _, nil)? = feed.flow.nextSound(feed.settings, TestSupply()) else { return #expect(Bool(false), "it goes on") }
  }

  @Test("A flush of the sound forgets it, and the caps are known still")
  func flush() {
    var feed = feed()
    _ = feed.sound(Self.stereo, at: 0, lasting: 400 * ms)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.flow.reset(.sound)
    #expect(!feed.flow.holdsEnd(of: .sound) && feed.flow.sound.format == Self.stereo)
    #expect(feed.sound(Self.stereo, at: 0, lasting: 20 * ms) == .passes([], skipped: 0))
  }

  @Test("Samples and times are each other's, rounded", arguments: [8000, 11_025, 44_100, 96_000])
  func formats(_ rate: Int) {
    let format = SoundFormat(rate: rate, channels: 1, bytesPerFrame: 2)
    for samples in [1, 2, 441, 1_000_003] as [Int64] { #expect(format.samples(in: format.time(of: samples)) == samples) }
    #expect(format.time(of: -5) == 0 && format.samples(in: .max) > 0)
  }
}
