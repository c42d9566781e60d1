import CGStreamer

/// GStreamer's own converter between formats, sizes and colorimetries, with its output buffer kept.
///
/// Cost: one conversion a call, no allocation after the first. Use it from one thread at a time.
public final class VideoConverter {
  /// A part of a frame, in pixels.
  public struct Region: Hashable, Sendable {
    /// Left and upper edge from 0, then the sides.
    public var x, y, width, height: Int

    /// Nothing is checked: it should lie inside the frame.
    public init(x: Int, y: Int, width: Int, height: Int) {
      (self.x, self.y, self.width, self.height) = (x, y, width, height)
    }

    /// The largest in the middle of one size that has the shape of another; whole chroma samples.
    public init(in outer: (width: Int, height: Int), like shape: (width: Int, height: Int)) {
      var (width, height) = (outer.width, max(1, outer.width * shape.height / max(1, shape.width)))
      if height > outer.height { (width, height) = (max(1, outer.height * shape.width / max(1, shape.height)), outer.height) }
      if width > 1, width < outer.width { width &= ~1 }
      if height > 1, height < outer.height { height &= ~1 }
      self.init(x: (outer.width - width) / 2 & ~1, y: (outer.height - height) / 2 & ~1, width: width, height: height)
    }
  }

  /// How frames of another size are resampled.
  public enum Resampling: Sendable {
    /// Two taps a direction, whatever the scale: the nearest thing to OpenCV's INTER_LINEAR.
    case twoTaps
    /// GstVideo's own choice: cubic, over all samples that a pixel covers.
    case smooth
  }

  /// The longest side that GstVideo's converter counts with: beyond it, it writes outside of its own memory.
  public static let longestSide = 32_767

  private let converter: OpaquePointer
  private var output: UnsafeMutablePointer<GstBuffer>?
  private let inputInfo: VideoInfo
  private let outputInfo: VideoInfo

  /// The frame rate of `output` becomes that of `input`; interlaced frames are converted as they are woven.
  ///
  /// - Parameters:
  ///   - source: what of the input is shown; nil for all of it.
  ///   - destination: where it is shown, with black around it; nil for all of the output.
  /// - Throws: CORE/NEGOTIATION if GstVideo cannot convert between the two, or a side is beyond ``longestSide``.
  public init(
    from input: VideoInfo, to output: VideoInfo, resampling: Resampling = .twoTaps, source: Region? = nil, destination: Region? = nil
  ) throws {
    for info in [input, output] where max(info.width, info.height) > Self.longestSide {
      throw ElementError.core(
        GST_CORE_ERROR_NEGOTIATION,
        "GstVideo cannot convert \(info.formatName) pictures of \(info.width)×\(info.height): sides may have \(Self.longestSide) at most.")
    }
    var from = input.gst
    var to = output.gst
    // The converter insists that these are equal.
    (to.fps_n, to.fps_d) = (from.fps_n, from.fps_d)
    from.interlace_mode = GST_VIDEO_INTERLACE_MODE_PROGRESSIVE
    to.interlace_mode = GST_VIDEO_INTERLACE_MODE_PROGRESSIVE
    var options: [(String, Value)] = []
    if resampling == .twoTaps {
      let linear = Value.enumeration(gst_video_resampler_method_get_type(), Int32(GST_VIDEO_RESAMPLER_METHOD_LINEAR.rawValue))
      options += [("GstVideoConverter.resampler-method", linear), ("GstVideoResampler.max-taps", .int(2))]
    }
    for (name, region) in [("src", source), ("dest", destination)] {
      guard let region else { continue }
      for (side, value) in [("x", region.x), ("y", region.y), ("width", region.width), ("height", region.height)] {
        options.append(("GstVideoConverter.\(name)-\(side)", .int(Int32(clamping: value))))
      }
    }
    guard let converter = gst_video_converter_new(&from, &to, Structure("options", options).makeGstStructure()) else {
      throw ElementError.core(
        GST_CORE_ERROR_NEGOTIATION, "GstVideo cannot convert \(input.formatName) to \(output.formatName).")
    }
    self.converter = converter
    inputInfo = input
    outputInfo = VideoInfo(to)
  }

  deinit {
    gst_video_converter_free(converter)
    if let output { gst_buffer_unref(output) }
  }

  /// Converts a frame; the result is valid inside `body`.
  ///
  /// - Throws: CORE/NEGOTIATION if the frame is not what the converter was made for; what `body` throws.
  public func convert<R>(_ frame: borrowing VideoFrame, _ body: (borrowing VideoFrame) throws -> R) throws -> R {
    guard let buffer = output ?? gst_buffer_new_allocate(nil, outputInfo.gst.size, nil) else {
      throw ElementError.resource(GST_RESOURCE_ERROR_NO_SPACE_LEFT, "No memory for a frame of \(outputInfo.gst.size) bytes.")
    }
    output = buffer
    try convert(frame, to: buffer)
    return try VideoFrame.map(buffer, outputInfo, body)
  }

  /// The same into a buffer, which nobody else may hold.
  ///
  /// - Throws: as below.
  public func convert(_ frame: borrowing VideoFrame, to buffer: inout Buffer) throws {
    if let gst = buffer.gst { try convert(frame, to: gst) }
  }

  /// Converts a frame into a buffer that nobody else holds and that has room for it.
  ///
  /// - Throws: CORE/NEGOTIATION if the frame is not what the converter was made for; RESOURCE/FAILED if the buffer cannot be
  ///   written.
  public func convert(_ frame: borrowing VideoFrame, to buffer: UnsafeMutablePointer<GstBuffer>) throws {
    guard frame.info.format == inputInfo.format, frame.info.width == inputInfo.width, frame.info.height == inputInfo.height else {
      throw ElementError.core(GST_CORE_ERROR_NEGOTIATION, "The frame is not what its converter was made for.")
    }
    var destination = GstVideoFrame()
    var info = outputInfo.gst
    guard gst_video_frame_map(&destination, &info, buffer, GST_MAP_WRITE) != 0 else {
      throw ElementError.resource(GST_RESOURCE_ERROR_FAILED, "The converted frame cannot be written.")
    }
    // The converter would look for the scaler of fields, which it was not asked to make.
    var source = frame.gst.pointee
    source.info.interlace_mode = GST_VIDEO_INTERLACE_MODE_PROGRESSIVE
    source.flags = GstVideoFrameFlags(rawValue: source.flags.rawValue & ~GST_VIDEO_FRAME_FLAG_INTERLACED.rawValue)
    gst_video_converter_frame(converter, &source, &destination)
    gst_video_frame_unmap(&destination)
  }
}
