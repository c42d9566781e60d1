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

  typealias Settings = ListingSettings

  static let properties: [Property<ShotLog>] = [
    .fileName("location", \.location, "File to write the shots to; an existing one is replaced", changeable: .ready),
    .enumeration("format", \.format, "Format of the file", changeable: .ready),
    .string("title", \.title, "Name of the list in formats that have one", changeable: .ready),
    .string(
      "source", \.source, "URI or path of the film, for editors that look for it; the one that the stream tells if not set",
      changeable: .ready),
    .string(
      "frame-rate", \.frameRate,
      "Frames a second of timecodes (25, 29.97, 24000/1001), drop-frame at 29.97 and 59.94; the stream's own if not set, or nearest to it",
      changeable: .ready),
    .string(
      "start-timecode", \.startTimecode,
      "Timecode of the film's first frame, HH:MM:SS:FF, or HH:MM:SS;FF for drop-frame; the stream's own if not set, or 0",
      changeable: .ready),
    .fileName("statistics-location", \.statisticsLocation, "CSV file to write each frame's scores to", changeable: .ready),
  ]

  typealias State = Listing

  static let debug = DebugCategory("shotlog", "Shot list writer")

  private let handle: ElementHandle

  init(_ handle: ElementHandle) { self.handle = handle }

  func start(_ settings: Settings) throws -> State {
    if let fault = settings.fault { throw ElementError.resource(GST_RESOURCE_ERROR_SETTINGS, fault) }
    var settings = settings
    settings.source = settings.source.flatMap { uri(of: $0) }
    return Listing(settings) { [handle] error in handle.post(ElementError(error)) }
  }

  func configure(_ info: VideoInfo, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws {
    state.configure(rate: info.frameRate.flatMap { FrameRate($0.0, $0.1) }, width: info.width, height: info.height)
  }

  func see(_ input: borrowing InputBuffer, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws {
    let code = input.timeCode
    let warning = try state.see(input.time, index: input.index, segment: input.segment) {
      let pad = handle.pad("sink")
      return ListClock.Source(uri: pad?.peerURI, identity: pad?.streamIdentity, timecode: code.flatMap { StartTimecode($0) })
    }
    if let warning { handle.postWarning(.stream(GST_STREAM_ERROR_FORMAT, warning)) }
    for fields in input.metadata(Marks.boundary) { log(fields, &state) }
    for fields in input.metadata(Marks.score) { logScore(fields, &state) }
  }

  func receive(_ event: Structure, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws {
    log(event, &state)
    logScore(event, &state)
  }

  func flush(_ settings: Settings, _ state: inout State) { state.flush() }

  func finish(_ settings: Settings, _ state: inout State, _ output: inout Output<Readings>, endOfStream: Bool) throws {
    if endOfStream { state.end() }
  }

  func stop(_ state: inout State) throws { state.close() }

  func upstreamRequest(_ settings: Settings) -> Structure? {
    Structure(Marks.request, [("statistics", .bool(settings.statisticsLocation != nil))])
  }

  func requestUnanswered(_ settings: Settings) {
    handle.postWarning(Marks.unanswered("there will be no shots to write. Put one before this element."))
  }

  private func log(_ fields: Structure, _ state: inout State) {
    guard let boundary = Boundary(fields) else { return }
    Self.debug.log(GST_LEVEL_DEBUG, handle, "\(boundary.kind.rawValue) at frame \(boundary.frame)")
    state.take(boundary)
  }

  private func logScore(_ fields: Structure, _ state: inout State) {
    if let (score, columns) = FrameScore.parse(fields) { state.take(score, columns: columns) }
  }
}

extension ListingSettings: Defaultable {}

extension StartTimecode {
  /// The label of a frame as its own rate counts it; nil if it does not say a rate.
  init?(_ code: TimeCode) {
    guard let rate = code.rate else { return nil }
    let (hours, minutes, seconds, frames) = code.numbers
    self.init(
      Timecode(hours: hours, minutes: minutes, seconds: seconds, frames: frames, dropFrame: code.isDropFrame, rate: rate), rate: rate)
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
