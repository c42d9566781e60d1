/// Nanoseconds. "No time" is nil, never a magic number.
public typealias ClockTime = UInt64

extension ClockTime {
  /// The largest time there is if it lies beyond.
  public static func milliseconds(_ count: UInt64) -> ClockTime {
    let (time, overflow) = count.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? .max : time
  }

  /// The sum, or the largest number if that is smaller.
  public func saturating(adding other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  /// The difference, or 0 where it would be negative.
  public func less(_ other: UInt64) -> UInt64 { self > other ? self - other : 0 }
}
