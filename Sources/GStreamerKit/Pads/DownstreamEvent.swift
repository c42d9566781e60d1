import CGStreamer
import Timing

/// A serialized event that an element sends along with its buffers.
public enum DownstreamEvent: Sendable {
  /// `GstForceKeyUnit`: an encoder makes the first frame at or after this running time a key frame.
  case forceKeyUnit(pts: ClockTime?, streamTime: ClockTime?, runningTime: ClockTime?)
  /// Facts for elements downstream that no buffer carries.
  case custom(Structure)
  case tableOfContents(TableOfContents)

  var event: Event? {
    switch self {
    case .forceKeyUnit(let pts, let streamTime, let runningTime):
      .keyUnit(KeyUnit(pts: pts, streamTime: streamTime, runningTime: runningTime))
    case .custom(let fields): .custom(fields)
    case .tableOfContents(let toc): .tableOfContents(toc)
    }
  }
}
