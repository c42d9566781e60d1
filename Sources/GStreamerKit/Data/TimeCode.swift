import CGStreamer

/// A frame's SMPTE time code.
public final class TimeCode: @unchecked Sendable {
  private let gst: UnsafeMutablePointer<GstVideoTimeCode>

  private init(taking gst: UnsafeMutablePointer<GstVideoTimeCode>) { self.gst = gst }

  /// nil if the frame has none.
  public convenience init?(_ buffer: UnsafeMutablePointer<GstBuffer>) {
    guard let meta = gst_buffer_get_meta(buffer, gst_video_time_code_meta_api_get_type()),
      let copy = gst_video_time_code_copy(&UnsafeMutableRawPointer(meta).assumingMemoryBound(to: GstVideoTimeCodeMeta.self).pointee.tc)
    else { return nil }
    self.init(taking: copy)
  }

  deinit { gst_video_time_code_free(gst) }

  /// That of the next frame.
  public var next: TimeCode {
    guard let copy = gst_video_time_code_copy(gst) else { return self }
    gst_video_time_code_increment_frame(copy)
    return TimeCode(taking: copy)
  }

  /// Puts a copy on a buffer whose metadata is writable, beside one that it has.
  public func add(to buffer: UnsafeMutablePointer<GstBuffer>) { gst_buffer_add_video_time_code_meta(buffer, gst) }
}
