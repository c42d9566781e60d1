import Tensors

/// What characters are replaced by before text is cut into pieces: sentencepiece's `precompiled_charsmap`.
///
/// The layout: 4 bytes, the size of the trie in bytes, little-endian; the trie, a double array as Darts-clone writes it, of
/// 32-bit units; and the replacements, each ended by a zero byte. A unit's lowest 8 bits are its label, bit 8 says that a
/// leaf hangs on it, bits 10 to 30 are the distance to its children, in blocks of 256 if bit 9 is set; a leaf is a unit
/// with bit 31 set, and its other bits are where its replacement begins.
struct CharacterMap: Sendable {
  /// nmt_nfkc's has 240 KB.
  static let sizeLimit = 4 << 20
  /// nmt_nfkc's longest has 33 bytes. Bounds by how much a text can grow.
  static let longestReplacement = 128

  private let units: [UInt32]
  private let replacements: [UInt8]

  /// - Parameter path: The file that the bytes come from, for the error.
  init(_ bytes: [UInt8], path: String) throws(WeightsError) {
    func flaw(_ reason: String) -> WeightsError { WeightsError(.malformed, path: path, "has a character map \(reason)") }

    guard bytes.count >= 4, bytes.count <= Self.sizeLimit else { throw flaw("of \(bytes.count) bytes") }
    let size = bytes[..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard size > 0, size % 4 == 0, size <= bytes.count - 4 else {
      throw flaw("of \(bytes.count) bytes, whose trie should have \(size)")
    }
    units = stride(from: 4, to: 4 + size, by: 4).map { start in
      bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
    replacements = Array(bytes[(4 + size)...])
    guard replacements.isEmpty || replacements.last == 0 else { throw flaw("whose last replacement does not end") }
    guard replacements.split(separator: 0).allSatisfy({ $0.count <= Self.longestReplacement }) else {
      throw flaw("with a replacement of more than \(Self.longestReplacement) bytes")
    }
    guard isWhole() else { throw flaw("whose trie points outside itself") }
  }

  private static func children(of unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 1 << 9) >> 6) }
  private static func hasLeaf(_ unit: UInt32) -> Bool { unit >> 8 & 1 == 1 }
  private static func label(_ unit: UInt32) -> UInt32 { unit & (1 << 31 | 0xFF) }
  private static func value(_ leaf: UInt32) -> Int { Int(leaf & ~(1 << 31)) }

  /// Whether every place that a text can lead to lies inside.
  private func isWhole() -> Bool {
    var seen = [Bool](repeating: false, count: units.count)
    var open = [Self.children(of: units[0])]
    while let base = open.popLast() {
      // A lookup looks at all 256 places next to a node; where one is inside and another is not, the array was cut.
      guard base | 0xFF < units.count else { return false }
      guard !seen[base] else { continue }
      seen[base] = true
      for byte in 1...UInt32(0xFF) {
        let unit = units[base ^ Int(byte)]
        guard Self.label(unit) == byte else { continue }
        let next = base ^ Int(byte) ^ Self.children(of: unit)
        if Self.hasLeaf(unit) {
          guard next < units.count, Self.value(units[next]) < replacements.count else { return false }
        }
        open.append(next)
      }
    }
    return true
  }

  /// Calls `body` with the end of each rule that `bytes[range]` begins with, the shortest first, and where its replacement
  /// begins, until it returns false.
  private func forEachRule(_ bytes: [UInt8], _ range: Range<Int>, _ body: (_ end: Int, _ replacement: Int) -> Bool) {
    var position = Self.children(of: units[0])
    for index in range {
      position ^= Int(bytes[index])
      guard position < units.count else { return }
      let unit = units[position]
      guard Self.label(unit) == UInt32(bytes[index]) else { return }
      position ^= Self.children(of: unit)
      guard position < units.count else { return }
      if Self.hasLeaf(unit), !body(index + 1, Self.value(units[position])) { return }
    }
  }

  private func replacement(at start: Int) -> ArraySlice<UInt8> {
    guard start < replacements.count else { return [] }
    return replacements[start...].prefix { $0 != 0 }
  }

  /// The longest rule that `bytes[range]` begins with, as sentencepiece applies rules.
  func longest(_ bytes: [UInt8], in range: Range<Int>) -> (end: Int, replacement: ArraySlice<UInt8>)? {
    var found: (end: Int, start: Int)?
    forEachRule(bytes, range) { end, start in
      found = (end, start)
      return true
    }
    return found.map { ($0.end, replacement(at: $0.start)) }
  }

  /// The shortest rule that `bytes[range]` begins with.
  private func shortest(_ bytes: [UInt8], in range: Range<Int>) -> ArraySlice<UInt8>? {
    var found: Int?
    forEachRule(bytes, range) { _, start in
      found = start
      return false
    }
    return found.map(replacement(at:))
  }

  /// Applies the rules as Hugging Face's tokenizers do.
  ///
  /// These look at what readers take for one character. If it has fewer than 6 bytes, the shortest rule that it begins with
  /// replaces all of it, so that marks behind are lost (ế written as e and two marks becomes ê); otherwise each of its code
  /// points is replaced alone. sentencepiece, which takes the longest rule, differs for text that is not composed.
  func replacingCharacters(of bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    let text = String(decoding: bytes, as: UTF8.self)
    var index = text.startIndex
    var start = 0
    while index < text.endIndex {
      let next = text.index(after: index)
      let end = start + text.utf8.distance(from: index, to: next)
      if end - start < 6, let replacement = shortest(bytes, in: start..<end) {
        result += replacement
        start = end
      }
      while start < end {
        let after = min(end, start + characterLength(bytes[start]))
        result += shortest(bytes, in: start..<after) ?? bytes[start..<after]
        start = after
      }
      index = next
    }
    return result
  }
}
