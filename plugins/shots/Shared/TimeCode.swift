import CGStreamer

/// A frame's time code, to be continued.
final class TimeCode: @unchecked Sendable {
  private let gst: UnsafeMutablePointer<GstVideoTimeCode>

  /// nil if the frame has none.
  init?(_ buffer: UnsafeMutablePointer<GstBuffer>) {
    guard let meta = gst_buffer_get_meta(buffer, gst_video_time_code_meta_api_get_type()),
      let copy = gst_video_time_code_copy(&UnsafeMutableRawPointer(meta).assumingMemoryBound(to: GstVideoTimeCodeMeta.self).pointee.tc)
    else { return nil }
    gst = copy
  }

  deinit { gst_video_time_code_free(gst) }

  /// Counts one frame on and adds the code to a buffer.
  func continueOn(_ buffer: UnsafeMutablePointer<GstBuffer>) {
    gst_video_time_code_increment_frame(gst)
    gst_buffer_add_video_time_code_meta(buffer, gst)
  }
}
