/// Logarithm, exponential, sine and cosine from IEEE 754 arithmetic alone, so that every machine computes the same bits.
///
/// A C library's differ from version to version, and from processor to processor where it picks code with fused
/// multiply-add. Plain series: the ranges are narrow enough for 1e-15, and each constant can be read.
enum PortableMath {
  static let ln2 = 0.693147180559945309

  /// The natural logarithm of a positive, normal number; anything else gives a finite number without meaning.
  ///
  /// ln x = e·ln 2 + 2·artanh((m − 1)/(m + 1)) for x = m·2ᵉ and m in √½..<√2.
  @inline(__always)
  static func logOfNormal(_ x: Double) -> Double {
    let bits = Int64(bitPattern: x.bitPattern)
    let exponent = (bits &- 0x3fe6_a09e_667f_3bcd) >> 52  // the bits of √½
    let f = Double(bitPattern: UInt64(bitPattern: bits &- (exponent << 52))) - 1
    let s = f / (2 + f)
    let z = s * s
    // Two chains instead of one: a processor runs them side by side.
    let z2 = z * z
    let even = 1 + z2 * (1.0 / 5 + z2 * (1.0 / 9 + z2 * (1.0 / 13 + z2 * (1.0 / 17))))
    let odd = 1.0 / 3 + z2 * (1.0 / 7 + z2 * (1.0 / 11 + z2 * (1.0 / 15 + z2 * (1.0 / 19))))
    return Double(exponent) * ln2 + 2 * s * (even + z * odd)
  }

  /// The natural logarithm, of any number.
  static func log(_ x: Double) -> Double {
    guard x > 0 else { return x == 0 ? -.infinity : .nan }
    if x == .infinity { return x }
    return x < .leastNormalMagnitude ? logOfNormal(x * 0x1p54) - 54 * ln2 : logOfNormal(x)
  }

  /// eˣ, by the series around the nearest multiple of ln 2.
  static func exp(_ x: Double) -> Double {
    guard x < 709, x > -708 else { return x > 0 ? .infinity : x < 0 ? 0 : x }  // x itself if it is not a number
    let k = (x / ln2).rounded()
    // ln 2 in two parts, the first with zeros at its end: k times it is exact.
    let r = (x - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33
    var sum = 1.0
    for n in stride(from: 14.0, to: 0, by: -1) { sum = 1 + r / n * sum }
    return Double(sign: .plus, exponent: Int(k), significand: sum)
  }

  /// sin y for |y| ≤ π/4.
  @inline(__always)
  static func sineNearZero(_ y: Double) -> Double {
    let z = y * y
    let tail = z * (-1.0 / 39_916_800 + z * (1.0 / 6_227_020_800 + z * (-1.0 / 1_307_674_368_000)))
    return y + y * z * (-1.0 / 6 + z * (1.0 / 120 + z * (-1.0 / 5040 + z * (1.0 / 362_880 + tail))))
  }

  /// cos y for |y| ≤ π/4.
  @inline(__always)
  static func cosineNearZero(_ y: Double) -> Double {
    let z = y * y
    let tail = z * (1.0 / 479_001_600 + z * (-1.0 / 87_178_291_200 + z * (1.0 / 20_922_789_888_000)))
    return 1 + z * (-1.0 / 2 + z * (1.0 / 24 + z * (-1.0 / 720 + z * (1.0 / 40320 + z * (-1.0 / 3_628_800 + tail)))))
  }

  /// The cosine of any number, also of one so large that many turns have to be taken off it.
  static func cosine(_ x: Double) -> Double {
    // The remainder by Double's 2π is exact; what that is short of the true one adds up over the turns.
    let turn = 2 * Double.pi
    let rest = x.remainder(dividingBy: turn)
    let angle = rest - ((x - rest) / turn).rounded() * 2.4492935982947064e-16
    let quarter = (angle / (.pi / 2)).rounded()
    let y = (angle - quarter * (.pi / 2)) - quarter * 6.123233995736766e-17
    switch quarter {
    case 0: return cosineNearZero(y)
    case 1: return -sineNearZero(y)
    case -1: return sineNearZero(y)
    default: return -cosineNearZero(y)
    }
  }

  /// x⁵, rounded once: each product's rounding error is kept beside it.
  static func fifthPower(_ x: Double) -> Double {
    func error(_ a: Double, _ b: Double) -> Double { (-(a * b)).addingProduct(a, b) }
    let x2 = x * x
    let x4 = x2 * x2
    let x5 = x4 * x
    let error4 = error(x2, x2) + 2 * x2 * error(x, x)
    return x5 + (error(x4, x) + error4 * x)
  }
}
