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
    var inbox: ClipInbox<ClipItem<MuxedClip>>?
    var picture = PictureWatch<Segment>(keyFrameInterval: nil)
    var sound = SoundWatch()
    var heard = Segment()
  }

  private let handle: ElementHandle
  private let state: Mutex<State>

  init(_ handle: ElementHandle) {
    self.handle = handle
    state = Mutex(State())
  }

  /// - Parameter keyFrameInterval: nil if key frames are only wanted at boundaries.
  func start(_ inbox: ClipInbox<ClipItem<MuxedClip>>, keyFrameInterval: ClockTime?) {
    state.withLock { $0 = State(inbox: inbox, picture: PictureWatch(keyFrameInterval: keyFrameInterval)) }
  }

  func stop() { state.withLock { $0.inbox = nil } }

  /// The pad of the sound goes, whatever waits in it.
  func soundLeaves() { state.withLock { $0.inbox }?.leave(.sound) }

  // MARK: Raw picture

  /// What arrives gets running time for timestamps. What is outside of its segment gets none, and no packet of it counts.
  func arriving(_ passing: inout Passing) {
    switch passing.take() {
    case .dropped: break
    case .event(let event): passing = .event(event.replaced(by: replacement(of: event)))
    case .buffer(var buffer):
      if let segment = state.withLock({ $0.picture.segment }) {
        let running = buffer.time(in: segment).runningTime
        buffer.pts = state.withLock { $0.picture.arrive(at: running) }
        buffer.dts = nil
      }
      passing = .buffer(buffer)
    }
  }

  /// What takes the place of an event, if anything.
  private func replacement(of event: Event) -> Event? {
    switch event.type {
    case GST_EVENT_SEGMENT:
      if let segment = event.segment { state.withLock { $0.picture.begin(segment) } }
      return .segment(Segment())
    case GST_EVENT_FLUSH_STOP:
      state.withLock { $0.picture.flushArriving() }
      return nil
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      return event.keyUnit?.runningTime.flatMap { Self.keyRequest(at: PictureWatch<Segment>.inside($0)) }
    default: return nil
    }
  }

  private static func keyRequest(at inside: ClockTime) -> Event? {
    .keyUnit(KeyUnit(pts: inside, streamTime: nil, runningTime: inside))
  }

  /// - Parameter encoder: the pad that leads to it, looked up when it is needed.
  func raw(_ passing: Passing, before encoder: () -> Pad?) {
    switch passing {
    case .dropped: break
    case .event(let event):
      switch event.type {
      case GST_EVENT_FLUSH_STOP: state.withLock { $0.picture.flushRaw() }
      case GST_EVENT_CUSTOM_DOWNSTREAM:
        if let asked = event.keyUnit?.runningTime { return state.withLock { $0.picture.requested(at: asked) } }
        guard let boundary = event.structure.flatMap({ Boundary($0) }) else { return }
        perform(state.withLock { $0.picture.boundary(boundary) }, before: encoder)
      default: break
      }
    case .buffer(let buffer):
      let boundaries = buffer.metadata(Marks.boundary).compactMap { Boundary($0) }
      perform(
        state.withLock { $0.picture.frame(at: buffer.pts, duration: buffer.duration, boundaries: boundaries) }, before: encoder)
    }
  }

  private func perform(_ steps: [PictureWatch<Segment>.Step], before encoder: () -> Pad?) {
    for step in steps {
      switch step {
      case .askForMarks:
        guard let pad = handle.pad("video"), let request = Event.upstream(Structure(Marks.request)), !pad.push(request) else { continue }
        handle.postWarning(
          .stream(
            GST_STREAM_ERROR_FAILED,
            "No shotdetect with attach-meta=true upstream answers: there will be no boundaries. Put one before this element."))
      case .warnOfLateness:
        handle.postWarning(
          .library(
            GST_LIBRARY_ERROR_SETTINGS,
            "A boundary was told after its frame had passed: the shot's file begins late. Set align=true on shotdetect."))
      case .mark(let boundary, let time):
        ShotClip.debug.log(GST_LEVEL_INFO, handle, "shot \(boundary.shot) begins at \(time), told at \(boundary.runningTime ?? time)")
        state.withLock { $0.inbox }?.offer(.mark(boundary, at: time))
      case .requestKey(let time):
        ShotClip.debug.log(GST_LEVEL_DEBUG, handle, "asks for a key frame at \(PictureWatch<Segment>.outside(time) ?? 0)")
        if let request = Self.keyRequest(at: time) { encoder()?.send(request) }
      }
    }
  }

  // MARK: Coded picture

  func coded(_ passing: inout Passing) {
    switch passing {
    case .dropped: break
    case .event(let event): if !follow(event, .picture) { passing = .dropped }
    case .buffer(let buffer):
      let (inbox, time) = state.withLock { state in
        let time = state.picture.packet(at: buffer.pts, duration: buffer.duration, isKey: buffer.isKeyFrame) { segment, running in
          segment.position(of: running).flatMap { segment.streamTime(of: $0) }
        }
        return (state.inbox, time)
      }
      guard let time else { return }
      ShotClip.debug.log(
        GST_LEVEL_LOG, handle, "packet comes: \(time.running), \(buffer.size) bytes\(time.isKey ? ", key frame" : "")")
      inbox?.offer(.picture(buffer, time), bytes: buffer.size)
    }
  }

  // MARK: Sound

  /// Sound ends here: in PAUSED a sink would keep it, and the picture may have to come far for its first packet.
  func sound(_ passing: inout Passing) {
    switch passing {
    case .dropped: break
    case .event(let event): if !follow(event, .sound) { passing = .dropped }
    case .buffer(let buffer):
      passing = .dropped
      let (inbox, segment, sound) = state.withLock { ($0.inbox, $0.heard, $0.sound) }
      guard let range = sound.piece(at: buffer.time(in: segment).runningTime, size: buffer.size) else { return }
      ShotClip.debug.log(GST_LEVEL_LOG, handle, "sound comes: \(range), \(buffer.size) bytes")
      inbox?.offer(.sound(buffer, range), bytes: buffer.size)
    }
  }

  /// What an event behind the encoder, or in the sound, says of its stream. False for an end that was flushed while it waited:
  /// the sink may not know that yet, and would tell of it.
  private func follow(_ event: Event, _ stream: ClipStream) -> Bool {
    guard let inbox = state.withLock({ $0.inbox }) else { return true }
    ShotClip.debug.log(GST_LEVEL_DEBUG, handle, "\(stream) event comes: \(event.typeName)")
    switch event.type {
    case GST_EVENT_STREAM_START: inbox.begin(stream)
    case GST_EVENT_SEGMENT where stream == .sound: if let segment = event.segment { state.withLock { $0.heard = segment } }
    case GST_EVENT_CAPS: if let caps = event.caps { inbox.offer(stream == .picture ? picture(caps) : sound(caps)) }
    case GST_EVENT_FLUSH_START: inbox.flushBegins(stream)
    case GST_EVENT_FLUSH_STOP: inbox.flushEnds(stream)
    case GST_EVENT_EOS:
      if stream == .picture { endUnlinkedSound() }
      return inbox.end(stream)
    default: break
    }
    return true
  }

  private func picture(_ caps: Caps) -> ClipItem<MuxedClip> {
    let rate = caps.fraction("framerate").flatMap { FrameRate($0.numerator, $0.denominator) }
    state.withLock { $0.picture.frameDuration = rate?.nanoseconds(of: 1) }
    return .pictureFormat(caps, ClipPicture(width: caps.int("width") ?? 0, height: caps.int("height") ?? 0, rate: rate))
  }

  private func sound(_ caps: Caps) -> ClipItem<MuxedClip> {
    if let info = caps.audio { state.withLock { $0.sound.begin(rate: info.rate, bytesPerFrame: info.bytesPerFrame) } }
    return .soundFormat(caps)
  }

  /// A pad that nobody feeds never ends by itself.
  private func endUnlinkedSound() {
    guard let pad = handle.pad("audio"), !pad.isLinked, let end = Event.endOfStream else { return }
    pad.send(end)
  }
}
