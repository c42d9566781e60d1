import CGStreamer

/// GStreamer's own converter between formats, sizes and colorimetries, with its output buffer kept.
///
/// Cost: one conversion a call, no allocation after the first.
public final class VideoConverter {
  private let converter: OpaquePointer
  private let output: UnsafeMutablePointer<GstBuffer>
  private let outputInfo: VideoInfo

  /// - Throws: CORE/NEGOTIATION if GstVideo cannot convert between the two.
  public init(from input: VideoInfo, to output: VideoInfo) throws {
    var from = input.gst
    var to = output.gst
    // The converter insists on it.
    (to.fps_n, to.fps_d) = (from.fps_n, from.fps_d)
    // The nearest thing to OpenCV's INTER_LINEAR: two taps a direction, whatever the scale.
    let options = Structure("options", [("GstVideoResampler.taps", .uint(2))]).makeGstStructure()
    guard let converter = gst_video_converter_new(&from, &to, options) else {
      throw ElementError.core(
        GST_CORE_ERROR_NEGOTIATION, "GstVideo cannot convert \(input.formatName) to \(output.formatName).")
    }
    guard let buffer = gst_buffer_new_allocate(nil, to.size, nil) else {
      gst_video_converter_free(converter)
      throw ElementError.resource(GST_RESOURCE_ERROR_NO_SPACE_LEFT, "No memory for a frame of \(to.size) bytes.")
    }
    self.converter = converter
    self.output = buffer
    outputInfo = VideoInfo(to)
  }

  deinit {
    gst_video_converter_free(converter)
    gst_buffer_unref(output)
  }

  /// Converts a frame; the result is valid inside `body`.
  public func convert<R>(_ frame: borrowing VideoFrame, _ body: (borrowing VideoFrame) throws -> R) throws -> R {
    var destination = GstVideoFrame()
    var info = outputInfo.gst
    guard gst_video_frame_map(&destination, &info, output, GST_MAP_WRITE) != 0 else {
      throw ElementError.resource(GST_RESOURCE_ERROR_FAILED, "The converted frame cannot be written.")
    }
    gst_video_converter_frame(converter, frame.gst, &destination)
    gst_video_frame_unmap(&destination)
    return try VideoFrame.map(output, outputInfo, body)
  }
}
