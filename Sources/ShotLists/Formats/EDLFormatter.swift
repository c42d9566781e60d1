/// CMX 3600: an event a shot, source and record times alike, so that the list rebuilds the stream with a cut at every
/// boundary. Timecodes count frames at the list's rate from stream time 0.
struct EDLFormatter: CutListFormatter {
  let options: CutListOptions

  private var isDropFrame: Bool { options.dropFrame && options.rate.hasDropFrame }

  func head(_ summary: CutListSummary?) -> String {
    "TITLE: \(singleLine(options.title))\nFCM: \(isDropFrame ? "DROP FRAME" : "NON-DROP FRAME")\n\n"
  }

  func shot(_ shot: Shot) -> String {
    let (start, end) = (timecode(shot.start), timecode(shot.end))
    return "\(padded(shot.ordinal, 3))  AX       V     C        \(start) \(end) \(start) \(end)\n"
      + "* FROM CLIP NAME: \(singleLine(options.title)) shot \(shot.ordinal)\n"
      + (shot.generated.map { "* COMMENT: \(singleLine($0.note))\n" } ?? "")
  }

  private func timecode(_ nanoseconds: UInt64) -> Timecode {
    Timecode(frame: options.rate.frame(at: nanoseconds), rate: options.rate, dropFrame: options.dropFrame)
  }
}
