import CGStreamer
import GStreamerKit
import Shots
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
final class Defade: LanedElement {
  static let description = ElementDescription(
    factory: "defade", typeName: "GstDefade", longName: "Fade remover", klass: "Filter/Effect/Video",
    summary: "Removes or repairs the frames of fades, dissolves and wipes that shotdetect marked, with their sound",
    author: "gst-shots contributors",
    pads: StreamLane.soundAndVideo)

  struct Settings: Defaultable {
    var mode = RepairMode.hold
    var kinds: Set<Kind> = Set(Kind.allCases)
    var margin: UInt32 = 2
    var lookAhead = ClockTime.milliseconds(3000)
    var maxGain = 8.0

    /// How much sound may wait for the video, which a detector and this element hold back.
    var soundCapacity: ClockTime { lookAhead.saturating(adding: .milliseconds(20_000)) }
  }

  typealias Readings = RepairCounts

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

  static let debug = DebugCategory("defade", "Fade removal")

  let handle: ElementHandle
  let lanes = Lanes(State(Settings()))

  init(_ handle: ElementHandle) { self.handle = handle }

  /// What the streaming threads share.
  struct State {
    var video: PictureLane
    var sound: SoundLane
    /// Whether the video leaves by a thread of its own, as the sound does.
    var isDecoupled = false
    var hasWarned = false

    init(_ settings: Settings) {
      video = PictureLane(settings)
      sound = SoundLane(settings)
    }

    func isFull(_ lane: StreamLane) -> Bool { lane == .video ? isDecoupled && video.repair.isFull : sound.isFull }

    /// Grows with everything that a lane takes from its queue.
    func steps(_ lane: StreamLane) -> UInt64 { lane == .video ? video.repair.steps : sound.steps }

    /// What leaves next; nil if it has to wait.
    mutating func next(_ lane: StreamLane, soundWaits: Bool) -> Result<Departure, any Error>? {
      guard lane == .video else { return sound.next(decided: soundWaits ? video.repair.decided : .max).map { .success($0) } }
      do { return try video.next(cutting: &sound).map { .success($0) } } catch { return .failure(error) }
    }
  }

  // MARK: Life

  func begin(_ settings: Settings) throws -> State {
    handle.publish(Readings(), of: Defade.self)
    return State(settings)
  }

  func reset(_ lane: StreamLane, _ machine: inout State) { if lane == .video { machine.video.reset() } else { machine.sound.reset() } }

  func streamBegins(_ lane: StreamLane, _ settings: Settings) {
    if lane == .video, handle.pad(StreamLane.sound.sink) != nil { lanes.change { $0.machine.isDecoupled = true } }
  }

  func hasThread(_ lane: StreamLane) -> Bool { lane == .sound || lanes.change { $0.machine.isDecoupled } }

  // MARK: In

  func arrive(_ buffer: consuming Buffer, _ lane: StreamLane, _ settings: Settings) throws -> GstFlowReturn {
    let refusal: GstFlowReturn? = lanes.wait { state in
      if state.isOver(lane) { return .some(state.refusal(lane)) }
      return state.machine.isFull(lane) ? nil : .some(nil)
    }
    if let refusal { return refusal }
    var arrived: Buffer? = consume buffer
    lanes.change { state in
      guard let buffer = arrived.take() else { return }
      if lane == .video { state.machine.video.take(buffer) } else { state.machine.sound.take(buffer) }
    }
    return try pump(lane)
  }

  func arrive(_ event: consuming Event, _ lane: StreamLane, _ settings: Settings) throws -> Bool {
    let isEnd = event.type == GST_EVENT_EOS
    let refusal: GstFlowReturn? = lanes.change { state in
      if state.isOver(lane) { return state.refusal(lane) }
      if lane == .video { state.machine.video.take(event) } else { state.machine.sound.take(event) }
      return nil
    }
    guard let refusal else { return try pump(lane) == GST_FLOW_OK }
    // Nobody upstream looks at what became of the last buffers.
    if isEnd { postRefusal(refusal) }
    return false
  }

  func upstreamRequest(_ settings: Settings) -> Structure? { Structure(Marks.request) }

  func requestUnanswered(_ settings: Settings) {
    handle.postWarning(
      Marks.unanswered("no transition will be removed. Put \"shotdetect detector=fused align=true\" before this element."))
  }

  // MARK: Out

  /// What one turn of a lane has come to.
  private enum Turn {
    case over, nothing, departure(Departure)
  }

  /// Pushes what may leave, unless a thread does.
  private func pump(_ lane: StreamLane) throws -> GstFlowReturn {
    if hasThread(lane) { return GST_FLOW_OK }
    while case .departure(let departure) = try turn(lane, waits: false) {
      let flow = push(departure, lane)
      if flow != GST_FLOW_OK { return flow }
    }
    return GST_FLOW_OK
  }

  func turn(_ lane: StreamLane) -> Bool {
    do {
      switch try turn(lane, waits: true) {
      case .over: return false
      case .nothing: break
      case .departure(let departure):
        let flow = push(departure, lane)
        if flow != GST_FLOW_OK { lanes.change { $0.refuse(lane, flow) } }
      }
    } catch {
      handle.post(ElementError(converting: error))
      lanes.change { $0.refuse(lane, GST_FLOW_ERROR) }
    }
    return true
  }

  /// Takes what leaves next, and tells what changed by it.
  ///
  /// - Parameter waits: until something leaves, or at least the lane has moved.
  private func turn(_ lane: StreamLane, waits: Bool) throws -> Turn {
    let hasVideo = handle.pad(StreamLane.video.sink)?.isLinked ?? false
    var readings: Readings?
    var (removed, lateness) = (ClockTime?.none, ClockTime?.none)
    let turn: Result<Turn, any Error> = lanes.wait { state in
      if state.isOver(lane) { return .success(.over) }
      let (counts, before, steps) = (state.machine.video.repair.counts, state.machine.video.repair.removed, state.machine.steps(lane))
      let next = state.machine.next(lane, soundWaits: hasVideo)
      if state.machine.video.repair.counts != counts { readings = state.machine.video.repair.counts }
      if state.machine.video.repair.removed != before { removed = state.machine.video.repair.removed }
      if !state.machine.hasWarned, let late = state.machine.video.repair.lateness {
        (lateness, state.machine.hasWarned) = (late, true)
      }
      if let next { return next.map { .departure($0) } }
      // What was taken out makes room, and decides on sound, though nothing leaves: others wait for that.
      return waits && state.machine.steps(lane) == steps ? nil : .success(.nothing)
    }
    lanes.change { _ in }
    if let readings { handle.publish(readings, of: Defade.self) }
    if let removed {
      Self.debug.log(GST_LEVEL_INFO, handle, "a transition is taken out, \(removed) ns in all")
      handle.postLatencyChanged()
    }
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

  private func push(_ departure: consuming Departure, _ lane: StreamLane) -> GstFlowReturn {
    switch consume departure {
    case .buffer(let buffer): return push(buffer, lane)
    case .event(let event):
      push(event, lane)
      return GST_FLOW_OK
    }
  }

  // MARK: Queries

  func answer(_ query: Query, on pad: Pad, _ settings: Settings) -> Bool? {
    switch query.type {
    case GST_QUERY_DRAIN where StreamLane(pad) == .video && pad.isSink:
      lanes.change { $0.machine.video.drain() }
      _ = try? pump(.video)
      return nil
    case GST_QUERY_LATENCY where StreamLane(pad) == .sound && !pad.isSink: return answerSoundLatency(query, settings)
    default: return nil
    }
  }

  /// Sound that is cut waits for the video; else it only can wait here.
  private func answerSoundLatency(_ query: Query, _ settings: Settings) -> Bool {
    guard handle.pad(StreamLane.sound.sink)?.passToPeer(query) == true else { return false }
    var latency = query.latency
    if settings.mode == .cut {
      if let video = handle.pad(StreamLane.video.sink)?.peerLatency {
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
    settings.lookAhead.saturating(adding: settings.mode == .cut ? lanes.change { $0.machine.video.repair.removed } : 0)
  }

  func heldBuffers(_ settings: Settings) -> UInt32 {
    // A pool allocates its minimum at once: beyond this it must not ask for all memory there is.
    lanes.change { UInt32(clamping: min($0.machine.video.repair.longestHeld / max(1, $0.machine.video.repair.frameDuration) + 1, 256)) }
  }
}

extension RepairCounts: Defaultable {}
