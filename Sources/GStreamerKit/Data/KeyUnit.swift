import CGStreamer
import Timing

/// A request for a key frame that travels downstream (`GstForceKeyUnit`).
public struct KeyUnit: Hashable, Sendable {
  /// Of the frame, where it is known.
  public var pts, streamTime, runningTime: ClockTime?
  /// Whether headers are to be sent again too.
  public var allHeaders: Bool
  /// Running number of the request.
  public var count: UInt32

  /// Without a running time encoders take the next frame.
  public init(pts: ClockTime?, streamTime: ClockTime?, runningTime: ClockTime?, allHeaders: Bool = true, count: UInt32 = 0) {
    (self.pts, self.streamTime, self.runningTime, self.allHeaders, self.count) = (pts, streamTime, runningTime, allHeaders, count)
  }

  /// nil if the event is none.
  init?(_ event: UnsafeMutablePointer<GstEvent>) {
    guard gst_video_event_is_force_key_unit(event) != 0 else { return nil }
    var (pts, streamTime, runningTime) = (GstClockTime.max, GstClockTime.max, GstClockTime.max)
    var (all, count) = (gboolean(0), UInt32(0))
    guard gst_video_event_parse_downstream_force_key_unit(event, &pts, &streamTime, &runningTime, &all, &count) != 0 else { return nil }
    self.init(pts: pts.valid, streamTime: streamTime.valid, runningTime: runningTime.valid, allHeaders: all != 0, count: count)
  }
}
