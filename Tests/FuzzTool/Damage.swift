/// Random numbers that are the same in every run (Vigna's splitmix64).
struct Numbers: RandomNumberGenerator {
  var state: UInt64

  /// Those of one case.
  init(seed: UInt64, number: UInt64) {
    state = seed &* 0xd129_0d3e_9d3f_1b6b ^ number &* 0x9e37_79b9_7f4a_7c15
    _ = next()
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func below(_ count: Int) -> Int { count > 0 ? Int(next() % UInt64(count)) : 0 }
}

/// One change of a file. Its numbers are taken modulo what there is, so that it makes sense without those before it too.
struct Damage {
  enum Kind: CaseIterable {
    case flip, set, truncate, remove, insert, repeated, splice, token, tokenAway, tokenTwice, tokenFrom, number, nest, length
  }

  var kind: Kind
  var a, b, c: UInt64

  init(_ numbers: inout Numbers) {
    kind = Kind.allCases[numbers.below(Kind.allCases.count)]
    (a, b, c) = (numbers.next(), numbers.next(), numbers.next())
  }

  /// What models never have and attackers write.
  static let hostile = [
    "-1", "0", "1", "-0", "2.5", "1e308", "1e999", "-1e-999", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "18446744073709551616", "4294967296", "4294967295", "2147483648", "65536", "1000000", "NaN", "Infinity", "null", "true", "\"\"", "[]",
    "{}",
    "\"..\"", "\"../../etc/passwd\"", "\"\\u0000\"", "\"\\ud800\"", "\"F64\"", "\"BF16\"", "\"model-00009-of-00002.safetensors\"",
    String(repeating: "9", count: 400), "\u{1}", "[0,9223372036854775807]", "[-1,-1]", "\"__metadata__\":{}", "16777216", "8192", "512",
  ]

  /// - Parameter other: another file, to take pieces of.
  func apply(to bytes: inout [UInt8], other: [UInt8]) {
    let count = bytes.count
    guard count > 0 else { return }
    func place(_ number: UInt64, _ count: Int) -> Int { count > 0 ? Int(number % UInt64(count)) : 0 }
    let at = place(a, count)
    let some = min(count - at, 1 + place(b, [1, 4, 16, 256, 65_536][place(c, 5)]))
    switch kind {
    case .flip: bytes[at] ^= 1 << UInt8(b % 8)
    case .set: bytes[at] = UInt8(truncatingIfNeeded: b)
    case .truncate: bytes.removeLast(place(a, c % 2 == 0 ? count + 1 : min(count, 64) + 1))
    case .remove: bytes.removeSubrange(at..<at + some)
    case .insert: bytes.insert(contentsOf: (0..<some).map { UInt8(truncatingIfNeeded: b >> UInt64($0 % 8 * 8)) }, at: at)
    case .repeated: bytes.insert(contentsOf: bytes[at..<at + some], at: place(c, count))
    case .splice:
      guard !other.isEmpty else { return }
      let start = place(b, other.count)
      bytes.replaceSubrange(at..<min(count, at + place(c, 4096)), with: other[start..<min(other.count, start + place(c >> 16, 4096) + 1)])
    case .token, .tokenAway, .tokenTwice, .tokenFrom, .number, .nest: applyToTokens(&bytes, other)
    case .length:
      guard count >= 8 else { return }
      // A safetensors header's length, or whatever stands there.
      let values: [UInt64] = [0, 1, a % 4096, UInt64(count), UInt64(count) - 8, 100_000_000, 100_000_001, 1 << 63, .max, a]
      let value = values[place(b, values.count)]
      for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index))) }
    }
  }

  /// Changes JSON by its words: that of a whole file, or of a safetensors header, whose length is then told anew.
  private func applyToTokens(_ bytes: inout [UInt8], _ other: [UInt8]) {
    let header = Self.header(bytes)
    var tokens = Self.tokens(bytes[header ?? 0..<bytes.count])
    guard !tokens.isEmpty else { return }
    func place(_ number: UInt64, _ count: Int) -> Int { count > 0 ? Int(number % UInt64(count)) : 0 }
    var index = place(a, tokens.count)
    let hostile = ArraySlice(Self.hostile[place(b, Self.hostile.count)].utf8)
    switch kind {
    case .tokenAway: tokens.remove(at: index)
    case .tokenTwice: tokens.insert(contentsOf: [tokens[index], [UInt8(ascii: ",")], tokens[index]], at: index)
    case .tokenFrom:
      let others = Self.tokens(Self.header(other).map { other[$0] } ?? other.prefix(65_536))
      tokens[index] = others.isEmpty || c % 2 == 0 ? tokens[place(b, tokens.count)] : others[place(b, others.count)]
    case .nest:
      let (open, depth) = ([UInt8(ascii: "["), UInt8(ascii: "{")][place(c, 2)], [8, 63, 64, 65, 5000][place(b, 5)])
      let piece: [UInt8] = open == UInt8(ascii: "[") ? [open] : Array("{\"a\":".utf8)
      tokens[index] = Array(repeatElement(piece, count: depth).joined())[...]
    case .number:
      // Mostly a number in a number's place.
      let numbers = tokens.indices.filter { tokens[$0].first.map { (48...57).contains($0) || $0 == 45 } ?? false }
      if !numbers.isEmpty { index = numbers[place(a, numbers.count)] }
      tokens[index] = hostile
    default: tokens[index] = hostile
    }
    let text = Array(tokens.joined())
    guard let header else {
      bytes = text
      return
    }
    bytes = (0..<8).map { UInt8(truncatingIfNeeded: UInt64(text.count) >> (8 * UInt64($0))) } + text + bytes[header.upperBound...]
  }

  /// Where the JSON of a safetensors file is.
  private static func header(_ bytes: [UInt8]) -> Range<Int>? {
    guard bytes.count > 9, bytes[8] == UInt8(ascii: "{") else { return nil }
    let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(bytes.count - 8), length < 1 << 20 else { return nil }
    return 8..<8 + Int(length)
  }

  /// JSON's words, each in its bytes: strings, numbers, brackets.
  private static func tokens(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    let marks = Set("{}[]:,\"".utf8)
    var tokens: [ArraySlice<UInt8>] = []
    var start = text.startIndex
    while start < text.endIndex {
      var end = start + 1
      if text[start] == UInt8(ascii: "\"") {
        while end < text.endIndex, text[end] != UInt8(ascii: "\"") { end += text[end] == UInt8(ascii: "\\") ? 2 : 1 }
        end = min(end + 1, text.endIndex)
      } else if !marks.contains(text[start]) {
        while end < text.endIndex, !marks.contains(text[end]) { end += 1 }
      }
      tokens.append(text[start..<end])
      start = end
    }
    return tokens
  }
}
