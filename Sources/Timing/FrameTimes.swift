/// Times of frames that go on behind a stream's last one: frame n of so many, and never a sum of rounded durations.
public struct FrameTimes: Hashable, Sendable {
  /// Nanoseconds.
  public let start: UInt64
  /// Frames a second, a fraction.
  public let numerator: Int
  /// 1 … 2³¹ − 1, as the numerator.
  public let denominator: Int

  /// What is taken where a stream has no rate (0/1).
  public static var usualRate: (numerator: Int, denominator: Int) { (25, 1) }

  /// From 0 on at ``usualRate``.
  public static var usual: FrameTimes { FrameTimes(start: 0, numerator: usualRate.numerator, denominator: usualRate.denominator) }

  /// - Parameters:
  ///   - start: of frame 0, nanoseconds.
  ///   - numerator, denominator: of the rate; one that is no rate is ``usualRate``.
  public init(start: UInt64, numerator: Int, denominator: Int) {
    let isRate = 1...Int(Int32.max) ~= numerator && 1...Int(Int32.max) ~= denominator
    self.start = start
    (self.numerator, self.denominator) = isRate ? (numerator, denominator) : Self.usualRate
  }

  /// When frame `index` begins, to the nearest nanosecond; the largest time there is if it lies beyond.
  public func time(of index: UInt64) -> UInt64 {
    // index · 10⁹ · denominator / numerator, in 128 bits.
    let product = index.multipliedFullWidth(by: 1_000_000_000 &* UInt64(denominator))
    let divisor = UInt64(numerator)
    let (low, carry) = product.low.addingReportingOverflow(divisor / 2)
    let high = product.high &+ (carry ? 1 : 0)
    guard high < divisor else { return .max }
    let (time, overflow) = start.addingReportingOverflow(divisor.dividingFullWidth((high, low)).quotient)
    return overflow ? .max : time
  }

  /// How long frame `index` lasts: until the next one begins.
  public func duration(of index: UInt64) -> UInt64 { time(of: index &+ 1) &- time(of: index) }

  /// How many frames are nearest to so many nanoseconds, at least one.
  public func count(in duration: UInt64) -> UInt64 {
    let product = duration.multipliedFullWidth(by: UInt64(numerator))
    let divisor = 1_000_000_000 &* UInt64(denominator)
    let (low, carry) = product.low.addingReportingOverflow(divisor / 2)
    let high = product.high &+ (carry ? 1 : 0)
    guard high < divisor else { return .max }
    return max(1, divisor.dividingFullWidth((high, low)).quotient)
  }
}
