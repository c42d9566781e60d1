import Shots

/// Writes per-frame measurements as PySceneDetect's statistics file: `Frame Number,Timecode,…`, frames from 1.
///
/// Works like ``CutListFile``: `append` never waits, a thread writes, the first failure is reported once.
public final class StatisticsFile: Sendable {
  private let file: BackgroundFile<StatisticsSink>

  /// - Parameters:
  ///   - columns: `Detector/statisticNames`.
  ///   - capacity: frames that may wait for the disk.
  public init(
    path: String, columns: [String], capacity: Int = 4096, onError: @escaping @Sendable (FileError) -> Void
  ) {
    file = BackgroundFile(path: path, capacity: capacity, sink: StatisticsSink(columns: columns), onError: onError)
  }

  /// The next frame's row, with a value for each column; NaN is written as `None`. Never waits.
  public func append(_ score: FrameScore) { file.enqueue(.score(score)) }

  /// All that was measured was taken back: the file is as it was at first. What has gone to a FIFO, or the like, stays.
  public func restart() { file.enqueue(.restart) }

  /// Nothing more comes: what is left is written meanwhile. Does not wait, for who has several files to close.
  public func shut() { file.shut() }

  /// Waits until everything is on disk, or has failed. Later calls do nothing.
  public func close() { file.close() }
}

struct StatisticsSink: EntrySink, Sendable {
  enum Entry: Sendable {
    case score(FrameScore)
    case restart
  }

  let columns: [String]

  func begin(_ file: inout OutputFile) throws(FileError) {
    try append((["Frame Number", "Timecode"] + columns.map(csvField)).joined(separator: ",") + "\n", to: &file)
  }

  func write(_ entries: [Entry], to file: inout OutputFile) throws(FileError) {
    var lines = ""
    for entry in entries {
      switch entry {
      case .score(let score): lines += Self.line(score)
      case .restart:
        guard !file.isStream else { break }
        lines = ""
        try file.restart()
        try begin(&file)
      }
    }
    try append(lines, to: &file)
  }

  func finish(_ file: inout OutputFile) throws(FileError) {
    try file.finish(oldHead: 0, newHead: nil)
  }

  private func append(_ text: String, to file: inout OutputFile) throws(FileError) {
    try file.append(Array(text.utf8), foot: [])
  }

  /// What is not known of a frame is `None`, as Python writes it.
  static func line(_ score: FrameScore) -> String {
    let time = score.time
    let fields =
      ["\(time.frame + 1)", clockText(time.streamTime ?? time.pts ?? time.elapsed)]
      + score.values.map { $0.isFinite ? "\($0)" : "None" }
    return fields.joined(separator: ",") + "\n"
  }
}
