import CGLib
import Tensors

/// The normalizer and the pre-tokenizer of a `tokenizer.json` with a Unigram model: from text to words.
struct TextPipeline: Sendable {
  private enum Step: Sendable {
    case characters(CharacterMap)
    case strip(left: Bool, right: Bool)
    case replace([UInt8], with: [UInt8])
    /// Two spaces and more.
    case replaceRuns(with: [UInt8])
  }

  private enum Cut: Sendable {
    case atWhiteSpace
    /// Spaces become `mark`, which is also put in front; with `splits`, a word begins at each.
    case metaspace(mark: [UInt8], prepends: Prepending, splits: Bool)
  }

  private enum Prepending: String, Sendable { case always, first, never }

  /// Bounds by how much a replacement can make a text grow.
  private static let longestReplacement = 128

  private var steps: [Step] = []
  private var cuts: [Cut] = []

  init(_ file: TokenizerFile) throws(WeightsError) {
    for step in try file.flat(file.listing.normalizer) { steps.append(try Self.step(step, file)) }
    for step in try file.flat(file.listing.preTokenizer) { cuts.append(try Self.cut(step, file)) }
  }

  private static func step(_ step: TokenizerFile.Step, _ file: TokenizerFile) throws(WeightsError) -> Step {
    switch step.type {
    case "Precompiled":
      guard let map = step.characterMap, let bytes = Self.bytes(base64: map) else {
        throw file.flaw("has a \"Precompiled\" normalizer whose \"precompiled_charsmap\" is no base64")
      }
      return .characters(try CharacterMap(bytes, path: file.path))
    case "Strip": return .strip(left: step.stripsLeft ?? true, right: step.stripsRight ?? true)
    case "Replace":
      let content = Array((step.content ?? "").utf8)
      guard content.count <= longestReplacement else {
        throw file.flaw("has a \"Replace\" normalizer with a content of \(content.count) bytes")
      }
      if step.pattern?.regularExpression == " {2,}" { return .replaceRuns(with: content) }
      guard let pattern = step.pattern?.string, !pattern.isEmpty, pattern.utf8.count <= longestReplacement else {
        let name = step.pattern?.regularExpression ?? step.pattern?.string ?? ""
        throw file.flaw(
          "has a \"Replace\" normalizer for \"\(name.prefix(40))\", where a short string or the expression \" {2,}\" can be used")
      }
      return .replace(Array(pattern.utf8), with: content)
    default: throw file.flaw("has a \"\(step.type)\" normalizer, where Precompiled, Strip and Replace can be used")
    }
  }

  /// nil for what is no base64, which GLib would read over.
  private static func bytes(base64 text: String) -> [UInt8]? {
    let characters = Array(text.utf8)
    let padding = characters.reversed().prefix { $0 == UInt8(ascii: "=") }.count
    guard characters.count % 4 == 0, padding <= 2, characters.dropLast(padding).allSatisfy(isBase64) else { return nil }
    var count = 0 as gsize
    guard !characters.isEmpty, let memory = g_base64_decode(text, &count) else { return [] }
    defer { g_free(memory) }
    return Array(UnsafeBufferPointer(start: memory, count: Int(count)))
  }

  private static func isBase64(_ character: UInt8) -> Bool {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "+"), UInt8(ascii: "/"):
      true
    default: false
    }
  }

  private static func cut(_ step: TokenizerFile.Step, _ file: TokenizerFile) throws(WeightsError) -> Cut {
    switch step.type {
    case "WhitespaceSplit": return .atWhiteSpace
    case "Metaspace":
      let mark = step.replacement ?? "▁"
      guard mark.unicodeScalars.count == 1 else {
        throw file.flaw("has a \"Metaspace\" pre-tokenizer whose \"replacement\" is no single character")
      }
      let name = step.prependScheme ?? (step.addsPrefixSpace ?? true ? "always" : "never")
      guard let prepending = Prepending(rawValue: name) else {
        throw file.flaw("has a \"Metaspace\" pre-tokenizer with a \"prepend_scheme\" of \"\(name)\"")
      }
      return .metaspace(mark: Array(mark.utf8), prepends: prepending, splits: step.splits ?? true)
    default: throw file.flaw("has a \"\(step.type)\" pre-tokenizer, where WhitespaceSplit and Metaspace can be used")
    }
  }

  func normalize(_ bytes: [UInt8]) -> [UInt8] {
    steps.reduce(bytes) { text, step in
      switch step {
      case .characters(let map): return map.replacingCharacters(of: text)
      case .strip(let left, let right):
        let start = left ? text.startTrimmingWhiteSpace(0..<text.count) : 0
        let end = right ? text.endTrimmingWhiteSpace(start..<text.count) : text.count
        return Array(text[start..<end])
      case .replace(let pattern, let content): return Self.replace(text, content) { text[$0...].starts(with: pattern) ? pattern.count : 0 }
      case .replaceRuns(let content):
        return Self.replace(text, content) { start in
          var end = start
          while end < text.count, text[end] == UInt8(ascii: " ") { end += 1 }
          return end - start > 1 ? end - start : 0
        }
      }
    }
  }

  /// Puts `content` in the place of each match; `length` says how long the match is that begins at a place, or 0.
  private static func replace(_ text: [UInt8], _ content: [UInt8], length: (Int) -> Int) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var position = 0
    while position < text.count {
      let matched = length(position)
      if matched > 0 { result += content } else { result.append(text[position]) }
      position += max(1, matched)
    }
    return result
  }

  /// Calls `body` with each word of a normalised text, until it returns false.
  ///
  /// - Parameter isFirst: Whether the text stands at the prompt's beginning.
  func forEachWord(of bytes: [UInt8], in range: Range<Int>, isFirst: Bool, _ body: ([UInt8]) -> Bool) {
    _ = cut(Array(bytes[range]), isFirst: isFirst, with: cuts[...], body)
  }

  private func cut(_ word: [UInt8], isFirst: Bool, with cuts: ArraySlice<Cut>, _ body: ([UInt8]) -> Bool) -> Bool {
    guard !word.isEmpty else { return true }
    guard let cut = cuts.first else { return body(word) }
    let rest = cuts.dropFirst()
    switch cut {
    case .atWhiteSpace:
      var position = 0
      while position < word.count {
        let start = position
        var width = 0
        while let scalar = word.scalar(at: position, in: 0..<word.count) {
          width = UTF8.width(scalar)
          if scalar.properties.isWhitespace { break }
          position += width
          width = 0
        }
        let end = min(position, word.count)
        if start < end, !self.cut(Array(word[start..<end]), isFirst: isFirst && start == 0, with: rest, body) { return false }
        position += width
      }
      return true
    case .metaspace(let mark, let prepending, let splits):
      var text = Self.replace(word, mark) { word[$0] == UInt8(ascii: " ") ? 1 : 0 }
      let prepends = prepending == .always || prepending == .first && isFirst
      if prepends, !text.starts(with: mark) { text = mark + text }
      guard splits else { return self.cut(text, isFirst: isFirst, with: rest, body) }
      var start = 0
      for position in 1...text.count where position == text.count || text[position...].starts(with: mark) {
        if !self.cut(Array(text[start..<position]), isFirst: isFirst && start == 0, with: rest, body) { return false }
        start = position
      }
      return true
    }
  }
}
