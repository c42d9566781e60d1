import CGStreamer

/// A video frame mapped for reading. It exists only inside `InputBuffer.withFrame` or `VideoFrame.map`.
///
/// Every plane was checked to hold the rows that the caps promise, whatever the buffer's metadata claims.
public struct VideoFrame: ~Copyable {
  /// The mapped frame for calls of the C API, such as a GstVideoConverter.
  public let gst: UnsafeMutablePointer<GstVideoFrame>
  /// What the caps say, not what the buffer's metadata say.
  public let info: VideoInfo

  /// One plane: `rows` rows of `rowBytes` meaningful bytes, each `stride` bytes after the last.
  ///
  /// Valid as long as the frame.
  public struct Plane {
    /// First byte of the first row.
    public let base: UnsafeRawPointer
    /// Bytes from the start of a row to that of the next.
    public let stride: Int
    /// Without padding.
    public let rowBytes: Int
    /// Fewer than the frame's where chroma is subsampled.
    public let rows: Int
  }

  /// nil if the format has no such plane.
  public func plane(_ index: Int) -> Plane? {
    guard index >= 0, index < info.planes, let base = cgst_frame_data(gst, UInt32(index)) else { return nil }
    var rows: Int32 = 0
    var rowBytes: Int32 = 0
    withUnsafePointer(to: info.gst) { cgst_plane_extent($0, UInt32(index), &rows, &rowBytes) }
    return Plane(base: UnsafeRawPointer(base), stride: Int(cgst_frame_stride(gst, UInt32(index))), rowBytes: Int(rowBytes), rows: Int(rows))
  }

  /// Maps a buffer, checks it, and passes it to `body`.
  ///
  /// - Throws: STREAM/FAILED if the buffer cannot be mapped or is smaller than its caps say.
  public static func map<R>(
    _ buffer: UnsafeMutablePointer<GstBuffer>, _ info: VideoInfo, _ body: (borrowing VideoFrame) throws -> R
  ) throws -> R {
    try map(buffer, info, GST_MAP_READ, body)
  }

  /// As above, for reading, writing or both.
  static func map<R>(
    _ buffer: UnsafeMutablePointer<GstBuffer>, _ info: VideoInfo, _ access: GstMapFlags, _ body: (borrowing VideoFrame) throws -> R
  ) throws -> R {
    // A frame whose metadata claims less than the caps is not read at all: the map would believe it.
    if let meta = gst_buffer_get_video_meta(buffer),
      Int(meta.pointee.width) < info.width || Int(meta.pointee.height) < info.height || meta.pointee.format != info.format
        || Int(meta.pointee.n_planes) < info.planes
    {
      throw tooSmall(Int(gst_buffer_get_size(buffer)), info)
    }
    var mapped = GstVideoFrame()
    var gstInfo = info.gst
    let flags = GstMapFlags(rawValue: access.rawValue | GST_VIDEO_FRAME_MAP_FLAG_NO_REF.rawValue)
    guard gst_video_frame_map(&mapped, &gstInfo, buffer, flags) != 0 else { throw tooSmall(Int(gst_buffer_get_size(buffer)), info) }
    defer { gst_video_frame_unmap(&mapped) }
    // Metadata may claim more, as where a decoder's padding is cropped: whoever reads the mapped frame has room for what the caps say.
    (mapped.info.width, mapped.info.height) = (info.gst.width, info.gst.height)
    return try withUnsafeMutablePointer(to: &mapped) { pointer in
      let frame = VideoFrame(gst: pointer, info: info)
      for index in 0..<info.planes where !frame.isWhole(index) { throw tooSmall(Int(gst_buffer_get_size(buffer)), info) }
      return try body(frame)
    }
  }

  private func isWhole(_ index: Int) -> Bool {
    guard cgst_frame_data(gst, UInt32(index)) != nil else { return false }
    let needed = withUnsafePointer(to: info.gst) { cgst_plane_bytes($0, UInt32(index), cgst_frame_stride(gst, UInt32(index))) }
    let left = cgst_frame_bytes_left(gst, UInt32(index))
    return left >= 0 && needed <= gsize(left)
  }

  static func tooSmall(_ size: Int, _ info: VideoInfo) -> ElementError {
    .stream(
      GST_STREAM_ERROR_FAILED,
      """
      A buffer of \(size) bytes does not hold the \(info.width)×\(info.height) \
      \(info.formatName) frame that its caps promise.
      """
    )
  }
}
