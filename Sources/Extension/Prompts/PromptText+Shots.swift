/// CineTrans's form.
extension PromptText {
  /// - Returns: nil if the text does not look like it.
  static func shots(_ text: String) throws(PromptProblem) -> PromptText? {
    var cursor = PromptCursor(text)
    let beginning = cursor.index
    let count = Count(&cursor)
    cursor.beginSection()

    var shots: [Shot] = []
    // Where the general caption or that of the newest shot begins.
    var partStart = cursor.index
    var general = ""
    func finishPart(at end: String.Index) {
      if shots.isEmpty { general = trimmed(text[partStart..<end], isPart: true) }
      guard let last = shots.indices.last else { return }
      var part = PromptCursor(String(text[partStart..<end]))
      if let mark = SceneMark(&part), let beginning = mark.beginning {
        shots[last].beginning = beginning
        shots[last].caption = trimmed(part.text[part.index...], isPart: true)
      } else {
        shots[last].caption = trimmed(part.text[...], isPart: true)
      }
    }
    while cursor.findWord() {
      let place = cursor.index
      guard let mark = try ShotMark(&cursor) else {
        cursor.passLetter()
        continue
      }
      guard mark.number == shots.count + 1 else {
        let expected = "expected shot \(shots.count + 1)"
        throw cursor.problem(shots.isEmpty ? expected : expected + " after shot \(shots.count)", at: mark.numberPlace)
      }
      finishPart(at: place)
      let times = try Times(&cursor, of: mark.number, after: shots.last)
      shots.append(Shot(caption: "", start: times?.start, end: times?.end, beginning: shots.isEmpty ? nil : .next))
      partStart = cursor.index
      cursor.beginSection()
    }
    finishPart(at: text.endIndex)

    switch count {
    case .none: break
    case .unreadable:
      if !shots.isEmpty { throw cursor.problem("expected the number of shots, such as 2 or two", at: beginning) }
    case .number(let number):
      guard number == shots.count, number > 0 else {
        throw cursor.problem("\(number == 1 ? "one shot is" : "\(number) shots are") announced, but \(follow(shots.count))", at: beginning)
      }
    }
    guard !shots.isEmpty else { return nil }
    var parsed = PromptText(.shots, shots: shots)
    parsed.general = general
    return parsed
  }

  private static func follow(_ count: Int) -> String {
    switch count {
    case 0: "none follows"
    case 1: "one follows"
    default: "\(count) follow"
    }
  }
}

/// `Two shots:`, with which a text begins.
private enum Count {
  case none
  case number(Int)
  /// Something else than a number, or nothing, stands before `shots:`.
  case unreadable

  init(_ cursor: inout PromptCursor) {
    let start = cursor.index
    if let number = cursor.takeNumber(), cursor.take("shot", "shots"), cursor.take(UInt8(ascii: ":")) {
      self = .number(number)
      return
    }
    cursor.index = start
    var hasName = cursor.take("shots")
    if !hasName {
      cursor.skipToken()
      hasName = cursor.take("shots")
    }
    if hasName, cursor.take(UInt8(ascii: ":")) {
      self = .unreadable
    } else {
      cursor.index = start
      self = .none
    }
  }
}

/// `Shot 1:`, before a shot's times and caption.
private struct ShotMark {
  var number: Int
  var numberPlace: String.Index

  /// - Throws: it is one, but for something that is missing.
  init?(_ cursor: inout PromptCursor) throws(PromptProblem) {
    let start = cursor.index
    guard cursor.take("shot") else { return nil }
    let place = cursor.index
    let mayBeBroken = cursor.isSection && Self.hasTimes(after: cursor)
    let number = cursor.takeNumber()
    let isMarked = cursor.take(UInt8(ascii: ":"))
    let hasTimes = cursor.next == UInt8(ascii: "[")
    guard let number, isMarked || hasTimes else {
      if mayBeBroken { throw cursor.problem("expected the shot's number", at: place) }
      cursor.index = start
      return nil
    }
    if !isMarked { throw cursor.problem("expected ':' after the shot's number") }
    guard hasTimes || cursor.isSection else {
      cursor.index = start
      return nil
    }
    self.number = number
    numberPlace = place
  }

  /// Whether times follow after the number, or something else in its place, or nothing.
  private static func hasTimes(after cursor: PromptCursor) -> Bool {
    var cursor = cursor
    cursor.skipToken()
    _ = cursor.take(UInt8(ascii: ":"))
    return cursor.next == UInt8(ascii: "[")
  }
}

/// `[0s, 4s]`, nanoseconds.
private struct Times {
  var start: UInt64
  var end: UInt64

  /// - Parameter last: the shot before, which has times, too, or has none.
  /// - Returns: nil if there are none, as with the shot before.
  init?(_ cursor: inout PromptCursor, of number: Int, after last: PromptText.Shot?) throws(PromptProblem) {
    let bracket = cursor.index
    guard cursor.take(UInt8(ascii: "[")) else {
      if last?.start != nil { throw cursor.problem("expected '[' and the times of shot \(number)") }
      return nil
    }
    if let last, last.start == nil { throw cursor.problem("shot \(number) has times, but shot \(number - 1) has none", at: bracket) }
    let startPlace = cursor.index
    guard let start = try cursor.takeTime() else { throw cursor.problem("expected the time at which the shot begins") }
    if !cursor.take(UInt8(ascii: ",")) { throw cursor.problem("expected ',' after the time") }
    let endPlace = cursor.index
    guard let end = try cursor.takeTime() else { throw cursor.problem("expected the time at which the shot ends") }
    if !cursor.take(UInt8(ascii: "]")) { throw cursor.problem("expected ']' after the time") }
    if let before = last?.start, start < before { throw cursor.problem("shot \(number) begins before shot \(number - 1)", at: startPlace) }
    if let before = last?.end, start < before {
      throw cursor.problem("shot \(number) begins before shot \(number - 1) ends", at: startPlace)
    }
    if end < start { throw cursor.problem("shot \(number) ends before it begins", at: endPlace) }
    if end == start { throw cursor.problem("shot \(number) ends when it begins", at: endPlace) }
    self.start = start
    self.end = end
  }
}
