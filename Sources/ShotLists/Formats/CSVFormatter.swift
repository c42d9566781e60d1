/// The scene list of `scenedetect list-scenes`: numbers from 1, end frame inclusive, times to the millisecond.
///
/// A finished list begins with PySceneDetect's "Timecode List:" line; a running one has the form of its `--skip-cuts`.
struct CSVFormatter: CutListFormatter {
  private static let columns = """
    Scene Number,Start Frame,Start Timecode,Start Time (seconds),End Frame,End Timecode,End Time (seconds),\
    Length (frames),Length (timecode),Length (seconds)

    """

  func head(_ summary: CutListSummary?) -> String {
    guard let summary else { return Self.columns }
    return (["Timecode List:"] + summary.cuts.map(clockText)).joined(separator: ",") + "\n" + Self.columns
  }

  func shot(_ shot: Shot) -> String {
    let fields = [
      "\(shot.ordinal)",
      "\(shot.firstFrame + 1)", clockText(shot.start), secondsText(shot.start),
      "\(shot.endFrame)", clockText(shot.end), secondsText(shot.end),
      "\(shot.frames)", clockText(shot.duration), secondsText(shot.duration),
    ]
    return fields.joined(separator: ",") + "\n"
  }
}
