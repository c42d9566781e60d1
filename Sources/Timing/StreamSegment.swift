/// How a stream's time stamps become running time and stream time: what a decision needs to know of GStreamer's segments.
public protocol StreamSegment: Sendable {
  /// One in time, from 0 on, open at its end.
  init()

  /// Time stamp at which it begins.
  var start: ClockTime { get }
  /// Whether it plays forwards.
  var isForward: Bool { get }

  /// Time since the pipeline began to play; nil outside of the segment, and if it does not count in time.
  func runningTime(of position: ClockTime) -> ClockTime?

  /// Position in the medium; nil likewise.
  func streamTime(of position: ClockTime) -> ClockTime?

  /// The same with later running times.
  func later(by time: ClockTime) -> Self

  /// The same without an end; nil if it has none.
  var opened: Self? { get }

  /// Whether times mean the same in both, so that a stream goes on.
  func continues(_ other: Self) -> Bool
}
