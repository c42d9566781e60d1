import DequeModule
import Pixels
import Timing

/// What becomes of the frames of a transition.
public enum RepairMode: String, Sendable, CaseIterable {
  /// The first half shows the last clean frame before, the second half the first clean one after; every time stamp stays.
  case hold
  /// They are taken out, and what follows moves up.
  case cut
  /// Fades to and from black and white are undone; the rest as with `hold`.
  case restore
}

/// What was done so far.
public struct RepairCounts: Hashable, Sendable {
  /// Transitions that were treated.
  public var transitions: UInt64 = 0
  /// Frames, each of one of three fates.
  public var removed: UInt64 = 0
  /// Frames that show another one's picture.
  public var replaced: UInt64 = 0
  /// Frames whose fade was undone.
  public var restored: UInt64 = 0

  /// Nothing was done yet.
  public init() {}
}

/// A stretch of a stream that was taken out, in running time as it came.
public struct RemovedStretch: Hashable, Sendable {
  /// Of the first frame that is gone, nanoseconds.
  public var start: ClockTime
  /// nil: all that follows.
  public var end: ClockTime?

  /// An end that is not after the start takes nothing out.
  public init(start: ClockTime, end: ClockTime?) { (self.start, self.end) = (start, end) }

  /// Nanoseconds; none if it has no end.
  var length: ClockTime { end?.less(start) ?? 0 }
}

/// How much earlier something leaves than it came, nanoseconds.
public struct TimeShift: Hashable, Sendable {
  /// In time stamps, and in stream time.
  public var stamps: ClockTime
  /// In running time.
  public var running: ClockTime

  /// The two differ where a segment's base has taken over a part of the shift.
  public init(stamps: ClockTime = 0, running: ClockTime = 0) { (self.stamps, self.running) = (stamps, running) }
}

/// What an event means for the frames around it.
public enum PictureEvent: Hashable, Sendable {
  /// - frameDuration: nil if the rate is variable.
  /// - keepsPictures: whether nothing but the rate is other than before.
  case caps(frameDuration: ClockTime?, keepsPictures: Bool)
  /// - base: running time at its start.
  /// - continues: whether times mean the same as before.
  case segment(base: ClockTime, isForward: Bool, continues: Bool)
  /// - end: its running time; nil outside of the segment.
  case gap(end: ClockTime?)
  case endOfStream, segmentDone
  /// A request for a key frame that travels downstream.
  case keyUnit(runningTime: ClockTime?)
  case other

  /// Whether no frame after it can decide one before it.
  var isBarrier: Bool {
    switch self {
    case .caps(_, let keepsPictures): !keepsPictures
    case .segment(_, _, let continues): !continues
    case .endOfStream, .segmentDone: true
    case .gap, .keyUnit, .other: false
    }
  }
}

/// Decides what becomes of the frames of a stream in which transitions are marked.
///
/// Frames and events are put in with `take` as they arrive, and leave by ``next()``, in order. A frame is decided on, and
/// leaves, when `lookAhead` of video has come after it, or something behind it ends what could change its fate: end of
/// stream, another segment, other pictures, ``drain()``. What it takes from pictures, only with fades, it asks
/// ``FadePictures`` for.
///
/// ```swift
/// repair.take(frame, at: time, boundaries: marks)
/// while let step = try repair.next() { … }
/// ```
///
/// - `hold` and `restore` keep every time; `cut` lets frames leave earlier by what was taken out before them.
/// - A transition becomes a cut where its new shot begins now, with the request for a key frame that stood before its
///   boundary.
/// - Cost: constant a frame, but for transitions, where what is held is walked through.
///
/// Not thread-safe.
public struct PictureRepair<Frame, Event> {
  /// A frame as it leaves.
  public struct Departure {
    /// As it came, or restored; times, marks and a picture in its place are set by who sends it on.
    public var frame: Frame
    /// Whose picture it shows; nil: its own.
    public var picture: Frame?
    /// By how much its time stamps are earlier.
    public var earlier: ClockTime
    /// What it is marked with from now on; nil: what it came with.
    public var boundaries: [Boundary]?
  }

  /// What leaves, or what others have to be told, in the order of the stream.
  public enum Step {
    case frame(Departure)
    case event(Event, earlier: TimeShift)
    /// An event with a segment, whose base is smaller by so much now.
    case segment(Event, earlier: ClockTime)
    /// A key frame is asked for at this cut, which is on the next frame.
    case keyUnit(Boundary)
    /// Sound has to do without this too.
    case removed(RemovedStretch)
  }

  /// A frame that waits.
  struct Held {
    var frame: Frame
    /// Frames before it since the stream began.
    var number: UInt64
    var time: BufferTime
    /// What of its boundaries is left alone.
    var boundaries: [Boundary]
    /// Whether it came with others.
    var isStripped: Bool
  }

  enum Item {
    case frame(Held)
    case event(Event, PictureEvent)
    /// Nothing behind it decides on what is before it.
    case barrier

    var isBarrier: Bool {
      switch self {
      case .frame: false
      case .event(_, let meaning): meaning.isBarrier
      case .barrier: true
      }
    }
  }

  let mode: RepairMode
  let lookAhead: ClockTime
  private let margin: UInt64
  let maxGain: Double
  let pictures: any FadePictures<Frame>

  var plan: TransitionPlan
  var items = Deque<Item>()
  var ready = Deque<Step>()
  private var barriers = 0
  private var frames = 0
  private var isForward = true
  /// Running time at which the last frame that came ends.
  private var newest: ClockTime = 0
  private var number: UInt64 = 0
  /// Index of a frame in the detector's count, less its number here.
  var countedBefore: Int64 = 0

  // Of what has left.
  private var lastStreamTime: ClockTime?
  /// The same as the output has it.
  var lastShown: ClockTime?
  /// The last frame that is clean, kept while a transition follows it.
  var clean: Frame?
  var fade: FadeRun<Frame>?
  var removal: Removal?
  /// By how much frames leave earlier, in this segment's time stamps.
  var shift: ClockTime = 0

  /// By how much frames leave earlier in running time, all in all: how much later than its source a live stream is.
  public internal(set) var removed: ClockTime = 0
  /// Running time up to which it is decided what of the input stays.
  public internal(set) var decided: ClockTime = 0
  /// How often something was taken from the queue.
  public private(set) var steps: UInt64 = 0
  /// Since the stream began; flushes do not set them back.
  public internal(set) var counts = RepairCounts()
  /// What transitions lost that were known too late, nanoseconds, at most; nil if none was.
  public private(set) var lateness: ClockTime?
  /// Of the frames that arrive, nanoseconds.
  public private(set) var frameDuration: ClockTime

  /// - Parameters:
  ///   - kinds: of transitions that are treated.
  ///   - margin: frames by which a transition is taken to be longer on each side than it is marked.
  ///   - lookAhead: nanoseconds of video after a frame with which it is decided.
  ///   - maxGain: by which the picture of a frame is amplified at most, with `restore`; at least 1.
  public init(
    _ mode: RepairMode, kinds: Set<BoundaryKind>, margin: UInt32, lookAhead: ClockTime, maxGain: Double,
    pictures: any FadePictures<Frame>
  ) {
    self.mode = mode
    self.margin = UInt64(margin)
    self.lookAhead = lookAhead
    self.maxGain = maxGain
    self.pictures = pictures
    frameDuration = FrameClock.assumedFrameDuration
    plan = TransitionPlan(kinds: kinds)
  }

  // MARK: How much is held

  /// How far a muxer may fall behind what is decided before it must get sound to go on.
  private static var slack: ClockTime { .milliseconds(500) }

  /// Nanoseconds of video that are ever held, where a thread of its own lets it leave.
  public var longestHeld: ClockTime { lookAhead.saturating(adding: Self.slack) }

  /// Whether as much is held as ever needs to be, and half a second more.
  public var isFull: Bool {
    guard barriers == 0, case .frame(let head)? = items.first, let start = head.time.runningTime else { return false }
    return newest >= start && newest - start >= longestHeld
  }

  /// Streams whose time stands still must not fill the memory.
  private static var mostFrames: Int { 2048 }

  private func isDue(_ time: BufferTime) -> Bool {
    guard let start = time.runningTime, newest >= start else { return true }
    return newest - start >= lookAhead || frames > Self.mostFrames
  }

  // MARK: In

  /// The next frame.
  ///
  /// - Parameter boundaries: that it is marked with.
  public mutating func take(_ frame: Frame, at time: BufferTime, boundaries: [Boundary] = []) {
    var time = time
    let isSeen = time.isShown && isForward
    if !isSeen { (time.runningTime, time.streamTime) = (nil, nil) }
    var left: [Boundary] = []
    if isSeen {
      for boundary in boundaries {
        if boundary.pts == time.pts, let frame = Int64(exactly: boundary.frame), let own = Int64(exactly: number) {
          countedBefore = frame - own
        }
        if plan.treats(boundary) { add(boundary) } else { left.append(boundary) }
      }
    }
    let isStripped = isSeen && left.count < boundaries.count
    items.append(.frame(Held(frame: frame, number: number, time: time, boundaries: left, isStripped: isStripped)))
    frames += 1
    guard isSeen else { return }
    number &+= 1
    if let start = time.runningTime { newest = max(newest, start.saturating(adding: time.duration ?? frameDuration)) }
  }

  /// The next event that keeps its place among the frames.
  public mutating func take(_ event: Event, _ meaning: PictureEvent) {
    switch meaning {
    case .segment(_, let isForward, _): self.isForward = isForward
    case .caps(let duration, _): frameDuration = duration ?? FrameClock.assumedFrameDuration
    case .gap(let end): newest = max(newest, end ?? 0)
    case .endOfStream, .segmentDone, .keyUnit, .other: break
    }
    if meaning.isBarrier { barriers += 1 }
    items.append(.event(event, meaning))
  }

  /// A boundary that was found when no frame followed. False if it is left alone.
  public mutating func take(late boundary: Boundary) -> Bool {
    guard plan.treats(boundary) else { return false }
    add(boundary)
    return true
  }

  private mutating func add(_ boundary: Boundary) {
    plan.margin = margin.multipliedReportingOverflow(by: frameDuration).partialValue
    plan.add(boundary, forcesKeyUnit: dropKeyUnit(for: boundary))
    counts.transitions &+= 1
    widenBackwards(boundary)
    if let start = boundary.transitionStart, let last = lastStreamTime, last > start { lateness = max(lateness ?? 0, last - start) }
  }

  /// Removes the key-frame request that stands before the frame in hand because of a boundary; false if there is none.
  private mutating func dropKeyUnit(for boundary: Boundary) -> Bool {
    for index in items.indices.reversed() {
      guard case .event(_, let meaning) = items[index] else { return false }
      if case .keyUnit(let runningTime) = meaning, runningTime == boundary.runningTime {
        items.remove(at: index)
        return true
      }
    }
    return false
  }

  /// Everything that is held may leave.
  public mutating func drain() {
    guard !items.isEmpty else { return }
    barriers += 1
    items.append(.barrier)
  }

  // MARK: Out

  /// What leaves next, or has happened; nil if all has to wait.
  ///
  /// - Throws: what ``FadePictures`` throws, with `restore`.
  public mutating func next() throws -> Step? {
    while true {
      if let first = ready.popFirst() { return first }
      if case .frame(let head)? = items.first, barriers == 0, !isDue(head.time) { return nil }
      guard let item = items.popFirst() else { return nil }
      steps &+= 1
      if item.isBarrier { barriers -= 1 }
      switch item {
      case .barrier: break
      case .event(let event, let meaning): leave(event, meaning)
      case .frame(let held):
        frames -= 1
        try leave(held)
      }
    }
  }

  mutating func note(left streamTime: ClockTime) {
    lastStreamTime = streamTime
    lastShown = streamTime.less(shift)
  }

  /// After a flush: drops all that is held. Times are as at the beginning; what was counted stays.
  public mutating func reset() {
    items.removeAll()
    ready.removeAll()
    (barriers, frames, newest, shift, removed, decided) = (0, 0, 0, 0, 0, 0)
    (removal, lastStreamTime, lastShown) = (nil, nil, nil)
    isForward = true
    plan.removeAll()
    releasePictures()
  }
}
