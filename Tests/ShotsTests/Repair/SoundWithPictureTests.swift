import Shots
import Testing
import Timing

/// The two machines together, as `defade` runs them.
@Suite("Sound with its picture") struct SoundWithPictureTests {
  /// A film of which `count` transitions are taken out, and its sound beside it.
  private static func play(_ rate: FrameRate, _ soundRate: UInt64, count: Int, packet: Int64, soundFirst: Bool) throws -> (
    PictureFilm, SoundFilm
  ) {
    var picture = PictureFilm(.cut, rate: rate, lookAhead: 20)
    var sound = SoundFilm(rate: soundRate)
    sound.decided = 0
    let frames = 24 * (count + 2)
    let marks = (0..<count).map { index in
      let start = 24 * (index + 1) + index % 7
      return picture.mark(start + 5, from: start, to: start + 6 + index % 9, shot: UInt64(index + 2))
    }
    let told = Dictionary(grouping: marks) { Int($0.frame) }
    let samples = Int64(scaled(picture.time(frames), by: soundRate, over: 1_000_000_000))
    if soundFirst { sound.play(0..<samples, size: packet) }
    var (played, given) = (Int64(0), 0)
    for number in 0..<frames {
      try picture.play(number..<number + 1, told[number] ?? [])
      for stretch in picture.removed[given...] { sound.cut(stretch.start, stretch.end) }
      given = picture.removed.count
      sound.decided = picture.repair.decided
      let reached = Int64(scaled(picture.time(number + 1), by: soundRate, over: 1_000_000_000))
      guard !soundFirst, reached - played >= packet || number == frames - 1 else {
        sound.collect()
        continue
      }
      sound.play(played..<reached, size: packet)
      played = reached
    }
    try picture.end()
    sound.decided = picture.repair.decided
    sound.event("eos", .endOfStream)
    return (picture, sound)
  }

  @Test(arguments: filmRates, [44_100, 48_000, 96_000, 11_025] as [UInt64])
  func `over a hundred cuts they come apart by half a sample at most`(_ rate: FrameRate, _ soundRate: UInt64) throws {
    let (picture, sound) = try Self.play(rate, soundRate, count: 100, packet: 4096, soundFirst: false)
    #expect(picture.removed.count == 100)
    // By how much each is earlier than it came, behind each of the cuts.
    var pictures: [(from: ClockTime, by: ClockTime)] = [(0, 0)]
    for stretch in picture.removed {
      let end = try #require(stretch.end)
      pictures.append((end, (pictures.last?.by ?? 0) + (end - stretch.start)))
    }
    var (worst, index) = (0.0, 0)
    var seen: Set<Int> = []
    for piece in sound.out {
      guard case .samples(let range) = piece.heard, let pts = piece.pts else { continue }
      let place = sound.time(range.lowerBound) + 1000
      while index + 1 < pictures.count, pictures[index + 1].from <= place { index += 1 }
      let earlier = Double(range.lowerBound) * 1e9 / Double(soundRate) - Double(pts)
      worst = max(worst, abs(earlier - Double(pictures[index].by)))
      seen.insert(index)
    }
    #expect(seen.count == 101)
    // Half a sample, and what a time stamp is rounded by.
    #expect(worst <= 0.5e9 / Double(soundRate) + 1, "\(worst) ns")
    let length = Double(picture.time(picture.shown.count)) - Double(sound.samples) * 1e9 / Double(soundRate)
    #expect(abs(length) <= 1.5e9 / Double(soundRate) + 200, "both last as long: \(length) ns")
    #expect(sound.worstJump <= 2)
  }

  @Test(arguments: [64, 1024, 48_000] as [Int64], [false, true]) func `it is the same sound whatever comes first`(
    _ packet: Int64, _ soundFirst: Bool
  ) throws {
    let (picture, sound) = try Self.play(rate(25), 48_000, count: 3, packet: packet, soundFirst: soundFirst)
    let stretches = picture.removed.map { (Int64($0.start * 48 / 1_000_000), Int64(($0.end ?? 0) * 48 / 1_000_000)) }
    let ends = stretches.map { $0.0 - 240 } + [Int64(24 * 5 * 1920)]
    let starts = [0] + stretches.map { $0.1 + 240 }
    #expect(sound.passed == zip(starts, ends).map { $0..<$1 })
    #expect(sound.joints.map(\.old) == stretches.map { $0.0 - 240..<$0.0 + 240 })
    #expect(sound.joints.map(\.new) == stretches.map { $0.1 - 240..<$0.1 + 240 })
  }

  @Test func `sound is never ahead of what the picture has decided`() throws {
    var picture = PictureFilm(.cut, lookAhead: 25)
    var sound = SoundFilm()
    sound.decided = 0
    sound.play(0..<200 * 1920)
    for number in 0..<200 {
      try picture.play(number..<number + 1, [picture.mark(105, from: 100, to: 130)])
      for stretch in picture.removed where sound.joints.isEmpty { sound.cut(stretch.start, stretch.end) }
      sound.decided = picture.repair.decided
      sound.collect()
      let left = min(number, 199) - 25
      #expect(sound.passed.last?.upperBound ?? 0 <= Int64(max(0, left + 2)) * 1920)
      #expect(sound.passed.first?.upperBound ?? 0 <= 101 * 1920 - 240)
    }
  }

  @Test func `where a fade-out ends the film both end with it`() throws {
    var picture = PictureFilm(.cut)
    var sound = SoundFilm()
    sound.decided = 0
    try picture.play(0..<100, [picture.mark(.fade, 99, from: 89, to: nil)])
    sound.play(0..<110 * 1920)
    try picture.end()
    for stretch in picture.removed { sound.cut(stretch.start, stretch.end) }
    sound.decided = picture.repair.decided
    sound.event("eos", .endOfStream)
    #expect(picture.shown.count == 90)
    #expect(sound.samples == 90 * 1920 + 240, "it fades out around the end")
  }
}
