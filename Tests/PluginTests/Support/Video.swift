import CGStreamer

/// A format, a size and what belongs to them.
struct Video: @unchecked Sendable {
  var info: GstVideoInfo
  var rate: (Int32, Int32)

  /// - Parameter colorimetry: as in caps, such as "bt709" or "1:4:0:1"; nil for GStreamer's choice.
  init(_ format: String, _ width: Int, _ height: Int, rate: (Int32, Int32) = (25, 1), colorimetry: String? = nil) throws {
    try Plugin.require()
    var info = GstVideoInfo()
    guard gst_video_info_set_format(&info, gst_video_format_from_string(format), UInt32(width), UInt32(height)) != 0 else {
      throw Failure("\(format) \(width)×\(height)")
    }
    info.fps_n = rate.0
    info.fps_d = rate.1
    if let colorimetry, gst_video_colorimetry_from_string(&info.colorimetry, colorimetry) == 0 { throw Failure(colorimetry) }
    self.info = info
    self.rate = rate
  }

  var width: Int { Int(info.width) }
  var height: Int { Int(info.height) }
  var size: Int { Int(info.size) }
  var planes: Int { info.finfo.map { Int($0.pointee.n_planes) } ?? 0 }

  /// Owned by the caller.
  func makeCaps() -> UnsafeMutablePointer<GstCaps>? {
    var info = info
    return gst_video_info_to_caps(&info)
  }

  /// An uninitialised frame.
  func makeBuffer(size: Int? = nil) throws -> UnsafeMutablePointer<GstBuffer> {
    guard let buffer = gst_buffer_new_allocate(nil, gsize(size ?? self.size), nil) else { throw Failure("no memory") }
    return buffer
  }

  /// Any bytes at all, the same for the same seed.
  func noise(_ seed: UInt8) throws -> UnsafeMutablePointer<GstBuffer> {
    let buffer = try makeBuffer()
    try withBytes(of: buffer) { bytes in
      var state = UInt32(seed) &* 2_654_435_761 | 1
      // A short run is random, the rest repeats it: large frames are filled fast.
      let run = min(bytes.count, 65_521)
      for index in 0..<run {
        state = state &* 1_664_525 &+ 1_013_904_223
        bytes[index] = UInt8(truncatingIfNeeded: state >> 24)
      }
      var filled = run
      while filled < bytes.count, let base = bytes.baseAddress {
        let count = min(filled, bytes.count - filled)
        (base + filled).update(from: base, count: count)
        filled += count
      }
    }
    return buffer
  }

  /// A picture from R, G, B of each pixel, converted by GStreamer.
  func picture(_ color: (_ x: Int, _ y: Int) -> (UInt8, UInt8, UInt8)) throws -> UnsafeMutablePointer<GstBuffer> {
    let source = try Video("RGBx", width, height)
    let buffer = try source.makeBuffer()
    defer { gst_buffer_unref(buffer) }
    try withBytes(of: buffer) { bytes in
      let stride = Int(source.info.stride.0)
      for y in 0..<height {
        for x in 0..<width {
          let (red, green, blue) = color(x, y)
          let at = y * stride + 4 * x
          (bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]) = (red, green, blue, 255)
        }
      }
    }
    return try convert(buffer, from: source)
  }

  /// One colour everywhere.
  func flat(_ red: UInt8, _ green: UInt8, _ blue: UInt8) throws -> UnsafeMutablePointer<GstBuffer> {
    try picture { _, _ in (red, green, blue) }
  }

  /// Another video's frame in this format.
  func convert(_ buffer: UnsafeMutablePointer<GstBuffer>, from source: Video) throws -> UnsafeMutablePointer<GstBuffer> {
    var (from, to) = (source.info, info)
    // Pictures are converted as they are woven; the converter takes no other rate or mode.
    (from.fps_n, from.fps_d) = (to.fps_n, to.fps_d)
    (from.interlace_mode, to.interlace_mode) = (GST_VIDEO_INTERLACE_MODE_PROGRESSIVE, GST_VIDEO_INTERLACE_MODE_PROGRESSIVE)
    guard let converter = gst_video_converter_new(&from, &to, nil) else { throw Failure("no converter") }
    defer { gst_video_converter_free(converter) }
    let result = try makeBuffer()
    try withBytes(of: result) { bytes in bytes.update(repeating: 0) }
    var (input, output) = (GstVideoFrame(), GstVideoFrame())
    guard gst_video_frame_map(&input, &from, buffer, GST_MAP_READ) != 0 else { throw Failure("no frame") }
    defer { gst_video_frame_unmap(&input) }
    guard gst_video_frame_map(&output, &to, result, GST_MAP_WRITE) != 0 else { throw Failure("no frame") }
    defer { gst_video_frame_unmap(&output) }
    gst_video_converter_frame(converter, &input, &output)
    return result
  }

  /// The same frame with rows further apart, planes elsewhere, and rubbish between them, told by a GstVideoMeta.
  func padded(_ packed: UnsafeMutablePointer<GstBuffer>) throws -> UnsafeMutablePointer<GstBuffer> {
    var wide = info
    var alignment = GstVideoAlignment()
    gst_video_alignment_reset(&alignment)
    (alignment.padding_left, alignment.padding_right, alignment.padding_top, alignment.padding_bottom) = (16, 48, 8, 6)
    guard gst_video_info_align(&wide, &alignment) != 0 else { throw Failure("no alignment") }
    let head: gsize = 64
    let buffer = try makeBuffer(size: Int(wide.size + head))
    try withBytes(of: buffer) { bytes in bytes.update(repeating: 0xA7) }
    var offsets = four(wide.offset).map { $0 + head }
    var strides = four(wide.stride)
    gst_buffer_add_video_meta_full(
      buffer, GST_VIDEO_FRAME_FLAG_NONE, info.finfo.pointee.format, UInt32(width), UInt32(height), UInt32(planes), &offsets, &strides)
    let (starts, ends) = (four(info.offset), four(info.offset).dropFirst().prefix(planes - 1) + [info.size])
    try withBytes(of: packed) { from in
      try withBytes(of: buffer) { to in
        for (plane, end) in ends.enumerated() {
          let row = Int(four(info.stride)[plane])
          for y in 0..<Int(end - starts[plane]) / row {
            let (source, target) = (Int(starts[plane]) + y * row, Int(offsets[plane]) + y * Int(strides[plane]))
            for x in 0..<row { to[target + x] = from[source + x] }
          }
        }
      }
    }
    return buffer
  }
}

/// A C array of four.
func four<T>(_ tuple: (T, T, T, T)) -> [T] { [tuple.0, tuple.1, tuple.2, tuple.3] }

/// Maps a buffer for reading and writing.
func withBytes<R>(of buffer: UnsafeMutablePointer<GstBuffer>, _ body: (UnsafeMutableBufferPointer<UInt8>) throws -> R) throws -> R {
  var map = GstMapInfo()
  guard gst_buffer_map(buffer, &map, GstMapFlags(rawValue: GST_MAP_READ.rawValue | GST_MAP_WRITE.rawValue)) != 0 else {
    throw Failure("no map")
  }
  defer { gst_buffer_unmap(buffer, &map) }
  return try body(UnsafeMutableBufferPointer(start: map.data, count: Int(map.size)))
}

/// A 64-bit FNV-1a of 8-byte words, and of what is left.
func checksum(_ buffer: UnsafeMutablePointer<GstBuffer>) -> UInt64 {
  var map = GstMapInfo()
  guard gst_buffer_map(buffer, &map, GST_MAP_READ) != 0 else { return 0 }
  defer { gst_buffer_unmap(buffer, &map) }
  let bytes = UnsafeRawBufferPointer(start: map.data, count: Int(map.size))
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  var at = 0
  while at + 8 <= bytes.count {
    hash = (hash ^ bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)) &* 0x100_0000_01b3
    at += 8
  }
  while at < bytes.count {
    hash = (hash ^ UInt64(bytes[at])) &* 0x100_0000_01b3
    at += 1
  }
  return hash
}
