import CGStreamer
import GStreamerKit
import Pixels
import ShotLists
import Shots
import Timing

/// Writes the boundaries that an upstream `shotdetect` marked into a file, and lets video pass.
///
/// - The file is written by a thread of its own, shot by shot, each at once: a crash loses at most the open shot. The
///   streaming thread never waits for a disk; a file that cannot be written is an element error with its path.
/// - `csv` is PySceneDetect's scene list; `edl`, `otio` and `fcpxml` are for editors, `webvtt` for players, `qp` for
///   x264. Whole files are there after PAUSED→READY.
/// - Latency: none. Without a `shotdetect` upstream a warning says so.
/// - Example: `filesrc location=a.mp4 ! decodebin ! videoconvert ! shotdetect ! shotlog location=a.csv ! fakesink`
final class ShotLog: PassthroughVideoFilter {
  static let description = ElementDescription(
    factory: "shotlog", typeName: "GstShotLog", longName: "Shot list writer", klass: "Filter/Analyzer/Video",
    summary: "Writes the shots that shotdetect found as CSV, JSON Lines, EDL, OTIO, FCPXML, WebVTT or QP file",
    author: "gst-shots contributors", pads: PadTemplate.filter(caps: PixelFormat.caps))

  struct Settings: Defaultable {
    var location: String?
    var format = CutListFormat.csv
    var title: String?
    var frameRate: Rate?
    var statisticsLocation: String?
  }

  static let properties: [Property<ShotLog>] = [
    .fileName("location", \.location, "File to write the shots to; an existing one is replaced", changeable: .ready),
    .enumeration("format", \.format, "Format of the file", changeable: .ready),
    .string("title", \.title, "Name of the list in formats that have one", changeable: .ready),
    .optionalRate(
      "frame-rate", \.frameRate, "Frames a second of timecodes, drop-frame at 30000/1001 and 60000/1001; 0/1 for the stream's own",
      changeable: .ready),
    .fileName("statistics-location", \.statisticsLocation, "CSV file to write each frame's scores to", changeable: .ready),
  ]

  struct State {
    var list: CutListFile?
    var statistics: StatisticsFile?
    /// Whether the open shot has begun.
    var begun = false
    var frames: UInt64 = 0
    var end: UInt64?
  }

  static let debug = DebugCategory("shotlog", "Shot list writer")

  private let handle: ElementHandle

  init(_ handle: ElementHandle) { self.handle = handle }

  func start(_ settings: Settings) throws -> State {
    if settings.location == nil, settings.statisticsLocation == nil {
      throw ElementError.resource(
        GST_RESOURCE_ERROR_NOT_FOUND, "Neither location nor statistics-location is set: there is nothing to write.")
    }
    return State()
  }

  func configure(_ info: VideoInfo, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws {
    guard state.list == nil, let path = settings.location else { return }
    let rate = settings.frameRate.map { (Int($0.numerator), Int($0.denominator)) } ?? info.frameRate
    var options = CutListOptions(
      title: settings.title ?? "Untitled", rate: rate.flatMap { FrameRate($0.0, $0.1) } ?? .fallback)
    options.width = info.width
    options.height = info.height
    Self.debug.log(GST_LEVEL_INFO, handle, "writes \(settings.format.rawValue) to \(path)")
    state.list = CutListFile(path: path, format: settings.format, options: options, onError: report)
  }

  func see(_ input: borrowing InputBuffer, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws {
    let time = input.time
    if !state.begun {
      state.begun = true
      state.list?.begin(
        at: FrameTime(frame: input.index, elapsed: 0, pts: time.pts, runningTime: time.runningTime, streamTime: time.streamTime))
    }
    state.frames = input.index &+ 1
    state.end = time.streamTime.map { $0 &+ (time.duration ?? input.info.frameDuration ?? 0) }
    for fields in input.metadata(Marks.boundary) { log(fields, state) }
    for fields in input.metadata(Marks.score) { logScore(fields, settings, &state) }
  }

  func receive(_ event: Structure, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws {
    log(event, state)
    logScore(event, settings, &state)
  }

  func finish(_ settings: Settings, _ state: inout State, _ output: inout Output<Readings>, endOfStream: Bool) throws {
    guard endOfStream, state.begun else { return }
    state.list?.end(endFrame: state.frames, end: state.end)
    state.begun = false
  }

  func stop(_ state: inout State) throws {
    if state.begun { state.list?.end(endFrame: state.frames, end: state.end) }
    // Either may have a reader that does not read: they are waited for together.
    state.list?.shut()
    state.statistics?.shut()
    state.list?.close()
    state.statistics?.close()
  }

  func upstreamRequest(_ settings: Settings) -> Structure? {
    Structure(Marks.request, [("statistics", .bool(settings.statisticsLocation != nil))])
  }

  func requestUnanswered(_ settings: Settings) {
    handle.postWarning(Marks.unanswered("there will be no shots to write. Put one before this element."))
  }

  private func log(_ fields: Structure, _ state: State) {
    guard let boundary = Boundary(fields) else { return }
    Self.debug.log(GST_LEVEL_DEBUG, handle, "\(boundary.kind.rawValue) at frame \(boundary.frame)")
    state.list?.see(boundary)
  }

  private func logScore(_ fields: Structure, _ settings: Settings, _ state: inout State) {
    guard let path = settings.statisticsLocation, let (score, columns) = FrameScore.parse(fields) else { return }
    if state.statistics == nil { state.statistics = StatisticsFile(path: path, columns: columns, onError: report) }
    state.statistics?.append(score)
  }

  /// From the writing thread. The element waits for that thread before it goes.
  private var report: @Sendable (FileError) -> Void {
    { [handle] error in handle.post(ElementError(error)) }
  }
}

extension CutListFormat: PropertyEnumeration {
  public static var typeName: String { "GstShotLogFormat" }

  public var blurb: String {
    switch self {
    case .csv: "PySceneDetect's scene list, a shot a line"
    case .jsonl: "JSON Lines, a boundary a line"
    case .edl: "CMX 3600 edit decision list"
    case .otio: "OpenTimelineIO"
    case .fcpxml: "Final Cut Pro XML"
    case .webvtt: "WebVTT chapters"
    case .qp: "x264's QP file, a key frame at every shot"
    }
  }
}
