import CGStreamer
import GStreamerKit
import Shots
import Synchronization

/// Looks at what flows inside `shotclip` and hands it to the recorder: boundaries before the encoder, where key frames
/// are asked for, packets behind it, and raw sound.
///
/// The lock is held only while facts are read and noted, never while anything is sent or offered.
final class ClipWatch: Sendable {
  private struct State {
    var inbox: ClipInbox?
    var keyFrameInterval: ClockTime?
    var raw = Segment(), coded = Segment(), heard = Segment()
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

  func raw(_ passing: Passing, before encoder: Pad) {
    switch passing {
    case .event(let event): raw(event)
    case .buffer(let buffer): raw(buffer, before: encoder)
    }
  }

  private func raw(_ event: UnsafeMutablePointer<GstEvent>) {
    switch event.pointee.type {
    case GST_EVENT_SEGMENT:
      let segment = Segment(event)
      state.withLock { $0.raw = segment }
    case GST_EVENT_FLUSH_STOP: state.withLock { $0.lastKey = nil }
    case GST_EVENT_CUSTOM_DOWNSTREAM where gst_video_event_is_force_key_unit(event) != 0:
      var running: GstClockTime = .max
      gst_video_event_parse_downstream_force_key_unit(event, nil, nil, &running, nil, nil)
      if running != .max { state.withLock { $0.lastKey = ClockTime(running) } }
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      // A boundary that no frame follows.
      guard let boundary = gst_event_get_structure(event).flatMap({ Boundary(Structure($0)) }), let time = boundary.runningTime else { return }
      mark(boundary, at: time, frame: nil)
    default: break
    }
  }

  private func raw(_ buffer: UnsafeMutablePointer<GstBuffer>, before encoder: Pad) {
    let (segment, isFirst) = state.withLock { state in
      defer { state.hasAskedForMarks = true }
      return (state.raw, !state.hasAskedForMarks)
    }
    let time = segment.time(of: buffer)
    if isFirst, let pad = handle.pad("video"), let request = Structure(Marks.request).makeGstStructure(),
      !pad.push(Event(taking: gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, request)))
    {
      handle.postWarning(
        .stream(GST_STREAM_ERROR_FAILED, "No shotdetect with attach-meta=true upstream answers: there will be no boundaries. Put one before this element."))
    }
    guard let running = time.runningTime else { return }
    var isWanted = false
    for fields in Marks.boundary.all(on: buffer) {
      guard let boundary = Boundary(fields) else { continue }
      mark(boundary, at: running, frame: time.duration ?? 0)
      isWanted = true
    }
    let isDue = state.withLock { state in
      // The first frame is a key frame by itself. x264enc, asked for it, would take the time of the request for 1000
      // hours later, and every further one for too early.
      guard let last = state.lastKey else {
        state.lastKey = running
        return false
      }
      if last == running { return false }
      return isWanted || state.keyFrameInterval.map { running >= last.saturating(adding: $0) } == true
    }
    if isDue { encoder.send(.forceKeyUnit(pts: time.pts, streamTime: time.streamTime, runningTime: running)) }
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
        .library(GST_LIBRARY_ERROR_SETTINGS, "A boundary was told after its frame had passed: the shot's file begins late. Set align=true on shotdetect."))
    }
    // A shot can begin only where a key frame can still be made.
    if isShots, frame == nil { return }
    inbox?.offer(.mark(boundary, at: isShots ? time : boundary.runningTime ?? time))
  }

  // MARK: Coded picture

  func coded(_ passing: Passing) {
    switch passing {
    case .event(let event): follow(event, .picture, \.coded)
    case .buffer(let buffer):
      let (inbox, segment, rate) = state.withLock { ($0.inbox, $0.coded, $0.rate) }
      let time = segment.time(of: buffer)
      guard let inbox, let running = time.runningTime else { return }
      let packet = PacketTime(
        running: running, stream: time.streamTime ?? running, duration: time.duration ?? rate ?? 0,
        isKey: gst_buffer_has_flags(buffer, GST_BUFFER_FLAG_DELTA_UNIT) == 0)
      inbox.offer(.picture(Packet(buffer), packet))
    }
  }

  // MARK: Sound

  func sound(_ passing: Passing) {
    switch passing {
    case .event(let event): follow(event, .sound, \.heard)
    case .buffer(let buffer):
      let (inbox, segment, rate, bytes) = state.withLock { ($0.inbox, $0.heard, $0.soundRate, $0.soundBytes) }
      guard let inbox, rate > 0, bytes > 0, let running = segment.time(of: buffer).runningTime else { return }
      let samples = guint64(gst_buffer_get_size(buffer)) / guint64(bytes)
      let duration = gst_util_uint64_scale_round(samples, 1_000_000_000, guint64(rate))
      inbox.offer(.sound(Held(buffer), running..<running.saturating(adding: UInt64(duration))))
    }
  }

  /// What an event behind the encoder, or in the sound, says of its stream.
  private func follow(_ event: UnsafeMutablePointer<GstEvent>, _ stream: ClipStream, _ segment: WritableKeyPath<State, Segment> & Sendable) {
    guard let inbox = state.withLock({ $0.inbox }) else { return }
    switch event.pointee.type {
    case GST_EVENT_STREAM_START: inbox.begin(stream)
    case GST_EVENT_SEGMENT:
      let new = Segment(event)
      state.withLock { $0[keyPath: segment] = new }
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

  func time(of buffer: UnsafeMutablePointer<GstBuffer>) -> BufferTime { withUnsafePointer(to: gst) { BufferTime(buffer, in: $0) } }
}
