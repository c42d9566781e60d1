import CGStreamer
import Clips
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
    var soundRate = 0, soundBytes = 0
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
    switch passing.take() {
    case .dropped: break
    case .event(let event): passing = .event(event.replaced(by: replacement(of: event)))
    case .buffer(var buffer):
      defer { passing = .buffer(buffer) }
      guard let (known, segment) = state.withLock({ $0.arriving.last }) else { return }
      let running = buffer.time(in: segment).runningTime
      buffer.pts = running.map { Self.origin &+ $0 } ?? 0
      buffer.dts = nil
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
  private func replacement(of event: Event) -> Event? {
    switch event.type {
    case GST_EVENT_SEGMENT:
      if let segment = event.segment { state.withLock { $0.arriving.append((nil, segment)) } }
      return .segment(Segment())
    case GST_EVENT_FLUSH_STOP:
      state.withLock { $0.arriving.removeAll() }
      return nil
    case GST_EVENT_CUSTOM_DOWNSTREAM: return event.keyUnit?.runningTime.flatMap { Self.keyRequest(at: $0) }
    default: return nil
    }
  }

  private static func keyRequest(at running: ClockTime) -> Event? {
    let time = origin &+ running
    return .keyUnit(KeyUnit(pts: time, streamTime: nil, runningTime: time))
  }

  /// Stream time of a coded frame. Segments before it are needed no more: frames come in order, or nearly so.
  private static func streamTime(at running: ClockTime, _ state: inout State) -> ClockTime? {
    guard let current = state.arriving.lastIndex(where: { $0.from.map { $0 <= running } == true }) else {
      return state.arriving.first?.segment.streamTime(atRunningTime: running)
    }
    let streamTime = state.arriving[current].segment.streamTime(atRunningTime: running)
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

  private func raw(_ event: Event) {
    switch event.type {
    case GST_EVENT_FLUSH_STOP: state.withLock { $0.lastKey = nil }
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      if let asked = event.keyUnit?.runningTime { return state.withLock { $0.lastKey = asked &- Self.origin } }
      // A boundary that no frame follows.
      guard let boundary = event.structure.flatMap({ Boundary($0) }), let time = boundary.runningTime else {
        return
      }
      mark(boundary, at: time, frame: nil)
    default: break
    }
  }

  private func raw(_ buffer: Buffer, before encoder: Pad) {
    let isFirst = state.withLock { state in
      defer { state.hasAskedForMarks = true }
      return !state.hasAskedForMarks
    }
    if isFirst, let pad = handle.pad("video"), let request = Event.upstream(Structure(Marks.request)), !pad.push(request) {
      handle.postWarning(
        .stream(
          GST_STREAM_ERROR_FAILED,
          "No shotdetect with attach-meta=true upstream answers: there will be no boundaries. Put one before this element."))
    }
    guard let running = Self.runningTime(of: buffer) else { return }
    let duration = buffer.duration ?? 0
    var isWanted = false
    for fields in buffer.metadata(Marks.boundary) {
      guard let boundary = Boundary(fields) else { continue }
      mark(boundary, at: running, frame: duration)
      isWanted = true
    }
    let isDue = state.withLock { state in
      guard let last = state.lastKey else { return isWanted || state.keyFrameInterval != nil }
      return last != running && (isWanted || state.keyFrameInterval.map { running >= last.saturating(adding: $0) } == true)
    }
    if isDue, let request = Self.keyRequest(at: running) { encoder.send(request) }
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
  private static func runningTime(of buffer: Buffer) -> ClockTime? { buffer.pts.flatMap { $0 < origin ? nil : $0 - origin } }

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
        running: running, stream: stream, duration: buffer.duration ?? rate ?? 0, isKey: buffer.isKeyFrame)
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
      guard let inbox, rate > 0, bytes > 0, let running = buffer.time(in: segment).runningTime else { return }
      let duration = scaled(UInt64(buffer.size / Int(bytes)), by: 1_000_000_000, over: UInt64(rate))
      inbox.offer(.sound(buffer, running..<running.saturating(adding: duration)))
    }
  }

  /// What an event behind the encoder, or in the sound, says of its stream.
  private func follow(_ event: Event, _ stream: ClipStream) {
    guard let inbox = state.withLock({ $0.inbox }) else { return }
    switch event.type {
    case GST_EVENT_STREAM_START: inbox.begin(stream)
    case GST_EVENT_SEGMENT where stream == .sound:
      if let segment = event.segment { state.withLock { $0.heard = segment } }
    case GST_EVENT_CAPS:
      guard let caps = event.caps else { return }
      note(caps, stream)
      inbox.offer(stream == .picture ? .pictureCaps(caps) : .soundCaps(caps))
    case GST_EVENT_FLUSH_START: inbox.flush(stream, begins: true)
    case GST_EVENT_FLUSH_STOP: inbox.flush(stream, begins: false)
    case GST_EVENT_EOS:
      if stream == .picture { endUnlinkedSound() }
      inbox.end(stream)
    default: break
    }
  }

  private func note(_ caps: Caps, _ stream: ClipStream) {
    switch stream {
    case .picture:
      let rate = caps.fraction("framerate").flatMap { FrameRate($0.numerator, $0.denominator) }
      state.withLock { $0.rate = rate.map { $0.nanoseconds(of: 1) } }
    case .sound:
      guard let info = caps.audio else { return }
      state.withLock { ($0.soundRate, $0.soundBytes) = (info.rate, info.bytesPerFrame) }
    }
  }

  /// A pad that nobody feeds never ends by itself.
  private func endUnlinkedSound() {
    guard let pad = handle.pad("audio"), !pad.isLinked, let event = Event.endOfStream else { return }
    pad.send(event)
  }
}

extension Segment {
  /// Stream time of what has a running time; nil outside of the segment.
  fileprivate func streamTime(atRunningTime running: ClockTime) -> ClockTime? { position(of: running).flatMap { streamTime(of: $0) } }
}
