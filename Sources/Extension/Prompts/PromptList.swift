/// The prompts of a text, as people write them on a command line: one as it is, or several in brackets and quotes.
///
/// ```swift
/// PromptList("A rabbit wakes up").prompts                      // one
/// PromptList("<'A rabbit wakes up', 'A bird sings'>").prompts  // two
/// ```
///
/// - A text that begins with `<` is a list up to the `>` at its end. Its entries stand in simple or double quotes, or in none up to a
///   comma; a quote within an entry ends it only where a comma or the list's end follows, so that apostrophes need no care.
/// - One that begins with a quote, and is nothing but quoted entries, is a list without brackets; so is one in `[ ]` or `{ }`. There an
///   apostrophe stands within a word.
/// - All else is one prompt. An empty text has none.
///
/// In double quotes a backslash makes the next character plain, or is C's: `\n`, `\303\251`. So GStreamer writes its arrays, which are
/// understood. In simple quotes it is a backslash, but before a quote or another. Cost: linear in the length.
public struct PromptList: Hashable, Sendable {
  /// In order; white space around each is left to whoever reads them.
  public private(set) var prompts: [String] = []
  /// Why a text that begins like a list is one prompt.
  public private(set) var problem: PromptProblem?

  /// Never fails: what begins like a list and is none is one prompt, with a ``problem``.
  public init(_ text: String) {
    let whole = trimmed(text[...])
    guard let first = whole.utf8.first else { return }
    var scanner = Scanner(bytes: Array(whole.utf8))
    switch first {
    case UInt8(ascii: "<"):
      do throws(Scanner.Flaw) { prompts = try scanner.list(to: UInt8(ascii: ">")) } catch {
        prompts = [whole]
        let index = whole.utf8.index(whole.startIndex, offsetBy: min(error.offset, whole.utf8.count))
        problem = PromptProblem("\(error.reason); a list is written as <'A rabbit wakes up', 'A bird sings'>", at: index, of: whole)
      }
    case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "'"), UInt8(ascii: "\""):
      // Captions may begin so too.
      prompts = (try? scanner.quotedList()) ?? [whole]
    default: prompts = [whole]
    }
  }
}

/// Reads a list's entries out of UTF-8.
private struct Scanner {
  let bytes: [UInt8]
  private var position = 0
  /// Whether a quote before a blank cannot be an apostrophe.
  private var isStrict = false

  init(bytes: [UInt8]) { self.bytes = bytes }

  struct Flaw: Error {
    var offset: Int
    var reason: String
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func passBlanks() {
    while let byte = next, byte == 0x20 || 9...13 ~= byte { position += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    position += 1
    return true
  }

  /// `<…>`, of which the first bracket stands here and the last at the end.
  mutating func list(to close: UInt8) throws(Flaw) -> [String] {
    position += 1
    guard bytes.last == close, bytes.count > 1 else {
      throw Flaw(offset: bytes.count - 1, reason: "expected '\(Character(Unicode.Scalar(close)))' at the end")
    }
    var entries: [String] = []
    passBlanks()
    if position == bytes.count - 1 { return [] }
    repeat { entries.append(try entry(to: close)) } while take(UInt8(ascii: ","))
    guard position == bytes.count - 1 else { throw Flaw(offset: position, reason: "expected ',' or '>'") }
    return entries
  }

  /// `'…', '…'`, perhaps in brackets that are not GStreamer's.
  mutating func quotedList() throws(Flaw) -> [String] {
    let brackets: [UInt8: UInt8] = [UInt8(ascii: "["): UInt8(ascii: "]"), UInt8(ascii: "{"): UInt8(ascii: "}")]
    let close = next.flatMap { brackets[$0] }
    isStrict = true
    if close != nil { position += 1 }
    var entries: [String] = []
    repeat {
      passBlanks()
      guard let quote = next, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
        throw Flaw(offset: position, reason: "expected a quote")
      }
      entries.append(try entry(to: close))
    } while take(UInt8(ascii: ","))
    if let close, !take(close) { throw Flaw(offset: position, reason: "expected a bracket") }
    guard position == bytes.count else { throw Flaw(offset: position, reason: "expected nothing more") }
    return entries
  }

  /// One entry, and the blanks around it. A comma, or the list's end, is next.
  private mutating func entry(to close: UInt8?) throws(Flaw) -> String {
    passBlanks()
    // GStreamer may say of which type each is.
    let type = Array("(string)".utf8)
    if bytes[position...].starts(with: type) {
      position += type.count
      passBlanks()
    }
    guard let quote = next, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return bare(to: close) }
    let start = position
    position += 1
    var text: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case quote where endsEntry(close):
        passBlanks()
        return String(decoding: text, as: UTF8.self)
      case quote where isStrict && next.map { $0 == 0x20 || 9...13 ~= $0 } ?? true:
        throw Flaw(offset: position, reason: "expected ',' after the quote")
      case UInt8(ascii: "\\"): text.append(escaped(by: quote))
      default: text.append(byte)
      }
    }
    throw Flaw(offset: start, reason: "expected the quote's end")
  }

  /// Up to a comma or the list's end; C's `NULL` is an array's entry that has no text.
  private mutating func bare(to close: UInt8?) -> String {
    let start = position
    while let byte = next, byte != UInt8(ascii: ","), byte != close || position < bytes.count - 1 { position += 1 }
    let text = trimmed(String(decoding: bytes[start..<position], as: UTF8.self)[...])
    return text == "NULL" ? "" : text
  }

  /// Whether a comma or the end of the list follows, or that of the text without brackets.
  private func endsEntry(_ close: UInt8?) -> Bool {
    guard let index = bytes[position...].firstIndex(where: { $0 != 0x20 && !(9...13 ~= $0) }) else { return close == nil }
    return bytes[index] == UInt8(ascii: ",") || (bytes[index] == close && index == bytes.count - 1)
  }

  /// What stands behind a backslash.
  private mutating func escaped(by quote: UInt8) -> UInt8 {
    guard let byte = next else { return UInt8(ascii: "\\") }
    if quote == UInt8(ascii: "'"), byte != quote, byte != UInt8(ascii: "\\") { return UInt8(ascii: "\\") }
    let octal = bytes[position...].prefix(3)
    if octal.count == 3, octal.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "7") ~= $0 }) {
      position += 3
      return octal.reduce(0) { $0 << 3 | ($1 & 7) }
    }
    position += 1
    switch byte {
    case UInt8(ascii: "n"): return UInt8(ascii: "\n")
    case UInt8(ascii: "r"): return UInt8(ascii: "\r")
    case UInt8(ascii: "t"): return UInt8(ascii: "\t")
    default: return byte
    }
  }
}
