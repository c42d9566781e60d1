import CGStreamer

/// The formats that shotdetect says it takes.
enum Formats {
  /// Read in place; the rest is converted.
  static let native = [
    "I420", "YV12", "NV12", "NV21", "Y42B", "Y444", "YUY2", "UYVY", "GRAY8", "RGB", "BGR", "RGBx", "BGRx", "xRGB", "xBGR", "RGBA", "BGRA",
    "ARGB", "ABGR", "I420_10LE", "P010_10LE",
  ]

  /// All that its sink template lists.
  static let all: [String] = {
    guard Plugin.failure == nil, let element = gst_element_factory_make("shotdetect", nil) else { return [] }
    gst_object_ref_sink(element)
    defer { gst_object_unref(element) }
    guard let pad = gst_element_get_static_pad(element, "sink") else { return [] }
    defer { gst_object_unref(pad) }
    guard let caps = gst_pad_get_pad_template_caps(pad) else { return [] }
    defer { gst_mini_object_unref(UnsafeMutableRawPointer(caps).assumingMemoryBound(to: GstMiniObject.self)) }
    guard let list = gst_structure_get_value(gst_caps_get_structure(caps, 0), "format") else { return [] }
    return (0..<gst_value_list_get_size(list)).compactMap { index in
      gst_value_list_get_value(list, index).flatMap { g_value_get_string($0) }.map { String(cString: $0) }
    }
  }()

  /// Formats whose memory is not only rows of pixels: tiles, or a palette.
  static func isIrregular(_ format: String) -> Bool {
    guard let info = gst_video_format_get_info(gst_video_format_from_string(format)) else { return false }
    return info.pointee.flags.rawValue & (GST_VIDEO_FORMAT_FLAG_TILED.rawValue | GST_VIDEO_FORMAT_FLAG_PALETTE.rawValue) != 0
  }

  /// Those that run TransNetV2.
  static let networks = ["transnet", "fused"]
  static let detectors = ["content", "adaptive", "threshold", "histogram", "hash"]
}

/// Pictures that every detector tells apart. Coordinates as shares of the size.
enum Pictures {
  static func black(_ x: Int, _ y: Int) -> (UInt8, UInt8, UInt8) { (0, 0, 0) }
  static func orange(_ x: Int, _ y: Int) -> (UInt8, UInt8, UInt8) { (250, 180, 30) }

  /// 16 × 16 blocks of random colours whose channels lie in `levels`.
  static func blocks(_ video: Video, _ levels: ClosedRange<Int>, seed: UInt32) -> (Int, Int) -> (UInt8, UInt8, UInt8) {
    { x, y in
      var state = seed &+ UInt32(16 * (16 * y / max(1, video.height)) + 16 * x / max(1, video.width)) &* 2_654_435_761
      func channel() -> UInt8 {
        state = state &* 1_664_525 &+ 1_013_904_223
        return UInt8(levels.lowerBound + Int(state >> 16) % levels.count)
      }
      _ = channel()
      return (channel(), channel(), channel())
    }
  }

  static func dark(_ video: Video) -> (Int, Int) -> (UInt8, UInt8, UInt8) { blocks(video, 20...90, seed: 1) }
  static func bright(_ video: Video) -> (Int, Int) -> (UInt8, UInt8, UInt8) { blocks(video, 150...250, seed: 7) }
}
