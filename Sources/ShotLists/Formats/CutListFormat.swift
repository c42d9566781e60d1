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

  /// Whether it has timecodes, which need a rate.
  public var hasTimecodes: Bool { self == .edl || self == .otio || self == .fcpxml }

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
  /// The rate that edl, otio and fcpxml count frames at: one that timecodes have (`FrameRate/timecodeRate`).
  public var rate = FrameRate.fallback
  /// Whether 29.97 and 59.94 get drop-frame timecodes in edl.
  public var dropFrame = true
  /// URI of the medium; `nil` if unknown. Of several, the first.
  public var source: String?
  /// The media behind the first, as they come: for fcpxml, which names them at its top.
  public var others: [ListMedium] = []
  /// What timecodes begin with in edl, otio and fcpxml; nil for 0 at 0.
  public var start: StartTimecode?
  /// Time of the list's first frame, nanoseconds: where timecodes of edl, otio and fcpxml begin.
  public var begin: ClockTime = 0
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

extension CutListOptions {
  /// Number of the frame at a time of the list, as its timecodes count.
  func recordFrame(at time: ClockTime) -> UInt64 {
    start?.frame(at: time, rate: rate) ?? rate.frame(at: time)
  }

  /// Number of a shot's first frame in its own film, as that one's timecodes count.
  func sourceFrame(of shot: Shot) -> UInt64 { sourceFrame(at: shot.sourceStart, in: shot.opening.source?.medium) }

  func sourceFrame(at time: ClockTime, in medium: ListMedium?) -> UInt64 {
    guard let medium else { return recordFrame(at: time) }
    return medium.timecode?.frame(at: time, rate: rate) ?? rate.frame(at: time)
  }

  /// How many frames of timecodes a shot has: what it takes of the list, so that the next one follows.
  func frames(of shot: Shot) -> UInt64 { rate.frame(at: shot.end).less(rate.frame(at: shot.start)) }

  /// URI of a shot's film; nil for a shot that was generated, which the film that the stream tells of does not have.
  func source(of shot: Shot) -> String? {
    guard let medium = shot.opening.source?.medium else { return source }
    if shot.generated != nil, medium.number > 1 || medium.uri == source { return nil }
    return medium.number > 1 ? medium.uri : source
  }

  var isDropFrame: Bool { dropFrame && rate.hasDropFrame }
}

/// What is known at the end and some formats put at the top.
public struct CutListSummary: Hashable, Sendable {
  /// Starts of all shots but the first, nanoseconds.
  public var cuts: [ClockTime] = []
  /// Start of the first shot and end of the last, nanoseconds.
  public var start: ClockTime = 0
  /// End of the last shot that was added, nanoseconds.
  public var end: ClockTime = 0
  /// What the list has of each film, by its number: the time in it at which the first of it begins and the last ends.
  var media: [Int: Extent] = [:]

  struct Extent: Hashable, Sendable {
    var start: ClockTime
    var end: ClockTime
  }

  /// Of a list that has no shots yet.
  public init() {}

  /// Takes the next shot of the list.
  public mutating func add(_ shot: Shot) {
    if shot.ordinal == 1 { start = shot.start } else { cuts.append(shot.start) }
    end = max(end, shot.end)
    let stop = shot.sourceStart.saturating(adding: shot.duration)
    let before = media[shot.medium] ?? Extent(start: shot.sourceStart, end: stop)
    media[shot.medium] = Extent(start: min(before.start, shot.sourceStart), end: max(before.end, stop))
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
