import CGStreamer

/// GStreamer's own converter between formats, sizes and colorimetries, with its output buffer kept.
///
/// Cost: one conversion a call, no allocation after the first. Use it from one thread at a time.
public final class VideoConverter {
  private let converter: OpaquePointer
  private let output: UnsafeMutablePointer<GstBuffer>
  private let inputInfo: VideoInfo
  private let outputInfo: VideoInfo

  /// The frame rate of `output` becomes that of `input`; interlaced frames are converted as they are woven.
  ///
  /// - Throws: CORE/NEGOTIATION if GstVideo cannot convert between the two.
  public init(from input: VideoInfo, to output: VideoInfo) throws {
    var from = input.gst
    var to = output.gst
    // The converter insists that these are equal.
    (to.fps_n, to.fps_d) = (from.fps_n, from.fps_d)
    from.interlace_mode = GST_VIDEO_INTERLACE_MODE_PROGRESSIVE
    to.interlace_mode = GST_VIDEO_INTERLACE_MODE_PROGRESSIVE
    // The nearest thing to OpenCV's INTER_LINEAR: two taps a direction, whatever the scale.
    let linear = Value.enumeration(gst_video_resampler_method_get_type(), Int32(GST_VIDEO_RESAMPLER_METHOD_LINEAR.rawValue))
    let options = Structure("options", [("GstVideoConverter.resampler-method", linear), ("GstVideoResampler.max-taps", .int(2))])
    guard let converter = gst_video_converter_new(&from, &to, options.makeGstStructure()) else {
      throw ElementError.core(
        GST_CORE_ERROR_NEGOTIATION, "GstVideo cannot convert \(input.formatName) to \(output.formatName).")
    }
    guard let buffer = gst_buffer_new_allocate(nil, to.size, nil) else {
      gst_video_converter_free(converter)
      throw ElementError.resource(GST_RESOURCE_ERROR_NO_SPACE_LEFT, "No memory for a frame of \(to.size) bytes.")
    }
    self.converter = converter
    self.output = buffer
    inputInfo = input
    outputInfo = VideoInfo(to)
  }

  deinit {
    gst_video_converter_free(converter)
    gst_buffer_unref(output)
  }

  /// Converts a frame; the result is valid inside `body`.
  ///
  /// - Throws: CORE/NEGOTIATION if the frame is not what the converter was made for; what `body` throws.
  public func convert<R>(_ frame: borrowing VideoFrame, _ body: (borrowing VideoFrame) throws -> R) throws -> R {
    guard frame.info.format == inputInfo.format, frame.info.width == inputInfo.width, frame.info.height == inputInfo.height else {
      throw ElementError.core(GST_CORE_ERROR_NEGOTIATION, "The frame is not what its converter was made for.")
    }
    var destination = GstVideoFrame()
    var info = outputInfo.gst
    guard gst_video_frame_map(&destination, &info, output, GST_MAP_WRITE) != 0 else {
      throw ElementError.resource(GST_RESOURCE_ERROR_FAILED, "The converted frame cannot be written.")
    }
    // The converter would look for the scaler of fields, which it was not asked to make.
    var source = frame.gst.pointee
    source.info.interlace_mode = GST_VIDEO_INTERLACE_MODE_PROGRESSIVE
    source.flags = GstVideoFrameFlags(rawValue: source.flags.rawValue & ~GST_VIDEO_FRAME_FLAG_INTERLACED.rawValue)
    gst_video_converter_frame(converter, &source, &destination)
    gst_video_frame_unmap(&destination)
    return try VideoFrame.map(output, outputInfo, body)
  }
}
