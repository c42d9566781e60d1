/// Standard normal noise that depends on nothing but its seed, segment, stream and position.
///
/// ```swift
/// let generator = NoiseGenerator(seed: 42, segment: 3, stream: .start)
/// let noise = generator.values(count: 13 * 16 * 60 * 90)
/// ```
///
/// One seed gives the same bits on every machine, whatever was drawn before and in whichever order:
/// - Values 4i...4i + 3 come from the Philox4x32-10 words w₀...w₃ of the counter (i's low word, i's high word, stream, segment)
///   and the key (seed's low word, seed's high word).
/// - Box–Muller in Double: u = (w + ½)/2³², then √(−2 ln u₀)·cos 2πu₁ and √(−2 ln u₀)·sin 2πu₁ from w₀ and w₁, and the same
///   from w₂ and w₃; rounded to Float. The largest magnitude is 6.8.
/// - Logarithm, sine and cosine are sums and products of IEEE 754, not a C library's.
///
/// - Cost: tens of millions of values a second on one core.
public struct NoiseGenerator: Sendable {
  private let key: SIMD2<UInt32>
  private let segment: UInt32
  private let stream: NoiseStream

  /// - Parameters:
  ///   - segment: which shot of an extended video it is for.
  ///   - stream: what the noise is for.
  public init(seed: UInt64, segment: UInt32, stream: NoiseStream) {
    key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    self.segment = segment
    self.stream = stream
  }

  /// `count` values from `position` on.
  ///
  /// - Precondition: `count` is not negative.
  public func values(count: Int, from position: UInt64 = 0) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { values, initialized in
      var block = position / 4
      var skipped = Int(position % 4)  // of the first block
      var index = 0
      while index < count {
        let four = normals(block)
        if skipped == 0, count &- index >= 4 {
          for lane in 0..<4 { values.initializeElement(at: index &+ lane, to: four[lane]) }
          index &+= 4
        } else {
          for lane in skipped..<min(4, skipped &+ count &- index) {
            values.initializeElement(at: index, to: four[lane])
            index &+= 1
          }
          skipped = 0
        }
        block &+= 1
      }
      initialized = count
    }
  }

  /// The four values of a block.
  @inline(__always)
  private func normals(_ block: UInt64) -> SIMD4<Float> {
    let counter = SIMD4(UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32), stream.number, segment)
    let words = Philox.words(counter: counter, key: key)
    let (a, b) = Self.pair(words.x, words.y)
    let (c, d) = Self.pair(words.z, words.w)
    return SIMD4(a, b, c, d)
  }

  /// Two independent normal values.
  @inline(__always)
  private static func pair(_ first: UInt32, _ second: UInt32) -> (Float, Float) {
    let radius = (-2 * PortableMath.logOfNormal((Double(first) + 0.5) * 0x1p-32)).squareRoot()
    // The angle as whole quarters of a turn and a rest of at most half a quarter: the word's low 30 bits, signed.
    let rest = Int32(bitPattern: second << 2) >> 2
    let quarter = (second &- UInt32(bitPattern: rest)) >> 30
    let y = (Double(rest) + 0.5) * (.pi * 0x1p-31)
    let (sine, cosine) = (PortableMath.sineNearZero(y), PortableMath.cosineNearZero(y))
    let isOdd = quarter & 1 != 0
    let x = isOdd ? -sine : cosine
    let z = isOdd ? cosine : sine
    let sign: Double = quarter & 2 != 0 ? -radius : radius
    return (Float(sign * x), Float(sign * z))
  }
}

/// What noise is for. Two purposes never share values.
public struct NoiseStream: Sendable {
  /// The third word of Philox's counter.
  public let number: UInt32

  /// A purpose of the caller's own; those below count up from 0, one a step.
  public init(number: UInt32) { self.number = number }

  /// What sampling starts from.
  public static let start = NoiseStream(number: 0)
  /// What is added to a condition's latents.
  public static let condition = NoiseStream(number: 1)
  /// What a scheduler with ``Scheduler/needsNoise`` gets at a step.
  public static func step(_ index: Int) -> NoiseStream { NoiseStream(number: UInt32(truncatingIfNeeded: index) &+ 2) }
}
