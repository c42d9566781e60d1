import CGStreamer
import GStreamerKit
import Pixels
import Shots
import Threads
import Timing

/// Removes fades, dissolves and wipes that an upstream `shotdetect` marked: what is left are hard cuts.
///
/// - `mode=hold` keeps every time stamp and shows the last clean frame of the old shot, then the first clean one of the
///   new; `mode=cut` takes the frames out, with the sound beside them; `mode=restore` undoes fades to and from black and
///   white, and holds the rest.
/// - Frames outside of transitions pass untouched, without a copy; with `mode=cut` they are earlier by what was taken out.
/// - Latency: `look-ahead`, and with `mode=cut` all that was taken out so far: a live stream cannot run ahead of its
///   source, so the picture stands for as long as the transition lasted.
/// - Boundaries of transitions pass on as cuts at their new place, key-frame requests for them too; others as they are.
/// - The pads `audio_sink` and `audio_src` are for the sound. Both pads then push from threads of their own, so that a
///   muxer behind them never waits for itself.
/// - Memory: the frames of `look-ahead`, and half a second more if there is sound, at the size of a frame; and
///   `look-ahead` + 20 s of raw sound at most.
/// - Example: `filesrc location=a.mp4 ! decodebin ! videoconvert ! shotdetect detector=fused align=true ! defade ! autovideosink`
final class Defade: PadElement {
  static let description = ElementDescription(
    factory: "defade", typeName: "GstDefade", longName: "Fade remover", klass: "Filter/Effect/Video",
    summary: "Removes or repairs the frames of fades, dissolves and wipes that shotdetect marked, with their sound",
    author: "gst-shots contributors",
    pads: StreamLane.soundAndVideo)

  struct Settings: Defaultable {
    var mode = Mode.hold
    var kinds: Set<Kind> = Set(Kind.allCases)
    var margin: UInt32 = 2
    var lookAhead = ClockTime.milliseconds(3000)
    var maxGain = 8.0

    /// How much sound may wait for the video, which a detector and this element hold back.
    var soundCapacity: ClockTime { lookAhead &+ ClockTime.milliseconds(20_000) }
  }

  struct Readings: Defaultable, Equatable {
    var transitions: UInt64 = 0
    var removed: UInt64 = 0
    var replaced: UInt64 = 0
    var restored: UInt64 = 0
  }

  static let properties: [Property<Defade>] = [
    .enumeration("mode", \.mode, "What becomes of the frames of a transition", changeable: .ready),
    .flags("kinds", \.kinds, "Which transitions are treated", changeable: .ready),
    .uint(
      "margin", \.margin, "Frames by which a transition is taken to be longer on each side than the detector says", 0...100,
      changeable: .ready),
    .clockTime(
      "look-ahead", \.lookAhead,
      "How long frames are held, in nanoseconds: what a transition has before its boundary, and what its second half has, must fit into it",
      ClockTime.milliseconds(100)...ClockTime.milliseconds(60_000), changeable: .ready),
    .double("max-gain", \.maxGain, "restore: how much a frame is amplified at most; darker ones are replaced", 1...64, changeable: .ready),
    .counter("transitions", \.transitions, "Transitions treated so far"),
    .counter("frames-removed", \.removed, "Frames taken out so far"),
    .counter("frames-replaced", \.replaced, "Frames replaced by a neighbour's picture so far"),
    .counter("frames-restored", \.restored, "Frames whose fade was undone so far"),
  ]

  /// What the streaming threads share.
  private struct State {
    var video: VideoRepair
    var sound: SoundRepair
    var isFlushing = [false, false]
    var flow = [GST_FLOW_OK, GST_FLOW_OK]
    /// Whether the lane pushes from a thread of its own.
    var isDecoupled = [false, true]
    var isStopping = false
    var hasWarned = false

    init(_ settings: Settings) {
      video = VideoRepair(settings)
      sound = SoundRepair(settings)
    }

    func isOver(_ lane: Lane) -> Bool { isStopping || isFlushing[lane.rawValue] || flow[lane.rawValue] != GST_FLOW_OK }

    func isFull(_ lane: Lane) -> Bool { lane == .video ? isDecoupled[0] && video.isFull : sound.isFull }

    /// Grows with everything that a lane takes from its queue.
    func steps(_ lane: Lane) -> UInt64 { lane == .video ? video.steps : sound.steps }

    /// What a chain function returns when it can take nothing.
    func refusal(_ lane: Lane) -> GstFlowReturn { isStopping || isFlushing[lane.rawValue] ? GST_FLOW_FLUSHING : flow[lane.rawValue] }

    /// What leaves next; nil if it has to wait.
    mutating func next(_ lane: Lane, soundWaits: Bool) -> Result<Departure, any Error>? {
      guard lane == .video else { return sound.next(decided: soundWaits ? video.decided : .max).map { .success($0) } }
      defer {
        for stretch in video.stretches { sound.cut(stretch) }
        video.stretches.removeAll()
      }
      do { return try video.next().map { .success($0) } } catch { return .failure(error) }
    }

    mutating func reset(_ lane: Lane) {
      if lane == .video { video.reset() } else { sound.reset() }
      flow[lane.rawValue] = GST_FLOW_OK
    }
  }

  private let handle: ElementHandle
  /// The only lock. Never held while anything is pushed, posted or asked.
  private let state = Monitor(State(Settings()))

  init(_ handle: ElementHandle) { self.handle = handle }

  // MARK: Life

  func start(_ settings: Settings) throws {
    state.change { $0 = State(settings) }
    handle.publish(Readings(), of: Defade.self)
  }

  func interrupt() { state.change { $0.isStopping = true } }

  func stop() {
    for lane in Lane.allCases { handle.pad(lane.source)?.stopTask() }
    state.change { state in for lane in Lane.allCases { state.reset(lane) } }
  }

  func removed(_ pad: Pad) {
    let lane = Lane(pad)
    state.change { $0.isFlushing[lane.rawValue] = true }
    if !pad.isSink { pad.stopTask() }
    state.change { state in
      state.reset(lane)
      state.isFlushing[lane.rawValue] = false
    }
  }

  // MARK: In

  func chain(_ buffer: consuming Buffer, on pad: Pad, _ settings: Settings) throws -> GstFlowReturn {
    guard let buffer = buffer.release() else { return GST_FLOW_ERROR }
    let lane = Lane(pad)
    let refusal: GstFlowReturn? = state.wait { state in
      if state.isOver(lane) { return .some(state.refusal(lane)) }
      return state.isFull(lane) ? nil : .some(nil)
    }
    if let refusal {
      gst_buffer_unref(buffer)
      return refusal
    }
    state.change { state in
      if lane == .video { state.video.append(buffer) } else { state.sound.append(buffer) }
    }
    return try pump(lane)
  }

  func receive(_ event: consuming Event, on pad: Pad, _ settings: Settings) -> Bool {
    guard pad.isSink else { return handle.forward(event, from: pad) }
    let lane = Lane(pad)
    let source = handle.pad(lane.source)
    switch event.type {
    case GST_EVENT_FLUSH_START:
      state.change { $0.isFlushing[lane.rawValue] = true }
      let taken = handle.forward(event, from: pad)
      source?.pauseTask()
      return taken
    case GST_EVENT_FLUSH_STOP:
      state.change { $0.reset(lane) }
      let taken = handle.forward(event, from: pad)
      state.change { $0.isFlushing[lane.rawValue] = false }
      startTask(lane)
      return taken
    default: break
    }
    guard event.isSerialized else { return handle.forward(event, from: pad) }
    guard let pointer = event.release() else { return false }
    let type = pointer.pointee.type
    if type == GST_EVENT_STREAM_START {
      if lane == .video, handle.pad(Lane.sound.sink) != nil { state.change { $0.isDecoupled[lane.rawValue] = true } }
      startTask(lane)
    }
    if type == GST_EVENT_CAPS, lane == .video { askForMarks(pad) }
    let refusal: GstFlowReturn? = state.change { state in
      if state.isOver(lane) { return state.refusal(lane) }
      if lane == .video { state.video.append(pointer) } else { state.sound.append(pointer) }
      return nil
    }
    if let refusal {
      gst_event_unref(pointer)
      // Nobody upstream looks at what became of the last buffers.
      if type == GST_EVENT_EOS, refusal.rawValue < GST_FLOW_EOS.rawValue || refusal == GST_FLOW_NOT_LINKED {
        handle.post(.stream(GST_STREAM_ERROR_FAILED, "The stream cannot go on: \(String(cString: gst_flow_get_name(refusal)))."))
      }
      return false
    }
    do {
      return try pump(lane) == GST_FLOW_OK
    } catch {
      handle.post(error as? ElementError ?? .stream(GST_STREAM_ERROR_FAILED, "\(error)"))
      return false
    }
  }

  /// Asks shotdetect for marks; says so when there is none.
  private func askForMarks(_ pad: Pad) {
    guard let request = Structure(Marks.request).makeGstStructure() else { return }
    if gst_pad_push_event(pad.gst, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, request)) == 0 {
      handle.postWarning(
        .stream(
          GST_STREAM_ERROR_FAILED,
          """
          No shotdetect with attach-meta=true upstream answers: no transition will be removed. Put \"shotdetect \
          detector=fused align=true\" before this element.
          """
        ))
    }
  }

  // MARK: Out

  /// What one turn of a lane has come to.
  private enum Turn {
    case over, nothing, departure(Departure)
  }

  /// Pushes what may leave, unless a thread does.
  private func pump(_ lane: Lane) throws -> GstFlowReturn {
    if state.change({ $0.isDecoupled[lane.rawValue] }) { return GST_FLOW_OK }
    while case .departure(let departure) = try turn(lane, waits: false) {
      let flow = push(departure, lane)
      if flow != GST_FLOW_OK { return flow }
    }
    return GST_FLOW_OK
  }

  private func startTask(_ lane: Lane) {
    guard state.change({ $0.isDecoupled[lane.rawValue] }) else { return }
    // Stopped before the element goes.
    handle.pad(lane.source)?.startTask { [unowned self] in
      do {
        switch try turn(lane, waits: true) {
        case .over: handle.pad(lane.source)?.pauseTask()
        case .nothing: break
        case .departure(let departure):
          let flow = push(departure, lane)
          if flow != GST_FLOW_OK { state.change { $0.flow[lane.rawValue] = flow } }
        }
      } catch {
        handle.post(error as? ElementError ?? .stream(GST_STREAM_ERROR_FAILED, "\(error)"))
        state.change { $0.flow[lane.rawValue] = GST_FLOW_ERROR }
      }
    }
  }

  /// Takes what leaves next, and tells what changed by it.
  ///
  /// - Parameter waits: until something leaves, or at least the lane has moved.
  private func turn(_ lane: Lane, waits: Bool) throws -> Turn {
    let hasVideo = handle.pad(Lane.video.sink).map { gst_pad_is_linked($0.gst) != 0 } ?? false
    var readings: Readings?
    var (isLonger, lateness) = (false, ClockTime?.none)
    let turn: Result<Turn, any Error> = state.wait { state in
      if state.isOver(lane) { return .success(.over) }
      let (before, removed, steps) = (state.video.readings, state.video.removed, state.steps(lane))
      let next = state.next(lane, soundWaits: hasVideo)
      if state.video.readings != before { readings = state.video.readings }
      isLonger = state.video.removed != removed
      if !state.hasWarned, let late = state.video.lateness { (lateness, state.hasWarned) = (late, true) }
      if let next { return next.map { .departure($0) } }
      // What was taken out makes room, and decides on sound, though nothing leaves: others wait for that.
      return waits && state.steps(lane) == steps ? nil : .success(.nothing)
    }
    state.change { _ in }
    if let readings { handle.publish(readings, of: Defade.self) }
    if isLonger { handle.postLatencyChanged() }
    if let lateness {
      handle.postWarning(
        .stream(
          GST_STREAM_ERROR_FAILED,
          """
          A transition was known \(lateness / 1_000_000) ms too late to be treated from its beginning. Set \
          shotdetect's align=true, or more look-ahead.
          """
        ))
    }
    return try turn.get()
  }

  private func push(_ departure: Departure, _ lane: Lane) -> GstFlowReturn {
    guard let pad = handle.pad(lane.source) else {
      departure.release()
      return GST_FLOW_NOT_LINKED
    }
    switch departure {
    case .buffer(let buffer): return gst_pad_push(pad.gst, buffer)
    case .event(let event):
      gst_pad_push_event(pad.gst, event)
      return GST_FLOW_OK
    }
  }

  // MARK: Queries

  func answer(_ query: Query, on pad: Pad, _ settings: Settings) -> Bool? {
    switch query.type {
    case GST_QUERY_DRAIN where Lane(pad) == .video && pad.isSink:
      state.change { $0.video.drain() }
      _ = try? pump(.video)
      return nil
    case GST_QUERY_LATENCY where Lane(pad) == .sound && !pad.isSink: return answerSoundLatency(query, settings)
    default: return nil
    }
  }

  /// Sound that is cut waits for the video; else it only can wait here.
  private func answerSoundLatency(_ query: Query, _ settings: Settings) -> Bool {
    guard handle.pad(Lane.sound.sink)?.passToPeer(query) == true else { return false }
    var latency = query.latency
    if settings.mode == .cut {
      if let video = handle.pad(Lane.video.sink)?.peerLatency {
        latency.least = max(latency.least, video.least)
        if video.isLive { latency.isLive = true }
      }
      latency.least = latency.least.saturating(adding: self.latency(settings))
    }
    latency.most = latency.most.map { max($0.saturating(adding: settings.soundCapacity), latency.least) }
    query.answerLatency(latency)
    return true
  }

  func latency(_ settings: Settings) -> ClockTime {
    settings.mode == .cut ? settings.lookAhead &+ state.change { $0.video.removed } : settings.lookAhead
  }

  func heldBuffers(_ settings: Settings) -> UInt32 {
    let span = settings.lookAhead &+ VideoRepair.slack
    // A pool allocates its minimum at once: beyond this it must not ask for all memory there is.
    return UInt32(clamping: min(span / max(1, state.change { $0.video.frameDuration }) + 1, 256))
  }
}
