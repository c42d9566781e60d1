/// A function of eight numbers at once, each by itself.
protocol ElementFunction {
  static func value(_ x: Floats) -> Floats
}

enum Identity: ElementFunction {
  @inline(__always) static func value(_ x: Floats) -> Floats { x }
}

enum Rectified: ElementFunction {
  @inline(__always) static func value(_ x: Floats) -> Floats { x.replacing(with: 0, where: x .< 0) }
}

/// eˣ to about one unit in the last place; infinity and 0 beyond float32.
///
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2, and eˣ = 2ⁿ·eʳ with a polynomial for eʳ.
/// Source of the coefficients: Cephes, expf (https://www.netlib.org/cephes/).
enum Exponential: ElementFunction {
  @inline(__always)
  static func value(_ x: Floats) -> Floats {
    // Beyond these it is infinity or 0 anyway. What is not a number stays that.
    var x = x.replacing(with: Floats(repeating: 89), where: x .> 89)
    x = x.replacing(with: Floats(repeating: -104), where: x .< -104)
    // Added to so large a number, what is behind the point is rounded away; the low bits are the whole number.
    let moved = x * 1.442695040888963 + 12_582_912
    let n = moved - 12_582_912
    let r = (x - n * 0.693359375) + n * 2.12194440e-4
    var p = r * 1.9875691500e-4 + 1.3981999507e-3
    p = p * r + 8.3334519073e-3
    p = p * r + 4.1665795894e-2
    p = p * r + 1.6666665459e-1
    p = p * r + 0.5
    let power = p * (r * r) + r + 1
    // 2ⁿ in two steps, for it may be beyond float32 where 2ⁿ·eʳ is not.
    let whole = unsafeBitCast(moved, to: SIMD8<Int32>.self) &- 0x4B40_0000
    let half = whole &>> 1
    return power * scale(half) * scale(whole &- half)
  }

  /// 2ⁿ
  @inline(__always)
  private static func scale(_ n: SIMD8<Int32>) -> Floats { unsafeBitCast((n &+ 127) &<< 23, to: Floats.self) }
}

enum Logistic: ElementFunction {
  @inline(__always) static func value(_ x: Floats) -> Floats { 1 / (1 + Exponential.value(-x)) }
}

enum Swish: ElementFunction {
  @inline(__always) static func value(_ x: Floats) -> Floats { x / (1 + Exponential.value(-x)) }
}

/// Source of the coefficients: Cephes, tanhf.
enum HyperbolicTangent: ElementFunction {
  @inline(__always)
  static func value(_ x: Floats) -> Floats {
    let size = unsafeBitCast(unsafeBitCast(x, to: SIMD8<UInt32>.self) & 0x7FFF_FFFF, to: Floats.self)
    let z = x * x
    var p = z * -5.70498872745e-3 + 2.06390887954e-2
    p = p * z - 5.37397155531e-2
    p = p * z + 1.33314422036e-1
    p = p * z - 3.33332819422e-1
    let near = p * z * x + x
    let far = 1 - 2 / (Exponential.value(size + size) + 1)
    let sign = unsafeBitCast(x, to: SIMD8<UInt32>.self) & 0x8000_0000
    let signed = unsafeBitCast(unsafeBitCast(far, to: SIMD8<UInt32>.self) | sign, to: Floats.self)
    return near.replacing(with: signed, where: size .> 0.625)
  }
}

enum GELUTanh: ElementFunction {
  @inline(__always)
  static func value(_ x: Floats) -> Floats {
    let inner = (x + x * x * x * 0.044715) * 0.7978845608
    return x * 0.5 * (1 + HyperbolicTangent.value(inner))
  }
}

/// x/2 · erfc(−x / √2), with erfc to 1.2e-7 of its value.
///
/// Source of the coefficients: Press et al., Numerical Recipes, erfcc: a Chebyshev fit in t = 1 / (1 + |z|/2).
enum GELU: ElementFunction {
  @inline(__always)
  static func value(_ x: Floats) -> Floats {
    let z = unsafeBitCast(unsafeBitCast(x, to: SIMD8<UInt32>.self) & 0x7FFF_FFFF, to: Floats.self) * 0.70710678
    let t = 1 / (1 + z * 0.5)
    var p = t * 0.17087277 - 0.82215223
    p = p * t + 1.48851587
    p = p * t - 1.13520398
    p = p * t + 0.27886807
    p = p * t - 0.18628806
    p = p * t + 0.09678418
    p = p * t + 0.37409196
    p = p * t + 1.00002368
    p = p * t - 1.26551223
    // erfc(z) for z ≥ 0
    let tail = t * Exponential.value(p - z * z)
    return x * 0.5 * tail.replacing(with: 2 - tail, where: x .> 0)
  }
}

/// y ← f(x + b) of rows, for a function of each number by itself and an offset for each column.
struct ElementRows {
  var activation: Activation?
  /// nil for none.
  var bias: UnsafePointer<Float>?
  var rows: Int
  var columns: Int
  var source: UnsafeRawPointer
  var target: UnsafeMutableRawPointer
  /// Bytes from one row to the next.
  var rowSize: Int

  func apply() {
    switch activation {
    case nil: apply(Identity.self)
    case .relu: apply(Rectified.self)
    case .geluTanh: apply(GELUTanh.self)
    case .gelu: apply(GELU.self)
    case .swish: apply(Swish.self)
    case .logistic: apply(Logistic.self)
    case .tanh: apply(HyperbolicTangent.self)
    case .exp: apply(Exponential.self)
    }
  }

  @inline(__always)
  private func apply<F: ElementFunction>(_: F.Type) {
    for row in 0..<rows {
      let (from, to) = (source + row &* rowSize, target + row &* rowSize)
      if let bias {
        mapRow(columns, from, Float32.self, to: to, Float32.self) { F.value($1 + eight(bias, $0, columns)) }
      } else {
        mapRow(columns, from, Float32.self, to: to, Float32.self) { F.value($1) }
      }
    }
  }
}
