import CGStreamer
import GStreamerKit
import Timing

/// A request for a key frame that travels downstream.
struct KeyUnit {
  var pts, streamTime, runningTime: ClockTime?
  var allHeaders = true
  var count: UInt32 = 0

  init(pts: ClockTime?, streamTime: ClockTime?, runningTime: ClockTime?) {
    (self.pts, self.streamTime, self.runningTime) = (pts, streamTime, runningTime)
  }

  /// nil if the event is none.
  init?(_ event: UnsafeMutablePointer<GstEvent>) {
    guard gst_video_event_is_force_key_unit(event) != 0 else { return nil }
    var (pts, streamTime, runningTime) = (GstClockTime.max, GstClockTime.max, GstClockTime.max)
    var (all, count) = (gboolean(0), UInt32(0))
    guard gst_video_event_parse_downstream_force_key_unit(event, &pts, &streamTime, &runningTime, &all, &count) != 0 else { return nil }
    (self.pts, self.streamTime, self.runningTime) = (pts.valid, streamTime.valid, runningTime.valid)
    (allHeaders, self.count) = (all != 0, count)
  }

  /// Owned by the caller.
  var event: UnsafeMutablePointer<GstEvent>? {
    gst_video_event_new_downstream_force_key_unit(
      pts.map { GstClockTime($0) } ?? .max, streamTime.map { GstClockTime($0) } ?? .max, runningTime.map { GstClockTime($0) } ?? .max,
      allHeaders ? 1 : 0, count)
  }
}
