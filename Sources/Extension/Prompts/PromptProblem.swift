/// Why a prompt's text was taken as plain although it looks like one of the forms that ``PromptText`` knows.
public struct PromptProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// Which of several texts; both count from 1.
  public enum Place: Hashable, Sendable {
    case line(Int)
    case prompt(Int)
  }

  /// nil where there is only one text.
  public var place: Place?
  /// Character of the text, or of its line, from 1. What is missing at the end is told at the last character.
  public var column: Int
  /// For people, as part of a sentence: "expected ']' after the time".
  public var reason: String

  /// Without a place: of a text that stands alone.
  public init(place: Place? = nil, column: Int, reason: String) {
    self.place = place
    self.column = column
    self.reason = reason
  }

  /// - Parameter index: aligned to a scalar. Cost: a walk through `text` up to there.
  init(_ reason: String, at index: String.Index, of text: String) {
    var column = 0
    for start in text.indices {
      if start > index { break }
      column += 1
    }
    self.init(column: max(1, column), reason: reason)
  }

  public var description: String {
    switch place {
    case .line(let number): "line \(number), column \(column): \(reason)"
    case .prompt(let number): "prompt \(number), column \(column): \(reason)"
    case nil: "column \(column): \(reason)"
    }
  }
}
