import Shots
import Timing

/// Writes a cut list while the stream runs.
///
/// ```swift
/// let list = CutListFile(path: "shots.csv", format: .csv) { error in print(error) }
/// list.begin(at: firstFrame)
/// list.see(boundary)
/// list.end(endFrame: frames, end: endTime)
/// list.close()
/// ```
///
/// `begin`, `see` and `end` never wait: entries go through a bounded queue to a thread that opens the file (an existing
/// one is emptied) and writes every shot through to it at once, so that a crash loses at most the open shot and leaves
/// a valid file. When something fails (open, write, a full queue) `onError` is called once, on the thread that meets
/// it, and what is on disk is left valid; `onError` must not call `close`. `path` may be a FIFO or /dev/stdout; then
/// what belongs at the top of a finished file (the CSV's timecode list, FCPXML's durations) is left out.
public final class CutListFile: Sendable {
  private let file: BackgroundFile<CutListSink>

  /// - Parameter capacity: boundaries that may wait for the disk.
  public init(
    path: String, format: CutListFormat, options: CutListOptions = CutListOptions(), capacity: Int = 1024,
    onError: @escaping @Sendable (FileError) -> Void
  ) {
    file = BackgroundFile(path: path, capacity: capacity, sink: CutListSink(format, options), onError: onError)
  }

  /// The first frame of the stream; without it the stream counts as begun at frame 0, time 0.
  ///
  /// - Parameters:
  ///   - options: what is known better by now than when the file was made; the top of the file is written anew.
  ///   - source: where the frame lies in its own film; nil where the list has one, with the list's times.
  public func begin(at time: FrameTime, options: CutListOptions? = nil, source: SourceTime? = nil) {
    file.enqueue(.begin(time, options, source))
  }

  /// A boundary, however late it was found: it closes the open shot. One that is not after the open shot's beginning is
  /// ignored.
  ///
  /// - Parameter place: of the boundary in the list; nil where its own frame and stream time say it.
  public func see(_ boundary: Boundary, at place: ListPlace? = nil) { file.enqueue(.boundary(boundary, place)) }

  /// Another film begins with this frame, or another place of the same. Where no boundary is told there, a shot ends all the same.
  public func join(at place: ListPlace) { file.enqueue(.join(place)) }

  /// All that was listed was taken back: the file is as it was at first. What has gone to a FIFO, or the like, stays.
  public func restart() { file.enqueue(.restart) }

  /// The end of the stream: `endFrame` frames, the last of which ends at `end` (nanoseconds of stream time; `nil` if
  /// unknown).
  public func end(endFrame: UInt64, end: ClockTime?) { file.enqueue(.end(endFrame, end)) }

  /// Nothing more comes: what is left is written meanwhile. Does not wait, for who has several files to close.
  public func shut() { file.shut() }

  /// Waits until everything is on disk (or has failed) and ends the file. A reader of a FIFO or pipe that has stopped
  /// reading is given half a second. Later calls do nothing, nor do entries after it.
  public func close() { file.close() }
}

struct CutListSink: EntrySink, Sendable {
  enum Entry: Sendable {
    case begin(FrameTime, CutListOptions?, SourceTime?)
    case boundary(Boundary, ListPlace?)
    case join(ListPlace)
    case restart
    case end(UInt64, ClockTime?)
  }

  private let format: CutListFormat
  private var options: CutListOptions
  private var formatter: any CutListFormatter
  private var tracker: ShotTracker
  private var summary = CutListSummary()
  private var head: [UInt8] = []
  private var foot: [UInt8] = []
  private var unnamed: [ListMedium] = []
  /// Whether the top of the file is there.
  private var isHeaded = false
  /// Whether more than that is there.
  private var hasBody = false

  init(_ format: CutListFormat, _ options: CutListOptions) {
    (self.format, self.options) = (format, options)
    formatter = format.formatter(options)
    tracker = ShotTracker(rate: options.rate)
  }

  mutating func begin(_ file: inout OutputFile) throws(FileError) {
    foot = Array(formatter.foot.utf8)
    // What has gone into a pipe cannot be written anew: its top waits for the first frame.
    if !file.isStream { try putHead(&file) }
  }

  private mutating func putHead(_ file: inout OutputFile) throws(FileError) {
    head = Array(formatter.head(nil).utf8)
    isHeaded = true
    try file.append(head, foot: foot)
  }

  mutating func write(_ entries: [Entry], to file: inout OutputFile) throws(FileError) {
    for entry in entries {
      if case .begin(_, let options?, _) = entry { try take(options, &file) }
      if case .restart = entry { try restart(&file) }
      if !isHeaded { try putHead(&file) }
      let text = text(of: entry)
      try nameMedia(&file)
      guard !text.isEmpty else { continue }
      hasBody = true
      try file.append(Array(text.utf8), foot: foot)
    }
  }

  private mutating func take(_ new: CutListOptions, _ file: inout OutputFile) throws(FileError) {
    guard !hasBody, new != options else { return }
    options = new
    formatter = format.formatter(new)
    tracker = ShotTracker(rate: new.rate)
    if isHeaded, !file.isStream { try file.restart() }
    if !file.isStream { try putHead(&file) }
  }

  private mutating func restart(_ file: inout OutputFile) throws(FileError) {
    tracker.drop()
    guard hasBody, !file.isStream else { return }
    (hasBody, summary, options.others, unnamed) = (false, CutListSummary(), [], [])
    tracker = ShotTracker(rate: options.rate)
    formatter = format.formatter(options)
    try file.restart()
    try putHead(&file)
  }

  /// Films that the top of the file does not name yet are put there before anything tells of them.
  private mutating func nameMedia(_ file: inout OutputFile) throws(FileError) {
    guard !unnamed.isEmpty else { return }
    options.others += unnamed
    unnamed = []
    formatter = format.formatter(options)
    let new = Array(formatter.head(nil).utf8)
    guard !file.isStream, new != head else { return }
    try file.rewrite(oldHead: head.count, newHead: new)
    head = new
  }

  private mutating func text(of entry: Entry) -> String {
    switch entry {
    case .restart: return ""
    case .begin(let time, _, let source):
      let before = tracker.open
      tracker.begin(at: time, source: source)
      return opening(after: before)
    case .join(let place):
      tracker.join(at: place)
      return ""
    case .boundary(let boundary, let place):
      return closeAtJoins(before: place?.frame ?? boundary.frame) + (closing { $0.see(boundary, at: place) } ?? "")
    case .end(let endFrame, let end):
      return closeAtJoins(before: endFrame) + (closing { $0.finish(endFrame: endFrame, end: end) } ?? "")
    }
  }

  private mutating func closeAtJoins(before frame: UInt64) -> String {
    var text = ""
    while let more = closing({ $0.closeAtJoin(before: frame) }) { text += more }
    return text
  }

  /// What is written of the shot that this closes, and of the one that it opens; nil if it closes none.
  private mutating func closing(_ body: (inout ShotTracker) -> Shot?) -> String? {
    let before = tracker.open
    guard let closed = body(&tracker) else { return nil }
    summary.add(closed)
    return (before == nil ? formatter.opening(closed.opening) : "") + formatter.shot(closed) + opening(after: before)
  }

  private mutating func opening(after before: ShotOpening?) -> String {
    guard let open = tracker.open, open != before else { return "" }
    if let medium = open.source?.medium, medium.number > 1, !(options.others + unnamed).contains(where: { $0.number == medium.number }) {
      unnamed.append(medium)
    }
    return formatter.opening(open)
  }

  mutating func finish(_ file: inout OutputFile) throws(FileError) {
    if !isHeaded { try putHead(&file) }
    let final = Array(formatter.head(summary).utf8)
    try file.finish(oldHead: head.count, newHead: final == head ? nil : final)
  }
}
