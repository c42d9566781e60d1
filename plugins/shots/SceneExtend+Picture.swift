import CGStreamer
import Extension
import GStreamerKit
import Shots

/// Generated shots, on the source pad's own thread.
extension SceneExtend {
  /// What an extension needs to know of the stream before it.
  private struct Beginning {
    var run: Run
    var line: PictureLine
    var work: GenerationWork
    var asked: Asked?
    /// Not nil if there is nothing to go on with.
    var info: VideoInfo?
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
    guard let settings = handle.settings(of: SceneExtend.self) else { return }
    switch awaitReason(settings) {
    case .over: handle.pad(Lane.video.source)?.pauseTask()
    case .none: break
    case .beginning(let beginning):
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
    let isLive = handle.isSourceLive
    let watchesStall = isLive && settings.trigger.contains(.stall)
    // Settings, and what the source says of itself, may change while nothing else does.
    return state.wait(milliseconds: watchesStall ? 20 : 200) { state -> Reason? in
      if state.isOver(.video) { return .over }
      guard let work = state.work else { return nil }
      if !isPlaying { state.video.arrival = monotonicTime() }
      var run: Run?
      if state.ends[Lane.video.rawValue] != nil, !state.isPictureOver {
        run = Run(kind: .tail, start: state.video.front)
      } else if state.asked != nil, !state.waitsForCut, state.video.frames > 0 {
        run = Run(kind: isLive ? .cover(untilBack: false) : .insert, start: state.video.front)
      } else if watchesStall, isPlaying, state.video.frames > 0, state.video.segment.rate > 0,
        monotonicTime() >= state.video.arrival &+ settings.stallTimeout
      {
        run = Run(kind: .cover(untilBack: true), start: state.video.front)
      }
      state.isPadWanted = run != nil
      guard let run, !state.isPushing[Lane.video.rawValue] else { return nil }
      defer { if !state.waitsForCut { state.asked = nil } }
      state.isPadWanted = false
      state.run = run
      if case .insert = run.kind { state.insertStart = run.start }
      return .beginning(Beginning(run: run, line: state.video, work: work, asked: state.waitsForCut ? nil : state.asked, info: state.video.info))
    } ?? .none
  }

  // MARK: One extension

  private func extend(_ beginning: Beginning, _ settings: Settings) throws {
    guard let info = beginning.info else { return warn("The stream has ended before it had a format: there is nothing to go on with.") }
    if beginning.asked?.shots ?? Int(settings.shots) == 0 { return }
    let isLive = handle.isSourceLive
    let work = beginning.work
    let rate = info.frameRate ?? FrameTimes.usualRate
    let showing = try ShotShowing(
      element: self, info: info, line: beginning.line, isLive: isLive, painter: FramePainter(info, fit: settings.fit),
      times: FrameTimes(start: beginning.line.next ?? ClockTime(beginning.line.segment.start), numerator: rate.numerator, denominator: rate.denominator))
    // A shot that was made ahead is part of the plan that is set.
    if beginning.asked != nil || !work.producer.isBegun {
      work.producer.change { $0 = work.plan(settings, beginning.asked) }
      work.producer.begin(context(info))
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
      guard let run = state.run, !state.isOver(.video) else { return [] }
      if case .insert = run.kind, state.video.front > run.start {
        state.video.inserted &+= state.video.front - run.start
        var segment = state.video.shifted
        if let event = gst_event_new_segment(&segment) { state.pending[Lane.video.rawValue].insert(event, at: 0) }
      }
      state.run = nil
      state.isBack = state.video.front > run.start
      var isLast = !settings.trigger.contains(.eos)
      if case .tail = run.kind { isLast = true }
      // What was inserted just before the end is not the last word.
      guard isLast, let end = state.ends[Lane.video.rawValue] else { return [] }
      state.ends[Lane.video.rawValue] = nil
      state.isPictureOver = true
      defer { state.pending[Lane.video.rawValue].removeAll() }
      return state.pending[Lane.video.rawValue] + [end]
    }
    for event in events { push(event, .video) }
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
    if settings.standby {
      // A shot that is being made is made to its end.
      guard !work.producer.isBegun || atBoundary && work.producer.isReady else { return }
      work.producer.change { $0 = work.plan(settings) }
      work.producer.begin(context(info), keepsReady: true)
    } else if !work.producer.isBegun, settings.shots != 0, let left = remaining(line), left <= settings.leadTime {
      work.producer.change { $0 = work.plan(settings) }
      work.producer.begin(context(info))
    }
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
