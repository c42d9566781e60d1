import CGLib

/// Brings text into the form that BERT's vocabulary has, and cuts it into words.
///
/// Source: BERT's `BasicTokenizer` as Hugging Face's tokenizers have it (`BertNormalizer`, `BertPreTokenizer`), whose
/// tables of categories and decompositions are those of Unicode 8: to these, characters that are newer have none.
struct BertNormalizer: Sendable {
  /// Drops what is invisible and makes all white space spaces.
  var cleansText = true
  var spacesIdeographs = true
  var stripsAccents = true
  var lowercases = true

  func normalize(_ text: String) -> [Unicode.Scalar] {
    var scalars: [Unicode.Scalar] = []
    scalars.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      if cleansText && Self.isDropped(scalar) { continue }
      let scalar = cleansText && Self.isSpace(scalar) ? " " : scalar
      if spacesIdeographs && Self.isIdeograph(scalar) { scalars += [" ", scalar, " "] } else { scalars.append(scalar) }
    }
    if stripsAccents { scalars = Self.decomposed(scalars).filter { !Self.isAccent($0) } }
    return lowercases ? Self.lowercased(scalars) : scalars
  }

  /// Calls `body` with each word of a normalised text, until it returns false: white space is left out, and a punctuation
  /// mark is a word of its own.
  static func forEachWord(of scalars: [Unicode.Scalar], _ body: (ArraySlice<Unicode.Scalar>) -> Bool) {
    var start = 0
    for (index, scalar) in scalars.enumerated() {
      let isSpace = Self.isSpace(scalar)
      guard isSpace || isPunctuation(scalar) else { continue }
      if start < index, !body(scalars[start..<index]) { return }
      if !isSpace, !body(scalars[index...index]) { return }
      start = index + 1
    }
    if start < scalars.count { _ = body(scalars[start...]) }
  }

  private static func lowercased(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(scalars.count)
    for scalar in scalars {
      switch scalar {
      case "A"..."Z": result.append(Unicode.Scalar(UInt8(truncatingIfNeeded: scalar.value | 0x20)))
      case "\0"..."\u{7F}": result.append(scalar)
      default: result += scalar.properties.lowercaseMapping.unicodeScalars
      }
    }
    return result
  }

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value > 0x20 && scalar.value < 0x7F ? false : scalar.properties.isWhitespace
  }

  private static func isOld(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.age.map { $0.major <= 8 } ?? false }

  static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\t", "\n", "\r": return false
    case "\0", "\u{FFFD}": return true
    case " "..."~": return false
    default: break
    }
    switch scalar.properties.generalCategory {
    case .control, .format, .privateUse: return isOld(scalar)
    default: return false
    }
  }

  /// BERT's ranges, with the gap that tokenizers has in them, from U+2B820 to U+2B91F.
  static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2B81F, 0x2B920...0x2CEAF, 0x2F800...0x2FA1F: true
    default: false
    }
  }

  static func isAccent(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x300: return false
    // Marks in Unicode 8 only, or since.
    case 0x1734, 0x1171E: return true
    case 0x1885, 0x1886, 0xA9BD, 0x111C9: return false
    default: return scalar.properties.generalCategory == .nonspacingMark && isOld(scalar)
    }
  }

  static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
    case 0..<0x80: return false
    // Punctuation in Unicode 8 only.
    case 0x166D, 0x111C9: return true
    default: break
    }
    switch scalar.properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
      .otherPunctuation:
      return isOld(scalar)
    default: return false
    }
  }

  /// Unicode's normal form D.
  ///
  /// Character by character, and not with `g_utf8_normalize`, whose time is the square of the length of a run of marks.
  static func decomposed(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(scalars.count)
    var parts = [gunichar](repeating: 0, count: 18)
    for scalar in scalars {
      guard scalar.value >= 0xC0, isOld(scalar) else {
        result.append(scalar)
        continue
      }
      let count = g_unichar_fully_decompose(scalar.value, 0, &parts, gsize(parts.count))
      result += parts.prefix(Int(count)).compactMap(Unicode.Scalar.init)
    }
    order(&result)
    return result
  }

  /// Puts each run of marks in the order of their combining classes; marks of one class stay as they are.
  private static func order(_ scalars: inout [Unicode.Scalar]) {
    var start = 0
    while start < scalars.count {
      var end = start
      while end < scalars.count, combiningClass(scalars[end]) != 0 { end += 1 }
      if end - start > 1 {
        let run = scalars[start..<end].enumerated().map { (class: combiningClass($1), index: $0, scalar: $1) }
        let sorted = run.sorted { ($0.class, $0.index) < ($1.class, $1.index) }
        scalars.replaceSubrange(start..<end, with: sorted.map(\.scalar))
      }
      start = end + 1
    }
  }

  private static func combiningClass(_ scalar: Unicode.Scalar) -> Int32 {
    scalar.value < 0x300 ? 0 : g_unichar_combining_class(scalar.value)
  }
}
