import Timing

/// When an encoded frame is shown. Nanoseconds.
public struct PacketTime: Hashable, Sendable {
  public var running: UInt64
  public var stream: UInt64
  public var duration: UInt64
  /// Whether decoding can begin here.
  public var isKey: Bool

  public init(running: UInt64, stream: UInt64, duration: UInt64, isKey: Bool) {
    self.running = running
    self.stream = stream
    self.duration = duration
    self.isKey = isKey
  }

  public var end: UInt64 { running.saturating(adding: duration) }
  var tolerance: UInt64 { duration / 2 }
}
