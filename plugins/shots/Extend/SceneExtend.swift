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
final class SceneExtend: PadElement {
  static let description = ElementDescription(
    factory: "sceneextend", typeName: "GstSceneExtend", longName: "Scene extender", klass: "Filter/Effect/Video",
    summary: "Goes on with a stream by generated shots when its source ends, stalls, or when asked to",
    author: "gst-shots contributors",
    pads: Lane.pads)

  struct Settings: Defaultable {
    var generator = Generator.auto
    var trigger: Set<Trigger> = [.eos]
    var stallTimeout = ClockTime.milliseconds(1000)
    var shots: Int32 = -1
    var shotDuration: ClockTime = 0
    var prompts: [String] = []
    var promptLocation: String?
    var generalPrompt: String?
    var negativePrompt: String?
    var promptPolicy = PromptPolicy.last
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
    var audio = Sound.silence
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
    .strings("prompts", \.prompts, "What the shots show, one after the other: plain, CineTrans's or TAV's form", changeable: .playing),
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
    .clockTime("lead-time", \.leadTime, "Nanoseconds of shots that are made ahead, also before an end that is known", changeable: .ready),
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
  /// Never held while anything is pushed, posted or asked; nor while the sampler's is.
  let state = Monitor(State())
  /// What has passed, for generators.
  let sampler = Monitor<ContextSampler?>(nil)

  init(_ handle: ElementHandle) { self.handle = handle }

  // MARK: Life

  func start(_ settings: Settings) throws {
    // The producer's thread keeps the element.
    let work = try GenerationWork(handle, settings) { [unowned self] factor in count { $0.realTimeFactor = factor } }
    sampler.change { $0 = work.makeSampler(settings) }
    handle.publish(Readings(), of: SceneExtend.self)
    state.change { state in
      state = State()
      state.work = work
    }
  }

  func interrupt() {
    let work = state.change { state -> GenerationWork? in
      state.isStopping = true
      state.wakeClock()
      return state.work
    }
    work?.producer.cancel()
  }

  func stop() {
    for lane in Lane.allCases { handle.pad(lane.source)?.stopTask() }
    let work = state.change { state -> GenerationWork? in
      for lane in Lane.allCases { state.reset(lane) }
      defer { state.work = nil }
      return state.work
    }
    work?.producer.stop()
    sampler.change { $0 = nil }
  }

  func settingsChanged(_ settings: Settings) { state.change { $0.tellNews() } }

  func removed(_ pad: Pad) {
    let lane = Lane(pad)
    state.change { state in
      state.isFlushing[lane.rawValue] = true
      state.wakeClock()
    }
    if !pad.isSink { pad.stopTask() }
    state.change { state in
      state.reset(lane)
      state.isFlushing[lane.rawValue] = false
    }
  }

  // MARK: In

  func chain(_ buffer: consuming Buffer, on pad: Pad, _ settings: Settings) throws -> GstFlowReturn {
    guard let buffer = buffer.release() else { return GST_FLOW_ERROR }
    switch Lane(pad) {
    case .video: return try passPicture(buffer, settings)
    case .sound: return passSound(buffer, settings)
    }
  }

  private func passPicture(_ buffer: UnsafeMutablePointer<GstBuffer>, _ settings: Settings) throws -> GstFlowReturn {
    let isMarked = Marks.boundary.isOn(buffer)
    let now = now()
    let marked = isMarked ? Marks.boundary.all(on: buffer).compactMap { Boundary($0) }.last : nil
    // The boundary is the first frame of what follows: an extension that waits for one comes before it.
    if isMarked { state.change { $0.meetBoundary(settings) } }
    let arrival = state.wait { state -> Arrival? in
      if state.isOver(.video) { return .refused(state.refusal(.video)) }
      return state.arrive(buffer, marked, at: now, settings)
    }
    let passing: Passing
    switch arrival {
    case .refused(let flow):
      gst_buffer_unref(buffer)
      return flow
    case .dropped:
      gst_buffer_unref(buffer)
      return GST_FLOW_OK
    case .passes(let this): passing = this
    }
    defer { pushed(.video, isFrame: true) }
    var buffer = buffer
    for event in passing.events { push(event, .video) }
    if passing.isReturn, let boundary = passing.boundary { handle.post(boundary.structure) }
    if let boundary = passing.boundary {
      buffer = cgst_buffer_make_writable(buffer)
      Marks.boundary.removeAll(from: buffer)
      Marks.boundary.add(boundary.structure, to: buffer)
    }
    if isMarked || passing.boundary != nil { sampler.change { $0?.cut() } }
    let taken = buffer
    do {
      try sampler.change { sampler in Result { try sampler?.see(taken, at: passing.time) } }.get()
    } catch {
      gst_buffer_unref(buffer)
      throw error
    }
    prepare(settings, atBoundary: isMarked)
    guard let pad = handle.pad(Lane.video.source) else {
      gst_buffer_unref(buffer)
      return GST_FLOW_NOT_LINKED
    }
    return gst_pad_push(pad.gst, buffer)
  }

  /// A streaming thread has pushed: others may have waited for that.
  func pushed(_ lane: Lane, isFrame: Bool = false) {
    let now = isFrame ? now() : 0
    state.changeQuietly { state in
      state.isPushing[lane.rawValue] = false
      // As long as downstream takes its time no frame can come.
      if isFrame { state.video.arrival = now }
      return state.isPadWanted || state.ends[Lane.sound.rawValue] != nil
    }
  }

  func receive(_ event: consuming Event, on pad: Pad, _ settings: Settings) -> Bool {
    guard pad.isSink else { return handle.forward(event, from: pad) }
    let lane = Lane(pad)
    switch event.type {
    case GST_EVENT_FLUSH_START:
      let work = state.change { state -> GenerationWork? in
        state.isFlushing[lane.rawValue] = true
        state.wakeClock()
        return lane == .video ? state.work : nil
      }
      work?.producer.cancel()
      let taken = handle.forward(event, from: pad)
      handle.pad(lane.source)?.pauseTask()
      return taken
    case GST_EVENT_FLUSH_STOP:
      state.change { $0.reset(lane) }
      if lane == .video { sampler.change { $0?.removeAll() } }
      let taken = handle.forward(event, from: pad)
      state.change { $0.isFlushing[lane.rawValue] = false }
      startTask(lane)
      return taken
    default: break
    }
    guard event.isSerialized else { return handle.forward(event, from: pad) }
    guard let pointer = event.release() else { return false }
    if pointer.pointee.type == GST_EVENT_STREAM_START {
      awaitEnd(lane)
      startTask(lane)
    }
    if pointer.pointee.type == GST_EVENT_CAPS, lane == .video {
      do {
        try configure(pointer)
      } catch {
        gst_event_unref(pointer)
        handle.post(error as? ElementError ?? .stream(GST_STREAM_ERROR_FAILED, "\(error)"))
        return false
      }
      askForMarks(pad)
    }
    let hasVideo = handle.pad(Lane.video.sink).map { gst_pad_is_linked($0.gst) != 0 } ?? false
    let passing = state.change { $0.receive(pointer, lane, settings, hasVideo: hasVideo) }
    guard !passing.isEmpty else { return true }
    defer { pushed(lane) }
    return passing.reduce(true) { push($1, lane) && $0 }
  }

  /// Another stream follows: what the one before is extended by comes to its end first.
  private func awaitEnd(_ lane: Lane) {
    state.change { state in
      guard lane == .video, state.ends[lane.rawValue] != nil else { return }
      state.isLast = true
      state.run?.isToEnd = true
    }
    state.wait { $0.ends[lane.rawValue] == nil && !$0.isPushing[lane.rawValue] || $0.isOver(lane) ? () : nil }
  }

  private func configure(_ event: UnsafeMutablePointer<GstEvent>) throws {
    guard let info = VideoInfo(event) else { return }
    try sampler.change { sampler in Result { try sampler?.configure(info) } }.get()
  }

  /// Asks shotdetect for marks; says so when there is none.
  private func askForMarks(_ pad: Pad) {
    guard let request = Structure(Marks.request).makeGstStructure(), !state.change({ $0.hasAskedForMarks }) else { return }
    state.change { $0.hasAskedForMarks = true }
    if gst_pad_push_event(pad.gst, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, request)) == 0 {
      handle.postWarning(
        .stream(
          GST_STREAM_ERROR_FAILED,
          """
          No shotdetect with attach-meta=true upstream answers: what goes on is the stream's end in equal windows, \
          not its last shots. Put \"shotdetect align=true\" before this element.
          """
        ))
    }
  }

  @discardableResult
  func push(_ event: UnsafeMutablePointer<GstEvent>, _ lane: Lane) -> Bool {
    guard let pad = handle.pad(lane.source) else {
      gst_event_unref(event)
      return false
    }
    return gst_pad_push_event(pad.gst, event) != 0
  }

  private func startTask(_ lane: Lane) {
    // Stopped before the element goes.
    handle.pad(lane.source)?.startTask { [unowned self] in
      switch lane {
      case .video: extendPicture()
      case .sound: extendSound()
      }
    }
  }

  // MARK: Asked for

  private func extend(_ shots: Int32, _ prompt: String?) -> Bool {
    guard let settings = handle.settings(of: SceneExtend.self) else { return false }
    let prompts = prompt.flatMap { $0.isEmpty ? nil : [$0] }
    let (isTaken, isLonger) = state.change { state -> (Bool, Bool) in
      guard let work = state.work, !state.isStopping, !state.isPictureOver, state.isForward else { return (false, false) }
      if let run = state.run, !run.isToEnd, !run.isLeaving, run.settledEnd == nil {
        // The extension that runs goes on for longer. The sound's thread must not find its end before that.
        if run.isBegun {
          let more = Asked(shots: Int(max(-1, shots)), prompts: prompts)
          work.producer.change { $0 = more.added(to: $0) }
        } else {
          state.run?.more = Asked(shots: Int(max(-1, shots)), prompts: prompts, after: run.more)
        }
        return (true, true)
      }
      // Nothing comes behind the last shot of a stream.
      if case .tail? = state.run?.kind { return (false, false) }
      state.asked = Asked(shots: Int(max(-1, shots)), prompts: prompts, after: state.asked)
      if settings.trigger.contains(.cut) { state.waitsForCut = true }
      state.tellNews()
      return (true, false)
    }
    if isLonger { handle.postDurationChanged() }
    return isTaken
  }

  private func stopExtension() {
    state.change { state in
      if state.run != nil { state.run?.isToEnd = true } else { (state.asked, state.waitsForCut) = (nil, false) }
      // What follows an end that has come already is not to begin.
      if state.ends[Lane.video.rawValue] != nil { state.isLast = true }
    }
  }

  // MARK: Queries

  func answer(_ query: Query, on pad: Pad, _ settings: Settings) -> Bool? {
    guard query.asksDuration, !pad.isSink, settings.trigger.contains(.eos), let sink = handle.pad(Lane(pad).sink),
      let work = state.change({ $0.work }), let duration = sink.peerDuration
    else { return nil }
    let isPlanned = state.change { $0.run == nil }
    let total = isPlanned ? work.shotDuration.flatMap { work.plan(settings).remainingDuration(modelDuration: $0) } : work.producer.total
    query.answerDuration(total.map { duration.saturating(adding: $0) })
    return true
  }
}
