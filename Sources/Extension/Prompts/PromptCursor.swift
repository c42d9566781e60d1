/// A place in a prompt's text, and what can be read from there on.
///
/// What reads something that is not there leaves the place as it was.
struct PromptCursor {
  let text: String
  var index: String.Index
  /// Whether only white space lies between here and a semicolon, a sentence's end, a line break or the text's beginning.
  private(set) var isSection = true
  /// Whether the scalar before is a letter or digit of ASCII.
  private var isInWord = false

  init(_ text: String) {
    self.text = text
    index = text.startIndex
    skipBlanks()
  }

  var isAtEnd: Bool { index == text.endIndex }

  private var scalar: Unicode.Scalar? { index < text.endIndex ? text.unicodeScalars[index] : nil }

  /// The next scalar as ASCII in lower case, full-width ones too; 0 for all others and at the end.
  var next: UInt8 { scalar.map(folded) ?? 0 }

  private mutating func advance() {
    if index < text.endIndex { index = text.unicodeScalars.index(after: index) }
  }

  mutating func skipBlanks() {
    while let scalar, isBlank(scalar) { advance() }
  }

  /// Reads this and the blanks after it.
  mutating func take(_ character: UInt8) -> Bool {
    guard next == character else { return false }
    advance()
    skipBlanks()
    return true
  }

  /// Reads letters and hyphens, at most `longest`, and the blanks after them.
  ///
  /// The limit keeps chains of hyphens, each of which begins a word, from being read again and again.
  ///
  /// - Returns: them in lower case; empty if there are none, or more, or a digit follows at once.
  mutating func takeWord(longest: Int = 24) -> String {
    let start = index
    var word = ""
    while isLetter(next) || (next == UInt8(ascii: "-") && !word.isEmpty) {
      guard word.utf8.count < longest else {
        index = start
        return ""
      }
      word.unicodeScalars.append(Unicode.Scalar(next))
      advance()
    }
    if isDigit(next) {
      index = start
      return ""
    }
    skipBlanks()
    return word
  }

  /// Reads one of these words and the blanks after it.
  mutating func take(_ words: String...) -> Bool {
    let start = index
    if words.contains(takeWord()) { return true }
    index = start
    return false
  }

  /// Passes what stands where a number was expected ("-1", "1st", "2.5"), up to a blank, a colon or a bracket, and blanks.
  mutating func skipToken() {
    for _ in 0..<16 {
      guard let scalar, !isBlank(scalar), next != UInt8(ascii: ":"), next != UInt8(ascii: "[") else { break }
      advance()
    }
    skipBlanks()
  }

  /// Reads a whole number, as digits or a word up to twenty, and the blanks after it; those too large are `Int.max`.
  mutating func takeNumber() -> Int? {
    let start = index
    if let number = numberWords.firstIndex(of: takeWord()) { return number + 1 }
    index = start
    guard isDigit(next) else { return nil }
    var number = 0
    while isDigit(next) {
      let (tens, large) = number.multipliedReportingOverflow(by: 10)
      let (sum, tooLarge) = tens.addingReportingOverflow(Int(next - UInt8(ascii: "0")))
      number = large || tooLarge ? .max : sum
      advance()
    }
    skipBlanks()
    return number
  }

  /// Reads a decimal, and `s` if it is there, and the blanks after it.
  ///
  /// - Returns: nanoseconds, rounded; nil if there are no digits.
  /// - Throws: it is negative, not finite, or more than 24 hours.
  mutating func takeTime() throws(PromptProblem) -> UInt64? {
    let start = index
    if next == UInt8(ascii: "-") { throw problem("a time cannot be negative") }
    if take("inf", "infinity", "nan") || scalar == "∞" { throw problem("a time must be finite", at: start) }
    guard isDigit(next) || next == UInt8(ascii: ".") else { return nil }
    var seconds: UInt64 = 0
    while isDigit(next) {
      // Beyond a day it does not matter by how much.
      seconds = min(longestTime, seconds * 10 + UInt64(next - UInt8(ascii: "0")))
      advance()
    }
    var nanoseconds: UInt64 = 0
    if next == UInt8(ascii: ".") {
      advance()
      guard isDigit(next) else { throw problem("expected a digit after the decimal point") }
      var unit = second
      while isDigit(next) {
        let digit = UInt64(next - UInt8(ascii: "0"))
        if unit == 1 && digit >= 5 { nanoseconds += 1 }
        unit /= 10
        nanoseconds += digit * unit
        advance()
      }
    }
    let time = seconds * second + nanoseconds
    guard time <= dayInSeconds * second else { throw problem("a time cannot be more than 24 hours", at: start) }
    skipBlanks()
    _ = take("s", "sec", "secs", "second", "seconds")
    return time
  }

  /// Goes to the next letter of ASCII with which a word begins, from here on. ``isSection`` tells of that place.
  mutating func findWord() -> Bool {
    while let scalar {
      let character = folded(scalar)
      if isLetter(character) && !isInWord { return true }
      see(scalar, character)
      advance()
    }
    return false
  }

  /// Leaves a word that nobody has read.
  mutating func passLetter() {
    if let scalar { see(scalar, folded(scalar)) }
    advance()
  }

  /// A new section begins here.
  mutating func beginSection() {
    isSection = true
    isInWord = false
  }

  private mutating func see(_ scalar: Unicode.Scalar, _ character: UInt8) {
    isInWord = isLetter(character) || isDigit(character)
    if isSeparator(scalar, character) {
      isSection = true
    } else if isInWord || !isBlank(scalar) {
      isSection = false
    }
  }

  func problem(_ reason: String, at place: String.Index? = nil) -> PromptProblem {
    PromptProblem(reason, at: place ?? index, of: text)
  }
}

/// Nanoseconds.
private let second: UInt64 = 1_000_000_000
private let dayInSeconds: UInt64 = 24 * 60 * 60
/// Larger times count as this.
private let longestTime = 2 * dayInSeconds

private let numberWords = [
  "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen",
  "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
]

private func isLetter(_ character: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= character }
private func isDigit(_ character: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= character }

/// In lower case; 0 for what is not ASCII or its full-width twin. The minus sign is a hyphen.
private func folded(_ scalar: Unicode.Scalar) -> UInt8 {
  switch scalar.value {
  case 0x41...0x5A: UInt8(scalar.value + 0x20)
  case 0..<0x80: UInt8(scalar.value)
  case 0xFF21...0xFF3A: UInt8(scalar.value - 0xFEE0 + 0x20)
  case 0xFF01...0xFF5E: UInt8(scalar.value - 0xFEE0)
  case 0x2212: UInt8(ascii: "-")
  default: 0
  }
}

/// White space, and the byte order mark, which editors leave at a text's beginning.
private func isBlank(_ scalar: Unicode.Scalar) -> Bool {
  scalar.value < 0x80 ? scalar == " " || 9...13 ~= scalar.value : scalar.properties.isWhitespace || scalar == "\u{FEFF}"
}

private func isSeparator(_ scalar: Unicode.Scalar, _ character: UInt8) -> Bool {
  switch character {
  case UInt8(ascii: ";"), UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "?"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): true
  default: scalar == "。" || scalar == "…" || scalar == "\u{2028}" || scalar == "\u{2029}"
  }
}

/// Without white space around it; of a part of a text also without the semicolons and commas around it.
func trimmed(_ text: Substring, isPart: Bool = false) -> String {
  func goes(_ scalar: Unicode.Scalar) -> Bool {
    isBlank(scalar) || (isPart && (folded(scalar) == UInt8(ascii: ";") || folded(scalar) == UInt8(ascii: ",")))
  }
  let scalars = text.unicodeScalars
  guard let first = scalars.firstIndex(where: { !goes($0) }), let last = scalars.lastIndex(where: { !goes($0) }) else { return "" }
  return String(text[first..<scalars.index(after: last)])
}
