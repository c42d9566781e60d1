import Diffusion

/// TAV's form and continuations.
extension PromptText {
  /// - Returns: nil if the text does not begin like it.
  static func scenes(_ text: String) throws(PromptProblem) -> PromptText? {
    var cursor = PromptCursor(text)
    guard let first = SceneMark(&cursor) else { return nil }
    var previous: String?
    var shots: [Shot] = []
    var mark = first
    while true {
      let partStart = cursor.index
      let found = try nextMark(&cursor, afterPrevious: mark.beginning == nil)
      let caption = trimmed(text[partStart..<(found?.place ?? text.endIndex)], isPart: true)
      if let beginning = mark.beginning { shots.append(Shot(caption: caption, beginning: beginning)) } else { previous = caption }
      guard let found else { break }
      if found.mark.beginning == nil { throw cursor.problem("'Previous scene:' must stand at the beginning", at: found.place) }
      mark = found.mark
    }
    // Whoever tells the previous scene asks for another.
    if shots.isEmpty { shots = [Shot(caption: "", beginning: .next)] }
    var parsed = PromptText(.scenes, shots: shots)
    parsed.previous = previous
    return parsed
  }

  /// - Throws: there is a mark inside a text that begins without one.
  static func checkNoScenesInside(_ text: String) throws(PromptProblem) {
    var cursor = PromptCursor(text)
    guard let found = try nextMark(&cursor, afterPrevious: false) else { return }
    var beginning = PromptCursor(text)
    if SceneMark.takeName(&beginning) != nil { throw beginning.problem("expected ':'") }
    throw beginning.problem("expected 'Previous scene:' or the like before this, as there is '\(found.mark.name):' later")
  }

  /// Goes behind the next mark.
  ///
  /// - Returns: it, and where it begins.
  /// - Throws: only one that does not stand where a mark does follows a previous scene.
  private static func nextMark(
    _ cursor: inout PromptCursor, afterPrevious: Bool
  ) throws(PromptProblem) -> (mark: SceneMark, place: String.Index)? {
    var misplaced: (name: String, place: String.Index)?
    while cursor.findWord() {
      let place = cursor.index
      if cursor.isSection || (afterPrevious && misplaced == nil) {
        if let mark = SceneMark(&cursor) {
          if cursor.isSection {
            cursor.beginSection()
            return (mark, place)
          }
          if mark.beginning == .next { misplaced = (mark.name, place) }
          cursor.index = place
        }
      }
      cursor.passLetter()
    }
    if let misplaced { throw cursor.problem("expected ';' before '\(misplaced.name):'", at: misplaced.place) }
    return nil
  }
}

/// `Next scene:` and the like, before a caption.
struct SceneMark {
  /// nil for the previous scene.
  var beginning: ShotBeginning?
  var name: String

  init?(_ cursor: inout PromptCursor) {
    let start = cursor.index
    if cursor.take("and"), !cursor.take("then") { cursor.index = start }
    _ = cursor.take("then")
    guard let mark = Self.takeName(&cursor), cursor.take(UInt8(ascii: ":")) else {
      cursor.index = start
      return nil
    }
    self = mark
  }

  private init(_ beginning: ShotBeginning?, _ name: String) {
    self.beginning = beginning
    self.name = name
  }

  /// Reads it without the colon.
  static func takeName(_ cursor: inout PromptCursor) -> SceneMark? {
    let start = cursor.index
    let mark: SceneMark
    switch cursor.takeWord() {
    case "previous": mark = SceneMark(nil, "Previous scene")
    case "next": mark = SceneMark(.next, "Next scene")
    case "same": mark = SceneMark(.same, "Same shot")
    case "back":
      guard cursor.take("to"), cursor.take("the"), cursor.take("earlier") else {
        cursor.index = start
        return nil
      }
      mark = SceneMark(.back, "Back to the earlier shot")
    default:
      cursor.index = start
      return nil
    }
    if cursor.take("scene", "shot") { return mark }
    cursor.index = start
    return nil
  }
}
