import CGStreamer
import Timing

/// Raw video caps, parsed.
public struct VideoInfo: @unchecked Sendable {
  /// For calls of the C API.
  public let gst: GstVideoInfo

  public init(_ gst: GstVideoInfo) { self.gst = gst }

  /// nil if the caps are not raw video with a known format and a size of at least 1×1.
  public init?(caps: UnsafePointer<GstCaps>) {
    var info = GstVideoInfo()
    guard gst_video_info_from_caps(&info, caps) != 0, info.width > 0, info.height > 0, info.finfo != nil else { return nil }
    gst = info
  }

  /// Tightly packed video of a format and size.
  public init?(_ format: GstVideoFormat, width: Int, height: Int) {
    var info = GstVideoInfo()
    guard let width = UInt32(exactly: width), let height = UInt32(exactly: height),
      gst_video_info_set_format(&info, format, width, height) != 0
    else { return nil }
    gst = info
  }

  /// Whether the two differ in their frame rate at most.
  public func hasPictures(like other: VideoInfo) -> Bool {
    var (one, two) = (gst, other.gst)
    (one.fps_n, one.fps_d) = (two.fps_n, two.fps_d)
    return gst_video_info_is_equal(&one, &two) != 0
  }

  /// How samples are stored.
  public var format: GstVideoFormat { gst.finfo?.pointee.format ?? GST_VIDEO_FORMAT_UNKNOWN }
  /// As caps write it, "I420".
  public var formatName: String { gst_video_format_to_string(format).map { String(cString: $0) } ?? "unknown" }
  /// Pixels.
  public var width: Int { Int(gst.width) }
  /// Rows, of both fields if it is interlaced.
  public var height: Int { Int(gst.height) }
  /// Of Y′CbCr formats; GStreamer's default for the size if the caps do not say.
  public var colorMatrix: GstVideoColorMatrix { gst.colorimetry.matrix }
  /// 0-255, or 16-235 and 16-240.
  public var colorRange: GstVideoColorRange { gst.colorimetry.range }
  /// How many planes a frame has, 1-4.
  public var planes: Int { gst.finfo.map { Int($0.pointee.n_planes) } ?? 0 }

  /// Frames a second as a fraction; nil when the caps say 0/1, that is, unknown or variable.
  public var frameRate: (numerator: Int, denominator: Int)? {
    gst.fps_n > 0 && gst.fps_d > 0 ? (Int(gst.fps_n), Int(gst.fps_d)) : nil
  }

  /// Length of one frame in nanoseconds, rounded; nil for a variable rate.
  public var frameDuration: ClockTime? {
    frameRate.map { ClockTime(gst_util_uint64_scale_round(1_000_000_000, guint64($0.denominator), guint64($0.numerator))) }
  }
}
