import Timing

/// CMX 3600: an event a shot, which takes a piece of its film and puts it where the list has come to, so that the list rebuilds
/// the stream with a cut at every boundary. Timecodes count frames at the list's rate.
///
/// Where the film's place is known the lines under the event name it, as editors look for it: its file, and the path of that.
struct EDLFormatter: CutListFormatter {
  let options: CutListOptions

  func head(_ summary: CutListSummary?) -> String {
    "TITLE: \(singleLine(options.title))\nFCM: \(options.isDropFrame ? "DROP FRAME" : "NON-DROP FRAME")\n\n"
  }

  func shot(_ shot: Shot) -> String {
    let (source, record, frames) = (options.sourceFrame(of: shot), options.recordFrame(at: shot.start), options.frames(of: shot))
    let times = [source, source.saturating(adding: frames), record, record.saturating(adding: frames)]
    return "\(padded(shot.ordinal, 3))  AX       V     C        \(times.map { "\(timecode($0))" }.joined(separator: " "))\n"
      + names(shot) + (shot.generated.map { "* COMMENT: \(singleLine($0.note))\n" } ?? "")
  }

  private func names(_ shot: Shot) -> String {
    guard let source = options.source(of: shot) else { return "* FROM CLIP NAME: \(singleLine(options.title)) shot \(shot.ordinal)\n" }
    return "* FROM CLIP NAME: \(singleLine(fileName(ofURI: source)))\n* FROM CLIP: \(singleLine(filePath(ofURI: source)))\n"
  }

  private func timecode(_ frame: UInt64) -> Timecode {
    Timecode(frame: frame, rate: options.rate, dropFrame: options.dropFrame)
  }
}
