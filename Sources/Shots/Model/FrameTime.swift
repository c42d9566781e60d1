import Timing

/// Where a frame lies in its stream.
///
/// All times are nanoseconds. The three stream clocks are `nil` where the frame has no timestamp.
public struct FrameTime: Hashable, Sendable {
  /// Index of the frame since the stream began, from 0.
  public var frame: UInt64
  /// Time since the first frame, never decreasing: what minimum shot durations are measured in.
  public var elapsed: UInt64
  /// The buffer's time stamp.
  public var pts: UInt64?
  /// Time since the pipeline began to play.
  public var runningTime: UInt64?
  /// Position in the medium, as players show it and lists are written in.
  public var streamTime: UInt64?

  /// A stream clock that is left out has no time.
  public init(
    frame: UInt64, elapsed: UInt64, pts: UInt64? = nil, runningTime: UInt64? = nil, streamTime: UInt64? = nil
  ) {
    self.frame = frame
    self.elapsed = elapsed
    self.pts = pts
    self.runningTime = runningTime
    self.streamTime = streamTime
  }

  /// Timestamps are rounded to nanoseconds by demuxers and to milliseconds by Matroska; a gap that is shorter than a
  /// minimum by no more than this counts as reaching it, so that 15 frames at 25 per second are 600 ms in every
  /// container. Half a millisecond is less than a frame at any rate below 2000 per second.
  public static let slack: UInt64 = 500_000

  /// Whether at least `minimum` nanoseconds (less ``slack``) lie between `earlier` and this frame.
  func isAtLeast(_ minimum: UInt64, after earlier: FrameTime) -> Bool {
    guard elapsed >= earlier.elapsed else { return minimum == 0 }
    return elapsed - earlier.elapsed >= minimum - min(minimum, Self.slack)
  }

  /// The time `part` of `whole` frames of the way from this frame to `later`; a clock that either lacks is `nil`.
  func interpolated(to later: FrameTime, part: UInt64, of whole: UInt64) -> FrameTime {
    func between(_ a: UInt64, _ b: UInt64) -> UInt64 {
      guard b > a, whole > 0 else { return a }
      return a + min(b - a, scaled(b - a, by: part, over: whole))
    }
    func between(_ a: UInt64?, _ b: UInt64?) -> UInt64? {
      guard let a, let b else { return nil }
      return between(a, b)
    }
    return FrameTime(
      frame: between(frame, later.frame), elapsed: between(elapsed, later.elapsed), pts: between(pts, later.pts),
      runningTime: between(runningTime, later.runningTime), streamTime: between(streamTime, later.streamTime))
  }
}
