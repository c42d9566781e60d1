/// `value · numerator / denominator`, rounded to the nearest integer (halves up), without overflow on the way.
///
/// A result beyond 64 bits is `UInt64.max`; a zero denominator gives 0.
public func scaled(_ value: UInt64, by numerator: UInt64, over denominator: UInt64) -> UInt64 {
  guard denominator > 0 else { return 0 }
  let product = value.multipliedFullWidth(by: numerator)
  let (low, carry) = product.low.addingReportingOverflow(denominator / 2)
  let high = carry ? product.high &+ 1 : product.high
  guard high < denominator else { return .max }
  return denominator.dividingFullWidth((high, low)).quotient
}
