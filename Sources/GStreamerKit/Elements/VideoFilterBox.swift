import CGStreamer
import DequeModule
import Synchronization
import Timing

extension Plugin {
  /// Registers a filter; false if its type name or factory name is refused.
  public static func register<F: PassthroughVideoFilter>(_ type: F.Type, in plugin: OpaquePointer?) -> Bool {
    ElementClass(type, parent: gst_base_transform_get_type(), callbacks: VideoFilterObject.installCallbacks) {
      VideoFilterBox($0)
    }.register(in: plugin)
  }
}

/// Runs one `PassthroughVideoFilter`.
///
/// Threads: everything but `latency`, `heldBuffers` and `sourceEvent` runs under the sink pad's stream lock, or before
/// and after streaming. Those three read `format` and the settings, each under its own lock; no lock is ever held while
/// another is taken, or while pushing, posting, querying or calling the author's code.
final class VideoFilterBox<F: PassthroughVideoFilter>: VideoFilterObject {
  private enum Held {
    /// The index is nil for a buffer that was not seen.
    case buffer(UnsafeMutablePointer<GstBuffer>, index: UInt64?)
    case event(UnsafeMutablePointer<GstEvent>)
  }

  /// What lives from start to stop. A box, so that the author's code changes the state in place.
  private final class Live {
    var state: F.State
    init(_ state: F.State) { self.state = state }
  }

  private let own: ElementCore<F>
  private let format = Mutex<VideoInfo?>(nil)

  private var live: Live?
  /// Of the buffers that come, and of those that leave, which may be held from before the caps changed.
  private var info: VideoInfo?
  private var leavingInfo: VideoInfo?
  private var isForwardingCaps = false
  private var segment = GstSegment()
  private var seen: UInt64 = 0
  private var expected: ClockTime?
  private var held = Deque<Held>()
  private var heldFrom = UInt64.max
  private var pending: [(index: UInt64, action: Output<F.Readings>.Action)] = []
  private var reportedLatency: ClockTime = 0

  init(_ core: ElementCore<F>) {
    own = core
    super.init(core, core.handle)
  }

  // MARK: Life

  override func start() -> Bool {
    seen = 0
    expected = nil
    gst_segment_init(&segment, GST_FORMAT_TIME)
    live = reporting { Live(try own.element.start(own.checkedSettings())) }
    own.readings = F.Readings()
    return live != nil
  }

  override func stop() -> Bool {
    discard()
    (info, leavingInfo) = (nil, nil)
    format.withLock { $0 = nil }
    reportedLatency = 0
    guard let last = live else { return true }
    live = nil
    return reporting { try own.element.stop(&last.state) } != nil
  }

  /// Caps come: what follows is read by them.
  private func configure(_ caps: UnsafeMutablePointer<GstCaps>) -> Bool {
    let configured: Void? = reporting {
      guard let info = VideoInfo(caps: caps) else {
        let text = gst_caps_to_string(caps).map { text in
          defer { g_free(text) }
          return String(cString: text)
        }
        throw ElementError.core(GST_CORE_ERROR_NEGOTIATION, "These caps are not raw video that can be read: \(text ?? "none").")
      }
      try run { element, settings, state, output in try element.configure(info, settings, &state, &output) }
      self.info = info
      format.withLock { $0 = info }
    }
    if configured != nil { reportLatency() }
    return configured != nil
  }

  /// Caps leave, behind all that was held before them. (Or the base class negotiates anew, with the newest there are.)
  override func setCaps(_ caps: UnsafeMutablePointer<GstCaps>) -> Bool {
    if !isForwardingCaps, holdsCaps { finish(endOfStream: false) }
    leavingInfo = VideoInfo(caps: caps)
    if let request = own.element.upstreamRequest(own.settings)?.makeGstStructure() {
      let taken = gst_pad_push_event(transform.pointee.sinkpad, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, request))
      if taken == 0 { own.element.requestUnanswered(own.settings) }
    }
    return true
  }

  /// Settings that change while data flow can change the latency too.
  private func reportLatency() {
    let now = latency
    guard now != reportedLatency else { return }
    reportedLatency = now
    handle.postLatencyChanged()
  }

  // MARK: Buffers

  override func ingest(_ buffer: UnsafeMutablePointer<GstBuffer>) -> GstFlowReturn {
    let time = BufferTime(buffer, in: &segment)
    guard let info, time.isShown, segment.rate > 0 else {
      held.append(.buffer(buffer, index: nil))
      return GST_FLOW_OK
    }
    if isInterruption(buffer, time), let live {
      decide(endOfStream: false)
      own.element.interrupt(own.settings, &live.state)
    }
    expected = time.runningTime.map { $0 &+ (time.duration ?? info.frameDuration ?? 0) }
    let index = seen
    let input = InputBuffer(buffer: buffer, index: index, time: time, info: info, segment: SegmentPlace(segment))
    heldFrom = .max
    let done: Void? = reporting {
      try run { element, settings, state, output in try element.see(input, settings, &state, &output) }
    }
    guard done != nil else {
      gst_buffer_unref(buffer)
      return GST_FLOW_ERROR
    }
    seen &+= 1
    held.append(.buffer(buffer, index: index))
    reportLatency()
    return GST_FLOW_OK
  }

  /// Data are missing before this buffer: it is marked so, and its time does not follow the last one's within a second.
  /// (The mark alone also means a switch of sources, which goes on without a gap.)
  private func isInterruption(_ buffer: UnsafeMutablePointer<GstBuffer>, _ time: BufferTime) -> Bool {
    guard gst_buffer_has_flags(buffer, GST_BUFFER_FLAG_DISCONT) != 0, let expected, let now = time.runningTime else { return false }
    return now > expected ? now - expected > 1_000_000_000 : expected - now > 1_000_000_000
  }

  /// Calls the author's code with copies of the settings and collects what it wants done.
  private func run(_ body: (F, F.Settings, inout F.State, inout Output<F.Readings>) throws -> Void) throws {
    guard let live else { return }
    var output = Output(own.readings)
    defer {
      own.readings = output.readings
      if let from = output.heldFrom { heldFrom = from }
      if !output.actions.isEmpty { pending += output.actions }
    }
    try body(own.element, own.settings, &live.state, &output)
  }

  override func nextToLeave() -> UnsafeMutablePointer<GstBuffer>? {
    // Not `first`, which allocates: it goes through Sequence.
    while !held.isEmpty, !areCapsRefused {
      switch held[0] {
      case .event(let event):
        held.removeFirst()
        _ = forward(event)
      case .buffer(let buffer, let index):
        if let index, index >= heldFrom { return nil }
        held.removeFirst()
        guard let index, !pending.isEmpty else { return buffer }
        return perform(upTo: index, on: buffer)
      }
    }
    return nil
  }

  /// Does what is placed at or before this buffer. May replace the buffer by one with writable metadata.
  private func perform(upTo index: UInt64, on buffer: UnsafeMutablePointer<GstBuffer>) -> UnsafeMutablePointer<GstBuffer> {
    var buffer = buffer
    let due = pending.filter { $0.index <= index }
    pending.removeAll { $0.index <= index }
    for (_, action) in due {
      switch action {
      case .attach(let metadata, let fields):
        buffer = cgst_buffer_make_writable(buffer)
        metadata.add(fields, to: buffer)
      case .classify(let classification):
        guard let info = leavingInfo else { break }
        buffer = cgst_buffer_make_writable(buffer)
        classification.add(to: buffer, showing: info)
      default: perform(action)
      }
    }
    return buffer
  }

  private func perform(_ action: Output<F.Readings>.Action) {
    switch action {
    case .post(let message): handle.post(message)
    case .postTableOfContents(let toc): handle.post(toc)
    case .push(let event): push(event)
    case .attach(_, let fields): push(.custom(fields))
    case .classify: break
    }
  }

  private func push(_ event: DownstreamEvent) {
    if let event = event.event?.release() { gst_pad_push_event(transform.pointee.srcpad, event) }
  }

  override func drain() {
    heldFrom = .max
    while let buffer = nextToLeave() { _ = gst_pad_push(transform.pointee.srcpad, buffer) }
  }

  /// What a flush does not undo, caps and tags, goes on to whoever comes after it.
  private func keepSticky() {
    for case .event(let event) in held where event.pointee.isSticky && event.pointee.type != GST_EVENT_SEGMENT {
      gst_pad_store_sticky_event(transform.pointee.srcpad, event)
    }
  }

  private func discard() {
    while let first = held.popFirst() {
      switch first {
      case .buffer(let buffer, _): gst_buffer_unref(buffer)
      case .event(let event): gst_event_unref(event)
      }
    }
    heldFrom = .max
    pending.removeAll()
    areCapsRefused = false
  }

  private var holdsCaps: Bool {
    held.contains { if case .event(let event) = $0 { event.pointee.type == GST_EVENT_CAPS } else { false } }
  }

  // MARK: Events and queries

  override func sinkEvent(_ event: UnsafeMutablePointer<GstEvent>) -> Bool {
    switch event.pointee.type {
    case GST_EVENT_FLUSH_STOP:
      keepSticky()
      discard()
      leavingInfo = info
      expected = nil
      gst_segment_init(&segment, GST_FORMAT_TIME)
      if let live { own.element.flush(own.settings, &live.state) }
    case GST_EVENT_SEGMENT:
      let wasForward = segment.rate > 0
      gst_event_copy_segment(event, &segment)
      // One that plays on: what comes after it may decide what came before.
      if wasForward, segment.rate > 0 { return queue(event) }
      finish(endOfStream: false)
    case GST_EVENT_CAPS:
      var new: UnsafeMutablePointer<GstCaps>?
      gst_event_parse_caps(event, &new)
      if areCapsRefused { discard() }
      if let new, configure(new) { return queue(event) }
      finish(endOfStream: false)
      gst_event_unref(event)
      return false
    case GST_EVENT_EOS:
      finish(endOfStream: true)
    case GST_EVENT_SEGMENT_DONE:
      // Nothing comes until the application seeks, and it waits for this event.
      finish(endOfStream: false)
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      if let structure = gst_event_get_structure(event) {
        _ = reporting {
          try run { element, settings, state, output in try element.receive(Structure(structure), settings, &state, &output) }
        }
      }
      return queue(event)
    default:
      return event.pointee.isSerialized ? queue(event) : forward(event)
    }
    return forward(event)
  }

  private func decide(endOfStream: Bool) {
    _ = reporting {
      try run { element, settings, state, output in try element.finish(settings, &state, &output, endOfStream: endOfStream) }
    }
  }

  private func finish(endOfStream: Bool) {
    decide(endOfStream: endOfStream)
    drain()
    let left = pending
    pending.removeAll()
    for (_, action) in left { perform(action) }
  }

  /// Keeps an event behind the buffers that came before it.
  private func queue(_ event: UnsafeMutablePointer<GstEvent>) -> Bool {
    guard !held.isEmpty else { return forward(event) }
    held.append(.event(event))
    return true
  }

  private func forward(_ event: UnsafeMutablePointer<GstEvent>) -> Bool {
    let isCaps = event.pointee.type == GST_EVENT_CAPS
    isForwardingCaps = isCaps
    let isTaken = Self.parentClass?.pointee.sink_event?(transform, event) == 1
    isForwardingCaps = false
    if isCaps { areCapsRefused = !isTaken }
    return isTaken
  }

  override func sourceEvent(_ event: UnsafeMutablePointer<GstEvent>) -> Bool {
    if event.pointee.type == GST_EVENT_CUSTOM_UPSTREAM, let structure = gst_event_get_structure(event),
      own.element.receiveUpstream(Structure(structure), own.settings)
    {
      gst_event_unref(event)
      return true
    }
    return Self.parentClass?.pointee.src_event?(transform, event) == 1
  }

  override var latency: ClockTime {
    guard let info = format.withLock({ $0 }) else { return 0 }
    return own.element.latency(own.settings, info)
  }

  override var heldBuffers: UInt32 {
    guard let frame = format.withLock({ $0 })?.frameDuration, frame > 0 else { return 0 }
    let latency = latency
    // A pool allocates its minimum at once: beyond this an absurd latency must not ask for all memory there is.
    return UInt32(clamping: min(latency / frame + (latency % frame > 0 ? 1 : 0), 128))
  }
}
