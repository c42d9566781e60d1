import CGStreamer
import Extension
import GStreamerKit
import Shots
import Threads
import Timing

/// Generated shots, on the source pad's own thread.
extension SceneExtend {
  private enum Reason {
    /// The thread has nothing more to do.
    case over
    /// Not yet.
    case none
    case beginning(Flow.Beginning, State)
  }

  /// One turn of the thread: waits for a reason to extend, and extends. False if there is nothing more to do.
  func extendPicture() -> Bool {
    lanes.changeQuietly { state in
      state.machine.hasNews = false
      return false
    }
    guard let settings = handle.settings(of: SceneExtend.self) else { return true }
    switch awaitReason(settings) {
    case .over: return false
    case .none: break
    case .beginning(let beginning, let state):
      // They may have changed in the meantime.
      let settings = handle.settings(of: SceneExtend.self) ?? settings
      Self.debug.log(
        GST_LEVEL_INFO, handle,
        "extension begins at \(beginning.run.start), \(beginning.run.kind): \(beginning.asked?.shots ?? Int(settings.shots)) shots")
      do {
        try extend(beginning, state, settings)
      } catch {
        warn("The extension ends: \((error as? ElementError)?.text ?? "\(error)")")
      }
      finish(beginning, settings)
    }
    return true
  }

  private func awaitReason(_ settings: Settings) -> Reason {
    let isPlaying = handle.isPlaying
    let watchesStall = settings.trigger.contains(.stall) && handle.isSourceLive
    let rules = settings.timeline
    // What the source says of itself, and states, may change while nothing else does.
    let deadline =
      lanes.wait(milliseconds: watchesStall ? 20 : 200) { state -> ClockTime?? in
        if state.isOver(.video) || state.machine.hasNews || state.machine.flow.hasReason(isLive: true, stalledAt: nil, rules) {
          return .some(nil)
        }
        return watchesStall && isPlaying ? state.machine.flow.stallTime(rules).map { .some($0) } : nil
      } ?? nil
    // Frames that come meanwhile only make it later.
    let isTimed =
      deadline.map { time in
        lanes.clock.wait(handle, until: time) { lanes.change { $0.isOver(.video) || $0.machine.hasNews } } != .untimed
      } ?? true
    let isLive = handle.isSourceLive
    let hasSound = handle.pad(StreamLane.sound.sink) != nil
    let now = now()
    // It waits for a frame that is just being pushed.
    return lanes.wait(milliseconds: 20) { state -> Reason? in
      if state.isOver(.video) { return .over }
      guard state.machine.work != nil else { return nil }
      state.machine.flow.watchStalls(isPlaying: isPlaying, now: now)
      let stalled = watchesStall && isPlaying ? now : nil
      guard state.machine.flow.hasReason(isLive: isLive, stalledAt: stalled, rules) else {
        state.machine.isPadWanted = false
        return isTimed ? Reason.none : nil
      }
      state.machine.isPadWanted = state.isPushing(.video)
      guard !state.machine.isPadWanted else { return nil }
      return state.machine.flow.begin(isLive: isLive, hasSound: hasSound, stalledAt: stalled, rules).map {
        .beginning($0, state.machine)
      }
    } ?? .none
  }

  // MARK: One extension

  /// - Parameter state: as the extension began.
  private func extend(_ beginning: Flow.Beginning, _ state: State, _ settings: Settings) throws {
    for departure in beginning.departures { push(departure, .video) }
    guard let work = state.work, let info = state.info, beginning.picture.hasCaps, beginning.picture.isBegun else {
      return warn("The stream has ended before it had a format: there is nothing to go on with.")
    }
    if beginning.asked?.shots ?? Int(settings.shots) == 0 { return }
    let isLive = handle.isSourceLive
    let rate = info.frameRate ?? FrameTimes.usualRate
    let showing = try ShotShowing(
      element: self, info: info, picture: beginning.picture, timeCode: state.timeCode, isLive: isLive,
      painter: FramePainter(info, fit: settings.fit),
      times: FrameTimes(start: beginning.picture.continuation, numerator: rate.numerator, denominator: rate.denominator))
    // A shot that was made ahead is part of the plan that is set, and was made without the last frames. A live stream does not wait for
    // another; elsewhere what is shown must not depend on how far the model has come, and begins at the end, or the last boundary.
    let isReady = work.producer.isBegun && (isLive || settings.standby)
    let fresh = beginning.asked != nil || !isReady ? (context(info), work.plan(settings, beginning.asked)) : nil
    lanes.change { state in
      if let (context, plan) = fresh { work.producer.begin(context, plan: plan) }
      if let more = state.machine.flow.beginShowing() { work.producer.change { $0 = more.added(to: $0) } }
    }
    handle.postDurationChanged()
    if let open = lanes.change({ $0.machine.flow.openSegment() }) { push(.segment(open, inPlaceOf: nil), .video) }
    try showing.run(work, settings)
    work.producer.cancel()
  }

  func context(_ info: VideoInfo) -> SceneContext {
    let rate = info.frameRate ?? FrameTimes.usualRate
    return sampler.change { $0?.context(width: info.width, height: info.height, frameRate: rate) }
      ?? SceneContext(clips: [], album: ShotAlbum(), width: info.width, height: info.height, frameRate: rate)
  }

  /// A source was back with times that are off for good.
  func warnOfTimes(_ shift: TimeOffset, _ what: String) {
    let seconds = decimal(Double(shift.amount) / 1e9)
    warn(
      "After a stall the source's \(what) is back with times that are \(seconds) s \(shift.isLater ? "behind" : "ahead"): from here on "
        + "they are moved by that.")
  }

  func warn(_ text: String) { handle.postWarning(.stream(GST_STREAM_ERROR_FAILED, text)) }

  /// The source has its pad again, or the end is sent.
  private func finish(_ beginning: Flow.Beginning, _ settings: Settings) {
    let departures = lanes.change { state -> [Flow.Leaving] in
      guard !state.isClosed(.video) else { return [] }
      let downstream: Flow.Downstream =
        switch state.flow(.video) {
        case GST_FLOW_OK: .takes
        case GST_FLOW_FLUSHING: .flushes
        default: .refuses
        }
      let departures = state.machine.flow.finish(beginning, downstream: downstream, settings.timeline)
      if !departures.isEmpty { state.push(.video) }
      return departures
    }
    Self.debug.log(GST_LEVEL_INFO, handle, "extension ends; \(departures.isEmpty ? "the source goes on" : "the stream ends")")
    guard !departures.isEmpty else { return }
    for departure in departures { push(departure, .video) }
    lanes.change { $0.pushed(.video) }
  }

  // MARK: Ahead of the end

  /// Begins to generate what may be wanted at any time.
  ///
  /// A live source gets a new shot when the last one is ready; any other at each boundary, so that what is shown does not depend on
  /// how fast the model is.
  func prepare(_ settings: Settings, atBoundary: Bool) {
    guard settings.standby else { return }
    var known: (work: GenerationWork, info: VideoInfo)?
    lanes.changeQuietly { state in
      if let work = state.machine.work, work.model != nil, let info = state.machine.info { known = (work, info) }
      return false
    }
    guard let (work, info) = known else { return }
    let isLive = handle.isSourceLive
    guard !work.producer.isBegun || atBoundary && (!isLive || work.producer.isReady) else { return }
    work.producer.begin(context(info), plan: work.plan(settings), keepsReady: isLive)
  }
}
