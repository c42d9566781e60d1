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
    let sink = CutListSink(formatter: format.formatter(options), rate: options.rate)
    file = BackgroundFile(path: path, capacity: capacity, sink: sink, onError: onError)
  }

  /// The first frame of the stream; without it the stream counts as begun at frame 0, time 0.
  public func begin(at time: FrameTime) { file.enqueue(.begin(time)) }

  /// A boundary, however late it was found: it closes the open shot. One that is not after the open shot's beginning is
  /// ignored.
  public func see(_ boundary: Boundary) { file.enqueue(.boundary(boundary)) }

  /// The end of the stream: `endFrame` frames, the last of which ends at `end` (nanoseconds of stream time; `nil` if
  /// unknown).
  public func end(endFrame: UInt64, end: UInt64?) { file.enqueue(.end(endFrame, end)) }

  /// Nothing more comes: what is left is written meanwhile. Does not wait, for who has several files to close.
  public func shut() { file.shut() }

  /// Waits until everything is on disk (or has failed) and ends the file. A reader of a FIFO or pipe that has stopped
  /// reading is given half a second. Later calls do nothing, nor do entries after it.
  public func close() { file.close() }
}

struct CutListSink: EntrySink, Sendable {
  enum Entry: Sendable {
    case begin(FrameTime)
    case boundary(Boundary)
    case end(UInt64, UInt64?)
  }

  private let formatter: any CutListFormatter
  private var tracker: ShotTracker
  private var summary = CutListSummary()
  private var head: [UInt8] = []
  private var foot: [UInt8] = []

  init(formatter: any CutListFormatter, rate: FrameRate) {
    self.formatter = formatter
    tracker = ShotTracker(rate: rate)
  }

  mutating func begin(_ file: inout OutputFile) throws(FileError) {
    head = Array(formatter.head(nil).utf8)
    foot = Array(formatter.foot.utf8)
    try file.append(head, foot: foot)
  }

  mutating func write(_ entries: [Entry], to file: inout OutputFile) throws(FileError) {
    for entry in entries {
      let text = text(of: entry)
      if !text.isEmpty { try file.append(Array(text.utf8), foot: foot) }
    }
  }

  private mutating func text(of entry: Entry) -> String {
    let before = tracker.open
    let closed: Shot?
    switch entry {
    case .begin(let time):
      tracker.begin(at: time)
      closed = nil
    case .boundary(let boundary): closed = tracker.see(boundary)
    case .end(let endFrame, let end): closed = tracker.finish(endFrame: endFrame, end: end)
    }
    var text = ""
    if let closed {
      if before == nil { text += formatter.opening(closed.opening) }
      summary.add(closed)
      text += formatter.shot(closed)
    }
    if let open = tracker.open, open != before { text += formatter.opening(open) }
    return text
  }

  mutating func finish(_ file: inout OutputFile) throws(FileError) {
    let final = Array(formatter.head(summary).utf8)
    try file.finish(oldHead: head.count, newHead: final == head ? nil : final)
  }
}
