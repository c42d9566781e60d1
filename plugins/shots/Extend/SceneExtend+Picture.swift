import CGStreamer
import Extension
import GStreamerKit
import Shots
import Timing

/// Generated shots, on the source pad's own thread.
extension SceneExtend {
  /// What an extension needs to know of the stream before it.
  private struct Beginning {
    var run: Run
    var line: PictureLine
    var work: GenerationWork
    var asked: Asked?
    /// nil if there is nothing to go on with.
    var info: VideoInfo?
    /// What leaves before it.
    var events: [UnsafeMutablePointer<GstEvent>]
  }

  private enum Reason {
    /// The thread has nothing more to do.
    case over
    /// Not yet.
    case none
    case beginning(Beginning)
  }

  /// One turn of the thread: waits for a reason to extend, and extends.
  func extendPicture() {
    state.changeQuietly { state in
      state.hasNews = false
      return false
    }
    guard let settings = handle.settings(of: SceneExtend.self) else { return }
    switch awaitReason(settings) {
    case .over: handle.pad(Lane.video.source)?.pauseTask()
    case .none: break
    case .beginning(let beginning):
      // They may have changed in the meantime.
      let settings = handle.settings(of: SceneExtend.self) ?? settings
      do {
        try extend(beginning, settings)
      } catch {
        warn("The extension ends: \((error as? ElementError)?.text ?? "\(error)")")
      }
      finish(beginning, settings)
    }
  }

  private func awaitReason(_ settings: Settings) -> Reason {
    let isPlaying = handle.gstElement.pointee.current_state == GST_STATE_PLAYING
    let watchesStall = settings.trigger.contains(.stall) && handle.isSourceLive
    // What the source says of itself, and states, may change while nothing else does.
    let deadline =
      state.wait(milliseconds: watchesStall ? 20 : 200) { state -> ClockTime?? in
        if state.isOver(.video) || state.hasNews || state.reason(isLive: true, stall: nil) != nil { return .some(nil) }
        return watchesStall && isPlaying ? state.stallTime(settings.stallTimeout).map { .some($0) } : nil
      } ?? nil
    // Frames that come meanwhile only make it later.
    let isTimed = deadline.map { wait(until: $0) { $0.isOver(.video) || $0.hasNews } != .untimed } ?? true
    let isLive = handle.isSourceLive
    let hasSound = handle.pad(Lane.sound.sink) != nil
    let now = now()
    // It waits for a frame that is just being pushed.
    return state.wait(milliseconds: 20) { state -> Reason? in
      if state.isOver(.video) { return .over }
      guard let work = state.work else { return nil }
      if !isPlaying { state.video.arrival = nil } else if state.video.arrival == nil { state.video.arrival = now }
      guard let kind = state.reason(isLive: isLive, stall: watchesStall && isPlaying ? (settings.stallTimeout, now) : nil) else {
        state.isPadWanted = false
        return isTimed ? Reason.none : nil
      }
      state.isPadWanted = state.isPushing[Lane.video.rawValue]
      guard !state.isPadWanted else { return nil }
      defer { if !state.waitsForCut { state.asked = nil } }
      let run = Run(kind: kind, start: state.video.front, isToEnd: state.isLast)
      state.run = run
      if case .insert = kind, hasSound { state.insertions.append(Insertion(start: run.start)) }
      if case .cover(untilBack: true) = kind { state.video.isStallCovered = true }
      return .beginning(
        Beginning(
          run: run, line: state.video, work: work, asked: state.waitsForCut ? nil : state.asked, info: state.video.info,
          events: state.takePending(.video)))
    } ?? .none
  }

  // MARK: One extension

  private func extend(_ beginning: Beginning, _ settings: Settings) throws {
    for event in beginning.events { push(event, .video) }
    guard let info = beginning.info else { return warn("The stream has ended before it had a format: there is nothing to go on with.") }
    if beginning.asked?.shots ?? Int(settings.shots) == 0 { return }
    let isLive = handle.isSourceLive
    let work = beginning.work
    let rate = info.frameRate ?? FrameTimes.usualRate
    let showing = try ShotShowing(
      element: self, info: info, line: beginning.line, isLive: isLive, painter: FramePainter(info, fit: settings.fit),
      times: FrameTimes(
        start: beginning.line.next ?? ClockTime(beginning.line.segment.start), numerator: rate.numerator, denominator: rate.denominator))
    // A shot that was made ahead is part of the plan that is set. It was made without the last frames: if no more is lost than a moment's
    // work it is made again.
    let isRenewed = !isLive && !settings.standby && work.producer.firstShotTime <= 500_000_000
    let fresh = beginning.asked != nil || !work.producer.isBegun || isRenewed ? (context(info), work.plan(settings, beginning.asked)) : nil
    state.change { state in
      if let (context, plan) = fresh { work.producer.begin(context, plan: plan) }
      if let more = state.run?.more { work.producer.change { $0 = more.added(to: $0) } }
      state.run?.isBegun = true
      state.run?.more = nil
    }
    handle.postDurationChanged()
    showing.openSegment()
    try showing.run(work, settings)
    work.producer.cancel()
  }

  func context(_ info: VideoInfo) -> SceneContext {
    let rate = info.frameRate ?? FrameTimes.usualRate
    return sampler.change { $0?.context(width: info.width, height: info.height, frameRate: rate) }
      ?? SceneContext(clips: [], album: ShotAlbum(), width: info.width, height: info.height, frameRate: rate)
  }

  func warn(_ text: String) { handle.postWarning(.stream(GST_STREAM_ERROR_FAILED, text)) }

  /// The source has its pad again, or the end is sent.
  private func finish(_ beginning: Beginning, _ settings: Settings) {
    let events = state.change { state -> [UnsafeMutablePointer<GstEvent>] in
      guard let run = state.run, !state.isStopping, !state.isFlushing[Lane.video.rawValue] else { return [] }
      if case .insert = run.kind { state.finishInsertion(run, after: beginning.line) }
      state.run = nil
      state.isBack = state.video.front > run.start
      var isLast = !settings.trigger.contains(.eos)
      if case .tail = run.kind { isLast = true }
      // Who takes no more frames still has to know of the end.
      switch state.flow[Lane.video.rawValue] {
      case GST_FLOW_OK: break
      case GST_FLOW_FLUSHING: return []
      default: isLast = true
      }
      // What was inserted just before the end is not the last word.
      guard isLast, let end = state.ends[Lane.video.rawValue] else { return [] }
      state.ends[Lane.video.rawValue] = nil
      state.isPictureOver = true
      state.isPushing[Lane.video.rawValue] = true
      return state.takePending(.video) + [end]
    }
    guard !events.isEmpty else { return }
    for event in events { push(event, .video) }
    state.change { $0.isPushing[Lane.video.rawValue] = false }
  }

  // MARK: Ahead of the end

  /// Begins to generate before the end, if that is known or a shot is always to be ready.
  func prepare(_ settings: Settings, atBoundary: Bool) {
    guard settings.standby || settings.trigger.contains(.eos) else { return }
    var known: (work: GenerationWork, info: VideoInfo, line: PictureLine)?
    state.changeQuietly { state in
      guard let work = state.work, work.model != nil, let info = state.video.info else { return false }
      known = (work, info, state.video)
      return false
    }
    guard let (work, info, line) = known else { return }
    // A shot that is being made is made to its end.
    guard !work.producer.isBegun || atBoundary && work.producer.isReady else { return }
    let isEndNear = { settings.shots != 0 && self.remaining(line).map { $0 <= settings.leadTime } ?? false }
    guard settings.standby || isEndNear() else { return }
    work.producer.begin(context(info), plan: work.plan(settings), keepsReady: true)
  }

  /// Nanoseconds to the stream's end, where that is known.
  private func remaining(_ line: PictureLine) -> ClockTime? {
    guard let next = line.next, let sink = handle.pad(Lane.video.sink) else { return nil }
    var segment = line.segment
    let position = gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, GstClockTime(next)).valid
    var duration: gint64 = -1
    guard let position, gst_pad_peer_query_duration(sink.gst, GST_FORMAT_TIME, &duration) != 0, duration > 0 else { return nil }
    let end = min(UInt64(duration), segment.stop == .max ? .max : ClockTime(segment.stop))
    return end - min(end, position)
  }
}

extension SceneExtend.State {
  /// Why an extension begins now, if one does.
  ///
  /// - Parameter stall: after what time, and what time it is; nil if nobody watches for stalls.
  fileprivate func reason(isLive: Bool, stall: (timeout: ClockTime, now: ClockTime)?) -> SceneExtend.Run.Kind? {
    guard !isPictureOver else { return nil }
    // What was asked for before the end comes before what follows the end.
    if asked != nil, !waitsForCut, video.frames > 0, isForward { return isLive ? .cover(untilBack: false) : .insert }
    if ends[Lane.video.rawValue] != nil { return .tail }
    guard let stall, let time = stallTime(stall.timeout), stall.now >= time else { return nil }
    return .cover(untilBack: true)
  }

  /// Running time by the clock at which the source will have stalled if no frame comes before; nil if that is not to be covered.
  fileprivate func stallTime(_ timeout: ClockTime) -> ClockTime? {
    guard video.frames > 0, isForward, !video.isStallCovered else { return nil }
    return video.arrival.map { $0 &+ timeout }
  }

  /// What follows inserted shots is later by them.
  ///
  /// - Parameter line: the picture's stream before them.
  fileprivate mutating func finishInsertion(_ run: SceneExtend.Run, after line: SceneExtend.PictureLine) {
    let lane = Lane.video.rawValue
    let length = video.front - min(video.front, run.start)
    if let last = insertions.indices.last, insertions[last].length == nil { insertions[last].length = length }
    guard length > 0 else { return }
    video.inserted &+= length
    let isNew = pending[lane].contains { $0.pointee.type == GST_EVENT_SEGMENT }
    // A segment that came meanwhile was moved by the insertions before.
    pending[lane] = pending[lane].map { $0.pointee.type == GST_EVENT_SEGMENT ? shifted($0, by: length) : $0 }
    // Times go on where the source's have stopped.
    video.next = isNew ? nil : line.next
    var segment = video.shifted
    if !isNew, let event = gst_event_new_segment(&segment) { pending[lane].insert(event, at: 0) }
  }
}
