import CGStreamer
import Extension
import GStreamerKit
import Shots
import Timing

/// The sound beside the picture.
extension SceneExtend {
  // MARK: In

  /// - Parameter buffer: taken.
  func passSound(_ buffer: UnsafeMutablePointer<GstBuffer>, _ settings: Settings) -> GstFlowReturn {
    var buffer = buffer
    let now = now()
    let arrive = { (state: inout State) -> SoundArrival? in
      if state.isOver(.sound) { return .refused(state.refusal(.sound)) }
      return state.arriveSound(buffer, at: now, keeps: settings.audio)
    }
    // If it has to wait, the pad's own thread has to know.
    let arrival = state.change(arrive) ?? state.wait(arrive)
    switch arrival {
    case .refused(let flow):
      gst_buffer_unref(buffer)
      return flow
    case .dropped:
      gst_buffer_unref(buffer)
      return GST_FLOW_OK
    case .passes(let events, let skipped):
      defer { pushed(.sound) }
      for event in events { push(event, .sound) }
      if skipped > 0 { buffer = Self.without(skipped, of: buffer, state.change { $0.sound.info }) }
      guard let pad = handle.pad(Lane.sound.source) else {
        gst_buffer_unref(buffer)
        return GST_FLOW_NOT_LINKED
      }
      return gst_pad_push(pad.gst, buffer)
    }
  }

  /// A buffer without its first samples.
  private static func without(_ samples: Int, of buffer: UnsafeMutablePointer<GstBuffer>, _ info: AudioInfo?) -> UnsafeMutablePointer<
    GstBuffer
  > {
    guard let info else { return buffer }
    let size = gst_buffer_get_size(buffer), skipped = gsize(samples * info.bytesPerFrame)
    guard skipped < size, let part = gst_buffer_copy_region(buffer, cgst_buffer_copy_all(), skipped, size - skipped) else { return buffer }
    let time = info.time(of: Int64(samples))
    if let pts = buffer.pointee.pts.valid { part.pointee.pts = GstClockTime(pts &+ time) }
    if let duration = buffer.pointee.duration.valid { part.pointee.duration = GstClockTime(duration - min(duration, time)) }
    gst_buffer_unref(buffer)
    return part
  }

  enum SoundArrival {
    /// Events to push before it, and how many samples of it have been made already.
    case passes([UnsafeMutablePointer<GstEvent>], skipped: Int)
    case dropped
    case refused(GstFlowReturn)
  }

  // MARK: Out

  /// One piece of generated sound.
  private enum Piece {
    /// The thread has nothing more to do.
    case over
    case event(UnsafeMutablePointer<GstEvent>)
    /// Samples from this time stamp on.
    case samples(AudioInfo, count: Int, at: ClockTime, isFirst: Bool, recent: [UInt8])
    case gap(ClockTime, duration: ClockTime)
    /// Only that others look again.
    case none
  }

  /// One turn of the sound's thread.
  func extendSound() {
    guard let settings = handle.settings(of: SceneExtend.self) else { return }
    let piece = state.wait { state -> Piece? in
      if state.isOver(.sound) { return .over }
      guard !state.isPushing[Lane.sound.rawValue] else { return nil }
      return state.nextSound(settings).map { piece in
        switch piece {
        case .event(let event): .event(event)
        case .samples(let count, let time, let isFirst):
          state.sound.info.map { .samples($0, count: count, at: time, isFirst: isFirst, recent: isFirst ? state.sound.recent : []) }
            ?? .over
        case .gap(let time, let duration): .gap(time, duration: duration)
        case .none: .none
        }
      }
    }
    switch piece {
    case .over:
      // Who takes no more sound still has to know of the end.
      if let end = state.change({ $0.takeRefusedSound() }) { push(end, .sound) }
      handle.pad(Lane.sound.source)?.pauseTask()
    case .none: state.change { _ in }
    case .event(let event):
      let isEnd = event.pointee.type == GST_EVENT_EOS
      push(event, .sound)
      if isEnd { state.change { $0.isPushing[Lane.sound.rawValue] = false } }
    case .gap(let time, let duration):
      if let event = gst_event_new_gap(GstClockTime(time), GstClockTime(duration)) { push(event, .sound) }
    case .samples(let info, let count, let time, let isFirst, let recent):
      if isFirst || state.change({ $0.continuation == nil }) {
        let before = recent.withUnsafeBytes { info.numbers(in: $0) }
        let made = SoundContinuation(settings.audio == .loop ? .loop : .silence, after: before, channels: info.channels, rate: info.rate)
        state.change { $0.continuation = made }
      }
      let numbers = state.change { $0.continuation?.next(count) ?? [] }
      let bytes = info.bytes(of: numbers)
      guard !bytes.isEmpty, let buffer = gst_buffer_new_allocate(nil, gsize(bytes.count), nil), let pad = handle.pad(Lane.sound.source)
      else { return }
      gst_buffer_fill(buffer, 0, bytes, gsize(bytes.count))
      buffer.pointee.pts = GstClockTime(time)
      buffer.pointee.duration = GstClockTime(info.time(of: Int64(count)))
      let flow = gst_pad_push(pad.gst, buffer)
      if flow != GST_FLOW_OK { state.change { $0.flow[Lane.sound.rawValue] = flow } }
    }
  }
}

extension SceneExtend.State {
  enum SoundPiece {
    case event(UnsafeMutablePointer<GstEvent>)
    case samples(Int, at: ClockTime, isFirst: Bool)
    case gap(ClockTime, duration: ClockTime)
    case none
  }

  /// Samples come; nil if they have to wait.
  ///
  /// - Parameter now: running time by the clock.
  mutating func arriveSound(
    _ buffer: UnsafeMutablePointer<GstBuffer>, at now: ClockTime, keeps: SceneExtend.Sound
  ) -> SceneExtend.SoundArrival? {
    if ends[Lane.sound.rawValue] != nil || isSoundOver { return .refused(GST_FLOW_EOS) }
    let time = buffer.pointee.pts.valid
    let running = time.flatMap { sound.shifted.runningTime(GstClockTime($0)) }
    var skipped = 0
    if let running {
      if let insertion = insertions.first, running >= insertion.start {
        // Inserted shots have sound of their own; this comes after it.
        if sound.insertion == nil { sound.insertion = sound.front ?? running }
        sound.isWaiting = true
        return nil
      }
      if case .cover(untilBack: false)? = run?.kind, running >= run?.start ?? 0 {
        sound.isCovered = true
        return .dropped
      }
      if sound.isCovered, let front = sound.front, let info = sound.info {
        let count = Int(gst_buffer_get_size(buffer)) / info.bytesPerFrame
        if running < front { skipped = Int(info.samples(in: front - running)) }
        if skipped >= count { return .dropped }
        sound.isCovered = false
      }
    }
    sound.isWaiting = false
    (sound.arrival, sound.generatedEnd) = (now, nil)
    isPushing[Lane.sound.rawValue] = true
    continuation = nil
    remember(buffer, keeps)
    if let time {
      let duration =
        buffer.pointee.duration.valid ?? sound.info.map { $0.time(of: Int64(Int(gst_buffer_get_size(buffer)) / $0.bytesPerFrame)) } ?? 0
      sound.next = time &+ duration
    }
    defer { pending[Lane.sound.rawValue].removeAll() }
    return .passes(pending[Lane.sound.rawValue], skipped: skipped)
  }

  /// Keeps the end of what passes.
  private mutating func remember(_ buffer: UnsafeMutablePointer<GstBuffer>, _ keeps: SceneExtend.Sound) {
    guard keeps != .gap, let info = sound.info else { return }
    let seconds = keeps == .loop ? 10.0 : SoundContinuation.fade
    let most = max(1, Int(Double(info.rate) * seconds)) * info.bytesPerFrame
    let size = Int(gst_buffer_get_size(buffer)) / info.bytesPerFrame * info.bytesPerFrame
    let taken = min(size, most)
    guard taken > 0 else { return }
    let before = sound.recent.count
    sound.recent.append(contentsOf: repeatElement(0, count: taken))
    sound.recent.withUnsafeMutableBytes { bytes in
      _ = gst_buffer_extract(buffer, gsize(size - taken), bytes.baseAddress.map { $0 + before }, gsize(taken))
    }
    // Seldom, so that the rest need not be moved for each buffer.
    if sound.recent.count > 2 * most { sound.recent.removeFirst(sound.recent.count - most) }
  }

  /// The next piece of generated sound; nil if there is none now.
  mutating func nextSound(_ settings: SceneExtend.Settings) -> SoundPiece? {
    let lane = Lane.sound.rawValue
    let frame = video.frameDuration
    // Where sound may go up to, in running time.
    var limit: ClockTime?
    var isWhole = isPictureOver
    // How much later it is than the shots that it is for.
    var late: ClockTime?
    if ends[lane] != nil {
      if isPictureOver {
        limit = video.front
      } else if isLastRun(settings) {
        let reach = reach(settings)
        (limit, isWhole) = (max(reach.known, video.front &+ (reach.isAll ? 0 : frame)), reach.isAll)
        late = 0
      } else {
        // The source, or what follows its end, goes on behind what is inserted.
        limit = video.front &+ (isLast ? frame : Self.mostAhead)
      }
    } else if let start = sound.insertion, let insertion = insertions.first {
      let reach = reach(settings)
      let known = insertion.length ?? reach.known - min(reach.known, insertion.start)
      let inserted = max(known, insertion.length == nil ? video.front - min(video.front, insertion.start) : 0)
      limit = start &+ inserted
      late = start - min(start, insertion.start)
      if insertion.length != nil || reach.isAll, sound.front ?? start >= limit ?? 0 {
        // All of it is there: what waited goes on, later by that.
        if insertion.length == nil { run?.settledEnd = insertion.start &+ inserted }
        sound.inserted &+= inserted
        insertions.removeFirst()
        sound.insertion = nil
        sound.isWaiting = false
        var segment = sound.shifted
        if let event = gst_event_new_segment(&segment) { pending[lane].insert(event, at: 0) }
        // The times that follow are the source's again.
        if let info = sound.info { sound.next = sound.next.map { $0 - min($0, inserted) } ?? info.time(of: 0) }
        (continuation, sound.generatedEnd) = (nil, nil)
        return SoundPiece.none
      }
    } else if case .cover(let untilBack)? = run?.kind {
      let isSilent = !untilBack || video.departure >= sound.arrival &+ settings.stallTimeout
      if isSilent {
        limit = video.front &+ frame
        sound.isCovered = true
      }
    }
    guard let limit else { return nil }
    // A segment that is closed would cut generated sound off.
    if sound.segment.stop != .max {
      sound.segment.stop = .max
      sound.segment.duration = .max
      var open = sound.shifted
      if let event = gst_event_new_segment(&open) { return .event(event) }
    }
    let start = sound.next ?? ClockTime(sound.segment.start)
    let front = sound.shifted.runningTime(GstClockTime(start)) ?? sound.front ?? 0
    guard front < limit else { return isWhole ? ended() : nil }
    let left = limit - front
    guard settings.audio != .gap, let info = sound.info else {
      // Without samples, or a format for them.
      let duration = min(left, frame)
      sound.next = start &+ duration
      sound.generatedEnd = late.flatMap { late in sound.front.map { $0 - min($0, late) } }
      return .gap(start, duration: duration)
    }
    // Short enough that a muxer always finds some behind the picture that it waits for.
    let most = max(1, Int(info.samples(in: min(frame / 2, 20_000_000))))
    let count = min(most, Int(clamping: info.samples(in: left)))
    guard count > 0 else { return isWhole ? ended() : nil }
    if continuation == nil {
      generated = (start, 0)
      keepLastShot(info)
    }
    let isFirst = continuation == nil
    let time = generated.start &+ info.time(of: generated.count)
    generated.count += Int64(count)
    sound.next = generated.start &+ info.time(of: generated.count)
    sound.generatedEnd = late.flatMap { late in sound.front.map { $0 - min($0, late) } }
    return .samples(count, at: time, isFirst: isFirst)
  }

  /// How far the picture will go for certain, half a second beyond what it has shown at most, in running time; and whether that is
  /// all of it.
  ///
  /// Muxers take some of each stream in turns and wait for it, mp4mux a quarter of a second: sound that waited for the picture
  /// frame by frame would wait for ever. For the same reason it ends when the picture's end is known, not when it is there.
  private func reach(_ settings: SceneExtend.Settings) -> (known: ClockTime, isAll: Bool) {
    let most = video.front &+ Self.mostAhead
    // Generated shots will follow what passes.
    guard let run else { return (settings.shots == 0 ? video.front : most, false) }
    guard let planned = video.planned, let work else { return (video.front, false) }
    var following = work.producer.following
    if run.isToEnd {
      // Into which shot it has gone already, that one is shown too.
      let beyond = (sound.generatedEnd ?? 0) - min(sound.generatedEnd ?? 0, planned &+ video.frameDuration)
      following = (work.producer.following(lasting: beyond), true)
    }
    let end = max(planned &+ following.ready, video.front)
    // Where the source goes on, its sound has to be in its place to the frame; durations of shots that are to come are not.
    var isExact = following.ready == 0
    if case .tail = run.kind { isExact = true }
    return (min(end, most), isExact && following.isAll && end <= most)
  }

  /// By how much sound runs ahead of the picture at most.
  private static let mostAhead: ClockTime = 500_000_000

  /// Whether nothing follows the shots that are shown, or are to be.
  private func isLastRun(_ settings: SceneExtend.Settings) -> Bool {
    guard let run else { return true }
    if case .tail = run.kind { return true }
    return ends[Lane.video.rawValue] != nil && !settings.trigger.contains(.eos)
  }

  /// The end of the stream, when it is time for it.
  private mutating func ended() -> SoundPiece? {
    let lane = Lane.sound.rawValue
    guard let end = ends[lane] else { return nil }
    ends[lane] = nil
    isSoundOver = true
    run?.settledEnd = sound.generatedEnd ?? video.front
    isPushing[lane] = true
    return .event(end)
  }

  /// The end of sound that downstream takes no more of.
  mutating func takeRefusedSound() -> UnsafeMutablePointer<GstEvent>? {
    let lane = Lane.sound.rawValue
    guard !isStopping, !isFlushing[lane], flow[lane] != GST_FLOW_OK, flow[lane] != GST_FLOW_FLUSHING, let end = ends[lane] else {
      return nil
    }
    ends[lane] = nil
    isSoundOver = true
    return end
  }

  /// The stream ends though its source does not.
  mutating func endEarly() {
    run?.kind = .tail
    for lane in Lane.allCases where ends[lane.rawValue] == nil && (lane == .video || sound.info != nil && !isSoundOver) {
      ends[lane.rawValue] = gst_event_new_eos()
    }
  }

  /// A loop is of the last shot's sound, unless that is hardly any.
  private mutating func keepLastShot(_ info: AudioInfo) {
    guard let front = sound.front, front > video.shotStart else { return }
    let samples = min(max(info.samples(in: front - video.shotStart), info.samples(in: 1_000_000_000)), info.samples(in: 10_000_000_000))
    let bytes = Int(clamping: samples) &* info.bytesPerFrame
    if bytes < sound.recent.count { sound.recent.removeFirst(sound.recent.count - bytes) }
  }
}
