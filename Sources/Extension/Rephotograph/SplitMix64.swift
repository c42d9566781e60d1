/// Random numbers that are the same for the same seed on every machine.
///
/// Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// At least 0, below 1. The library's own way from bits to numbers is not promised to stay.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// From `low` to `high`; `low` if they are in the wrong order.
  mutating func between(_ low: Double, _ high: Double) -> Double { low + unit() * max(0, high - low) }

  /// 0 … count − 1; 0 for a count below 2.
  mutating func index(below count: Int) -> Int { count < 2 ? 0 : min(Int(unit() * Double(count)), count - 1) }
}
