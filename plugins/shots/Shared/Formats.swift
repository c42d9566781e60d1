import CGStreamer
import GStreamerKit
import Pixels
import Timing

extension PictureLayout {
  /// nil if Pixels does not read the format itself.
  init?(_ info: VideoInfo) {
    guard let format = PixelFormat(info.format) else { return nil }
    // Of the wider gamuts' matrices BT.709's is the nearest.
    let matrix: ColorMatrix =
      info.colorMatrix == GST_VIDEO_COLOR_MATRIX_BT601 || info.colorMatrix == GST_VIDEO_COLOR_MATRIX_FCC ? .bt601 : .bt709
    self.init(
      format: format, width: info.width, height: info.height, matrix: matrix,
      range: info.colorRange == GST_VIDEO_COLOR_RANGE_0_255 ? .full : .limited)
  }
}

extension PixelFormat {
  private static let pairs: [(GstVideoFormat, PixelFormat)] = [
    (GST_VIDEO_FORMAT_I420, .i420), (GST_VIDEO_FORMAT_YV12, .yv12), (GST_VIDEO_FORMAT_NV12, .nv12), (GST_VIDEO_FORMAT_NV21, .nv21),
    (GST_VIDEO_FORMAT_Y42B, .y42b), (GST_VIDEO_FORMAT_Y444, .y444), (GST_VIDEO_FORMAT_YUY2, .yuy2), (GST_VIDEO_FORMAT_UYVY, .uyvy),
    (GST_VIDEO_FORMAT_GRAY8, .gray8), (GST_VIDEO_FORMAT_RGB, .rgb), (GST_VIDEO_FORMAT_BGR, .bgr), (GST_VIDEO_FORMAT_RGBx, .rgbx),
    (GST_VIDEO_FORMAT_BGRx, .bgrx), (GST_VIDEO_FORMAT_xRGB, .xrgb), (GST_VIDEO_FORMAT_xBGR, .xbgr), (GST_VIDEO_FORMAT_RGBA, .rgba),
    (GST_VIDEO_FORMAT_BGRA, .bgra), (GST_VIDEO_FORMAT_ARGB, .argb), (GST_VIDEO_FORMAT_ABGR, .abgr),
    (GST_VIDEO_FORMAT_I420_10LE, .i42010le), (GST_VIDEO_FORMAT_P010_10LE, .p01010le),
  ]

  /// nil if Pixels does not read the format itself.
  init?(_ format: GstVideoFormat) {
    guard let pair = Self.pairs.first(where: { $0.0 == format }) else { return nil }
    self = pair.1
  }

  /// Every format, those that need no conversion first.
  static var caps: String { PadTemplate.rawVideo(preferring: pairs.map(\.0)) }
}

extension StreamLane {
  /// Pads of elements for video that take its sound too.
  static let soundAndVideo = pads(video: PixelFormat.caps, sound: "audio/x-raw, layout = (string) interleaved")
}

extension VideoFrame {
  /// The frame as Pixels sees it. Planes are whole: mapping has checked that.
  borrowing func picture(_ layout: PictureLayout) -> Picture? {
    guard let first = plane(0) else { return nil }
    let zero = PlaneView(base: first.base, stride: first.stride)
    let one = plane(1).map { PlaneView(base: $0.base, stride: $0.stride) } ?? zero
    let two = plane(2).map { PlaneView(base: $0.base, stride: $0.stride) } ?? zero
    return Picture(layout: layout, planes: (zero, one, two))
  }
}
