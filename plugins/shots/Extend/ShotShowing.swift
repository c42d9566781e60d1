import CGStreamer
import Extension
import GStreamerKit
import Shots
import Timing

/// Shows generated shots frame by frame: the times, the marks, the pace.
final class ShotShowing {
  private let element: SceneExtend
  private var handle: ElementHandle { element.handle }
  private let info: VideoInfo
  private let isLive: Bool
  /// How late the source's frames come: generated ones are as late, or they would run away from it.
  private let latency: ClockTime
  private let painter: FramePainter
  private let times: FrameTimes
  private var segment: GstSegment
  private var shot: UInt64
  private let frames: UInt64
  private var timeCode: TimeCode?
  /// The source's last frame, if it was kept.
  private let before: Held<GstBuffer>?
  /// Frames shown.
  private var frame: UInt64 = 0
  /// The virtual camera for when nothing is ready.
  private var camera: Rephotographer?
  private var shown: GeneratedPicture?
  private var hasShown = false
  /// Nanoseconds that are still to be shown of the whole shots so far; below 0 for too many.
  private var debt: Int64 = 0
  private var realTimeFactor = 1.0

  /// Why a shot ends.
  private enum End {
    /// It was shown.
    case whole
    /// The extension is over at once: the source is back.
    case handedBack
    /// The stream is.
    case stopped
  }

  init(
    element: SceneExtend, info: VideoInfo, line: SceneExtend.PictureLine, isLive: Bool, painter: FramePainter, times: FrameTimes
  ) {
    (self.element, self.info, self.isLive, self.painter, self.times) = (element, info, isLive, painter, times)
    latency = isLive ? element.handle.sourceLatency : 0
    segment = line.shifted
    (shot, frames, timeCode, before) = (line.shot, line.frames, line.timeCode, line.last)
  }

  /// A segment that is closed would cut generated frames off.
  func openSegment() {
    guard segment.stop != .max else { return }
    segment.stop = .max
    segment.duration = .max
    element.state.change { state in
      state.video.segment.stop = .max
      state.video.segment.duration = .max
    }
    if let event = gst_event_new_segment(&segment) { element.push(event, .video) }
  }

  // MARK: Shots

  func run(_ work: GenerationWork, _ settings: SceneExtend.Settings) throws {
    let producer = work.producer
    // The virtual camera alone needs milliseconds: that is no underrun.
    let waits = !isLive || work.model == nil
    while true {
      let isToEnd = isToEnd
      if element.state.change({ $0.leave(if: $0.isOver(.video) || isToEnd && !$0.isSoundAhead) }) { return }
      switch producer.next(waits: waits, whole: isLive) {
      case .shot(let ready):
        let factor = element.state.change { $0.readings.realTimeFactor }
        if factor > 0 { realTimeFactor = factor }
        // Never slower than a quarter: a picture that stands is no shot.
        let speed = isLive && settings.underrun == .slow && ready.generator != "rephotograph" ? min(1, max(0.25, realTimeFactor)) : 1
        let end = try show(ready, speed: speed, producer, settings)
        hasShown = true
        if end != .whole { return leave() }
      case .late where isToEnd: return leave()
      case .late:
        if hasShown { element.count { $0.underruns &+= 1 } }
        guard try fillIn(producer, settings) else {
          if settings.underrun == .eos { element.state.change { $0.endEarly() } }
          return leave()
        }
      // More may be asked for until it is known to be over.
      case .over: if element.state.change({ $0.leave(if: producer.isOver) }) { return }
      case .cancelled: return leave()
      case .failed(let error):
        leave()
        return element.warn("The extension ends, since no shot could be generated: \(error).")
      }
    }
  }

  private func leave() { _ = element.state.change { $0.leave(if: true) } }

  private func show(_ ready: ShotProducer.Ready, speed: Double, _ producer: ShotProducer, _ settings: SceneExtend.Settings) throws -> End {
    let count = count(UInt64(Double(ready.duration) / speed))
    let first = frame
    try begin(ready.shot.prompt, generator: ready.generator, number: ready.shot.index &+ 1, queued: producer.queued, settings)
    let end = segment.runningTime(GstClockTime(times.time(of: first &+ count)))
    element.state.change { $0.video.planned = end }
    // What comes next is not known before it begins.
    defer { element.state.change { $0.video.planned = nil } }
    for index in 0..<count {
      let elapsed = UInt64(Double(times.time(of: first &+ index) &- times.time(of: first)) * speed)
      switch producer.picture(at: elapsed, frame: Int(clamping: index)) {
      case .picture(let picture): shown = picture
      // It ended early: what was shown is intact.
      case .over: return .whole
      case .cancelled: return .stopped
      }
      if let end = try push(shown, isFirst: index == 0, isGap: false) { return end }
    }
    return .whole
  }

  /// Shows something until a shot is ready; false if the extension is over.
  private func fillIn(_ producer: ShotProducer, _ settings: SceneExtend.Settings) throws -> Bool {
    func isReady() -> Bool { producer.isReady || !producer.isBegun }
    switch settings.underrun {
    case .eos: return false
    case .hold, .slow:
      // A frame at least, so that time goes on.
      repeat {
        if let end = try push(shown, isFirst: false, isGap: settings.underrun == .hold) { return end == .whole }
        if producer.hasFailed { return true }
      } while !isReady() && !isToEnd
      return true
    case .rephotograph:
      if camera == nil {
        let context = element.context(info)
        let perSecond = Double(times.numerator) / Double(times.denominator)
        camera = Rephotographer(
          album: context.album,
          settings: .init(width: info.width, height: info.height, framesPerSecond: perSecond, seed: UInt64(settings.seed)))
      }
      let longest = Int(times.count(in: 4_000_000_000))
      guard let made = camera?.nextShot(frames: longest) else {
        if let end = try push(shown, isFirst: false, isGap: true) { return end == .whole }
        return true
      }
      try begin("", generator: "rephotograph", number: 0, queued: 0, settings)
      // Shorter than this it would be a flash.
      let least = Int(times.count(in: 500_000_000))
      for index in 0..<longest {
        shown = .view(made, frame: index)
        if let end = try push(shown, isFirst: index == 0, isGap: false) { return end == .whole }
        if index + 1 >= least, isReady() || producer.hasFailed || isToEnd { break }
      }
      return true
    }
  }

  private var isToEnd: Bool { element.state.change { $0.isOver(.video) || $0.run?.isToEnd ?? true } }

  /// Marks and messages of a shot that begins with the next frame.
  private func begin(_ prompt: String, generator: String, number: UInt64, queued: UInt64, _ settings: SceneExtend.Settings) throws {
    shot &+= 1
    mark = GeneratedShot(generator: generator, prompt: prompt)
    SceneExtend.tellPlaying(handle, generator: generator, shot: number, prompt: prompt, queued: queued, settings)
    element.count { $0.shots &+= 1 }
    element.sampler.change { $0?.cutGenerated() }
  }

  private var mark: GeneratedShot?

  /// How many frames last so long, with what the shots before lacked or had too much: shots of 12.5 frames have 13 and 12.
  private func count(_ duration: UInt64) -> UInt64 {
    let wanted = Int64(clamping: duration) &+ debt
    let count = times.count(in: UInt64(max(0, wanted)))
    debt = wanted &- Int64(clamping: times.time(of: count) &- times.start)
    return count
  }

  // MARK: Frames

  /// A copy of the source's last frame, with nothing that is said of that one only.
  private var last: UnsafeMutablePointer<GstBuffer>? {
    guard let before, let copy = cgst_buffer_copy(before.gst) else { return nil }
    Marks.boundary.removeAll(from: copy)
    if let code = gst_buffer_get_meta(copy, gst_video_time_code_meta_api_get_type()) { gst_buffer_remove_meta(copy, code) }
    return copy
  }

  /// - Returns: why no frame can follow; nil if one can.
  private func push(_ picture: GeneratedPicture?, isFirst: Bool, isGap: Bool) throws -> End? {
    let pts = times.time(of: frame)
    let duration = times.duration(of: frame)
    guard let running = segment.runningTime(GstClockTime(pts)), let end = segment.runningTime(GstClockTime(pts &+ duration)) else {
      return .stopped
    }
    func isBack() -> Bool { element.state.change { $0.run?.sourceReturn.map { $0 <= running &+ duration / 2 } ?? false } }
    if isBack() { return .handedBack }
    if isLive, element.wait(until: running - min(running, duration) &+ latency, unless: { $0.isOver(.video) }) == .over { return .stopped }
    // It may have come meanwhile.
    if isLive, isBack() { return .handedBack }
    let buffer: UnsafeMutablePointer<GstBuffer> = cgst_buffer_make_writable(
      try picture.map { try painter.buffer($0) } ?? last ?? painter.blank())
    buffer.pointee.pts = GstClockTime(pts)
    buffer.pointee.dts = .max
    buffer.pointee.duration = GstClockTime(duration)
    buffer.pointee.offset = .max
    buffer.pointee.offset_end = .max
    if isGap { gst_buffer_set_flags(buffer, GST_BUFFER_FLAG_GAP) }
    timeCode = timeCode?.next
    timeCode?.add(to: buffer)
    if isFirst, let mark {
      var segment = segment
      let stream = gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, GstClockTime(pts)).valid
      let boundary = Boundary(
        kind: .cut, shot: shot, frame: frames &+ frame, pts: pts, runningTime: running, streamTime: stream,
        transitionStart: stream.map { $0 - min($0, duration) }, transitionEnd: stream, score: 1, detector: SceneExtend.description.factory,
        generated: mark)
      Marks.boundary.add(boundary.structure, to: buffer)
      handle.post(boundary.structure)
      if let event = KeyUnit(pts: pts, streamTime: stream, runningTime: running).event { element.push(event, .video) }
    }
    switch picture {
    case .picture(let picture), .between(let picture, _, _): element.sampler.change { $0?.see(picture, at: running) }
    case .view, nil: break
    }
    let (shot, now) = (shot, isLive ? element.now() : 0)
    let isOver = element.state.change { state -> Bool in
      if state.isOver(.video) { return true }
      state.video.next = pts &+ duration
      state.video.front = max(state.video.front, end)
      state.video.frames &+= 1
      state.video.departure = now
      state.video.isRecounted = true
      if isFirst { state.video.shot = shot }
      return false
    }
    guard !isOver, let pad = handle.pad(Lane.video.source) else {
      gst_buffer_unref(buffer)
      return .stopped
    }
    frame &+= 1
    element.count { $0.frames &+= 1 }
    let flow = gst_pad_push(pad.gst, buffer)
    if flow == GST_FLOW_OK { return nil }
    element.state.change { $0.flow[Lane.video.rawValue] = flow }
    if flow.rawValue < GST_FLOW_EOS.rawValue || flow == GST_FLOW_NOT_LINKED {
      handle.post(.stream(GST_STREAM_ERROR_FAILED, "The stream cannot go on: \(String(cString: gst_flow_get_name(flow)))."))
    }
    return .stopped
  }
}

extension SceneExtend {
  /// Changes what users read.
  func count(_ body: (inout Readings) -> Void) {
    let readings = state.change { state in
      body(&state.readings)
      return state.readings
    }
    handle.publish(readings, of: SceneExtend.self)
  }

  static func tellPlaying(_ handle: ElementHandle, generator: String, shot: UInt64, prompt: String, queued: UInt64, _ settings: Settings) {
    GenerationWork.tell(handle, state: "playing", generator: generator, shot: shot, prompt: prompt, queued: queued, settings)
  }

  enum Waited {
    case due
    /// Something has come up before.
    case over
    /// There is no clock to wait for.
    case untimed
  }

  /// Running time by the pipeline's clock; without one, of a clock that nobody sets.
  func now() -> ClockTime {
    guard let clock = gst_element_get_clock(handle.gstElement) else { return monotonicTime() }
    defer { gst_object_unref(clock) }
    let (time, base) = (gst_clock_get_time(clock), gst_element_get_base_time(handle.gstElement))
    return base == .max ? monotonicTime() : ClockTime(time - min(time, base))
  }

  /// Waits for the pipeline's clock, at most until `wakeClock`.
  ///
  /// - Parameter isVain: asked before; true for not to wait.
  func wait(until running: ClockTime, unless isVain: (State) -> Bool) -> Waited {
    guard let clock = gst_element_get_clock(handle.gstElement) else { return .untimed }
    defer { gst_object_unref(clock) }
    let base = gst_element_get_base_time(handle.gstElement)
    guard base != .max else { return .untimed }
    let due = base &+ GstClockTime(running)
    guard gst_clock_get_time(clock) < due, let id = gst_clock_new_single_shot_id(clock, due) else { return .due }
    defer { gst_clock_id_unref(id) }
    let isOver = state.change { state -> Bool in
      if isVain(state) { return true }
      state.clockID = id
      return false
    }
    if isOver { return .over }
    let result = gst_clock_id_wait(id, nil)
    state.change { $0.clockID = nil }
    return result == GST_CLOCK_UNSCHEDULED ? .over : .due
  }
}

extension SceneExtend.State {
  /// Ends what can be added to the extension, or not, in one step with looking whether there is more to show.
  fileprivate mutating func leave(if isOver: Bool) -> Bool {
    if isOver { run?.isLeaving = true }
    return isOver
  }
}
