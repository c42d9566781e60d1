import Shots
import Testing
import Timing

/// Sound beside a picture that is cut.
@Suite("Sound cut") struct SoundCutTests {
  private let second = ClockTime.milliseconds(1000)

  @Test(arguments: [1, 7, 480, 1024, 5000, 200_000] as [Int64], [44_100, 48_000] as [UInt64])
  func `a stretch goes to the sample, whatever the packets' sizes`(_ size: Int64, _ rate: UInt64) {
    var film = SoundFilm(rate: rate)
    let (start, end, half) = (Int64(rate) / 50, Int64(rate) / 50 + 700, Int64(rate / 200))
    film.cut(film.time(start), film.time(end))
    let all = start + 700 + 2000
    film.play(0..<all, size: size)
    film.event("eos", .endOfStream)
    #expect(film.passed == [0..<start - half, end + half..<all])
    #expect(film.joints.count == 1)
    #expect(film.joints.first?.count == Int(2 * half))
    #expect(film.joints.first?.old == start - half..<start + half && film.joints.first?.new == end - half..<end + half)
    #expect(film.samples == all - 700 && film.worstJump <= 1)
  }

  @Test func `each sample of a crossfade has its place`() {
    var film = SoundFilm()
    film.cut(film.time(10_000), film.time(20_000))
    film.play(0..<30_000, size: 100)
    for case .joint(_, let old, let new) in film.out.map(\.heard) {
      #expect(old.keys.sorted() == [0, 40, 140, 240, 340, 440] && new.keys.sorted() == [0, 40, 140, 240, 340, 440])
      #expect(old.allSatisfy { $1.lowerBound == 10_000 - 240 + Int64($0) } && new.allSatisfy { $1.lowerBound == 20_000 - 240 + Int64($0) })
    }
  }

  @Test func `packets that are not cut leave as they came`() {
    var film = SoundFilm()
    film.cut(film.time(50_000), film.time(60_000))
    film.play(0..<100_000, size: 1000)
    let before = film.out.prefix(49)
    #expect(
      before.enumerated().allSatisfy {
        $1 == SoundFilm.Piece(heard: .samples(Int64($0) * 1000..<Int64($0) * 1000 + 1000), pts: film.time(Int64($0) * 1000))
      })
    #expect(film.untouched == 49)
    let last = film.out.last
    #expect(last?.pts == film.time(89_000) && last?.duration == nil, "moved, and whole")
  }

  @Test(arguments: [1, 2, 20, 400] as [Int64]) func `short stretches have short crossfades`(_ length: Int64) {
    var film = SoundFilm()
    film.cut(film.time(10_000), film.time(10_000 + length))
    film.play(0..<20_000)
    #expect(film.joints.map(\.count) == (length == 1 ? [] : [Int(length / 2 * 2)]))
    #expect(film.samples == 20_000 - length && film.worstJump <= 1)
  }

  @Test func `time stamps that tremble cost no sample, and jumps are kept`() {
    var film = SoundFilm()
    film.cut(film.time(10_000), film.time(20_000))
    film.play(0..<48_000, size: 480) { Int64($0 % 3 - 1) * 30 }
    #expect(film.passed == [0..<10_000 - 240, 20_000 + 240..<48_000])
    #expect(film.samples == 38_000)
    // A tenth of a second is missing.
    film.play(52_800..<60_000, size: 480)
    let after = film.out.first { $0.heard == .samples(52_800..<53_280) }
    #expect(after?.pts == film.time(42_800))
  }

  @Test(arguments: [0, 240, 241, 5000, 48_000] as [Int64]) func `sound waits for what is not decided, less what a crossfade may take`(
    _ decided: Int64
  ) {
    var film = SoundFilm()
    film.decided = film.time(decided)
    film.play(0..<100_000)
    #expect(film.samples == max(0, decided - 240))
    film.decided = .max
    film.collect()
    #expect(film.passed == [0..<100_000])
  }

  @Test func `a stretch that is told while sound waits is taken out`() {
    var film = SoundFilm()
    film.decided = film.time(10_000)
    film.play(0..<50_000)
    film.cut(film.time(10_000), film.time(20_000))
    #expect(film.samples == 10_000 + 240, "what lies in a stretch is decided with it")
    film.decided = film.time(21_000)
    film.collect()
    #expect(film.passed == [0..<9760, 20_240..<20_760])
    #expect(film.joints.count == 1)
  }

  @Test(arguments: [0, 1, 2]) func `events keep their places, and gaps move with the sound`(_ stretches: Int) {
    var film = SoundFilm()
    for index in 0..<Int64(stretches) { film.cut(film.time(10_000 + index * 10_000), film.time(15_000 + index * 10_000)) }
    film.play(0..<50_000)
    film.event("note")
    film.event("gap", .gap)
    film.play(60_000..<70_000)
    let moved = film.time(Int64(stretches) * 5000)
    let place = film.out.firstIndex { $0.heard == .event("note", 0) }
    #expect(place.map { film.out[$0 + 1].heard } == .event("gap", moved))
    #expect(place.map { film.out[$0 + 2].pts } == film.time(60_000) - moved)
  }

  // MARK: Ends

  @Test func `sound ends where a fade-out ends the film, fading out`() {
    var film = SoundFilm()
    film.cut(film.time(30_000), nil)
    film.play(0..<50_000)
    #expect(film.joints.isEmpty, "the end may still come")
    film.event("eos", .endOfStream)
    #expect(film.passed == [0..<29_760])
    #expect(film.joints.count == 1 && film.joints[0].old == 29_760..<30_240 && film.joints[0].new == nil)
    #expect(film.out.last?.heard == .event("eos", 0))
    #expect(film.worstJump <= 1)
  }

  @Test(arguments: [29_000, 30_100, 35_000, 39_900] as [Int64]) func `sound that ends at a joint fades out`(_ count: Int64) {
    var film = SoundFilm()
    film.cut(film.time(30_000), film.time(40_000))
    film.play(0..<count)
    film.event("eos", .endOfStream)
    #expect(film.passed == [0..<min(count, 29_760)])
    #expect(film.joints.count == (count > 29_760 ? 1 : 0))
    #expect(film.joints.first.map { $0.old == 29_760..<min(count, 30_240) } ?? true)
    #expect(film.out.last?.heard == .event("eos", 0))
  }

  @Test(arguments: [false, true]) func `silence on one side is faded to or from, and nothing is shifted by it`(_ isOld: Bool) {
    var film = SoundFilm()
    film.cut(film.time(30_000), film.time(40_000))
    // Sound is missing from a while before the stretch on, or until a while after it.
    film.play(0..<(isOld ? 20_000 : 45_000))
    film.play((isOld ? 35_000 : 60_000)..<80_000)
    #expect(film.joints.count == 1)
    #expect(film.joints.first?.old == (isOld ? nil : 29_760..<30_240))
    #expect(film.joints.first?.new == 39_760..<40_240)
    let joint = film.out.first { if case .joint = $0.heard { true } else { false } }
    #expect(joint?.pts == film.time(29_760))
    let end = film.out.last.map { ($0.pts ?? 0) + film.time($0.count) }
    #expect(end.map { abs(Int64($0) - Int64(film.time(70_000))) <= 1 } == true)
  }

  @Test func `silence on both sides is no crossfade`() {
    var film = SoundFilm()
    film.cut(film.time(30_000), film.time(40_000))
    film.play(0..<20_000)
    film.play(60_000..<70_000)
    #expect(film.joints.isEmpty && film.passed == [0..<20_000, 60_000..<70_000])
    #expect(film.out.first { $0.heard == .samples(60_000..<61_024) }?.pts == film.time(50_000))
  }

  // MARK: Caps and segments

  @Test(arguments: [29_000, 29_900, 30_100, 35_000, 39_900, 40_100, 45_000] as [Int64], [48_000, 44_100] as [UInt64])
  func `caps that change at a joint move nothing`(_ place: Int64, _ rate: UInt64) {
    var film = SoundFilm()
    film.cut(film.time(30_000), film.time(40_000))
    film.play(0..<place, size: 100)
    let began = film.time(place)
    film.rate = rate
    film.event("caps", .caps(rate: Int(rate), continues: false))
    let start = Int64(scaled(began, by: rate, over: second))
    film.play(start..<start + 40_000, size: 100)
    // The picture is earlier by what lasts 10,000 samples of 48 kHz.
    let length = scaled(10_000, by: second, over: 48_000)
    let last = start + 39_900
    #expect(film.out.last?.pts.map { abs(Int64($0) - Int64(film.time(last) - length)) <= Int64(second / rate) } == true)
    #expect(film.joints.count == 1)
    let joint = film.out.firstIndex { if case .joint = $0.heard { true } else { false } } ?? 0
    // Nothing overlaps: what leaves begins where what left before ended, or later.
    let caps = film.out.firstIndex { $0.heard == .event("caps", 0) } ?? 0
    #expect((joint < caps) == (place > 29_760), "it is in the caps that it was begun with")
    let before = film.out[..<caps].last.map { ($0.pts ?? 0) + scaled(UInt64($0.count), by: second, over: 48_000) } ?? 0
    let after = film.out[(caps + 1)...].first?.pts ?? 0
    #expect(after + second / rate >= before)
    // And no more than a crossfade is missing.
    #expect(after <= before + .milliseconds(11))
  }

  @Test func `caps that say the same change nothing`() {
    var film = SoundFilm()
    film.cut(film.time(30_000), film.time(40_000))
    film.play(0..<35_000)
    film.event("caps", .caps(rate: 48_000, continues: true))
    film.play(35_000..<60_000)
    #expect(film.passed == [0..<29_760, 40_240..<60_000] && film.joints.count == 1)
  }

  @Test func `sound that cannot be cut passes, and what follows is in its place`() {
    var film = SoundFilm()
    film.event("caps", .caps(rate: nil, continues: false))
    film.cut(film.time(30_000), film.time(40_000))
    film.play(0..<48_000, size: 1000)
    #expect(film.passed == [0..<48_000])
    film.event("caps", .caps(rate: 48_000, continues: false))
    film.play(48_000..<60_000, size: 1000)
    #expect(film.out.last?.pts.map { abs(Int64($0) - Int64(film.time(49_000))) <= 1 } == true)
  }

  @Test func `an update of a segment in a joint changes nothing`() {
    var film = SoundFilm()
    film.cut(film.time(30_000), film.time(40_000))
    film.play(0..<35_000)
    film.event("segment", .segment(base: 0, isForward: true, continues: true))
    film.play(35_000..<60_000)
    #expect(film.passed == [0..<29_760, 40_240..<60_000] && film.joints.count == 1)
    #expect(film.out.contains { $0.heard == .segment("segment", 0) })
  }

  @Test(arguments: [48_000, 4000, 0] as [Int64]) func `a new segment takes what was cut out of its base`(_ base: Int64) {
    var film = SoundFilm()
    film.cut(film.time(30_000), film.time(40_000))
    film.play(0..<48_000, size: 1000)
    let folded = min(film.time(base), film.time(10_000))
    film.event("segment", .segment(base: film.time(base), isForward: true, continues: false))
    film.ahead = 10 * second
    film.play(48_000..<60_000, size: 1000)
    #expect(film.out.contains { $0.heard == .segment("segment", folded) })
    #expect(film.out.last?.pts == film.time(59_000) + 10 * second - (film.time(10_000) - folded))
    film.event("gap", .gap)
    let left = film.time(10_000) - folded
    #expect(
      film.out.last.map { if case .event("gap", let earlier) = $0.heard { abs(Int64(earlier) - Int64(left)) <= 1 } else { false } } == true)
  }

  @Test(arguments: [0, 1, 30] as [Int64]) func `a stretch that ends with its segment is in the next one's base`(_ early: Int64) {
    var film = SoundFilm()
    film.cut(film.time(30_000), film.time(48_000))
    film.play(0..<48_000, size: 1000)
    // Time stamps of sound and picture are rounded each by itself.
    film.event("segment", .segment(base: film.time(48_000 - early), isForward: true, continues: false))
    film.ahead = 10 * second
    film.play(48_000..<60_000, size: 1000)
    #expect(film.out.contains { $0.heard == .segment("segment", film.time(18_000)) })
    let joint = film.out.firstIndex { if case .joint = $0.heard { true } else { false } }
    let segment = film.out.firstIndex { if case .segment = $0.heard { true } else { false } }
    #expect((joint ?? .max) < segment ?? 0, "it is in the old segment's time")
    #expect(film.passed == [0..<29_760, 48_240..<60_000])
    #expect(film.out.last?.pts == film.time(59_000) + 10 * second)
  }

  @Test(arguments: [0, 1, 30] as [Int64]) func `so is one beside which nothing was heard`(_ early: Int64) {
    var film = SoundFilm()
    film.cut(film.time(30_000), film.time(48_000))
    film.play(0..<20_000, size: 1000)
    film.event("segment", .segment(base: film.time(48_000 - early), isForward: true, continues: false))
    film.ahead = 10 * second
    film.play(48_000..<60_000, size: 1000)
    #expect(film.out.contains { $0.heard == .segment("segment", film.time(18_000)) })
    #expect(film.passed == [0..<20_000, 48_000..<60_000])
    #expect(film.out.last?.pts == film.time(59_000) + 10 * second)
  }

  @Test func `one that ends behind the next one's beginning is not`() {
    var film = SoundFilm()
    film.cut(film.time(50_000), film.time(58_000))
    film.play(0..<20_000, size: 1000)
    film.event("segment", .segment(base: film.time(48_000), isForward: true, continues: false))
    film.play(48_000..<70_000, size: 1000)
    #expect(film.out.contains { $0.heard == .segment("segment", 0) })
    #expect(film.passed == [0..<20_000, 48_000..<49_760, 58_240..<70_000])
  }

  // MARK: How much waits

  @Test(arguments: [100, 1000, 20_000] as [UInt64]) func `no more sound waits than may`(_ milliseconds: UInt64) {
    var film = SoundFilm(capacity: .milliseconds(milliseconds))
    film.decided = 0
    let samples = Int64(milliseconds) * 48
    // The first is in hand and not in the queue.
    film.play(0..<480, size: 480)
    film.play(480..<480 + samples, size: 480)
    #expect(!film.repair.isFull)
    film.play(480 + samples..<960 + samples, size: 480)
    #expect(film.repair.isFull)
    film.decided = film.time(2000)
    film.collect()
    #expect(!film.repair.isFull)
    film.repair.reset()
    #expect(!film.repair.isFull)
  }

  @Test func `each piece is a step, so that who waits for room is told`() {
    var film = SoundFilm()
    film.decided = 0
    let before = film.repair.steps
    film.play(0..<1000, size: 1000)
    #expect(film.repair.steps == before + 1)
    film.decided = film.time(500)
    film.collect()
    #expect(film.repair.steps == before + 2)
  }

  // MARK: What passes

  @Test func `sound that is not cut passes at once, as it came`() {
    var film = SoundFilm(isCut: false)
    film.decided = 0
    film.cut(film.time(1000), film.time(5000))
    film.play(0..<48_000)
    film.event("segment", .segment(base: film.time(48_000), isForward: true, continues: false))
    film.event("gap", .gap)
    #expect(film.passed == [0..<48_000] && film.joints.isEmpty && film.untouched == 47)
    #expect(film.out.suffix(2).map(\.heard) == [.segment("segment", 0), .event("gap", 0)])
  }

  @Test func `sound without times, of no samples and backwards passes`() {
    var film = SoundFilm()
    film.decided = 0
    film.repair.take(FilmPacket(start: 0, count: 10), pts: nil, running: nil, samples: 10)
    film.repair.take(FilmPacket(start: 10, count: 0), pts: 0, running: 0, samples: 0)
    film.event("segment", .segment(base: 0, isForward: false, continues: false))
    film.play(20..<40)
    #expect(film.passed == [0..<10, 20..<40])
  }

  @Test func `after a flush sound begins anew`() {
    var film = SoundFilm()
    film.decided = film.time(35_000)
    film.cut(film.time(30_000), film.time(40_000))
    film.play(0..<38_000)
    film.event("caps", .caps(rate: 48_000, continues: false))
    film.repair.reset()
    film.out.removeAll()
    film.play(0..<20_000)
    film.event("segment", .segment(base: film.time(48_000), isForward: true, continues: false))
    film.event("eos", .endOfStream)
    #expect(film.passed == [0..<20_000] && film.joints.isEmpty && film.worstJump <= 1)
    #expect(film.out.contains { $0.heard == .segment("segment", 0) })
  }

  @Test func `times at the end of time do not overflow`() {
    var film = SoundFilm()
    film.cut(.max - 10, .max)
    film.cut(.max, nil)
    film.repair.take(FilmPacket(start: 0, count: .max), pts: .max - 1, running: .max - 1, samples: .max)
    film.event("segment", .segment(base: .max, isForward: true, continues: false))
    film.repair.take(FilmPacket(start: 0, count: 100), pts: .max - 1, running: .max - 1, samples: 100)
    film.event("caps", .caps(rate: 1, continues: false))
    film.event("eos", .endOfStream)
    #expect(film.out.last?.heard == .event("eos", 0))
  }
}
