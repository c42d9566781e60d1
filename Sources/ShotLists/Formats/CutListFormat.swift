import Timing

/// The formats in which cut lists are written.
public enum CutListFormat: String, CaseIterable, Hashable, Sendable {
  /// PySceneDetect's `list-scenes`: a shot a line.
  case csv
  /// A boundary a line, as a JSON object.
  case jsonl
  /// CMX 3600 edit decision list.
  case edl
  /// OpenTimelineIO, one video track with a clip a shot.
  case otio
  /// Final Cut Pro XML 1.9.
  case fcpxml
  /// WebVTT chapters, a cue a shot.
  case webvtt
  /// x264's QP file: a key frame at every shot.
  case qp

  public func formatter(_ options: CutListOptions = CutListOptions()) -> any CutListFormatter {
    switch self {
    case .csv: CSVFormatter()
    case .jsonl: JSONLinesFormatter()
    case .edl: EDLFormatter(options: options)
    case .otio: OTIOFormatter(options: options)
    case .fcpxml: FCPXMLFormatter(options: options)
    case .webvtt: WebVTTFormatter(options: options)
    case .qp: QPFormatter()
    }
  }
}

/// What a list says besides the shots.
public struct CutListOptions: Hashable, Sendable {
  /// Any text; each format escapes it.
  public var title = "Untitled"
  /// The rate that edl, otio and fcpxml count frames at. For variable rates a nominal one.
  public var rate = FrameRate.fallback
  /// Whether 29.97 and 59.94 get drop-frame timecodes in edl.
  public var dropFrame = true
  /// URI of the medium; `nil` if unknown.
  public var source: String?
  /// Pixels, for fcpxml; `nil` if unknown.
  public var width: Int?
  public var height: Int?

  public init(title: String = "Untitled", rate: FrameRate = .fallback) {
    self.title = title
    self.rate = rate
  }
}

/// What is known at the end and some formats put at the top.
public struct CutListSummary: Hashable, Sendable {
  /// Starts of all shots but the first, nanoseconds.
  public var cuts: [UInt64] = []
  /// Start of the first shot and end of the last, nanoseconds.
  public var start: UInt64 = 0
  public var end: UInt64 = 0

  public init() {}

  /// Takes the next shot of the list.
  public mutating func add(_ shot: Shot) {
    if shot.ordinal == 1 { start = shot.start } else { cuts.append(shot.start) }
    end = max(end, shot.end)
  }
}

/// Turns shots into the text of one format.
///
/// A file is `head` + what `opening` and `shot` gave, in order + `foot`, and is valid after every shot.
public protocol CutListFormatter: Sendable {
  /// The beginning of the file: with `nil` before anything is known, and again for a finished list. Where the two
  /// differ the finished file gets the second.
  func head(_ summary: CutListSummary?) -> String
  /// Written when a shot begins.
  func opening(_ shot: ShotOpening) -> String
  /// Written when a shot is complete.
  func shot(_ shot: Shot) -> String
  var foot: String { get }
}

extension CutListFormatter {
  public func opening(_ shot: ShotOpening) -> String { "" }
  public func shot(_ shot: Shot) -> String { "" }
  public var foot: String { "" }
}
