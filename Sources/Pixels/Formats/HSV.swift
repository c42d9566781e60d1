/// OpenCV's 8-bit BGR → HSV (`COLOR_BGR2HSV`): H 0 … 179 (degrees halved), S and V 0 … 255.
///
/// Equal to OpenCV for all 16,777,216 colours. Its fixed-point tables, `sdiv[v] = round(255·4096 / v)` and
/// `hdiv[d] = round(180·4096 / 6d)`, are made anew in every lane: a quotient, and the rounding to 1/4096 that adding
/// 3072 (a float with twelve fractional bits) brings. No quotient lies nearer to a tie than 2⁻²¹ of itself, its error is
/// below 2⁻²², and all later products are below 2²⁴, hence exact.
///
/// It comes in two halves, for two loops over a row: as one, the chain of dependent operations is longer than what a
/// processor looks ahead, and the loop waits.
enum HSV {
  /// V, the span V − min(R, G, B), and the hue before its division by the span: −span … 5·span.
  @inline(__always)
  static func sectors(
    _ blue: SignedWords, _ green: SignedWords, _ red: SignedWords
  ) -> (value: SignedWords, span: SignedWords, sector: SignedWords) {
    let value = larger(larger(blue, green), red)
    let span = value &- smaller(smaller(blue, green), red)
    let blueSector = red &- green &+ (span &<< 2)
    let greenSector = blue &- red &+ (span &<< 1)
    let sector =
      blueSector
      .replacing(with: greenSector, where: value .== green)
      .replacing(with: green &- blue, where: value .== red)
    return (value, span, sector)
  }

  @inline(__always)
  static func hueAndSaturation(
    value: SignedWords, span: SignedWords, sector: SignedWords
  ) -> (hue: SignedWords, saturation: SignedWords) {
    let spans = floats(unsigned(span))
    let values = floats(unsigned(value))
    // One division for both: 1/v = d·(1/vd). Where d is 0, so are S and the sector, whatever the reciprocal: 2⁻³⁰ keeps
    // it finite and is lost in every other product.
    let reciprocal = 1 / (values * spans + 0x1p-30)
    let saturation = scaled(255 * spans * reciprocal, by: spans)
    let hue = scaled(30 * values * reciprocal, by: floats(sector))
    // Nine bits, two's complement; negative ones go once around.
    let wrapped =
      hue
      &- SignedWords(repeating: 0).replacing(
        with: SignedWords(repeating: 512 - 180), where: hue .> SignedWords(repeating: 255))
    return (wrapped, saturation)
  }

  /// ⌊round(4096·`quotient`)·`factor` / 4096 + ½⌋, its low nine bits.
  @inline(__always)
  private static func scaled(_ quotient: Floats, by factor: Floats) -> SignedWords {
    let entry = (quotient + 3072) - 3072
    // 1/8192 breaks ties upwards; at 1.5·2²³ a float's unit is 1, and its low bits are the integer.
    let sum = (entry * factor + 0x1p-13) + 0x1.8p23
    return narrowed(unsafeBitCast(sum, to: SIMD8<Int32>.self) & 0x1FF)
  }
}
