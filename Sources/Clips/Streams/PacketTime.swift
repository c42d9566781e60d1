import Timing

/// When an encoded frame is shown.
public struct PacketTime: Hashable, Sendable {
  /// Running time.
  public var running: ClockTime
  /// Stream time, the position in the medium.
  public var stream: ClockTime
  /// How long it is shown.
  public var duration: ClockTime
  /// Whether decoding can begin here.
  public var isKey: Bool

  /// A frame's times; see the properties.
  public init(running: ClockTime, stream: ClockTime, duration: ClockTime, isKey: Bool) {
    self.running = running
    self.stream = stream
    self.duration = duration
    self.isKey = isKey
  }

  /// Running time at which it is not shown any more.
  public var end: ClockTime { running.saturating(adding: duration) }

  /// How long it is shown, if something follows at another running time: until then where that is nearly as long as it says,
  /// for containers round times to milliseconds, and else no longer than it says.
  func duration(before next: ClockTime?) -> ClockTime {
    guard let next, next > running else { return duration }
    let shown = next.less(running)
    return shown <= duration.saturating(adding: .milliseconds(1)) ? shown : duration
  }

  var tolerance: ClockTime { duration / 2 }
}
