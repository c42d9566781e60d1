import Shots
import Timing

/// A clip that lies complete on the disk.
public struct FinishedClip: Sendable {
  /// What the manifest says of it.
  public var record: ClipRecord
  /// Running time of its first frame.
  public var start: ClockTime
  /// Running time at which its last frame ends.
  public var end: ClockTime
  /// Whether it lies around its boundary, rather than begins there.
  public var isAround: Bool
  /// The other boundaries inside.
  public var around: [Boundary]

  /// See the properties.
  public init(record: ClipRecord, start: ClockTime, end: ClockTime, isAround: Bool, around: [Boundary]) {
    self.record = record
    self.start = start
    self.end = end
    self.isAround = isAround
    self.around = around
  }
}
