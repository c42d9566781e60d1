import Pixels
import Shots
import Synchronization
import Timing

/// A frame of no pixels: which one of its film it is, and what was left of its picture if that was restored.
struct FilmFrame: Hashable {
  var number: Int
  var gain: Double?
}

/// Pictures that are as bright as the test says: what of them is left, 1 for all, by frame.
final class FilmPictures: FadePictures, Sendable {
  struct Unreadable: Error {}

  private let left: @Sendable (Int) -> Double
  private let level: Double
  private let asked = Mutex<[Int]>([])
  /// Frames that were restored, in order.
  var restored: [Int] { asked.withLock { $0 } }

  /// - Parameters:
  ///   - left: of each frame's picture; below 0 the frame cannot be read.
  ///   - level: what it fades to, black 0.
  init(level: Double = 0, left: @escaping @Sendable (Int) -> Double = { _ in 1 }) { (self.level, self.left) = (level, left) }

  func look(at frame: FilmFrame) throws -> FadeLook {
    let gain = left(frame.number)
    if gain < 0 { throw Unreadable() }
    return FadeLook(columns: 4, rows: 3, levels: (0..<12).map { Float(level + (0.3 + 0.04 * Double($0) - level) * gain) })
  }

  func restored(_ frame: FilmFrame, gain: Double, color: FadeColor) throws -> FilmFrame {
    asked.withLock { $0.append(frame.number) }
    return FilmFrame(number: frame.number, gain: gain)
  }
}

/// A segment in time: where its time stamps lie in running and in stream time.
struct FilmSegment: Hashable {
  var start: ClockTime = 0
  var base: ClockTime = 0
  var time: ClockTime = 0
  var isForward = true
  /// Does not change what times mean.
  var stop: ClockTime?

  func running(_ pts: ClockTime) -> ClockTime? { pts < start ? nil : base + (pts - start) }

  func continues(_ other: FilmSegment) -> Bool {
    (start, base, time, isForward) == (other.start, other.base, other.time, other.isForward)
  }
}

/// A film that plays through a repair, and all that came out.
struct PictureFilm {
  /// What came out, in order.
  enum Out: Equatable {
    case frame(Shown)
    case event(String, TimeShift)
    case segment(String, ClockTime)
    case keyUnit(ClockTime?)
    case removed(RemovedStretch)
  }

  struct Shown: Equatable {
    var number: Int
    /// The frame whose picture it shows.
    var picture: Int
    var gain: Double?
    var pts: ClockTime?
    /// nil: those that it came with.
    var boundaries: [Boundary]?
  }

  var repair: PictureRepair<FilmFrame, String>
  let rate: FrameRate
  var segment = FilmSegment()
  var out: [Out] = []
  /// What was taken out, as it was told.
  var removed: [RemovedStretch] = []
  private var stamps: [Int: ClockTime] = [:]

  /// - Parameters:
  ///   - lookAhead: frames.
  ///   - tellsRate: false: caps say 0/1, and frames no duration.
  init(
    _ mode: RepairMode, rate: FrameRate = .fallback, margin: UInt32 = 0, lookAhead: Int = 75, maxGain: Double = 8,
    kinds: Set<BoundaryKind> = [.fade, .dissolve, .wipe], tellsRate: Bool = true, pictures: FilmPictures = FilmPictures()
  ) {
    self.rate = rate
    repair = PictureRepair(
      mode, kinds: kinds, margin: margin, lookAhead: rate.nanoseconds(of: UInt64(lookAhead)), maxGain: maxGain,
      pictures: pictures)
    repair.take("caps", .caps(frameDuration: tellsRate ? rate.nanoseconds(of: 1) : nil, keepsPictures: true))
    repair.take("segment", .segment(base: 0, isForward: true, continues: true))
  }

  func time(_ frame: Int) -> ClockTime { rate.nanoseconds(of: UInt64(frame)) }

  /// As a detector marks: the last clean frame before, the first after, and the one that it is told with.
  func mark(
    _ kind: BoundaryKind, _ frame: Int, from start: Int?, to end: Int?, shot: UInt64 = 2, color: FadeColor? = nil
  ) -> Boundary {
    Boundary(
      kind: kind, shot: shot, frame: UInt64(frame), pts: time(frame), runningTime: time(frame), streamTime: time(frame),
      transitionStart: start.map { time($0) }, transitionEnd: end.map { time($0) }, score: 0.9, detector: "fused", color: color)
  }

  /// A dissolve.
  func mark(_ frame: Int, from start: Int?, to end: Int?, shot: UInt64 = 2) -> Boundary {
    mark(.dissolve, frame, from: start, to: end, shot: shot)
  }

  /// One frame at its place in the segment.
  mutating func take(_ number: Int, at place: ClockTime? = nil, hasDuration: Bool = true, _ marks: [Boundary] = []) {
    let pts = place ?? segment.start + time(number)
    let isShown = pts >= segment.start
    stamps[number] = pts
    repair.take(
      FilmFrame(number: number),
      at: BufferTime(
        pts: pts, duration: hasDuration ? time(number + 1) - time(number) : nil, runningTime: segment.running(pts),
        streamTime: isShown ? pts - segment.start + segment.time : nil, isShown: isShown),
      boundaries: marks)
  }

  /// Frames one after another, each with the boundaries that are told with it.
  mutating func play(_ numbers: Range<Int>, _ marks: [Boundary] = [], before: (Int, inout PictureFilm) -> Void = { _, _ in }) throws {
    let told = Dictionary(grouping: marks) { Int(clamping: $0.frame) }
    for number in numbers {
      before(number, &self)
      take(number, told[number] ?? [])
      try collect()
    }
  }

  mutating func event(_ name: String, _ meaning: PictureEvent = .other) throws {
    repair.take(name, meaning)
    try collect()
  }

  mutating func segment(_ new: FilmSegment) throws {
    let meaning = PictureEvent.segment(base: new.base, isForward: new.isForward, continues: new.continues(segment))
    segment = new
    try event("segment", meaning)
  }

  /// All that was held is gone, and what came out before it forgotten.
  mutating func flush() {
    repair.reset()
    segment = FilmSegment()
    out.removeAll()
    removed.removeAll()
  }

  mutating func end() throws { try event("eos", .endOfStream) }

  mutating func collect() throws {
    while let step = try repair.next() {
      switch step {
      case .frame(let departure):
        let picture = departure.picture ?? departure.frame
        out.append(
          .frame(
            Shown(
              number: departure.frame.number, picture: picture.number, gain: picture.gain,
              pts: stamps[departure.frame.number]?.less(departure.earlier), boundaries: departure.boundaries)))
      case .event(let name, let earlier): out.append(.event(name, earlier))
      case .segment(let name, let earlier): out.append(.segment(name, earlier))
      case .keyUnit(let cut): out.append(.keyUnit(cut.runningTime))
      case .removed(let stretch):
        out.append(.removed(stretch))
        removed.append(stretch)
      }
    }
  }

  // MARK: What came out

  var shown: [Shown] {
    out.compactMap { if case .frame(let shown) = $0 { shown } else { nil } }
  }

  var pictures: [Int] { shown.map(\.picture) }

  /// The boundaries that were put on frames, by the place of the frame in the output.
  var marked: [Int: [Boundary]] {
    Dictionary(
      uniqueKeysWithValues: shown.enumerated().compactMap { place, frame in
        frame.boundaries.flatMap { $0.isEmpty ? nil : (place, $0) }
      })
  }

  /// Frames by their number, events by their names.
  var story: [String] {
    out.compactMap {
      switch $0 {
      case .frame(let shown): "\(shown.number)"
      case .event(let name, _), .segment(let name, _): name
      case .keyUnit: "key unit"
      case .removed: nil
      }
    }
  }
}

/// Frames a second.
func rate(_ numerator: Int, _ denominator: Int = 1) -> FrameRate { FrameRate(numerator, denominator) ?? .fallback }
