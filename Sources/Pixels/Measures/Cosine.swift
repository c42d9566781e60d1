/// cos(π·`numerator` / `denominator`), within 1e-15, without a C library.
func cosine(halfTurns numerator: Int, of denominator: Int) -> Double {
  // To the first quadrant, where cos falls from 1 to 0.
  var phase = numerator % (2 * denominator)
  if phase > denominator { phase = 2 * denominator - phase }
  let isNegative = 2 * phase > denominator
  if isNegative { phase = denominator - phase }
  let angle = Double.pi * Double(phase) / Double(denominator)
  var (term, sum) = (1.0, 1.0)
  for step in 1...11 {
    term *= -angle * angle / Double((2 * step - 1) * (2 * step))
    sum += term
  }
  return isNegative ? -sum : sum
}
