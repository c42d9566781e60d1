import CGStreamer
import GStreamerKit
import Timing

/// What leaves an element next: owned by whoever takes it.
enum Departure {
  case buffer(UnsafeMutablePointer<GstBuffer>), event(UnsafeMutablePointer<GstEvent>)

  /// Nobody takes it.
  func release() {
    switch self {
    case .buffer(let buffer): gst_buffer_unref(buffer)
    case .event(let event): gst_event_unref(event)
    }
  }
}

/// A stretch of video that was taken out, in running time of the input.
struct RemovedStretch {
  var start: ClockTime
  /// nil: all that follows.
  var end: ClockTime?
}
