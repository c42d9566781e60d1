import CGStreamer
import DequeModule
import GStreamerKit
import Shots

/// What leaves an element next: owned by whoever takes it.
enum Departure {
  case buffer(UnsafeMutablePointer<GstBuffer>), event(UnsafeMutablePointer<GstEvent>)

  /// Nobody takes it.
  func release() {
    switch self {
    case .buffer(let buffer): gst_buffer_unref(buffer)
    case .event(let event): gst_event_unref(event)
    }
  }
}

/// A stretch of video that was taken out, in running time of the input.
struct RemovedStretch {
  var start: ClockTime
  /// nil: all that follows.
  var end: ClockTime?
}

/// The frames that `defade` holds, and what becomes of each.
///
/// A frame is decided on, and leaves, when `lookAhead` of video has come after it, or something behind it in the queue
/// ends what could change its fate (end of stream, other caps). Not thread-safe: the element's lock guards it.
struct VideoRepair {
  private struct Frame {
    var buffer: UnsafeMutablePointer<GstBuffer>
    /// Frames before it since the stream began.
    var number: UInt64
    var time: BufferTime
    /// Whether it carries boundaries, of cuts and of what is left alone.
    var isMarked: Bool
  }

  private enum Item {
    case frame(Frame)
    case event(UnsafeMutablePointer<GstEvent>, isBarrier: Bool)
    /// Nothing behind it decides on what is before it.
    case barrier
  }

  private let mode: Defade.Mode
  private let lookAhead: ClockTime
  private let margin: UInt32
  private let maxGain: Double
  private var plan: TransitionPlan
  private var items = Deque<Item>()
  private var ready = Deque<Departure>()
  private var barriers = 0
  private var frames = 0
  private var segment = GstSegment()
  private var info: VideoInfo?
  /// Running time at which the last frame that came ends.
  private var newest: ClockTime = 0
  private(set) var frameDuration: ClockTime = DetectionStream.assumedFrameDuration
  private var number: UInt64 = 0
  /// Index of a frame in the detector's count, less its number here.
  private var countedBefore: Int64 = 0

  // Of what has left.
  private var leaving = GstSegment()
  private var lastStreamTime: ClockTime?
  /// The same as the output has it.
  private var lastShown: ClockTime?
  /// The last frame that is clean, kept while a transition follows it.
  private var clean: UnsafeMutablePointer<GstBuffer>?
  private var fade: FadeRun?
  private var leavingInfo: VideoInfo?
  private struct Removal {
    var pts, running: ClockTime
    /// Where the last frame that was removed ends.
    var ptsEnd, runningEnd: ClockTime
  }

  private var removal: Removal?
  /// By how much frames move up: in the time stamps of this segment, and in running time since the stream began.
  private var shift: ClockTime = 0
  private(set) var removed: ClockTime = 0
  /// Up to where the input is decided, in running time.
  private(set) var decided: ClockTime = 0
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
        if boundary.pts == time.pts, let frame = Int64(exactly: boundary.frame), let own = Int64(exactly: number) { countedBefore = frame - own }
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
  private mutating func add(_ boundary: Boundary, before streamTime: ClockTime?) {
    plan.margin = UInt64(margin) &* frameDuration
    plan.add(boundary, forcesKeyUnit: dropKeyUnit(for: boundary))
    readings.transitions &+= 1
    if let start = boundary.transitionStart, let last = lastStreamTime, last > start { lateness = max(lateness ?? 0, last - start) }
  }

  /// Removes the key-frame request that stands before the frame in hand because of a boundary; false if there is none.
  private mutating func dropKeyUnit(for boundary: Boundary) -> Bool {
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

  private mutating func takeFirst() {
    items.removeFirst()
    steps &+= 1
  }

  private func isDue(_ frame: Frame) -> Bool {
    guard let start = frame.time.runningTime, newest >= start else { return true }
    return newest - start >= lookAhead || frames > Self.mostFrames
  }

  /// Streams whose time stands still must not fill the memory.
  private static let mostFrames = 2048

  private mutating func leave(_ frame: Frame) throws {
    if let start = frame.time.runningTime { decided = start &+ (frame.time.duration ?? frameDuration) }
    guard let streamTime = frame.time.streamTime, let transition = plan.transition(at: streamTime) else { return leaveClean(frame) }
    switch mode {
    case .cut: remove(frame)
    case .restore where transition.boundary.kind == .fade: try restore(frame, transition, streamTime)
    case .hold, .restore: hold(frame, isOld: transition.isOld(streamTime))
    }
  }

  private mutating func leaveClean(_ frame: Frame) {
    if let pts = frame.time.pts, let running = frame.time.runningTime { endRemoval(pts: pts, running: running) }
    releasePictures()
    // Held only where it is needed: downstream could not write into it otherwise.
    if case .frame(let next)? = items.first, plan.transition(at: next.time.streamTime) != nil { clean = gst_buffer_ref(frame.buffer) }
    depart(frame.buffer, frame)
  }

  private mutating func remove(_ frame: Frame) {
    if let pts = frame.time.pts, let running = frame.time.runningTime {
      let length = frame.time.duration ?? frameDuration
      if removal == nil { removal = Removal(pts: pts, running: running, ptsEnd: pts, runningEnd: running) }
      removal?.ptsEnd = pts &+ length
      removal?.runningEnd = running &+ length
    }
    // The sound up to here is decided, and no further until the picture is back.
    if let removal { decided = removal.running }
    readings.removed &+= 1
    gst_buffer_unref(frame.buffer)
  }

  private mutating func endRemoval(pts: ClockTime, running: ClockTime) {
    guard let removal else { return }
    self.removal = nil
    stretches.append(RemovedStretch(start: removal.running, end: running))
    removed &+= running - min(running, removal.running)
    shift &+= pts - min(pts, removal.pts)
  }

  private mutating func releasePictures() {
    if let clean { gst_buffer_unref(clean) }
    clean = nil
    fade?.release()
    fade = nil
  }

  /// The first clean frame that is held.
  private var firstClean: UnsafeMutablePointer<GstBuffer>? {
    for item in items {
      switch item {
      case .barrier, .event(_, true): return nil
      case .event: continue
      case .frame(let frame): if plan.transition(at: frame.time.streamTime) == nil { return frame.buffer }
      }
    }
    return nil
  }

  private mutating func hold(_ frame: Frame, isOld: Bool) { replace(frame, isOld ? clean ?? firstClean : firstClean ?? clean) }

  /// - Parameter picture: what is shown instead; nil: nothing is there.
  private mutating func replace(_ frame: Frame, _ picture: UnsafeMutablePointer<GstBuffer>?) {
    guard let picture, let made = cgst_buffer_with_picture(frame.buffer, picture) else { return depart(frame.buffer, frame) }
    Marks.transition.removeAll(from: made)
    gst_buffer_unref(frame.buffer)
    readings.replaced &+= 1
    depart(made, frame)
  }

  // MARK: Fades

  private mutating func restore(_ frame: Frame, _ transition: TransitionPlan.Transition, _ streamTime: ClockTime) throws {
    if fade == nil { try planFade(transition, from: frame) }
    guard let run = fade else { return hold(frame, isOld: transition.isOld(streamTime)) }
    if let gain = run.gains[frame.number] {
      let made = try run.ahead(frame.number) ?? run.restored(frame.buffer, gain)
      fade?.show(made)
      gst_buffer_unref(frame.buffer)
      readings.restored &+= 1
      return depart(made, frame)
    }
    if frame.number < run.split { return replace(frame, run.shown ?? clean ?? firstClean) }
    // Too faint to be restored: shows the first one of its shot that can be.
    if run.first == nil, let number = run.firstOfNew, let gain = run.gains[number], let source = held(number) {
      fade?.first = try run.restored(source, gain)
    }
    replace(frame, fade?.first ?? firstClean ?? clean)
  }

  /// Looks at all frames of a fade; leaves `fade` nil if its end is not there or nothing clean is beside it.
  private mutating func planFade(_ transition: TransitionPlan.Transition, from head: Frame) throws {
    guard let info = leavingInfo, let clean, let firstClean else { return }
    var frames = [head]
    for case .frame(let frame) in items {
      guard plan.transition(at: frame.time.streamTime)?.start == transition.start else { break }
      frames.append(frame)
    }
    let run = try FadeRun(
      FadeRepair(info, maxGain: maxGain), maxGain: maxGain, color: transition.boundary.color, before: clean, after: firstClean,
      frames: frames.map { ($0.number, $0.buffer) })
    fade = run
    if let place = frames.first(where: { $0.number >= run.split })?.time.streamTime { plan.move(start: transition.start, middle: place) }
  }

  private func held(_ number: UInt64) -> UnsafeMutablePointer<GstBuffer>? {
    for case .frame(let frame) in items where frame.number == number { return frame.buffer }
    return nil
  }

  // MARK: What leaves

  /// - Parameter buffer: taken; shown at the frame's time.
  private mutating func depart(_ buffer: UnsafeMutablePointer<GstBuffer>, _ frame: Frame) {
    var buffer = buffer
    if shift > 0 {
      buffer = cgst_buffer_make_writable(buffer)
      if let pts = frame.time.pts { buffer.pointee.pts = GstClockTime(pts - min(pts, shift)) }
      if let dts = buffer.pointee.dts.valid { buffer.pointee.dts = GstClockTime(dts - min(dts, shift)) }
    }
    if frame.isMarked, removed > 0 {
      let told = Marks.boundary.all(on: buffer).compactMap { Boundary($0) }
      Marks.boundary.removeAll(from: buffer)
      for boundary in told { Marks.boundary.add(moved(boundary).structure, to: buffer) }
    }
    if let streamTime = frame.time.streamTime {
      for due in plan.leave(at: streamTime, atEnd: mode == .cut) { buffer = mark(due, on: buffer, frame, streamTime) }
      lastStreamTime = streamTime
      lastShown = streamTime - min(streamTime, shift)
    }
    ready.append(.buffer(buffer))
  }

  /// Tells the cut that takes a transition's place, on the first frame after it.
  private mutating func mark(
    _ transition: TransitionPlan.Transition, on buffer: UnsafeMutablePointer<GstBuffer>, _ frame: Frame, _ streamTime: ClockTime
  ) -> UnsafeMutablePointer<GstBuffer> {
    var cut = transition.boundary
    cut.kind = .cut
    cut.color = nil
    cut.frame = UInt64(clamping: Int64(clamping: frame.number) &+ countedBefore)
    (cut.pts, cut.runningTime, cut.streamTime) = (frame.time.pts, frame.time.runningTime, streamTime)
    cut.transitionEnd = streamTime
    cut = moved(cut)
    cut.transitionStart = lastShown
    if transition.forcesKeyUnit {
      let asked = KeyUnit(pts: cut.pts, streamTime: cut.streamTime, runningTime: cut.runningTime)
      if let event = asked.event { ready.append(.event(event)) }
    }
    let marked: UnsafeMutablePointer<GstBuffer> = cgst_buffer_make_writable(buffer)
    Marks.boundary.add(cut.structure, to: marked)
    return marked
  }

  /// A boundary as the output has it.
  private func moved(_ boundary: Boundary) -> Boundary {
    func earlier(_ time: ClockTime?, _ by: ClockTime) -> ClockTime? { time.map { $0 - min($0, by) } }
    var moved = boundary
    moved.frame = boundary.frame - min(boundary.frame, readings.removed)
    moved.pts = earlier(boundary.pts, shift)
    moved.runningTime = earlier(boundary.runningTime, removed)
    moved.streamTime = earlier(boundary.streamTime, shift)
    moved.transitionStart = earlier(boundary.transitionStart, shift)
    moved.transitionEnd = earlier(boundary.transitionEnd, shift)
    return moved
  }

  /// - Parameter event: taken.
  private mutating func leave(_ event: UnsafeMutablePointer<GstEvent>, isBarrier: Bool) {
    var event = event
    if isBarrier {
      // Nothing behind a barrier belongs to a transition before it.
      if event.pointee.type == GST_EVENT_EOS, let removal {
        stretches.append(RemovedStretch(start: removal.running, end: nil))
        self.removal = nil
      } else if let removal {
        endRemoval(pts: removal.ptsEnd, running: removal.runningEnd)
      }
      releasePictures()
      plan.removeAll()
    }
    switch event.pointee.type {
    case GST_EVENT_SEGMENT:
      var new = GstSegment()
      gst_event_copy_segment(event, &new)
      let old = leaving
      leaving = new
      guard removed > 0, !new.continues(old) else { break }
      // Time stamps begin anew, running time does not.
      let folded = min(ClockTime(new.base), removed)
      new.base -= guint64(folded)
      shift = removed - folded
      event = event.replaced(by: gst_event_new_segment(&new))
    case GST_EVENT_CAPS: leavingInfo = VideoInfo(event) ?? leavingInfo
    case GST_EVENT_GAP:
      var (start, duration) = (GstClockTime(0), GstClockTime(0))
      gst_event_parse_gap(event, &start, &duration)
      if shift > 0, let time = start.valid { event = event.replaced(by: gst_event_new_gap(GstClockTime(time - min(time, shift)), duration)) }
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      if removed > 0, var asked = KeyUnit(event) {
        asked.pts = asked.pts.map { $0 - min($0, shift) }
        asked.streamTime = asked.streamTime.map { $0 - min($0, shift) }
        asked.runningTime = asked.runningTime.map { $0 - min($0, removed) }
        if let new = asked.event { event = event.replaced(by: new) }
      }
    case GST_EVENT_EOS:
      decided = .max
    default: break
    }
    ready.append(.event(event))
  }

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
