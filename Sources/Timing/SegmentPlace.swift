/// Where a segment lies in its medium.
public struct SegmentPlace: Hashable, Sendable {
  /// Stream time of its beginning: 0, or what was sought.
  public var time: ClockTime
  /// How far stream time goes on in a second of running time: 1, or as fast as was asked for. Above 0.
  public var speed: Double

  /// By default of a medium that is played from its beginning.
  public init(time: ClockTime = 0, speed: Double = 1) { (self.time, self.speed) = (time, speed) }
}
