import CGStreamer
import Timing

/// A serialized event that an element sends along with its buffers.
public enum DownstreamEvent: Sendable {
  /// `GstForceKeyUnit`: an encoder makes the first frame at or after this running time a key frame.
  case forceKeyUnit(pts: ClockTime?, streamTime: ClockTime?, runningTime: ClockTime?)
  /// Facts for elements downstream that no buffer carries.
  case custom(Structure)
  case tableOfContents(TableOfContents)

  /// An event that the caller owns.
  func makeGstEvent() -> UnsafeMutablePointer<GstEvent>? {
    switch self {
    case .forceKeyUnit(let pts, let streamTime, let runningTime):
      gst_video_event_new_downstream_force_key_unit(pts.orNone, streamTime.orNone, runningTime.orNone, 1, 0)
    case .custom(let fields):
      fields.makeGstStructure().flatMap { gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, $0) }
    case .tableOfContents(let toc):
      toc.withGstToc { gst_event_new_toc($0, 0) } ?? nil
    }
  }
}
