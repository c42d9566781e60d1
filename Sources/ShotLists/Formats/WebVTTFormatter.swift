/// WebVTT chapters: a cue a shot, for HTML's `<track kind="chapters">` and for players that list chapters.
struct WebVTTFormatter: CutListFormatter {
  let options: CutListOptions

  /// `-->` may stand nowhere but in a cue's timing line; an arrow head alone cannot make one.
  func head(_ summary: CutListSummary?) -> String {
    let title = String(
      String.UnicodeScalarView(singleLine(options.title).unicodeScalars.map { $0 == ">" ? "\u{203A}" : $0 }))
    return "WEBVTT - \(title)\n\n"
  }

  func shot(_ shot: Shot) -> String {
    let prompt = shot.generated.map { $0.prompt.isEmpty ? "" : ": \(cueText($0.prompt))" } ?? ""
    return "\(shot.ordinal)\n\(clockText(shot.start)) --> \(clockText(shot.end))\n\(shot.name)\(prompt)\n\n"
  }
}
