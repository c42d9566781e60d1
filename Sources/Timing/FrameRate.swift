/// Frames per second as an exact ratio, such as 24000/1001.
public struct FrameRate: Hashable, Sendable {
  /// Frames in ``denominator`` seconds, above 0. Not reduced: 50/2 and 25/1 are not equal.
  public let numerator: UInt32
  /// Seconds, above 0: 1 or 1001, mostly.
  public let denominator: UInt32

  /// `nil` unless both are positive (GStreamer's 0/1 is "variable").
  public init?(_ numerator: Int, _ denominator: Int = 1) {
    guard let n = UInt32(exactly: numerator), let d = UInt32(exactly: denominator), n > 0, d > 0 else { return nil }
    self.numerator = n
    self.denominator = d
  }

  private init(known numerator: UInt32) {
    self.numerator = numerator
    denominator = 1
  }

  /// What a list is written at whose stream has no constant rate.
  public static let fallback = FrameRate(known: 25)

  /// Rounded to a double: for formats and people. Times come from ``nanoseconds(of:)``.
  public var perSecond: Double { Double(numerator) / Double(denominator) }

  /// Frames that a timecode counts in a second: 24 at 23.976, 30 at 29.97. At least 1.
  public var nominal: UInt64 { max(1, (UInt64(numerator) + UInt64(denominator) / 2) / UInt64(denominator)) }

  /// Whether SMPTE defines drop-frame counting: 29.97, 59.94 and their multiples.
  public var hasDropFrame: Bool {
    nominal % 30 == 0 && UInt64(numerator) * 1001 == nominal * 1000 * UInt64(denominator)
  }

  /// Index of the frame nearest to `nanoseconds`. Exact at a constant rate, however long the stream: nothing
  /// accumulates.
  public func frame(at nanoseconds: UInt64) -> UInt64 {
    scaled(nanoseconds, by: UInt64(numerator), over: UInt64(denominator) * 1_000_000_000)
  }

  /// Time of frame `frame`, rounded to the nanosecond.
  public func nanoseconds(of frame: UInt64) -> UInt64 {
    scaled(frame, by: UInt64(denominator) * 1_000_000_000, over: UInt64(numerator))
  }
}
