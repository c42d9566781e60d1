import CGStreamer
import Timing

/// Raw video caps, parsed.
public struct VideoInfo: @unchecked Sendable {
  /// For calls of the C API.
  public let gst: GstVideoInfo

  /// Nothing is checked; one without a format has no planes.
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

  /// Bytes of a tightly packed frame.
  public var size: Int { Int(clamping: gst.size) }

  /// As caps.
  public var caps: Caps? {
    var info = gst
    return gst_video_info_to_caps(&info).map { Caps(taking: $0) }
  }

  /// Whether some samples stand for two columns, as in 4:2:2 and 4:2:0.
  public var halvesColumns: Bool { gst.finfo.map { $0.pointee.w_sub.1 > 0 || $0.pointee.w_sub.2 > 0 } ?? false }
  /// Whether some samples stand for two rows, as in 4:2:0.
  public var halvesRows: Bool { gst.finfo.map { $0.pointee.h_sub.1 > 0 || $0.pointee.h_sub.2 > 0 } ?? false }

  /// Whether samples are Y′CbCr.
  public var isYCbCr: Bool { gst.finfo.map { $0.pointee.flags.rawValue & GST_VIDEO_FORMAT_FLAG_YUV.rawValue != 0 } ?? false }

  /// The shares of R′ and B′ in Y′; nil for a matrix that is not known.
  public var lumaShares: (red: Double, blue: Double)? {
    var (red, blue) = (0.0, 0.0)
    return gst_video_color_matrix_get_Kr_Kb(colorMatrix, &red, &blue) != 0 ? (red, blue) : nil
  }

  /// 8-bit 4:2:0 of another size in the same colours, where those are Y′CbCr; in the usual ones for the size where they are not.
  ///
  /// - Throws: CORE/NEGOTIATION for a size that none can have.
  public func i420(width: Int, height: Int) throws -> VideoInfo {
    guard let made = VideoInfo(GST_VIDEO_FORMAT_I420, width: width, height: height) else {
      throw ElementError.core(GST_CORE_ERROR_NEGOTIATION, "There are no pictures of \(width)×\(height).")
    }
    guard isYCbCr else { return made }
    var info = made.gst
    info.colorimetry = gst.colorimetry
    info.chroma_site = gst.chroma_site
    return VideoInfo(info)
  }
}
