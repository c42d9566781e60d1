import Shots

/// A boundary a line, written as soon as it is known: `{"kind":"cut","shot":2,"frame":285,…}`.
///
/// Times are nanoseconds, `null` where unknown. The first shot has no boundary and no line.
struct JSONLinesFormatter: CutListFormatter {
  func head(_ summary: CutListSummary?) -> String { "" }

  func opening(_ shot: ShotOpening) -> String {
    shot.boundary.map { jsonObject($0) + "\n" } ?? ""
  }
}

/// All fields of a boundary as a JSON object on one line.
func jsonObject(_ boundary: Boundary) -> String {
  var fields: [(String, String)] = [
    ("kind", jsonString(boundary.kind.rawValue)),
    ("shot", "\(boundary.shot)"),
    ("frame", "\(boundary.frame)"),
    ("pts", jsonNumber(boundary.pts)),
    ("running-time", jsonNumber(boundary.runningTime)),
    ("stream-time", jsonNumber(boundary.streamTime)),
    ("transition-start", jsonNumber(boundary.transitionStart)),
    ("transition-end", jsonNumber(boundary.transitionEnd)),
    ("score", jsonNumber(boundary.score)),
    ("detector", jsonString(boundary.detector)),
  ]
  if let color = boundary.color { fields.append(("color", jsonString(color.rawValue))) }
  if let generated = boundary.generated {
    fields += [("generated", "true"), ("generator", jsonString(generated.generator)), ("prompt", jsonString(generated.prompt))]
  }
  return "{" + fields.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
}
