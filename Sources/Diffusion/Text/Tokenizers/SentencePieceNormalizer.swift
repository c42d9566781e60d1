/// Brings text into the form that a sentencepiece model was trained on: characters replaced, runs of spaces made one, a
/// space in front, and spaces written as ▁.
///
/// Source: sentencepiece's `normalizer.cc`.
struct SentencePieceNormalizer: Sendable {
  var characterMap: CharacterMap?
  /// What is passed as it is.
  var userDefined: ByteTrie?
  /// A space in front of the text, or behind it.
  var addsSpace = true
  var putsSpaceBehind = false
  /// Makes runs of spaces one and removes those at both ends.
  var joinsSpaces = true
  var escapesSpaces = true

  static let space = UInt8(ascii: " ")
  /// ▁, U+2581
  static let mark: [UInt8] = [0xE2, 0x96, 0x81]

  func normalize(_ bytes: [UInt8], in range: Range<Int>) -> [UInt8] {
    let written = escapesSpaces ? Self.mark : [Self.space]
    var position = range.lowerBound
    if joinsSpaces {
      while position < range.upperBound {
        let (end, text) = replace(bytes, position..<range.upperBound)
        guard text.elementsEqual(CollectionOfOne(Self.space)) else { break }
        position = end
      }
    }
    guard position < range.upperBound else { return [] }

    var result: [UInt8] = []
    result.reserveCapacity(range.count + range.count / 4)
    if addsSpace && !putsSpaceBehind { result += written }
    var afterSpace = joinsSpaces
    while position < range.upperBound {
      var (end, text) = replace(bytes, position..<range.upperBound)
      if afterSpace { text = text.drop { $0 == Self.space } }
      if let last = text.last {
        for byte in text {
          if byte == Self.space { result += written } else { result.append(byte) }
        }
        afterSpace = joinsSpaces && last == Self.space
      }
      position = end
    }
    if joinsSpaces {
      while result.suffix(written.count).elementsEqual(written) { result.removeLast(written.count) }
    }
    if addsSpace && putsSpaceBehind { result += written }
    return result
  }

  /// What the text's beginning becomes, and where the rest begins.
  private func replace(_ bytes: [UInt8], _ range: Range<Int>) -> (end: Int, text: ArraySlice<UInt8>) {
    if let (end, _) = userDefined?.longestPrefix(of: bytes, in: range) { return (end, bytes[range.lowerBound..<end]) }
    if let (end, replacement) = characterMap?.longest(bytes, in: range) { return (end, replacement) }
    let end = min(range.upperBound, range.lowerBound + characterLength(bytes[range.lowerBound]))
    return (end, bytes[range.lowerBound..<end])
  }
}
