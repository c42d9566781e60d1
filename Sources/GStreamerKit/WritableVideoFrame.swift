import CGStreamer

/// A video frame mapped for reading and writing. It exists only inside `WritableVideoFrame.map`.
///
/// Every plane was checked as those of a `VideoFrame` are.
public struct WritableVideoFrame: ~Copyable {
  /// The mapped frame for calls of the C API.
  public let gst: UnsafeMutablePointer<GstVideoFrame>
  /// What the caps say, not what the buffer's metadata say.
  public let info: VideoInfo

  /// Where a component's first sample lies, and how many bytes later its next row begins; nil if the frame has no such plane.
  ///
  /// Valid as long as the frame.
  public func samples(of component: VideoComponent) -> (base: UnsafeMutableRawPointer, stride: Int)? {
    guard component.plane < info.planes, let base = cgst_frame_data(gst, UInt32(component.plane)) else { return nil }
    return (UnsafeMutableRawPointer(mutating: base) + component.offset, Int(cgst_frame_stride(gst, UInt32(component.plane))))
  }

  /// Maps a buffer that nobody else holds, checks it, and passes it to `body`.
  ///
  /// - Throws: STREAM/FAILED if others hold the buffer or its memory, it cannot be mapped, or it is smaller than its caps say.
  public static func map<R>(
    _ buffer: UnsafeMutablePointer<GstBuffer>, _ info: VideoInfo, _ body: (borrowing WritableVideoFrame) throws -> R
  ) throws -> R {
    guard gst_mini_object_is_writable(&buffer.pointee.mini_object) != 0, gst_buffer_is_all_memory_writable(buffer) != 0 else {
      throw ElementError.stream(GST_STREAM_ERROR_FAILED, "A \(info.formatName) frame that others hold cannot be written.")
    }
    return try VideoFrame.map(buffer, info, GstMapFlags(rawValue: GST_MAP_READ.rawValue | GST_MAP_WRITE.rawValue)) { frame in
      try body(WritableVideoFrame(gst: frame.gst, info: info))
    }
  }
}

extension VideoFrame {
  /// Where a component's first sample lies, and how many bytes later its next row begins; nil if the frame has no such plane.
  ///
  /// Valid as long as the frame.
  public func samples(of component: VideoComponent) -> (base: UnsafeRawPointer, stride: Int)? {
    plane(component.plane).map { ($0.base + component.offset, $0.stride) }
  }
}
