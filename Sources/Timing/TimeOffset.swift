/// By how much times are moved, to either side.
public struct TimeOffset: Hashable, Sendable {
  /// Nanoseconds.
  public let amount: ClockTime
  /// Else earlier.
  public let isLater: Bool

  /// Moves nothing.
  public init() { (amount, isLater) = (0, true) }

  /// The one that brings a time to another.
  public init(from time: ClockTime, to target: ClockTime) {
    (amount, isLater) = (max(time, target).less(min(time, target)), target >= time)
  }

  /// A time before it was moved, likewise within what there is.
  public func unmoved(_ time: ClockTime) -> ClockTime { isLater ? time.less(amount) : time.saturating(adding: amount) }

  /// A time that is moved: not below 0, nor beyond the largest there is.
  public func moved(_ time: ClockTime) -> ClockTime { isLater ? time.saturating(adding: amount) : time.less(amount) }
}
