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

  /// What writes a list of this format from its first shot on. csv, jsonl and qp have no use for the options.
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
  /// Rows, for fcpxml, which names a size only where both sides are known.
  public var height: Int?

  /// The medium is not known, and drop-frame timecodes are on: the properties change that.
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
  /// End of the last shot that was added, nanoseconds.
  public var end: UInt64 = 0

  /// Of a list that has no shots yet.
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
  /// What closes the file, written again behind each addition; empty for formats of lines.
  var foot: String { get }
}

extension CutListFormatter {
  /// Nothing: most formats list shots when they are complete.
  public func opening(_ shot: ShotOpening) -> String { "" }
  /// Nothing, for formats that list beginnings.
  public func shot(_ shot: Shot) -> String { "" }
  /// Nothing: the file may end after any line.
  public var foot: String { "" }
}
