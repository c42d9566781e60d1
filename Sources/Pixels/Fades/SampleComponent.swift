/// What a sample says of its pixel.
public enum SampleRole: Sendable {
  case luma, chroma, red, green, blue
}

/// How one component's samples lie in their rows: what formats differ in, for code that treats every sample alike.
public struct SampleComponent: Hashable, Sendable {
  /// What a sample is read from: a byte, or two bytes in either order.
  public enum Word: Sendable { case byte, little16, big16 }

  /// What the samples say; it decides what counts as their black and white.
  public var role: SampleRole
  /// Samples a row, at least 1.
  public var columns: Int
  /// Bytes from a sample to the next.
  public var step: Int
  /// What holds a sample, with the bits around it.
  public var word: Word
  /// Bits that count, 8 … 16; the others of a word stay as they are.
  public var depth: Int
  /// Bits of a word below those that count; with `depth` at most the word's.
  public var shift: Int
  /// Where black and white are among the samples.
  public var range: ColorRange

  /// nil if a word does not hold the bits, or a number lies outside what is said above.
  public init?(role: SampleRole, columns: Int, step: Int, word: Word, depth: Int, shift: Int = 0, range: ColorRange) {
    let wordBits = word == .byte ? 8 : 16
    guard columns >= 1, step >= wordBits / 8, depth >= 8, shift >= 0, depth <= wordBits - shift else { return nil }
    self.role = role
    self.columns = columns
    self.step = step
    self.word = word
    self.depth = depth
    self.shift = shift
    self.range = range
  }

  /// From its first sample in a row to the end of the last.
  var rowBytes: Int { (columns - 1) * step + (word == .byte ? 1 : 2) }

  /// Largest sample.
  var maximum: Int { (1 << depth) - 1 }

  /// The sample of black; of chroma the least that is in range.
  var black: Int { range == .limited ? 16 << (depth - 8) : 0 }

  /// The sample of white; of chroma the most that is in range.
  var white: Int { range == .limited ? (role == .chroma ? 240 : 235) << (depth - 8) : maximum }

  /// The sample of no colour.
  var neutral: Int { 1 << (depth - 1) }

  /// Its share of a pixel's brightness: BT.709's, whatever the matrix; the use is comparison.
  var brightness: Double {
    switch role {
    case .luma: 1
    case .chroma: 0
    case .red: 0.2126
    case .green: 0.7152
    case .blue: 0.0722
    }
  }
}
