import CGStreamer

/// One row of a frame in the form that GstVideo unpacks its format to: four samples of 8 or 16 bits a pixel.
///
/// For formats without `VideoInfo.components`: all of them can be read so, and writing back what was read leaves the frame
/// as it was, but for bits that the format does not use. What a palette's frame shows is changed in its palette. Cost: one
/// pass over the row each. Use it from one thread at a time.
public final class UnpackedRow {
  /// Of the first pixel's first byte.
  public let base: UnsafeMutableRawPointer
  /// How the samples lie, in plane 0, one row. Alpha is left out.
  public let components: [VideoComponent]
  private let stride: gint
  private let info: VideoInfo
  private let flags: GstVideoPackFlags

  /// - Throws: CORE/NEGOTIATION if GstVideo does not unpack the format row by row.
  public init(_ info: VideoInfo) throws {
    guard let format = info.gst.finfo, format.pointee.unpack_func != nil, format.pointee.pack_func != nil, format.pointee.pack_lines == 1,
      let row = VideoInfo(format.pointee.unpack_format, width: info.width, height: 1), let components = row.components
    else { throw ElementError.core(GST_CORE_ERROR_NEGOTIATION, "GstVideo cannot unpack \(info.formatName) row by row.") }
    self.info = info
    self.components = components
    stride = row.gst.stride.0
    // Limited levels are scaled by a power of two, full ones so that the largest stays the largest.
    flags = info.colorRange == GST_VIDEO_COLOR_RANGE_16_235 ? GST_VIDEO_PACK_FLAG_TRUNCATE_RANGE : GST_VIDEO_PACK_FLAG_NONE
    // Some formats unpack whole groups of pixels beyond the width.
    let bytes = Int(row.gst.size) + 64 * 8
    base = .allocate(byteCount: bytes, alignment: 16)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
  }

  deinit { base.deallocate() }

  /// Reads row `y`; a row that the frame does not have, or a frame of another format or size, reads nothing.
  public func read(_ y: Int, of frame: borrowing VideoFrame) {
    if isRow(y, of: frame.info) { cgst_frame_unpack(frame.gst, flags, base, gint(y)) }
  }

  /// The same of a frame that is being written.
  public func read(_ y: Int, of frame: borrowing WritableVideoFrame) {
    if isRow(y, of: frame.info) { cgst_frame_unpack(frame.gst, flags, base, gint(y)) }
  }

  /// Writes row `y`, under the conditions of reading.
  public func write(_ y: Int, to frame: borrowing WritableVideoFrame) {
    if isRow(y, of: frame.info) { cgst_frame_pack(frame.gst, flags, base, stride, gint(y)) }
  }

  private func isRow(_ y: Int, of other: VideoInfo) -> Bool {
    y >= 0 && y < info.height && other.format == info.format && other.width == info.width && other.height == info.height
  }
}
