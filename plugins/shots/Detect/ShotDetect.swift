import CGStreamer
import GStreamerKit
import Pixels
import Shots
import Synchronization
import Timing

/// Finds shot boundaries and lets video pass.
///
/// Every boundary is an element message `shot-boundary` on the bus, metadata `GstShotBoundaryMeta` on the first buffer of
/// the new shot, and, if asked for, a key-frame request before that buffer, GStreamer's own metadata of analyses on it, and
/// a chapter at the end.
///
/// - The detectors `transnet` and `fused` run a neural network on a thread of its own; frames wait for it only when 16 of
///   them are queued (`when-late=wait`), or when a live stream's are due.
///
/// - Buffers pass on without a copy; frames are mapped read-only; QoS is off, so that what is found never depends on load.
/// - Latency: none. A boundary that the detector knows late is reported late, with its true times. With `align=true`
///   buffers and serialized events are held back by the detector's look-ahead, that latency is reported, and every mark
///   is exact: transnet and fused look `look-ahead` + 23 frames ahead, adaptive `adaptive-window` frames, content with
///   `filter=merge` `min-shot-duration` (where cuts that are closer together are merged is known only then), the others not
///   at all. The threshold detector knows the middle of a fade when the picture is back, however long it was dark, and
///   reports it then.
/// - A flush or a jump in time starts over; shots and frames are counted on. Across new caps frames are compared, whatever
///   their sizes. Frames outside of the segment and streams that play backwards pass unseen. Interlaced frames are compared
///   as they are woven.
/// - Example: `filesrc location=a.mp4 ! decodebin ! videoconvert ! shotdetect ! fakesink`
final class ShotDetect: PassthroughVideoFilter {
  static let description = ElementDescription(
    factory: "shotdetect", typeName: "GstShotDetect", longName: "Shot boundary detector", klass: "Filter/Analyzer/Video",
    summary: "Finds cuts and fades and reports them as messages, metadata, key-frame requests and chapters",
    author: "gst-shots contributors", pads: PadTemplate.filter(caps: PixelFormat.caps))

  static let debug = DebugCategory("shotdetect", "Shot boundary detector")

  struct Settings: Defaultable {
    var detector = Detecting.content
    var threshold: Double?
    var weightHue = 1.0
    var weightSaturation = 1.0
    var weightLuma = 1.0
    var weightEdges = 0.0
    /// GST_CLOCK_TIME_NONE: the detector's own.
    var minimumShot = ClockTime.max
    var filter = Filtering.merge
    var adaptiveWindow: UInt32 = 2
    var fadeBias = 0.0
    var lookAhead: UInt32 = 50
    var windowing = WindowingChoice.streaming
    var precision = PrecisionChoice.auto
    var threads: UInt32 = 0
    var whenLate = Late.wait
    var modelLocation: String?
    var align = false
    var postMessages = true
    var attachMeta = true
    var analyticsMeta = false
    var forceKeyUnits = false
    var postTOC = false
  }

  struct Readings: Defaultable {
    var shots: UInt64 = 0
    var frames: UInt64 = 0
    var lastScore = 0.0
    var skipped: UInt64 = 0
  }

  static let properties: [Property<ShotDetect>] =
    [
      .enumeration("detector", \.detector, "How boundaries are found", changeable: .ready),
      .optionalDouble(
        "threshold", \.threshold,
        """
        Score from which a boundary is reported, in the detector's unit: content 0-255 (27), adaptive ratio 0-255 \
        (3), threshold mean level 0-255 under which it is dark (12), histogram 0-1 (0.2), hash 0-1 (0.35), transnet \
        and fused probability 0-1 (0.5 and 0.6); -1 for the detector's own
        """,
        upTo: 255, changeable: .playing),
      .double("weight-hue", \.weightHue, "content, adaptive: weight of the hue difference", -1000...1000, changeable: .playing),
      .double(
        "weight-saturation", \.weightSaturation, "content, adaptive: weight of the saturation difference", -1000...1000,
        changeable: .playing),
      .double(
        "weight-luma", \.weightLuma, "content, adaptive: weight of the brightness (HSV value) difference", -1000...1000,
        changeable: .playing),
      .double(
        "weight-edges", \.weightEdges, "content, adaptive: weight of the edge difference; edges cost time when it is not 0", -1000...1000,
        changeable: .playing),
      .clockTime(
        "min-shot-duration", \.minimumShot,
        "Shortest shot in nanoseconds; 18446744073709551615 for the detector's own: 0 for transnet and fused, 600000000 for the others",
        0...(.max), changeable: .playing),
      .enumeration("filter", \.filter, "content: what becomes of cuts closer together than min-shot-duration", changeable: .ready),
      .uint(
        "adaptive-window", \.adaptiveWindow, "adaptive: frames on each side that a frame is compared with", 1...1000, changeable: .ready),
      .double(
        "fade-bias", \.fadeBias, "threshold: where in the dark the boundary lies, from -1 (fade-out) over 0 (middle) to 1 (fade-in)",
        -1...1, changeable: .playing),
      .uint(
        "look-ahead", \.lookAhead,
        "transnet, fused: frames after a frame that the network sees before it judges it; below 48 it computes frames more than once",
        1...99, changeable: .ready),
      .enumeration("windowing", \.windowing, "transnet, fused: how the network runs over the stream", changeable: .ready),
      .enumeration("precision", \.precision, "transnet, fused: what the network computes in", changeable: .ready),
      .uint("threads", \.threads, "transnet, fused: threads that compute, 1, 2 or 4; 0 for 2", 0...4, changeable: .ready),
      .enumeration(
        "when-late", \.whenLate, "transnet, fused: what happens when inference is so far behind that its queue of 16 frames is full",
        changeable: .ready),
      .string(
        "model-location", \.modelLocation, "transnet, fused: folder of TransNetV2's weights; none for those that come with the plugin",
        changeable: .ready),
      .bool("align", \.align, "Hold frames back by the detector's look-ahead, so that every mark is exact", changeable: .ready),
      .bool("post-messages", \.postMessages, "Post an element message shot-boundary for each boundary", changeable: .playing),
      .bool("attach-meta", \.attachMeta, "Attach GstShotBoundaryMeta to the first buffer of each new shot", changeable: .playing),
      .bool(
        "force-key-units", \.forceKeyUnits,
        "Ask encoders downstream for a key frame at each boundary (exact for late detectors with align=true)", changeable: .playing),
      .bool(
        "post-toc", \.postTOC,
        """
        At the end post the shots as a table of contents and send it downstream (matroskamux writes chapters only \
        before its first frame: launch/pipelines/chapters adds them afterwards)
        """,
        changeable: .ready),
      .counter("shots", \.shots, "Shots begun so far"),
      .counter("frames", \.frames, "Frames seen so far"),
      .counter("frames-skipped", \.skipped, "Frames that the network did not see because it was late (when-late=skip)"),
      .measurement("last-score", \.lastScore, "What the detector last compared with the threshold", -1_000_000...1_000_000),
    ]
    + (Classification.isAvailable
      ? [
        .bool(
          "analytics-meta", \.analyticsMeta,
          """
          Attach each boundary as GstAnalytics metadata too: shot-boundary/KIND, as a classification and as an object \
          that fills the picture, with the score as a confidence from 0 to 1
          """,
          changeable: .playing)
      ] : [])

  struct State {
    var stream = DetectionStream()
    var chapters: [ClockTime] = []
    var lastEnd: ClockTime?
  }

  let handle: ElementHandle
  private let statisticsAskedFor = Atomic(false)

  init(_ handle: ElementHandle) { self.handle = handle }

  func start(_ settings: Settings) throws -> State {
    statisticsAskedFor.store(false, ordering: .relaxed)
    var state = State()
    state.stream.network = try loadNetwork(settings)
    return state
  }

  func configure(_ info: VideoInfo, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws {
    state.stream.isLive = handle.isSourceLive
    try state.stream.setFormat(info)
    state.stream.setDetector(detectorSettings(settings))
    if settings.forceKeyUnits, !settings.align, state.stream.lookAhead.frames > 0 {
      handle.postWarning(
        .library(
          GST_LIBRARY_ERROR_SETTINGS,
          """
          The detector \"\(settings.detector.rawValue)\" knows a boundary \(state.stream.lookAhead.frames) frames \
          late: key frames will be late too. Set align=true.
          """
        ))
    }
  }

  func see(_ input: borrowing InputBuffer, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws {
    state.stream.setDetector(detectorSettings(settings))
    let time = state.stream.advance(input.time, index: input.index, info: input.info)
    try input.withFrame { frame in try state.stream.see(frame, at: time) }

    output.readings.frames = input.index &+ 1
    output.readings.shots = state.stream.shot
    output.readings.lastScore = state.stream.lastScore
    let skipped = state.stream.skipped
    if skipped > 0, output.readings.skipped == 0 {
      handle.postWarning(
        .resource(
          GST_RESOURCE_ERROR_BUSY, "Inference is slower than the stream: the network does not see every frame (see frames-skipped)."))
    }
    output.readings.skipped = skipped
    if settings.postTOC {
      if state.chapters.isEmpty, let start = time.streamTime { state.chapters.append(start) }
      state.lastEnd = time.streamTime.map { $0 &+ (input.time.duration ?? input.info.frameDuration ?? 0) }
    }
    report(settings, &state, &output)
    for score in state.stream.findings.scores {
      output.attach(Marks.score, score.structure(columns: state.stream.statisticNames), to: input.index)
    }
    state.stream.findings.removeAll()
    if settings.align { output.hold(from: state.stream.firstUndecided(newest: time)) }
  }

  func finish(_ settings: Settings, _ state: inout State, _ output: inout Output<Readings>, endOfStream: Bool) throws {
    try state.stream.finish()
    output.readings.shots = state.stream.shot
    report(settings, &state, &output)
    for score in state.stream.findings.scores {
      output.attach(Marks.score, score.structure(columns: state.stream.statisticNames), to: score.time.frame)
    }
    state.stream.findings.removeAll()
    guard endOfStream, settings.postTOC, let end = state.lastEnd, !state.chapters.isEmpty else { return }
    let toc = TableOfContents(
      chapters: state.chapters.indices.map { index in
        let next = index + 1 < state.chapters.count ? state.chapters[index + 1] : end
        return .init(title: "Shot \(index + 1)", start: state.chapters[index], end: max(next, state.chapters[index]))
      })
    output.push(.tableOfContents(toc), before: .max)
    output.post(toc)
  }

  func interrupt(_ settings: Settings, _ state: inout State) { state.stream.interrupt() }

  /// Chapters are those of what was shown.
  func flush(_ settings: Settings, _ state: inout State) {
    state.stream.interrupt()
    (state.chapters, state.lastEnd) = ([], nil)
  }

  func latency(_ settings: Settings, _ info: VideoInfo) -> ClockTime {
    guard settings.align else { return 0 }
    return DetectionStream.latency(detectorSettings(settings), info)
  }

  func receiveUpstream(_ event: Structure, _ settings: Settings) -> Bool {
    guard event.name == Marks.request, settings.attachMeta else { return false }
    if event["statistics"]?.bool == true { statisticsAskedFor.store(true, ordering: .relaxed) }
    return true
  }

  /// Places what was found at its frames.
  private func report(_ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) {
    if settings.attachMeta, settings.align {
      for transition in state.stream.findings.transitions { output.attach(Marks.transition, transition.structure, to: transition.frame) }
    }
    for boundary in state.stream.findings.boundaries {
      Self.debug.log(GST_LEVEL_INFO, handle, "\(boundary.kind.rawValue) at frame \(boundary.frame), score \(boundary.score)")
      let fields = boundary.structure
      if settings.forceKeyUnits {
        output.push(
          .forceKeyUnit(pts: boundary.pts, streamTime: boundary.streamTime, runningTime: boundary.runningTime), before: boundary.frame)
      }
      if settings.attachMeta { output.attach(Marks.boundary, fields, to: boundary.frame) }
      if settings.analyticsMeta {
        output.classify(
          boundary.frame,
          as: Classification(
            label: "\(Boundary.structureName)/\(boundary.kind.rawValue)",
            confidence: detectorSettings(settings).confidence(ofScore: boundary.score)))
      }
      if settings.postMessages { output.post(fields, at: boundary.frame) }
      if settings.postTOC, let time = boundary.streamTime { state.chapters.append(time) }
    }
  }

  private func detectorSettings(_ settings: Settings) -> DetectorSettings {
    var result = DetectorSettings(kind: settings.detector.kind, threshold: settings.threshold)
    result.weights = ComponentWeights(
      hue: settings.weightHue, saturation: settings.weightSaturation, luma: settings.weightLuma, edges: settings.weightEdges)
    // TransNetV2 has no shortest shot, and needs none.
    let ownMinimum = settings.detector.needsNetwork ? 0 : ClockTime.milliseconds(600)
    result.minimumShot = settings.minimumShot == .max ? ownMinimum : settings.minimumShot
    result.filter = settings.filter.mode
    result.adaptiveWindow = Int(settings.adaptiveWindow)
    result.fadeBias = settings.fadeBias
    result.lookAheadFrames = settings.networkWindowing.lookAhead
    result.statistics = statisticsAskedFor.load(ordering: .relaxed)
    return result
  }
}
