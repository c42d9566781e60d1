/// Random choices that follow from a seed alone: SplitMix64.
struct Dice {
  private var state: UInt64

  init(_ seed: UInt64) {
    // Seeds are counted up: neighbours must not be alike.
    state = seed &* 0xD134_2543_DE82_EF95 &+ 0x9E37_79B9_7F4A_7C15
    _ = next()
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// From 0 up to below the bound.
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

  mutating func within(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

  /// True so often in a hundred.
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

  mutating func one<T>(of list: [T]) -> T { list[below(list.count)] }

  /// One of a list with weights.
  mutating func weighted<T>(_ list: [(Int, T)]) -> T {
    var at = below(list.reduce(0) { $0 + $1.0 })
    for (weight, value) in list {
      if at < weight { return value }
      at -= weight
    }
    return list[0].1
  }
}

// MARK: Numbers from other people

extension Dice {
  static let none = UInt64.max

  /// Numbers at which arithmetic goes wrong.
  static let edges: [UInt64] = [
    0, 1, 2, UInt64(Int32.max), UInt64(UInt32.max), UInt64(UInt32.max) + 1, 1 << 53, UInt64(Int64.max) - 1, UInt64(Int64.max),
    UInt64(Int64.max) + 1, .max - 2, .max - 1, .max, 9_223_372_036_000_000_000, 18_446_744_073_000_000_000,
  ]

  mutating func edge() -> UInt64 { one(of: Self.edges) }

  /// Nanoseconds; mostly those of the frame with this number.
  mutating func time(frame: Int) -> UInt64 {
    switch below(20) {
    case 0: edge()
    case 1: Self.none
    case 2: UInt64(below(1_000_000_000_000))
    case 3: UInt64(max(0, frame - within(0...20))) * 40_000_000
    case 4: UInt64(frame + within(0...2000)) * 40_000_000
    default: UInt64(frame) * 40_000_000
    }
  }

  mutating func duration() -> UInt64 {
    switch below(12) {
    case 0: edge()
    case 1: Self.none
    case 2: UInt64(below(10_000_000_000))
    case 3: 0
    default: 40_000_000
    }
  }

  mutating func signed() -> Int64 { Int64(bitPattern: edge()) }

  mutating func real() -> Double {
    one(of: [0, 1, -1, 0.5, 2, 1e-300, 1e300, -1e300, .infinity, -.infinity, .nan, 27, 1e10, 0.04, -0.5])
  }
}
