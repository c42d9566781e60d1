import Clips
import Shots
import Testing
import Timing

@Suite("Times and key frames of clips") struct PictureWatchTests {
  /// A segment is what its running times are later than its stream times.
  private typealias Watch = PictureWatch<Int>

  private static let asked = Watch.Step.askForMarks

  /// A watch that has asked for marks.
  private static func watch(_ interval: ClockTime? = nil) -> Watch {
    var watch = Watch(keyFrameInterval: interval)
    _ = watch.frame(at: nil, duration: nil, boundaries: [])
    return watch
  }

  private static func inside(_ number: Int) -> ClockTime { Watch.inside(frame(number)) }

  /// The frames at which key frames are asked for, when the requests come to the encoder.
  private static func requests(_ watch: inout Watch, _ frames: Range<Int>, boundaries: Set<Int> = []) -> [Int] {
    frames.filter { number in
      let steps = watch.frame(at: inside(number), duration: frame(1), boundaries: boundaries.contains(number) ? [cut(2, at: number)] : [])
      let request = steps.compactMap { if case .requestKey(let time) = $0 { time } else { nil } }.first
      if let request { watch.requested(at: request) }
      return request.map { $0 == inside(number) } == true
    }
  }

  // MARK: Origin

  @Test func `times inside are later by the origin, and back the same`() {
    for time in [0, 1, frame(1), .milliseconds(86_400_000)] as [ClockTime] { #expect(Watch.outside(Watch.inside(time)) == time) }
    #expect(Watch.outside(Watch.origin - 1) == nil && Watch.outside(nil) == nil && Watch.inside(.max) == .max)
  }

  @Test func `what lies outside of its segment has no time inside`() {
    var watch = Watch(keyFrameInterval: nil)
    watch.begin(0)
    let time = watch.arrive(at: nil)
    #expect(Watch.outside(time) == nil)
    #expect(watch.packet(at: time, duration: nil, isKey: true) { $1 } == nil)
  }

  // MARK: Segments

  private static func stream(_ watch: inout Watch, _ number: Int) -> ClockTime? {
    watch.packet(at: inside(number), duration: nil, isKey: false) { $1.less(frame($0)) }?.stream
  }

  @Test func `a packet has the stream time of the segment that its frame came in`() {
    var watch = Watch(keyFrameInterval: nil)
    watch.begin(0)
    for number in 0..<10 { _ = watch.arrive(at: frame(number)) }
    watch.begin(10)
    for number in 10..<20 { _ = watch.arrive(at: frame(number)) }
    #expect((0..<20).map { Self.stream(&watch, $0) } == (0..<20).map { frame($0 % 10) })
  }

  @Test func `a segment without frames is of no packet`() {
    var watch = Watch(keyFrameInterval: nil)
    watch.begin(0)
    _ = watch.arrive(at: frame(0))
    watch.begin(3)
    watch.begin(5)
    #expect(watch.segment == 5)
    _ = watch.arrive(at: frame(5))
    #expect(Self.stream(&watch, 4) == frame(4) && Self.stream(&watch, 5) == 0 && Self.stream(&watch, 6) == frame(1))
  }

  @Test func `a packet from before all frames is of the first segment that has some`() {
    var watch = Watch(keyFrameInterval: nil)
    watch.begin(3)
    watch.begin(5)
    _ = watch.arrive(at: frame(5))
    #expect(watch.segment(at: frame(4)) == 5)
  }

  @Test func `packets that are a little out of order find their segment`() {
    var watch = Watch(keyFrameInterval: nil)
    for segment in [0, 10, 20, 30] {
      watch.begin(segment)
      _ = watch.arrive(at: frame(segment))
    }
    #expect([0, 12, 9, 11, 21, 19, 31, 29].map { Self.stream(&watch, $0) } == [0, 2, 9, 1, 1, 9, 1, 9].map { frame($0) })
    // What came before the earliest that is left: at most one segment back is kept.
    #expect(watch.segment(at: frame(5)) == 20)
  }

  @Test func `after a flush the segments of before are gone`() {
    var watch = Watch(keyFrameInterval: nil)
    watch.begin(7)
    _ = watch.arrive(at: frame(10))
    watch.flushArriving()
    #expect(watch.segment == nil && watch.segment(at: frame(10)) == nil)
    #expect(Self.stream(&watch, 10) == frame(10))
  }

  @Test func `a frame that says no duration has the stream's, or none`() {
    var watch = Watch(keyFrameInterval: nil)
    func duration(_ own: ClockTime?) -> ClockTime? { watch.packet(at: Self.inside(0), duration: own, isKey: true) { $1 }?.duration }
    #expect(duration(nil) == 0 && duration(5) == 5)
    watch.frameDuration = frame(1)
    #expect(duration(nil) == frame(1) && duration(5) == 5)
  }

  // MARK: Key frames

  @Test func `of shots a key frame is asked for at each boundary, and nowhere else`() {
    var watch = Self.watch()
    #expect(Self.requests(&watch, 0..<50, boundaries: [10, 11, 30]) == [10, 11, 30])
  }

  @Test func `around boundaries one is due after each interval`() {
    var watch = Self.watch(frame(10))
    #expect(Self.requests(&watch, 3..<40) == [3, 13, 23, 33])
  }

  @Test func `the interval counts from any request, the application's too`() {
    var watch = Self.watch(frame(10))
    #expect(Self.requests(&watch, 0..<5) == [0])
    watch.requested(at: Self.inside(5))
    #expect(Self.requests(&watch, 5..<30, boundaries: [17]) == [15, 17, 27])
  }

  @Test func `no second one is asked for on the same frame`() {
    var watch = Self.watch()
    watch.requested(at: Self.inside(10))
    #expect(Self.requests(&watch, 9..<12, boundaries: [10]) == [])
  }

  @Test func `after a flush the interval begins anew`() {
    var watch = Self.watch(frame(10))
    #expect(Self.requests(&watch, 0..<5) == [0])
    watch.flushRaw()
    #expect(Self.requests(&watch, 2..<15) == [2, 12])
  }

  // MARK: Marks

  @Test func `marks are asked for with the first frame, once, even if it is not shown`() {
    var watch = Watch(keyFrameInterval: nil)
    #expect(watch.frame(at: nil, duration: nil, boundaries: []) == [Self.asked])
    #expect(watch.frame(at: Self.inside(0), duration: nil, boundaries: []) == [])
  }

  @Test func `a boundary comes before the request that it causes`() {
    var watch = Self.watch()
    let boundary = cut(2, at: 5)
    #expect(
      watch.frame(at: Self.inside(5), duration: frame(1), boundaries: [boundary]) == [
        .mark(boundary, at: frame(5)), .requestKey(at: Self.inside(5)),
      ])
  }

  @Test func `a boundary that is told late begins its shot at the frame that carries it, with one warning`() {
    var watch = Self.watch()
    let (late, later) = (cut(2, at: 3), cut(3, at: 7))
    #expect(
      watch.frame(at: Self.inside(5), duration: frame(1), boundaries: [late]) == [
        .warnOfLateness, .mark(late, at: frame(5)), .requestKey(at: Self.inside(5)),
      ])
    #expect(watch.frame(at: Self.inside(9), duration: frame(1), boundaries: [later]).first == .mark(later, at: frame(9)))
  }

  @Test func `half a frame is not late`() {
    var watch = Self.watch()
    var boundary = cut(2, at: 5)
    boundary.runningTime = frame(5) - frame(1) / 2
    #expect(watch.frame(at: Self.inside(5), duration: frame(1), boundaries: [boundary]).first == .mark(boundary, at: frame(5)))
    boundary.runningTime = frame(5) - frame(1) / 2 - 1
    #expect(watch.frame(at: Self.inside(5), duration: frame(1), boundaries: [boundary]).first == .warnOfLateness)
  }

  @Test func `around boundaries a late one lies where it says, without a warning`() {
    var watch = Self.watch(frame(10))
    let late = cut(2, at: 3)
    #expect(watch.frame(at: Self.inside(5), duration: frame(1), boundaries: [late]).first == .mark(late, at: frame(3)))
    #expect(watch.boundary(late) == [.mark(late, at: frame(3))])
  }

  @Test func `a boundary that no frame follows begins no shot`() {
    var watch = Self.watch()
    #expect(watch.boundary(cut(2, at: 3)) == [.warnOfLateness])
    #expect(watch.boundary(cut(3, at: 4)) == [])
    let timeless = Boundary(kind: .cut, shot: 2, frame: 3, score: 1, detector: "test")
    var around = Self.watch(frame(10))
    #expect(around.boundary(timeless) == [])
  }

  @Test func `a boundary on a frame that is not shown is none`() {
    var watch = Self.watch()
    #expect(watch.frame(at: 0, duration: frame(1), boundaries: [cut(2, at: 0)]) == [])
  }

  // MARK: Sound

  @Test func `a piece of sound lasts as long as its samples, to the nearest nanosecond`() {
    var watch = SoundWatch()
    #expect(watch.piece(at: 0, size: 4) == nil)
    watch.begin(rate: 44_100, bytesPerFrame: 4)
    // 3 samples: 68027.21… ns; 2 samples and a half are 2: 45351.47… ns.
    #expect(watch.piece(at: 1000, size: 12) == 1000..<69_027)
    #expect(watch.piece(at: 0, size: 10) == 0..<45_351)
    #expect(watch.piece(at: nil, size: 12) == nil)
    #expect(watch.piece(at: .max - 1, size: 12) == ClockTime.max - 1..<ClockTime.max)
    watch.begin(rate: 0, bytesPerFrame: 4)
    #expect(watch.piece(at: 0, size: 4) == nil)
  }
}
