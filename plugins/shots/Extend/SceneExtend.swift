import CGStreamer
import Extension
import GStreamerKit
import Pixels
import Shots
import Threads
import Timing

/// Lets video pass, and goes on with generated shots when the source ends, stalls, or the application asks.
///
/// - What passes is not touched, copied or delayed. Generated frames have its caps, and times that continue to the nanosecond.
///   The first of each shot carries a boundary's mark with `generated=true` and `prompt`, and a key-frame request goes before it.
/// - The end of the stream is held back until the last shot is over, and then sent with its own sequence number.
/// - `stall`, and shots that the application asks for on a live source, are shown in place of the source's frames, which are
///   dropped meanwhile. On other sources they are inserted: what follows is later by their duration.
/// - The model runs on a thread of its own, ahead of what is shown by `lead-time`. A live stream does not wait for it:
///   `underrun` says what is shown instead.
/// - The pads `audio_sink` and `audio_src` are for the sound, which is made as long as the picture.
/// - Memory: 256 MiB at most of pictures of the last two shots, the model, and shots of `lead-time`: small pictures, with a frame in 8-bit
///   4:2:0 for each of the model's clips where those go on from frames.
/// - Example: `filesrc location=a.mp4 ! decodebin ! videoconvert ! shotdetect ! sceneextend shots=3 ! videoconvert ! autovideosink`
final class SceneExtend: LanedElement {
  static let description = ElementDescription(
    factory: "sceneextend", typeName: "GstSceneExtend", longName: "Scene extender", klass: "Filter/Effect/Video",
    summary: "Goes on with a stream by generated shots when its source ends, stalls, or when asked to",
    author: "gst-shots contributors",
    pads: StreamLane.soundAndVideo)

  struct Settings: Defaultable {
    var generator = Generator.auto
    var trigger: Set<TimelineSettings.Trigger> = [.eos]
    var stallTimeout = ClockTime.milliseconds(1000)
    var shots: Int32 = -1
    var shotDuration: ClockTime = 0
    var prompts: String?
    var promptLocation: String?
    var generalPrompt: String?
    var negativePrompt: String?
    var promptPolicy = ShotPlan.Policy.last
    var model: String?
    var mask = Mask.auto
    var maskLayers: String?
    var steps: UInt32 = 0
    var guidance: Double?
    var seed: Int64 = 0
    var precision = Precision.auto
    var threads: UInt32 = 0
    var loraLocation: String?
    var fit = Fit.stretch
    var leadTime = ClockTime.milliseconds(2000)
    var standby = false
    var underrun = Underrun.rephotograph
    var audio = TimelineSettings.Sound.silence
  }

  struct Readings: Defaultable {
    var shots: UInt64 = 0
    var frames: UInt64 = 0
    var underruns: UInt64 = 0
    var realTimeFactor = 0.0
  }

  static let properties: [Property<SceneExtend>] = [
    .enumeration("generator", \.generator, "What makes the shots", changeable: .ready),
    .flags("trigger", \.trigger, "When the stream is extended", changeable: .playing),
    .clockTime(
      "stall-timeout", \.stallTimeout, "Nanoseconds without a frame after which a live source has stalled",
      ClockTime.milliseconds(40)...ClockTime.milliseconds(3_600_000), changeable: .playing),
    .int("shots", \.shots, "How many shots follow; -1: without end", -1...Int32.max, changeable: .playing),
    .clockTime(
      "shot-duration", \.shotDuration, "Nanoseconds of a shot whose prompt does not say it; 0: the model's own, or 4 s with rephotograph",
      0...ClockTime.milliseconds(86_400_000), changeable: .playing),
    .string(
      "prompts", \.prompts,
      "What the shots show: a text, or several as <'A rabbit wakes up', 'A bird sings'>, plain, or CineTrans's or TAV's",
      changeable: .playing),
    .string(
      "prompt-location", \.promptLocation, "File with a prompt a line in place of prompts; read again when it changes", changeable: .playing
    ),
    .string("general-prompt", \.generalPrompt, "What all shots show", changeable: .playing),
    .string("negative-prompt", \.negativePrompt, "What guidance leads away from", changeable: .ready),
    .enumeration("prompt-policy", \.promptPolicy, "What comes after the last prompt", changeable: .playing),
    .string("model", \.model, "Folder of a model in diffusers layout; none: the one that comes with the plugin", changeable: .ready),
    .enumeration("mask", \.mask, "What the tokens of a shot see of others", changeable: .ready),
    .string(
      "mask-layers", \.maskLayers, "Layers that mask=cinetrans is on, such as 6-27, from 0; none: the published ones", changeable: .ready),
    .uint("steps", \.steps, "Sampling steps; 0: the model's own", 0...1000, changeable: .ready),
    .optionalDouble("guidance", \.guidance, "Classifier-free guidance; -1: the model's own", upTo: 100, changeable: .ready),
    .int64("seed", \.seed, "The same seed, input and settings give the same shots", 0...Int64.max, changeable: .ready),
    .enumeration("precision", \.precision, "What the model computes with", changeable: .ready),
    .uint("threads", \.threads, "Threads of the model; 0: as many as there are processors, 4 at most", 0...64, changeable: .ready),
    .string("lora-location", \.loraLocation, "LoRA file to merge into the model", changeable: .ready),
    .enumeration("fit", \.fit, "How the model's pictures come to the stream's shape", changeable: .ready),
    .clockTime("lead-time", \.leadTime, "Nanoseconds of shots that are made ahead of what is shown", changeable: .ready),
    .bool("standby", \.standby, "Keep a shot ready all the time: the model always works", changeable: .ready),
    .enumeration("underrun", \.underrun, "What a live stream shows when no generated shot is ready", changeable: .playing),
    .enumeration("audio", \.audio, "Sound of the extension", changeable: .ready),
    .counter("shots-generated", \.shots, "Generated shots that were begun"),
    .counter("frames-generated", \.frames, "Frames pushed that the source did not have"),
    .counter("underruns", \.underruns, "How often no shot was ready after the first"),
    .measurement("real-time-factor", \.realTimeFactor, "The last shot's duration by the time it took to make", 0...1e9),
  ]

  static let signals: [Signal<SceneExtend>] = [
    // How many shots (-1: without end) and their prompt, NULL for those that are set; false if the element does not run.
    .action("extend", parameters: [.int(0), .string(nil)], result: .bool(false)) { element, arguments in
      guard arguments.count == 2, let shots = arguments[0].int else { return .bool(false) }
      return .bool(element.extend(shots, arguments[1].string))
    },
    // The extension ends with the shot that is shown.
    .action("stop-extension") { element, _ in
      element.stopExtension()
      return nil
    },
  ]

  static let debug = DebugCategory("sceneextend", "Scene extension")

  let handle: ElementHandle
  let lanes = Lanes(State())
  /// What has passed, for generators. Its lock and that of `lanes` are never held together.
  let sampler = Monitor<ContextSampler?>(nil)

  init(_ handle: ElementHandle) { self.handle = handle }

  /// The frame that passed last is kept where it may have to be repeated: downstream cannot write into it then.
  typealias Flow = Timeline<Event, Buffer, Segment>

  /// What the streaming threads share.
  struct State: Sendable {
    var flow = Flow(detector: SceneExtend.description.factory)
    var work: GenerationWork?
    /// Of the picture.
    var info: VideoInfo?
    var soundInfo: AudioInfo?
    /// Of the frame that passed last.
    var timeCode: TimeCode?
    /// Generated sound, while it goes on.
    var continuation: SoundContinuation?
    /// There may be another reason to extend the stream than the one that the picture's thread waits for.
    var hasNews = false
    /// The picture's thread has something to show.
    var isPadWanted = false
    var readings = Readings()
  }

  // MARK: Life

  func begin(_ settings: Settings) throws -> State {
    // The producer's thread keeps the element.
    let work = try GenerationWork(handle, settings) { [unowned self] factor in count { $0.realTimeFactor = factor } }
    sampler.change { $0 = work.makeSampler(settings) }
    handle.publish(Readings(), of: SceneExtend.self)
    var state = State()
    state.work = work
    return state
  }

  func cancel(_ lane: StreamLane?) { if lane != .sound { lanes.change { $0.machine.work }?.producer.cancel() } }

  func reset(_ lane: StreamLane, _ machine: inout State) {
    machine.flow.reset(lane)
    if lane == .video { (machine.isPadWanted, machine.timeCode) = (false, nil) } else { machine.continuation = nil }
  }

  func flushed(_ lane: StreamLane) { if lane == .video { sampler.change { $0?.removeAll() } } }

  func ended() {
    let work = lanes.change { state -> GenerationWork? in
      defer { state.machine.work = nil }
      return state.machine.work
    }
    work?.producer.stop()
    sampler.change { $0 = nil }
  }

  func settingsChanged(_ settings: Settings) { tellNews() }

  /// Has the picture's thread look again.
  private func tellNews() {
    // While an extension runs it waits for the time of a frame.
    let isAwaiting = lanes.change { state in
      state.machine.hasNews = true
      return state.machine.flow.run == nil
    }
    if isAwaiting { lanes.clock.wake() }
  }

  func turn(_ lane: StreamLane) -> Bool { lane == .video ? extendPicture() : extendSound() }

  // MARK: In

  /// What becomes of a buffer.
  enum Arrival<Decision> {
    case refused(GstFlowReturn), decided(Decision)
  }

  func arrive(_ buffer: consuming Buffer, _ lane: StreamLane, _ settings: Settings) throws -> GstFlowReturn {
    lane == .video ? try passPicture(buffer, settings) : passSound(buffer, settings)
  }

  private func passPicture(_ buffer: consuming Buffer, _ settings: Settings) throws -> GstFlowReturn {
    let isMarked = buffer.carries(Marks.boundary)
    let (now, rules) = (now(), settings.timeline)
    let marked = isMarked ? buffer.metadata(Marks.boundary).compactMap { Boundary($0) }.last : nil
    // The boundary is the first frame of what follows: an extension that waits for one comes before it.
    if isMarked, lanes.change({ $0.machine.flow.meetBoundary(rules) }) { tellNews() }
    let arrival = lanes.wait { state -> Arrival<Flow.PictureArrival>? in
      if state.isOver(.video) { return .refused(state.refusal(.video)) }
      let arrival = state.machine.flow.arrive(pts: buffer.pts, duration: buffer.duration, marked: marked, now: now, rules) {
        settings.underrun.repeatsFrames ? copy buffer : nil
      }
      guard let arrival else { return nil }
      if case .passes = arrival {
        state.push(.video)
        state.machine.timeCode = buffer.timeCode
      }
      return .decided(arrival)
    }
    switch arrival {
    case .refused(let flow): return flow
    case .decided(.ended): return GST_FLOW_EOS
    case .decided(.dropped): return GST_FLOW_OK
    case .decided(.passes(let passing)):
      defer { pushed(.video, isFrame: true) }
      for departure in passing.departures { push(departure, .video) }
      buffer.move(by: passing.shift)
      if passing.isFirstMoved { warnOfTimes(passing.shift, "picture") }
      if let boundary = passing.boundary {
        if passing.isReturn { handle.post(boundary.structure) }
        buffer.removeAll(Marks.boundary)
        buffer.add(boundary.structure, as: Marks.boundary)
      }
      if isMarked || passing.boundary != nil { sampler.change { $0?.cut() } }
      try sampler.change { sampler in Result { try sampler?.see(buffer, at: passing.time) } }.get()
      prepare(settings, atBoundary: isMarked)
      return push(buffer, .video)
    }
  }

  /// A streaming thread has pushed: others may have waited for that.
  func pushed(_ lane: StreamLane, isFrame: Bool = false) {
    let now = isFrame ? now() : 0
    lanes.changeQuietly { state in
      state.pushed(lane)
      if isFrame { state.machine.flow.tookFrame(now: now) }
      return state.machine.isPadWanted || state.machine.flow.holdsEnd(of: .sound)
    }
  }

  func upstreamTime(of running: ClockTime, _ lane: StreamLane) -> ClockTime? {
    lanes.change { $0.machine.flow.sourceTime(of: running, lane) }
  }

  /// Another stream follows: what the one before is extended by comes to its end first.
  func streamBegins(_ lane: StreamLane, _ settings: Settings) {
    if lane == .video { lanes.change { $0.machine.flow.endWithShownShot() } }
    lanes.wait { !$0.machine.flow.holdsEnd(of: lane) && !$0.isPushing(lane) || $0.isOver(lane) ? () : nil }
    // Who took no more of the stream before may take this one.
    lanes.change { if $0.machine.flow.isOver(lane), !$0.isClosed(lane) { $0.refuse(lane, GST_FLOW_OK) } }
  }

  func arrive(_ event: consuming Event, _ lane: StreamLane, _ settings: Settings) throws -> Bool {
    let caps = event.caps
    if lane == .video, let info = caps?.video {
      try sampler.change { sampler in Result { try sampler?.configure(info) } }.get()
    }
    let kind = event.kind(lane)
    let hasVideo = handle.pad(StreamLane.video.sink)?.isLinked ?? false
    let received = lanes.change { state -> Flow.Received in
      if let caps {
        if lane == .video { state.machine.info = caps.video ?? state.machine.info } else { state.machine.soundInfo = caps.audio }
      }
      let received = state.machine.flow.receive(
        event, kind, lane, settings.timeline, takesMore: !state.isOver(lane), hasVideo: hasVideo)
      if case .leaves = received { state.push(lane) }
      return received
    }
    switch received {
    case .waits, .dropped: return true
    case .endsHeld:
      tellNews()
      return true
    case .leaves(let departures):
      defer { pushed(lane) }
      return departures.reduce(true) { push($1, lane) && $0 }
    }
  }

  func upstreamRequest(_ settings: Settings) -> Structure? { Structure(Marks.request) }

  func requestUnanswered(_ settings: Settings) {
    handle.postWarning(
      Marks.unanswered(
        "what goes on is the stream's end in equal windows, not its last shots. Put \"shotdetect align=true\" before this element."))
  }

  @discardableResult
  func push(_ departure: Flow.Leaving, _ lane: StreamLane) -> Bool {
    departure.event(after: handle.pad(lane.source)?.kept(GST_EVENT_SEGMENT)).map { push($0, lane) } ?? false
  }

  /// Running time by the pipeline's clock; without one, of a clock that nobody sets.
  func now() -> ClockTime { handle.runningTime ?? monotonicTime() }

  // MARK: Asked for

  private func extend(_ shots: Int32, _ prompt: String?) -> Bool {
    guard let settings = handle.settings(of: SceneExtend.self) else { return false }
    let prompts = prompt.flatMap { $0.isEmpty ? nil : [$0] }
    let answer = lanes.change { state -> Flow.Answer in
      guard let work = state.machine.work, !state.isStopping else { return .refused }
      let answer = state.machine.flow.ask(Int(max(-1, shots)), prompts: prompts, settings.timeline)
      if case .goesOn(let more) = answer { work.producer.change { $0 = more.added(to: $0) } }
      return answer
    }
    Self.debug.log(GST_LEVEL_INFO, handle, "asked for \(shots) shots: \(answer)")
    switch answer {
    case .refused: return false
    case .goesOn, .goesOnLater: handle.postDurationChanged()
    case .taken: tellNews()
    }
    return true
  }

  private func stopExtension() { lanes.change { $0.machine.flow.stopExtension() } }

  // MARK: Queries

  func answer(_ query: Query, on pad: Pad, _ settings: Settings) -> Bool? {
    guard query.asksDuration, !pad.isSink, settings.trigger.contains(.eos), let sink = handle.pad(StreamLane(pad).sink),
      let work = lanes.change({ $0.machine.work }), let duration = sink.peerDuration
    else { return nil }
    let isPlanned = lanes.change { $0.machine.flow.run == nil }
    let total = isPlanned ? work.shotDuration.flatMap { work.plan(settings).remainingDuration(modelDuration: $0) } : work.producer.total
    query.answerDuration(total.map { duration.saturating(adding: $0) })
    return true
  }
}

extension SceneExtend.Flow.Leaving {
  /// nil if GStreamer makes none.
  ///
  /// - Parameter last: the segment that downstream has. What is made belongs to the same seek and gets its number: who seeks waits for
  ///   that, as GES does, whose compositions else never end.
  func event(after last: Event?) -> Event? {
    func numbered(_ made: Event?) -> Event? { last?.replaced(by: made) ?? made }
    return switch self {
    case .event(let event): event
    case .moved(let event, let shift):
      event.gap.map { event.replaced(by: .gap(shift.moved($0.start), duration: $0.duration)) } ?? event
    case .segment(let segment, let event):
      // One that is unchanged goes on as it came.
      event?.segment == segment ? event : event.map { $0.replaced(by: .segment(segment)) } ?? numbered(.segment(segment))
    case .keyUnit(let pts, let streamTime, let runningTime):
      .keyUnit(KeyUnit(pts: pts, streamTime: streamTime, runningTime: runningTime))
    case .endOfStream: numbered(.endOfStream)
    }
  }
}

extension Event {
  /// What it says of a stream.
  fileprivate borrowing func kind(_ lane: StreamLane) -> StreamEvent<Segment> {
    switch type {
    case GST_EVENT_STREAM_START: .streamStart
    case GST_EVENT_SEGMENT: segment.map { .segment($0) } ?? .other
    case GST_EVENT_CAPS where lane == .video:
      .videoCaps(
        rate: caps?.video?.frameRate.flatMap { FrameRate($0.numerator, $0.denominator) }, isKnown: caps?.video != nil)
    case GST_EVENT_CAPS: .soundCaps(caps?.audio?.format)
    case GST_EVENT_GAP: .gap(until: gap.map { $0.start.saturating(adding: $0.duration ?? 0) })
    case GST_EVENT_EOS: .endOfStream
    default: .other
    }
  }
}
