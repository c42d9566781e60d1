import CGStreamer
import Extension
import GStreamerKit
import Pixels
import Shots
import Threads
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
  private var pacing: ShotPacing
  private var segment: Segment
  private var shot: UInt64
  private let frames: UInt64
  private var timeCode: TimeCode?
  /// The source's last frame, if it was kept.
  private var before: Buffer?
  /// The virtual camera for when nothing is ready.
  private var camera: Rephotographer?
  private var shown: GeneratedPicture?
  private var hasShown = false
  private var realTimeFactor = 1.0
  /// Of the shot that goes on.
  private var mark: GeneratedShot?

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
    element: SceneExtend, info: VideoInfo, picture: PictureLine<Buffer, Segment>, timeCode: TimeCode?, isLive: Bool,
    painter: FramePainter, times: FrameTimes
  ) {
    (self.element, self.info, self.isLive, self.painter, pacing) = (element, info, isLive, painter, ShotPacing(times))
    latency = isLive ? element.handle.sourceLatency : 0
    segment = picture.shifted.opened ?? picture.shifted
    (shot, frames, self.timeCode, before) = (picture.shot, picture.frames, timeCode, picture.kept)
    // Without what is said of that one only.
    before?.removeAll(Marks.boundary)
    before?.timeCode = nil
  }

  // MARK: Shots

  func run(_ work: GenerationWork, _ settings: SceneExtend.Settings) throws {
    let producer = work.producer
    // The virtual camera alone needs milliseconds: that is no underrun.
    let waits = !isLive || work.model == nil
    while true {
      let isToEnd = isToEnd
      let isOver = element.lanes.change { state in
        state.machine.flow.leave(if: state.isOver(.video) || isToEnd && !state.machine.flow.isSoundAhead)
      }
      if isOver { return }
      switch producer.next(waits: waits, whole: isLive) {
      case .shot(let ready):
        let factor = element.lanes.change { $0.machine.readings.realTimeFactor }
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
          if settings.underrun == .eos { element.lanes.change { $0.machine.flow.endEarly() } }
          return leave()
        }
      // More may be asked for until it is known to be over.
      case .over: if element.lanes.change({ $0.machine.flow.leave(if: producer.isOver) }) { return }
      case .cancelled: return leave()
      case .failed(let error):
        leave()
        return element.warn("The extension ends, since no shot could be generated: \(error).")
      }
    }
  }

  private func leave() { _ = element.lanes.change { $0.machine.flow.leave(if: true) } }

  private func show(_ ready: ShotProducer.Ready, speed: Double, _ producer: ShotProducer, _ settings: SceneExtend.Settings) throws -> End {
    let count = pacing.begin(lasting: ready.duration, speed: speed)
    begin(ready.shot.prompt, generator: ready.generator, number: ready.shot.index &+ 1, queued: producer.queued, settings)
    let end = segment.runningTime(of: pacing.end(after: count))
    element.lanes.change { $0.machine.flow.plan(until: end) }
    // What comes next is not known before it begins.
    defer { element.lanes.change { $0.machine.flow.plan(until: nil) } }
    for index in 0..<count {
      switch producer.picture(at: pacing.elapsed, frame: Int(clamping: index)) {
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
      let times = pacing.times
      if camera == nil {
        let perSecond = Double(times.numerator) / Double(times.denominator)
        camera = Rephotographer(
          album: element.context(info).album,
          settings: .init(width: info.width, height: info.height, framesPerSecond: perSecond, seed: UInt64(settings.seed)))
      }
      let longest = Int(times.count(in: 4_000_000_000))
      guard let made = camera?.nextShot(frames: longest) else {
        if let end = try push(shown, isFirst: false, isGap: true) { return end == .whole }
        return true
      }
      begin("", generator: "rephotograph", number: 0, queued: 0, settings)
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

  private var isToEnd: Bool { element.lanes.change { $0.isOver(.video) || $0.machine.flow.isToEnd } }

  /// Marks and messages of a shot that begins with the next frame.
  private func begin(_ prompt: String, generator: String, number: UInt64, queued: UInt64, _ settings: SceneExtend.Settings) {
    shot &+= 1
    mark = GeneratedShot(generator: generator, prompt: prompt)
    SceneExtend.debug.log(GST_LEVEL_INFO, handle, "shot \(number) of \(generator): \(prompt)")
    GenerationWork.tell(handle, state: "playing", generator: generator, shot: number, prompt: prompt, queued: queued, settings)
    element.count { $0.shots &+= 1 }
    element.sampler.change { $0?.cutGenerated() }
  }

  // MARK: Frames

  /// - Returns: why no frame can follow; nil if one can.
  private func push(_ picture: GeneratedPicture?, isFirst: Bool, isGap: Bool) throws -> End? {
    let (pts, duration) = pacing.next
    let next = pts.saturating(adding: duration)
    guard let running = segment.runningTime(of: pts), let end = segment.runningTime(of: next) else { return .stopped }
    func isBack() -> Bool { element.lanes.change { $0.machine.flow.isSourceBack(at: running, duration: duration) } }
    if isBack() { return .handedBack }
    if isLive {
      let due = running.less(duration).saturating(adding: latency)
      let isOver = { [lanes = element.lanes] in lanes.change { $0.isOver(.video) } }
      // Others may have been meant: a lane that flushes, a reason to extend that had just been taken.
      while element.lanes.clock.wait(handle, until: due, unless: isOver) == .over { if isOver() { return .stopped } }
      // It may have come meanwhile.
      if isBack() { return .handedBack }
    }
    var buffer = try picture.map { try painter.buffer($0) } ?? before ?? painter.blank()
    (buffer.pts, buffer.dts, buffer.duration) = (pts, nil, duration)
    buffer.removeOffsets()
    if isGap { buffer.isGap = true }
    timeCode = timeCode?.next
    if timeCode != nil { buffer.timeCode = timeCode }
    if isFirst, let mark { announce(mark, on: &buffer, pts, running, duration) }
    switch picture {
    case .picture(let picture), .between(let picture, _, _): element.sampler.change { $0?.see(picture, at: running) }
    case .view, nil: break
    }
    let (beginning, now) = (isFirst ? shot : nil, isLive ? element.now() : 0)
    let isOver = element.lanes.change { state -> Bool in
      if state.isOver(.video) { return true }
      state.machine.flow.show(until: next, runningTime: end, now: now, beginning: beginning)
      return false
    }
    guard !isOver else { return .stopped }
    pacing.advance()
    element.count { $0.frames &+= 1 }
    let flow = element.push(buffer, .video)
    if flow == GST_FLOW_OK { return nil }
    element.lanes.change { $0.refuse(.video, flow) }
    element.postRefusal(flow)
    return .stopped
  }

  /// The boundary before a generated shot: its mark, its message, and a request for a key frame.
  private func announce(_ mark: GeneratedShot, on buffer: inout Buffer, _ pts: ClockTime, _ running: ClockTime, _ duration: ClockTime) {
    let stream = segment.streamTime(of: pts)
    let boundary = Boundary(
      kind: .cut, shot: shot, frame: frames &+ pacing.frame, pts: pts, runningTime: running, streamTime: stream,
      transitionStart: stream.map { $0.less(duration) }, transitionEnd: stream, score: 1, detector: SceneExtend.description.factory,
      generated: mark)
    buffer.add(boundary.structure, as: Marks.boundary)
    handle.post(boundary.structure)
    element.push(.keyUnit(pts: pts, streamTime: stream, runningTime: running), .video)
  }
}

extension SceneExtend {
  /// Changes what users read.
  func count(_ body: (inout Readings) -> Void) {
    let readings = lanes.change { state in
      body(&state.machine.readings)
      return state.machine.readings
    }
    handle.publish(readings, of: SceneExtend.self)
  }
}
