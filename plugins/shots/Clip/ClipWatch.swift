import CGStreamer
import GStreamerKit
import Shots
import Synchronization
import Timing

/// Looks at what flows inside `shotclip` and hands it to the recorder: boundaries before the encoder, where key frames
/// are asked for, packets behind it, and raw sound.
///
/// The lock is held only while facts are read and noted, never while anything is sent or offered.
final class ClipWatch: Sendable {
  private struct State {
    var inbox: ClipInbox?
    var keyFrameInterval: ClockTime?
    /// Of what arrives, from which running time on; the newest may not have begun.
    var arriving: [(from: ClockTime?, segment: Segment)] = []
    var heard = Segment()
    /// Running time of the newest key frame that was asked for.
    var lastKey: ClockTime?
    var rate: ClockTime?
    /// Samples a second and bytes a sample of all channels; 0 if unknown.
    var soundRate: gint = 0, soundBytes: gint = 0
    var hasAskedForMarks = false
    var hasWarnedOfLateness = false
  }

  private let handle: ElementHandle
  private let state: Mutex<State>

  init(_ handle: ElementHandle) {
    self.handle = handle
    state = Mutex(State())
  }

  /// - Parameter keyFrameInterval: nil if key frames are only wanted at boundaries.
  func start(_ inbox: ClipInbox, keyFrameInterval: ClockTime?) {
    state.withLock { state in
      state = State()
      state.inbox = inbox
      state.keyFrameInterval = keyFrameInterval
    }
  }

  func stop() { state.withLock { $0.inbox = nil } }

  // MARK: Raw picture

  /// Timestamps and running time are this much later inside. x264enc moves timestamps that are lower up to here, tells
  /// so only when its first packet is out, and until then takes every request for a key frame for one of that time.
  /// Encoders also misjudge requests where segments meet: they get a single one, from 0.
  private static let origin = ClockTime(3_600_000_000_000_000)

  /// What arrives gets running time for timestamps. What is outside of its segment gets none, and no packet of it counts.
  func arriving(_ passing: inout Passing) {
    switch passing {
    case .dropped: break
    case .event(let event):
      guard let new = arriving(event) else { return }
      gst_event_unref(event)
      passing = .event(new)
    case .buffer(let buffer):
      guard let (known, segment) = state.withLock({ $0.arriving.last }), let own = cgst_buffer_make_writable(buffer) else { return }
      passing = .buffer(own)
      let running = segment.time(of: own).runningTime
      own.pointee.pts = running.map { GstClockTime(Self.origin &+ $0) } ?? 0
      own.pointee.dts = .max
      guard known == nil, let running else { return }
      state.withLock { state in
        guard let last = state.arriving.indices.last else { return }
        state.arriving[last].from = running
        // Segments that no frame lay in.
        state.arriving.removeAll { $0.from == nil }
      }
    }
  }

  /// What takes the place of an event, if anything.
  private func arriving(_ event: UnsafeMutablePointer<GstEvent>) -> UnsafeMutablePointer<GstEvent>? {
    var new: UnsafeMutablePointer<GstEvent>?
    switch event.pointee.type {
    case GST_EVENT_SEGMENT:
      let segment = Segment(event)
      state.withLock { $0.arriving.append((nil, segment)) }
      new = Segment().event()
    case GST_EVENT_FLUSH_STOP: state.withLock { $0.arriving.removeAll() }
    case GST_EVENT_CUSTOM_DOWNSTREAM: new = KeyUnit(event)?.runningTime.flatMap { Self.keyRequest(at: $0) }
    default: break
    }
    new?.pointee.seqnum = event.pointee.seqnum
    return new
  }

  private static func keyRequest(at running: ClockTime) -> UnsafeMutablePointer<GstEvent>? {
    let time = origin &+ running
    return KeyUnit(pts: time, streamTime: nil, runningTime: time).event
  }

  /// Stream time of a coded frame. Segments before it are needed no more: frames come in order, or nearly so.
  private static func streamTime(at running: ClockTime, _ state: inout State) -> ClockTime? {
    guard let current = state.arriving.lastIndex(where: { $0.from.map { $0 <= running } == true }) else {
      return state.arriving.first?.segment.streamTime(at: running)
    }
    let streamTime = state.arriving[current].segment.streamTime(at: running)
    if current > 1 { state.arriving.removeFirst(current - 1) }
    return streamTime
  }

  func raw(_ passing: Passing, before encoder: Pad) {
    switch passing {
    case .event(let event): raw(event)
    case .buffer(let buffer): raw(buffer, before: encoder)
    case .dropped: break
    }
  }

  private func raw(_ event: UnsafeMutablePointer<GstEvent>) {
    switch event.pointee.type {
    case GST_EVENT_FLUSH_STOP: state.withLock { $0.lastKey = nil }
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      if let asked = KeyUnit(event)?.runningTime { return state.withLock { $0.lastKey = asked &- Self.origin } }
      // A boundary that no frame follows.
      guard let boundary = gst_event_get_structure(event).flatMap({ Boundary(Structure($0)) }), let time = boundary.runningTime else {
        return
      }
      mark(boundary, at: time, frame: nil)
    default: break
    }
  }

  private func raw(_ buffer: UnsafeMutablePointer<GstBuffer>, before encoder: Pad) {
    let isFirst = state.withLock { state in
      defer { state.hasAskedForMarks = true }
      return !state.hasAskedForMarks
    }
    if isFirst, let pad = handle.pad("video"), let request = Structure(Marks.request).makeGstStructure(),
      !pad.push(Event(taking: gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, request)))
    {
      handle.postWarning(
        .stream(
          GST_STREAM_ERROR_FAILED,
          "No shotdetect with attach-meta=true upstream answers: there will be no boundaries. Put one before this element."))
    }
    guard let running = Self.runningTime(of: buffer) else { return }
    let duration = buffer.pointee.duration == .max ? 0 : ClockTime(buffer.pointee.duration)
    var isWanted = false
    for fields in Marks.boundary.all(on: buffer) {
      guard let boundary = Boundary(fields) else { continue }
      mark(boundary, at: running, frame: duration)
      isWanted = true
    }
    let isDue = state.withLock { state in
      guard let last = state.lastKey else { return isWanted || state.keyFrameInterval != nil }
      return last != running && (isWanted || state.keyFrameInterval.map { running >= last.saturating(adding: $0) } == true)
    }
    if isDue, let request = Self.keyRequest(at: running) { encoder.send(Event(taking: request)) }
  }

  /// - Parameters:
  ///   - time: running time of the buffer that the boundary lies on.
  ///   - frame: duration of that buffer; nil if there is none.
  private func mark(_ boundary: Boundary, at time: ClockTime, frame: ClockTime?) {
    let (inbox, isShots, warns) = state.withLock { state in
      let isLate = frame.map { frame in boundary.runningTime.map { $0.saturating(adding: max(frame / 2, 1)) < time } ?? false } ?? true
      let isShots = state.keyFrameInterval == nil
      let warns = isLate && isShots && !state.hasWarnedOfLateness
      if warns { state.hasWarnedOfLateness = true }
      return (state.inbox, isShots, warns)
    }
    if warns {
      handle.postWarning(
        .library(
          GST_LIBRARY_ERROR_SETTINGS,
          "A boundary was told after its frame had passed: the shot's file begins late. Set align=true on shotdetect."))
    }
    // A shot can begin only where a key frame can still be made.
    if isShots, frame == nil { return }
    inbox?.offer(.mark(boundary, at: isShots ? time : boundary.runningTime ?? time))
  }

  /// Of a frame or packet inside; nil outside of its segment.
  private static func runningTime(of buffer: UnsafeMutablePointer<GstBuffer>) -> ClockTime? {
    buffer.pointee.pts == .max || buffer.pointee.pts < origin ? nil : ClockTime(buffer.pointee.pts) - origin
  }

  // MARK: Coded picture

  func coded(_ passing: Passing) {
    switch passing {
    case .dropped: break
    case .event(let event): follow(event, .picture)
    case .buffer(let buffer):
      let (inbox, rate) = state.withLock { ($0.inbox, $0.rate) }
      guard let inbox, let running = Self.runningTime(of: buffer) else { return }
      let stream = state.withLock { Self.streamTime(at: running, &$0) } ?? running
      let packet = PacketTime(
        running: running, stream: stream, duration: buffer.pointee.duration == .max ? rate ?? 0 : ClockTime(buffer.pointee.duration),
        isKey: gst_buffer_has_flags(buffer, GST_BUFFER_FLAG_DELTA_UNIT) == 0)
      inbox.offer(.picture(Packet(buffer), packet))
    }
  }

  // MARK: Sound

  /// Sound ends here: in PAUSED a sink would keep it, and the picture may have to come far for its first packet.
  func sound(_ passing: inout Passing) {
    switch passing {
    case .dropped: break
    case .event(let event): follow(event, .sound)
    case .buffer(let buffer):
      passing = .dropped
      let (inbox, segment, rate, bytes) = state.withLock { ($0.inbox, $0.heard, $0.soundRate, $0.soundBytes) }
      guard let inbox, rate > 0, bytes > 0, let running = segment.time(of: buffer).runningTime else { return }
      let samples = guint64(gst_buffer_get_size(buffer)) / guint64(bytes)
      let duration = gst_util_uint64_scale_round(samples, 1_000_000_000, guint64(rate))
      inbox.offer(.sound(Held(buffer), running..<running.saturating(adding: UInt64(duration))))
    }
  }

  /// What an event behind the encoder, or in the sound, says of its stream.
  private func follow(_ event: UnsafeMutablePointer<GstEvent>, _ stream: ClipStream) {
    guard let inbox = state.withLock({ $0.inbox }) else { return }
    switch event.pointee.type {
    case GST_EVENT_STREAM_START: inbox.begin(stream)
    case GST_EVENT_SEGMENT where stream == .sound:
      let segment = Segment(event)
      state.withLock { $0.heard = segment }
    case GST_EVENT_CAPS:
      var caps: UnsafeMutablePointer<GstCaps>?
      gst_event_parse_caps(event, &caps)
      guard let caps else { return }
      note(caps, stream)
      inbox.offer(stream == .picture ? .pictureCaps(Held(caps)) : .soundCaps(Held(caps)))
    case GST_EVENT_FLUSH_START: inbox.flush(stream, begins: true)
    case GST_EVENT_FLUSH_STOP: inbox.flush(stream, begins: false)
    case GST_EVENT_EOS:
      if stream == .picture { endUnlinkedSound() }
      inbox.end(stream)
    default: break
    }
  }

  private func note(_ caps: UnsafeMutablePointer<GstCaps>, _ stream: ClipStream) {
    var info = GstAudioInfo()
    var (numerator, denominator) = (gint(0), gint(1))
    gst_structure_get_fraction(gst_caps_get_structure(caps, 0), "framerate", &numerator, &denominator)
    let isSound = stream == .sound && gst_audio_info_from_caps(&info, caps) != 0
    let (soundRate, soundBytes) = (info.rate, info.bpf)
    let rate = numerator > 0 && denominator > 0 ? gst_util_uint64_scale(1_000_000_000, guint64(denominator), guint64(numerator)) : nil
    state.withLock { state in
      if isSound { (state.soundRate, state.soundBytes) = (soundRate, soundBytes) }
      if stream == .picture { state.rate = rate.map { ClockTime($0) } }
    }
  }

  /// A pad that nobody feeds never ends by itself.
  private func endUnlinkedSound() {
    guard let pad = handle.pad("audio"), gst_pad_is_linked(pad.gst) == 0, let event = gst_event_new_eos() else { return }
    gst_pad_send_event(pad.gst, event)
  }
}

/// How a stream's timestamps become running time and stream time.
private struct Segment: @unchecked Sendable {
  private var gst = GstSegment()

  init() { gst_segment_init(&gst, GST_FORMAT_TIME) }

  /// Of a SEGMENT event.
  init(_ event: UnsafeMutablePointer<GstEvent>) {
    self.init()
    gst_event_copy_segment(event, &gst)
  }

  /// The caller owns it.
  func event() -> UnsafeMutablePointer<GstEvent>? { withUnsafePointer(to: gst) { gst_event_new_segment($0) } }

  func streamTime(at running: ClockTime) -> ClockTime? {
    withUnsafePointer(to: gst) { gst in
      let position = gst_segment_position_from_running_time(gst, GST_FORMAT_TIME, guint64(running))
      let time = position == .max ? position : gst_segment_to_stream_time(gst, GST_FORMAT_TIME, position)
      return time == .max ? nil : ClockTime(time)
    }
  }

  func time(of buffer: UnsafeMutablePointer<GstBuffer>) -> BufferTime { withUnsafePointer(to: gst) { BufferTime(buffer, in: $0) } }
}
