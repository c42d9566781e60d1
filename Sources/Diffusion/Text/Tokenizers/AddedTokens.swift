/// Tokens that are found in a text before anything else is done with it, such as `</s>` and `<extra_id_0>`.
///
/// At one place the longest is taken; places are taken from the left.
struct AddedTokens: Sendable {
  struct Entry: Sendable {
    var content: [UInt8]
    var token: Int
    /// Takes the white space before it along.
    var stripsLeft = false
    /// Takes the white space behind it along.
    var stripsRight = false
    /// Stands only where no letter, digit or underscore touches it.
    var isWord = false
    /// Is looked for in the normalised text.
    var isNormalized = false
  }

  enum Part {
    case token(Int)
    case text(Range<Int>)
  }

  private let entries: [Entry]
  private let trie: ByteTrie

  init(_ entries: [Entry]) throws(ByteTrie.Flaw) {
    self.entries = entries
    trie = try ByteTrie(entries.enumerated().map { ($1.content, $0) })
  }

  /// Calls `body` with the tokens and what lies between them, from the left, until it returns false.
  func split(_ bytes: [UInt8], in range: Range<Int>, _ body: (Part) -> Bool) {
    var start = range.lowerBound  // of the text that is not yet handed on
    var position = start
    while position < range.upperBound {
      guard let (end, index) = trie.longestPrefix(of: bytes, in: position..<range.upperBound) else {
        position += 1
        continue
      }
      let entry = entries[index]
      if entry.isWord && !Self.isAlone(bytes, position..<end, in: range) {
        position = end
        continue
      }
      var before = position
      var after = end
      if entry.stripsLeft { before = bytes.endTrimmingWhiteSpace(start..<before) }
      if entry.stripsRight { after = bytes.startTrimmingWhiteSpace(after..<range.upperBound) }
      if start < before, !body(.text(start..<before)) { return }
      if !body(.token(entry.token)) { return }
      start = after
      position = after
    }
    if start < range.upperBound { _ = body(.text(start..<range.upperBound)) }
  }

  private static func isAlone(_ bytes: [UInt8], _ word: Range<Int>, in range: Range<Int>) -> Bool {
    let before = bytes.scalar(endingAt: word.lowerBound, in: range)
    let after = bytes.scalar(at: word.upperBound, in: range)
    return before.map(isWordCharacter) != true && after.map(isWordCharacter) != true
  }

  /// `\w` of Unicode's regular expressions (UTS 18, annex C).
  private static func isWordCharacter(_ scalar: Unicode.Scalar) -> Bool {
    let properties = scalar.properties
    if properties.isAlphabetic || properties.isJoinControl { return true }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
    default: return false
    }
  }
}

extension [UInt8] {
  /// The code point that begins at a place in valid UTF-8.
  func scalar(at position: Int, in range: Range<Int>) -> Unicode.Scalar? {
    guard range.contains(position) else { return nil }
    let end = Swift.min(range.upperBound, position + characterLength(self[position]))
    return String(decoding: self[position..<end], as: UTF8.self).unicodeScalars.first
  }

  /// The code point that ends at a place in valid UTF-8.
  func scalar(endingAt end: Int, in range: Range<Int>) -> Unicode.Scalar? {
    var position = end - 1
    while range.contains(position), self[position] & 0xC0 == 0x80 { position -= 1 }
    return scalar(at: position, in: range)
  }

  /// Where the text begins if white space in front of it is left out.
  func startTrimmingWhiteSpace(_ range: Range<Int>) -> Int {
    var position = range.lowerBound
    while let scalar = scalar(at: position, in: range), scalar.properties.isWhitespace { position += UTF8.width(scalar) }
    return Swift.min(position, range.upperBound)
  }

  /// Where the text ends if white space behind it is left out.
  func endTrimmingWhiteSpace(_ range: Range<Int>) -> Int {
    var end = range.upperBound
    while let scalar = scalar(endingAt: end, in: range), scalar.properties.isWhitespace { end -= UTF8.width(scalar) }
    return Swift.max(end, range.lowerBound)
  }
}
