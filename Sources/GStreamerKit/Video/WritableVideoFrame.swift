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

  /// Where a plane's first row lies, and how many bytes later the next one; nil if the format has no such plane.
  ///
  /// Valid as long as the frame.
  public func plane(_ index: Int) -> (base: UnsafeMutableRawPointer, stride: Int)? {
    guard index >= 0, index < info.planes, let base = cgst_frame_data(gst, UInt32(index)) else { return nil }
    return (UnsafeMutableRawPointer(mutating: base), Int(cgst_frame_stride(gst, UInt32(index))))
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

extension WritableVideoFrame {
  /// A copy of a frame in one block of memory of its own, with the times, flags and metadata of the frame.
  ///
  /// Room follows the block: GStreamer 1.22 reads and writes a few bytes too many when it unpacks and packs the last row of
  /// UYVP, NV12_10LE32, NV16_10LE32 and NV12_10BE_8L128 frames of odd sizes. Cost: one pass over the memory.
  ///
  /// - Returns: a buffer that the caller owns.
  /// - Throws: RESOURCE/NO_SPACE_LEFT without memory, STREAM/FAILED if the frame cannot be read.
  public static func copy(of buffer: UnsafeMutablePointer<GstBuffer>) throws -> UnsafeMutablePointer<GstBuffer> {
    let size = gst_buffer_get_size(buffer)
    var parameters = GstAllocationParams()
    gst_allocation_params_init(&parameters)
    parameters.padding = 4096
    guard let memory = gst_allocator_alloc(nil, size, &parameters) else {
      throw ElementError.resource(GST_RESOURCE_ERROR_NO_SPACE_LEFT, "No memory for a frame of \(size) bytes.")
    }
    var map = GstMapInfo()
    let isMapped = gst_memory_map(memory, &map, GST_MAP_WRITE) != 0
    let isCopied = isMapped && gst_buffer_extract(buffer, 0, map.data, size) == size
    if isMapped { gst_memory_unmap(memory, &map) }
    guard isCopied, let copy = gst_buffer_copy(buffer) else {
      gst_memory_unref(memory)
      throw ElementError.stream(GST_STREAM_ERROR_FAILED, "A frame of \(size) bytes cannot be read.")
    }
    gst_buffer_replace_all_memory(copy, memory)
    return copy
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
