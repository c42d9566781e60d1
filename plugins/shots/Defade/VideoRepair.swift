import CGStreamer
import DequeModule
import GStreamerKit
import Shots
import Timing

/// The frames that `defade` holds, and what becomes of each.
///
/// A frame is decided on, and leaves, when `lookAhead` of video has come after it, or something behind it in the queue
/// ends what could change its fate (end of stream, other caps). Not thread-safe: the element's lock guards it.
struct VideoRepair {
  struct Frame {
    var buffer: UnsafeMutablePointer<GstBuffer>
    /// Frames before it since the stream began.
    var number: UInt64
    var time: BufferTime
    /// Whether it carries boundaries, of cuts and of what is left alone.
    var isMarked: Bool
  }

  enum Item {
    case frame(Frame)
    case event(UnsafeMutablePointer<GstEvent>, isBarrier: Bool)
    /// Nothing behind it decides on what is before it.
    case barrier
  }

  let mode: Defade.Mode
  let lookAhead: ClockTime
  let margin: UInt32
  let maxGain: Double
  var plan: TransitionPlan
  var items = Deque<Item>()
  var ready = Deque<Departure>()
  var barriers = 0
  var frames = 0
  var segment = GstSegment()
  var info: VideoInfo?
  /// Running time at which the last frame that came ends.
  var newest: ClockTime = 0
  private(set) var frameDuration: ClockTime = DetectionStream.assumedFrameDuration
  var number: UInt64 = 0
  /// Index of a frame in the detector's count, less its number here.
  var countedBefore: Int64 = 0

  // Of what has left.
  var leaving = GstSegment()
  var lastStreamTime: ClockTime?
  /// The same as the output has it.
  var lastShown: ClockTime?
  /// The last frame that is clean, kept while a transition follows it.
  var clean: UnsafeMutablePointer<GstBuffer>?
  var fade: FadeRun?
  var leavingInfo: VideoInfo?
  struct Removal {
    var pts, running: ClockTime
    /// Where the last frame that was removed ends.
    var ptsEnd, runningEnd: ClockTime
  }

  var removal: Removal?
  /// By how much frames move up: in the time stamps of this segment, and in running time since the stream began.
  var shift: ClockTime = 0
  var removed: ClockTime = 0
  /// Up to where the input is decided, in running time.
  var decided: ClockTime = 0
  /// How often something was taken from the queue.
  private(set) var steps: UInt64 = 0

  /// For the sound: emptied by whoever uses them.
  var stretches: [RemovedStretch] = []
  var readings = Defade.Readings()
  /// What a transition lost because it was known too late, nanoseconds.
  private(set) var lateness: ClockTime?

  init(_ settings: Defade.Settings) {
    mode = settings.mode
    lookAhead = settings.lookAhead
    margin = settings.margin
    maxGain = settings.maxGain
    plan = TransitionPlan(kinds: Set(settings.kinds.map { $0.kind }))
    gst_segment_init(&segment, GST_FORMAT_TIME)
    gst_segment_init(&leaving, GST_FORMAT_TIME)
  }

  /// How far a muxer may fall behind what is decided before it must get sound to go on.
  static let slack = ClockTime.milliseconds(500)

  /// Whether as much is held as ever needs to be, and half a second more.
  var isFull: Bool {
    guard barriers == 0, case .frame(let head)? = items.first, let start = head.time.runningTime else { return false }
    return newest >= start && newest - start >= lookAhead &+ Self.slack
  }

  // MARK: In

  /// - Parameter buffer: taken.
  mutating func append(_ buffer: UnsafeMutablePointer<GstBuffer>) {
    var buffer = buffer
    var time = BufferTime(buffer, in: &segment)
    let isSeen = time.isShown && segment.rate > 0
    if !isSeen { (time.runningTime, time.streamTime) = (nil, nil) }
    var isMarked = false
    if isSeen, Marks.boundary.isOn(buffer) {
      let told = Marks.boundary.all(on: buffer)
      buffer = cgst_buffer_make_writable(buffer)
      Marks.boundary.removeAll(from: buffer)
      for fields in told {
        guard let boundary = Boundary(fields) else { continue }
        if boundary.pts == time.pts, let frame = Int64(exactly: boundary.frame), let own = Int64(exactly: number) {
          countedBefore = frame - own
        }
        if plan.treats(boundary) {
          add(boundary, before: time.streamTime)
        } else {
          Marks.boundary.add(fields, to: buffer)
          isMarked = true
        }
      }
    }
    items.append(.frame(Frame(buffer: buffer, number: number, time: time, isMarked: isMarked)))
    frames += 1
    guard isSeen else { return }
    number &+= 1
    if let start = time.runningTime { newest = max(newest, start &+ (time.duration ?? frameDuration)) }
  }

  /// - Parameter boundary: one that the plan treats.
  mutating func add(_ boundary: Boundary, before streamTime: ClockTime?) {
    plan.margin = UInt64(margin) &* frameDuration
    plan.add(boundary, forcesKeyUnit: dropKeyUnit(for: boundary))
    readings.transitions &+= 1
    widenBackwards(boundary)
    if let start = boundary.transitionStart, let last = lastStreamTime, last > start { lateness = max(lateness ?? 0, last - start) }
  }

  /// Removes the key-frame request that stands before the frame in hand because of a boundary; false if there is none.
  mutating func dropKeyUnit(for boundary: Boundary) -> Bool {
    for index in items.indices.reversed() {
      guard case .event(let event, _) = items[index] else { return false }
      if let asked = KeyUnit(event), asked.runningTime == boundary.runningTime {
        items.remove(at: index)
        gst_event_unref(event)
        return true
      }
    }
    return false
  }

  /// - Parameters:
  ///   - event: a serialized one; taken.
  ///   - isBarrier: no frame after it can decide one before it.
  mutating func append(_ event: UnsafeMutablePointer<GstEvent>) {
    var isBarrier = false
    switch event.pointee.type {
    case GST_EVENT_SEGMENT:
      var new = GstSegment()
      gst_event_copy_segment(event, &new)
      isBarrier = !new.continues(segment)
      segment = new
    case GST_EVENT_CAPS:
      let new = VideoInfo(event)
      if let info, let new, !info.hasPictures(like: new) { isBarrier = true }
      info = new ?? info
      frameDuration = info?.frameDuration ?? DetectionStream.assumedFrameDuration
    case GST_EVENT_GAP:
      var (start, duration) = (GstClockTime(0), GstClockTime(0))
      gst_event_parse_gap(event, &start, &duration)
      let end = start.addingReportingOverflow(duration == .max ? 0 : duration)
      if !end.overflow, let running = segment.runningTime(end.partialValue) { newest = max(newest, running) }
    case GST_EVENT_EOS, GST_EVENT_SEGMENT_DONE:
      isBarrier = true
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      // A boundary that was found when no buffer followed.
      if let fields = gst_event_get_structure(event), let boundary = Boundary(Structure(fields)), plan.treats(boundary) {
        add(boundary, before: nil)
        gst_event_unref(event)
        return
      }
    default: break
    }
    if isBarrier { barriers += 1 }
    items.append(.event(event, isBarrier: isBarrier))
  }

  /// Everything that is held may leave.
  mutating func drain() {
    guard !items.isEmpty else { return }
    barriers += 1
    items.append(.barrier)
  }

  // MARK: Out

  /// The next thing that may leave; nil if it has to wait.
  ///
  /// - Throws: what mapping a frame throws, with `mode=restore`.
  mutating func next() throws -> Departure? {
    while true {
      if let first = ready.popFirst() { return first }
      switch items.first {
      case nil: return nil
      case .event(let event, let isBarrier):
        takeFirst()
        if isBarrier { barriers -= 1 }
        leave(event, isBarrier: isBarrier)
      case .barrier:
        takeFirst()
        barriers -= 1
      case .frame(let frame):
        guard barriers > 0 || isDue(frame) else { return nil }
        takeFirst()
        frames -= 1
        try leave(frame)
      }
    }
  }

  mutating func takeFirst() {
    items.removeFirst()
    steps &+= 1
  }

  func isDue(_ frame: Frame) -> Bool {
    guard let start = frame.time.runningTime, newest >= start else { return true }
    return newest - start >= lookAhead || frames > Self.mostFrames
  }

  /// Streams whose time stands still must not fill the memory.
  private static let mostFrames = 2048

  /// After a flush, and at the end: lets everything go. Times are as at the beginning.
  mutating func reset() {
    for item in items {
      switch item {
      case .frame(let frame): gst_buffer_unref(frame.buffer)
      case .event(let event, _): gst_event_unref(event)
      case .barrier: break
      }
    }
    for departure in ready { departure.release() }
    items.removeAll()
    ready.removeAll()
    (barriers, frames, newest, shift, removed, decided) = (0, 0, 0, 0, 0, 0)
    removal = nil
    (lastStreamTime, lastShown) = (nil, nil)
    stretches.removeAll()
    plan.removeAll()
    releasePictures()
    gst_segment_init(&segment, GST_FORMAT_TIME)
    gst_segment_init(&leaving, GST_FORMAT_TIME)
  }
}
