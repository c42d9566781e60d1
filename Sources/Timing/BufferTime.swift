/// When a buffer is shown, in the four ways that GStreamer tells time.
public struct BufferTime: Sendable, Hashable {
  /// The buffer's own timestamp.
  public var pts: ClockTime?
  /// How long it is shown, if it says so.
  public var duration: ClockTime?
  /// Time since the pipeline started to play; what clocks, encoders and live sinks use.
  public var runningTime: ClockTime?
  /// Position in the medium; what a user sees in a player and what containers store.
  public var streamTime: ClockTime?
  /// Whether any of the buffer lies in its segment, so that it will be shown.
  public var isShown: Bool

  /// A time that is left out is not known; the buffer is shown unless it is said otherwise.
  public init(
    pts: ClockTime? = nil, duration: ClockTime? = nil, runningTime: ClockTime? = nil, streamTime: ClockTime? = nil, isShown: Bool = true
  ) {
    (self.pts, self.duration, self.runningTime, self.streamTime, self.isShown) = (pts, duration, runningTime, streamTime, isShown)
  }
}
