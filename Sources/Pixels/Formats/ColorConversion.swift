/// Y′CbCr to R′G′B′ in 16-bit lanes, rounded as FFmpeg's unscaled conversion (`yuv2rgb`), which PySceneDetect's pictures
/// come from: each product is cut to a whole level downwards, before the sum.
///
/// That costs up to two levels against the exact value, but hue depends so much on it where colours are nearly gray that
/// scores of fades moved by up to 18 with better rounding. Samples come as 8.6 fixed point, products have five fractional
/// bits before they are cut. Cb = Cr = 128 gives B = G = R always.
struct ColorConversion {
  /// Vectors of luma gain, offset, red from V, green from U, green from V, blue from U: in memory, because a compiler
  /// that holds a factor in a register widens it there, once, and multiplies 32-bit lanes in place of 16-bit ones.
  private let vectors: UnsafeMutablePointer<Int16>
  static let coefficientCount = 6 * laneCount

  /// - Parameter storage: `coefficientCount` numbers that outlive the value.
  init(matrix: ColorMatrix, range: ColorRange, storage: UnsafeMutablePointer<Int16>) {
    vectors = storage
    let luma = matrix.coefficients
    let (red, green, blue) = (luma.red, luma.green, luma.blue)
    let (black, lumaGain, chromaGain) = range == .limited ? (16.0, 255.0 / 219, 255.0 / 224) : (0.0, 1.0, 1.0)
    func scaled(_ factor: Double) -> Double { (factor * 8192).rounded() }
    let coefficients = [
      scaled(lumaGain),
      // Luma that needs no gain is only rounded after the blend.
      range == .limited ? -(black * lumaGain * 32).rounded() : 16,
      scaled(2 * (1 - red) * chromaGain),
      scaled(-2 * (1 - blue) * blue / green * chromaGain),
      scaled(-2 * (1 - red) * red / green * chromaGain),
      scaled(2 * (1 - blue) * chromaGain),
    ]
    for (index, coefficient) in coefficients.enumerated() {
      (vectors + index * laneCount).update(repeating: Int16(coefficient), count: laneCount)
    }
  }

  @inline(__always)
  func callAsFunction(_ y: Words, _ u: Words, _ v: Words) -> (blue: SignedWords, green: SignedWords, red: SignedWords) {
    let u = signed((u &<< 2) ^ 0x8000)
    let v = signed((v &<< 2) ^ 0x8000)
    let y = (signed(multiplyHigh(y &<< 2, unsigned(factor(0)))) &+ factor(1)) &>> 5
    let blue = y &+ (multiplyHigh(u, factor(5)) &>> 5)
    let green = y &+ (multiplyHigh(u, factor(3)) &>> 5) &+ (multiplyHigh(v, factor(4)) &>> 5)
    let red = y &+ (multiplyHigh(v, factor(2)) &>> 5)
    return (Self.clamped(blue), Self.clamped(green), Self.clamped(red))
  }

  @inline(__always)
  private func factor(_ index: Int) -> SignedWords { load(UnsafePointer(vectors), index &* laneCount) }

  @inline(__always)
  private static func clamped(_ value: SignedWords) -> SignedWords {
    smaller(larger(value, SignedWords(repeating: 0)), SignedWords(repeating: 255))
  }
}
