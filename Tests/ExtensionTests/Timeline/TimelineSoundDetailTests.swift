import Extension
import Shots
import Testing
import Timing

/// To the sample: where generated sound begins and ends, and what is kept for it.
@Suite("Timeline: samples") struct TimelineSoundDetailTests {
  // MARK: Behind the end

  @Test("Before the picture's end is known sound goes on half a second, to the picture where nothing is set to follow")
  func beforePictureEnd() {
    var feed = TimelineFeed.begun()
    _ = feed.event("s-end", .endOfStream, .sound)
    #expect(feed.made(nil).samples == 24_000)
    var none = TimelineFeed.begun()
    none.settings.shots = 0
    _ = none.event("s-end", .endOfStream, .sound)
    // A frame more, so that nobody waits for it.
    let few = none.made(nil)
    #expect(few.samples == 1920 && few.left == [])
  }

  @Test("While it is not known how long a shot is, sound is a frame ahead of it")
  func openShot() {
    var feed = TimelineFeed.tail(10)
    feed.flow.plan(until: nil)
    let few = feed.made(TestSupply(ready: second, isAll: true))
    #expect(few.samples == 48 * 440 && few.left == [])
    // So it is in no shot but the one that is shown.
    #expect(!feed.flow.isSoundAhead)
  }

  @Test("Sound that has gone into the next shot has it shown, and ends with it", arguments: [false, true])
  func soundAhead(_ isStopped: Bool) {
    var feed = TimelineFeed.tail(10)
    #expect(feed.made(TestSupply(ready: 300 * ms, isAll: false)).samples == 48 * 700)
    #expect(feed.flow.isSoundAhead)
    feed.flow.stopExtension()
    let rest = feed.made(TestSupply(ready: 400 * ms, isAll: false))
    #expect(rest.samples == 48 * 100 && rest.left == ["s-end"])
    #expect(feed.flow.isSoundAhead)
    feed.show(10)
    #expect(!feed.flow.isSoundAhead)
  }

  @Test("Sound within a frame of the shot's end does not have another one shown")
  func soundNear() {
    var feed = TimelineFeed.tail(10)
    _ = feed.made(TestSupply(ready: 0, isAll: false))
    feed.flow.stopExtension()
    let rest = feed.made(TestSupply(ready: 400 * ms, isAll: false))
    #expect(rest.samples == 0 && rest.left == ["s-end"])
  }

  @Test("The sound ends when all is known that follows, half a second before it is shown")
  func knownEnd() {
    var feed = TimelineFeed.tail(10)
    let all = feed.made(TestSupply(ready: 500 * ms, isAll: true))
    #expect(all.samples == 48 * 900 && all.left == ["s-end"])
    #expect(feed.flow.ask(1, prompts: nil, feed.settings) == .refused)
    var long = TimelineFeed.tail(10)
    let part = long.made(TestSupply(ready: 500 * ms + 1, isAll: true))
    #expect(part.samples == 48 * 900 && part.left == [])
  }

  @Test("A picture that has ended before its sound has the sound end there")
  func pictureOver() {
    var feed = TimelineFeed.begun()
    _ = feed.event("end", .endOfStream)
    feed.begin()
    feed.show(10)
    _ = feed.finish()
    #expect(feed.flow.isPictureOver)
    _ = feed.event("s-end", .endOfStream, .sound)
    let rest = feed.made(nil)
    #expect(rest.samples == 48 * 400 && rest.left == ["s-end"])
  }

  @Test("Sound that has ended before an insertion goes on half a second, or a frame before what is to be the last shot")
  func endBeforeInsertion() {
    for isLast in [false, true] {
      var feed = TimelineFeed.begun()
      _ = feed.event("s-end", .endOfStream, .sound)
      _ = feed.flow.ask(1, prompts: nil, feed.settings)
      feed.begin()
      if isLast {
        _ = feed.event("end", .endOfStream)
        feed.flow.stopExtension()
      }
      feed.show(10)
      let part = feed.made()
      #expect(part.samples == 48 * (isLast ? 440 : 900) && part.left == [])
    }
  }

  @Test("Where the end is no trigger the end of a cover is that of the sound too")
  func endOfCover() {
    var feed = TimelineFeed.begun([.stall, .eos])
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.settings.triggers = [.stall]
    feed.begin(isLive: true, stalledAt: 9 * second)
    feed.show(10)
    #expect(feed.made().left == [])
    _ = feed.event("end", .endOfStream)
    #expect(feed.made().left == ["s-end"])
  }

  @Test("Who takes no more sound has it end, and no more comes", arguments: [false, true])
  func over(_ isRefused: Bool) {
    var feed = TimelineFeed.tail(5)
    if isRefused { _ = feed.flow.takeRefusedSoundEnd() } else { _ = feed.made() }
    #expect(feed.sound(TimelineFeed.mono, at: second, lasting: 20 * ms) == .ended)
    #expect(feed.event("s-end", .endOfStream, .sound) == ["(dropped)"])
  }

  @Test("Behind an end of the sound that has left there is none, whatever covers the picture")
  func endBeforeCover() {
    var feed = TimelineFeed.begun([.stall])
    #expect(feed.event("s-end", .endOfStream, .sound) == ["s-end"])
    feed.begin(isLive: true, stalledAt: 9 * second)
    feed.show(10, now: 9 * second)
    let none = feed.made()
    #expect(none.samples == 0 && none.left == [])
  }

  @Test("Pieces are of half a frame at most, 20 ms at most, and a sample at least", arguments: [10, 25, 100_000])
  func pieces(_ rate: Int) {
    var feed = TimelineFeed(fps: rate)
    feed.soundCaps(TimelineFeed.mono)
    feed.play(0..<1)
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(10)
    guard case .samples(let count, _, _)? = feed.flow.nextSound(feed.settings, TestSupply()) else { return #expect(Bool(false), "sound") }
    #expect(count == (rate == 100_000 ? 1 : 960))
  }

  @Test("The last gap ends where the picture does")
  func lastGap() {
    var feed = TimelineFeed(sound: .gap)
    feed.soundCaps(TimelineFeed.mono)
    feed.play(0..<10)
    _ = feed.sound(TimelineFeed.mono, at: 0, lasting: 390 * ms)
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(1)
    var gaps: [ClockTime] = []
    while case .gap(_, let duration)? = feed.flow.nextSound(feed.settings, TestSupply()) { gaps.append(duration) }
    #expect(gaps == [40 * ms, 10 * ms])
    var ahead = TimelineFeed.tail(10, sound: .gap)
    _ = ahead.made(TestSupply(ready: second, isAll: false))
    #expect(ahead.flow.isSoundAhead)
  }

  @Test("Times of samples are counted from where they begin, not added up")
  func sampleTimes() {
    let odd = SoundFormat(rate: 44_100, channels: 1, bytesPerFrame: 2)
    var feed = TimelineFeed(fps: 30_000, 1001)
    feed.soundCaps(odd)
    feed.play(0..<10)
    let start = feed.time(10)
    _ = feed.sound(odd, at: 0, lasting: start)
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(300)
    var sum = 0
    while case .samples(let count, let time, _)? = feed.flow.nextSound(feed.settings, TestSupply()) {
      #expect(time == start + odd.time(of: Int64(sum)))
      sum += count
    }
    #expect(sum > 400_000)
  }

  @Test("What comes of the sound in a cover, but samples, moves what is generated", arguments: 0..<3)
  func moved(_ what: Int) {
    var feed = TimelineFeed.begun([.stall])
    feed.begin(isLive: true, stalledAt: 2 * second)
    feed.show(10, now: 3 * second)
    #expect(feed.made().samples == 48 * 440)
    let half = SoundFormat(rate: 24_000, channels: 1, bytesPerFrame: 2)
    switch what {
    case 0: _ = feed.event("s-gap", .gap(until: 860 * ms), .sound)
    case 1: _ = feed.event("s-segment", .segment(TestSegment(start: 5 * second, base: 860 * ms)), .sound)
    default: _ = feed.event("s-caps", .soundCaps(half), .sound)
    }
    feed.show(10, now: 4 * second)
    let start = [860 * ms, 5 * second, 840 * ms][what]
    guard case .samples(let count, let first, .some)? = feed.flow.nextSound(feed.settings, TestSupply()),
      case .samples(_, let second, nil)? = feed.flow.nextSound(feed.settings, TestSupply())
    else { return #expect(Bool(false), "sound") }
    #expect(first == start && second == start + 20 * ms && count == (what == 2 ? 480 : 960))
  }

  @Test("Sound that comes ends what was generated, and what follows it begins anew")
  func interrupted() {
    var feed = TimelineFeed.begun([.stall])
    feed.begin(isLive: true, stalledAt: 2 * second)
    feed.show(10, now: 3 * second)
    #expect(feed.made().samples == 48 * 440)
    #expect(feed.sound(TimelineFeed.mono, at: 840 * ms, lasting: 20 * ms, now: 860 * ms) == .passes([], skipped: 0))
    #expect(feed.made().samples == 0)
    feed.show(10, now: 4 * second)
    guard case .samples(_, at: 860 * ms, .some)? = feed.flow.nextSound(feed.settings, TestSupply()) else {
      return #expect(Bool(false), "sound")
    }
  }

  // MARK: Covered

  @Test("Sound from before a cover passes, and one that overlaps what left is cut only where it was covered")
  func overlaps() {
    var feed = TimelineFeed.begun([.stall], upTo: 300 * ms)
    #expect(feed.sound(TimelineFeed.mono, at: 290 * ms, lasting: 20 * ms) == .passes([], skipped: 0))
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(isLive: true, hasSound: true)
    #expect(feed.sound(TimelineFeed.mono, at: 400 * ms - 1, lasting: 20 * ms) == .passes([], skipped: 0))
    #expect(feed.sound(TimelineFeed.mono, at: 400 * ms, lasting: 20 * ms) == .dropped)
    feed.show(9)
    _ = feed.made()
    _ = feed.finish()
    #expect(feed.sound(TimelineFeed.mono, at: 780 * ms, lasting: 20 * ms) == .dropped, "all of it was made")
    #expect(feed.sound(TimelineFeed.mono, at: 800 * ms, lasting: 20 * ms) == .passes([], skipped: 0))
    #expect(feed.sound(TimelineFeed.mono, at: 810 * ms, lasting: 20 * ms) == .passes([], skipped: 0), "it was not covered")
  }

  @Test("A cover without samples in between covers the sound too, and what was generated in a stall is not heard twice")
  func coveredWithoutSamples() {
    var feed = TimelineFeed.begun([.stall])
    feed.begin(isLive: true, hasSound: true, stalledAt: 2 * second)
    feed.show(9, now: 3 * second)
    #expect(feed.made().samples == 48 * 400)
    #expect(feed.sound(TimelineFeed.mono, at: 790 * ms, lasting: 20 * ms) == .passes([], skipped: 480))
  }

  // MARK: What is kept

  @Test("The end is kept in whole samples, no more than is needed, and not for gaps", arguments: TimelineSettings.Sound.allCases)
  func kept(_ sound: TimelineSettings.Sound) {
    var feed = TimelineFeed(sound: sound)
    feed.soundCaps(SoundFormat(rate: 48_000, channels: 2, bytesPerFrame: 4))
    var asked: [Int] = []
    for size in [7, 3, 8000] {
      _ = feed.flow.arriveSound(pts: 0, duration: nil, size: size, now: 0, feed.settings) { count in
        asked.append(count)
        return [UInt8](repeating: 0, count: count)
      }
    }
    #expect(asked == (sound == .gap ? [] : sound == .loop ? [4, 8000] : [4, 3840]))
  }

  @Test("What is kept is the end, and not more with time")
  func newest() {
    var feed = TimelineFeed()
    feed.soundCaps(TimelineFeed.mono)
    feed.play(0..<50)
    for number in 0..<101 {
      _ = feed.flow.arriveSound(
        pts: ClockTime(number) * 20 * ms, duration: 20 * ms, size: 1920, now: 0, feed.settings
      ) { [UInt8](repeating: UInt8(number), count: $0) }
    }
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(5)
    guard case .samples(_, _, let after?)? = feed.flow.nextSound(feed.settings, TestSupply()) else {
      return #expect(Bool(false), "sound")
    }
    #expect(after.last == 100 && after.count <= 2 * 1920 && after.suffix(1920).allSatisfy { $0 == 100 })
  }

  @Test("Samples end where they say, or as many as there are do", arguments: [nil, 5, 30] as [ClockTime?])
  func length(_ duration: ClockTime?) {
    var feed = TimelineFeed.begun()
    _ = feed.flow.arriveSound(pts: 400 * ms, duration: duration.map { $0 * ms }, size: 960, now: 0, feed.settings) {
      [UInt8](repeating: 0, count: $0)
    }
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(10)
    guard case .samples(_, let time, _)? = feed.flow.nextSound(feed.settings, TestSupply()) else { return #expect(Bool(false), "sound") }
    #expect(time == 400 * ms + (duration ?? 10) * ms)
  }

  @Test("A loop of a shot that is hardly any is a second long")
  func shortestLoop() {
    let format = SoundFormat(rate: 1000, channels: 1, bytesPerFrame: 1)
    var feed = TimelineFeed(sound: .loop)
    feed.soundCaps(format)
    for number in 0..<250 {
      _ = feed.frame(number, mark: number == 240 ? TimelineFeed.boundary(2, frame: 240) : nil)
      _ = feed.sound(format, at: feed.time(number), lasting: 40 * ms)
    }
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(5)
    guard case .samples(_, _, let after?)? = feed.flow.nextSound(feed.settings, TestSupply()) else {
      return #expect(Bool(false), "sound")
    }
    #expect(after.count == 1000)
  }

  @Test("The longest loop is always there", arguments: [18_040, 20_000, 20_040, 30_000])
  func longestLoop(_ milliseconds: Int) {
    let format = SoundFormat(rate: 1000, channels: 1, bytesPerFrame: 1)
    var feed = TimelineFeed(sound: .loop)
    feed.soundCaps(format)
    for number in 0..<milliseconds / 40 {
      _ = feed.frame(number)
      _ = feed.sound(format, at: feed.time(number), lasting: 40 * ms)
    }
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(5)
    guard case .samples(_, _, let after?)? = feed.flow.nextSound(feed.settings, TestSupply()) else {
      return #expect(Bool(false), "sound")
    }
    #expect(after.count == 10_000)
  }

  @Test("A loop is of the sound since the source was back, its newest")
  func loopAfterReturn() {
    let format = SoundFormat(rate: 1000, channels: 1, bytesPerFrame: 1)
    var feed = TimelineFeed([.stall, .eos], sound: .loop)
    feed.soundCaps(format)
    for number in 0..<200 {
      if number == 100 {
        _ = feed.flow.ask(1, prompts: nil, feed.settings)
        feed.begin(isLive: true)
        feed.show(1)
        _ = feed.finish()
      } else {
        _ = feed.frame(number)
        _ = feed.flow.arriveSound(pts: feed.time(number), duration: 40 * ms, size: 40, now: 0, feed.settings) {
          [UInt8](repeating: UInt8(number), count: $0)
        }
      }
    }
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(5)
    guard case .samples(_, _, let after?)? = feed.flow.nextSound(feed.settings, TestSupply()) else {
      return #expect(Bool(false), "sound")
    }
    #expect(after.count == 99 * 40 && after.first == 101 && after.last == 199)
  }

  @Test("Sound that ends before the shot began is kept as it is")
  func soundBeforeShot() {
    var feed = TimelineFeed(sound: .loop)
    feed.soundCaps(TimelineFeed.mono)
    for number in 0..<50 { _ = feed.frame(number, mark: number == 49 ? TimelineFeed.boundary(2, frame: 49) : nil) }
    _ = feed.sound(TimelineFeed.mono, at: 0, lasting: 1500 * ms)
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(5)
    guard case .samples(_, _, let after?)? = feed.flow.nextSound(feed.settings, TestSupply()) else {
      return #expect(Bool(false), "sound")
    }
    #expect(after.count == 2 * 72_000)
  }

  @Test("Numbers of samples stay far from their limits")
  func limits() {
    #expect(SoundFormat(rate: .max, channels: 1, bytesPerFrame: 1).samples(in: .max) == .max / 4)
    #expect(SoundFormat(rate: 0, channels: 0, bytesPerFrame: 0) == SoundFormat(rate: 1, channels: 1, bytesPerFrame: 1))
  }
}
