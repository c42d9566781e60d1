import CGStreamer
import GStreamerKit
import Pixels
import Shots
import Timing

/// What leaves an element next.
enum Departure {
  case buffer(Buffer), event(Event)
}

extension Event {
  /// The same as it is after a shift in time: gaps and requests for key frames have times of their own.
  func earlier(by shift: TimeShift) -> Event {
    if let gap, shift.stamps > 0 { return replaced(by: .gap(gap.start.less(shift.stamps), duration: gap.duration)) }
    guard shift.running > 0, var asked = keyUnit else { return self }
    asked.pts = asked.pts?.less(shift.stamps)
    asked.streamTime = asked.streamTime?.less(shift.stamps)
    asked.runningTime = asked.runningTime?.less(shift.running)
    return replaced(by: .keyUnit(asked))
  }

  /// An event with a segment whose running times are earlier.
  func rebased(by time: ClockTime) -> Event {
    guard time > 0, let segment else { return self }
    return replaced(by: .segment(segment.earlier(by: time)))
  }
}

/// The video of `defade`: `PictureRepair` over buffers.
///
/// Not thread-safe: the element's lock guards it.
struct PictureLane {
  struct Frame {
    var buffer: Buffer
    /// For frames of its caps; nil before there were any.
    var fades: FadeRepair?
  }

  private(set) var repair: PictureRepair<Frame, Event>
  private var segment = Segment()
  private var info: VideoInfo?
  private var fades: FadeRepair?

  init(_ settings: Defade.Settings) {
    repair = PictureRepair(
      settings.mode, kinds: Set(settings.kinds.map(\.kind)), margin: settings.margin, lookAhead: settings.lookAhead,
      maxGain: settings.maxGain, pictures: Pictures(maxGain: settings.maxGain))
  }

  // MARK: In

  mutating func take(_ buffer: consuming Buffer) {
    let boundaries = buffer.carries(Marks.boundary) ? buffer.metadata(Marks.boundary).compactMap { Boundary($0) } : []
    let time = buffer.time(in: segment)
    repair.take(Frame(buffer: buffer, fades: fades), at: time, boundaries: boundaries)
  }

  /// - Parameter event: a serialized one.
  mutating func take(_ event: Event) {
    if event.type == GST_EVENT_CUSTOM_DOWNSTREAM, let boundary = event.structure.flatMap({ Boundary($0) }), repair.take(late: boundary) {
      return
    }
    repair.take(event, meaning(of: event))
  }

  private mutating func meaning(of event: Event) -> PictureEvent {
    switch event.type {
    case GST_EVENT_CAPS:
      let (old, new) = (info, event.caps?.video)
      info = new ?? old
      if let new { fades = FadeRepair(new) }
      return .caps(frameDuration: info?.frameDuration, keepsPictures: new.flatMap { new in old.map { $0.hasPictures(like: new) } } ?? true)
    case GST_EVENT_SEGMENT:
      guard let new = event.segment else { return .other }
      defer { segment = new }
      return .segment(base: new.base, isForward: new.isForward, continues: new.continues(segment))
    case GST_EVENT_GAP:
      return .gap(end: event.gap.flatMap { segment.runningTime(of: $0.start.saturating(adding: $0.duration ?? 0)) })
    case GST_EVENT_EOS: return .endOfStream
    case GST_EVENT_SEGMENT_DONE: return .segmentDone
    default: return event.keyUnit.map { .keyUnit(runningTime: $0.runningTime) } ?? .other
    }
  }

  mutating func drain() { repair.drain() }

  // MARK: Out

  /// The next thing that leaves; nil if it has to wait.
  ///
  /// - Parameter sound: what is taken out of the video is taken out of it too.
  /// - Throws: what mapping a frame throws, with `mode=restore`.
  mutating func next(cutting sound: inout SoundLane) throws -> Departure? {
    while let step = try repair.next() {
      switch consume step {
      case .frame(let frame): return .buffer(buffer(consume frame))
      case .event(let event, let shift): return .event(event.earlier(by: shift))
      case .segment(let event, let time): return .event(event.rebased(by: time))
      case .keyUnit(let cut):
        let asked = KeyUnit(pts: cut.pts, streamTime: cut.streamTime, runningTime: cut.runningTime)
        if let event = Event.keyUnit(asked) { return .event(event) }
      case .removed(let stretch): sound.cut(stretch)
      }
    }
    return nil
  }

  /// A frame as it leaves. Nobody else holds its buffer now, which so is changed where it is.
  private func buffer(_ departure: consuming PictureRepair<Frame, Event>.Departure) -> Buffer {
    if let picture = departure.picture, let made = departure.frame.buffer.withPicture(of: picture.buffer) {
      departure.frame.buffer = made
      departure.frame.buffer.removeAll(Marks.transition)
    }
    let earlier = departure.earlier
    if earlier > 0 {
      if let pts = departure.frame.buffer.pts { departure.frame.buffer.pts = pts.less(earlier) }
      if let dts = departure.frame.buffer.dts { departure.frame.buffer.dts = dts.less(earlier) }
    }
    if let boundaries = departure.boundaries {
      departure.frame.buffer.removeAll(Marks.boundary)
      for boundary in boundaries { departure.frame.buffer.add(boundary.structure, as: Marks.boundary) }
    }
    return departure.frame.buffer
  }

  /// After a flush, and at the end: lets everything go. Times are as at the beginning.
  mutating func reset() {
    repair.reset()
    segment = Segment()
  }

  /// What is seen of frames, and done to their pictures.
  private struct Pictures: FadePictures {
    let maxGain: Double

    private func fades(of frame: Frame) throws -> FadeRepair {
      if let fades = frame.fades { return fades }
      throw ElementError.core(GST_CORE_ERROR_NEGOTIATION, "A frame came before its caps.")
    }

    func look(at frame: Frame) throws -> FadeLook { try fades(of: frame).look(at: frame.buffer) }

    func restored(_ frame: Frame, gain: Double, color: FadeColor) throws -> Frame {
      var made = frame
      made.buffer = try fades(of: frame).restored(frame.buffer, gain: gain, color: color, maxGain: maxGain)
      made.buffer.removeAll(Marks.transition)
      return made
    }
  }
}
