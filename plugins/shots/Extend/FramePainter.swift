import CGStreamer
import Extension
import GStreamerKit
import Pixels

/// Turns generated pictures into buffers of a stream's caps.
///
/// For one thread at a time.
final class FramePainter {
  let info: VideoInfo
  private let fit: SceneExtend.Fit
  private let pool: UnsafeMutablePointer<GstBufferPool>
  private let sampler = PictureSampler()
  private let painter = DetailPainter()
  /// Of what is drawn for these caps.
  private let colors: PictureDetail.Colors?
  /// For views where the caps are not I420: what they are rendered into.
  private var canvas: (info: VideoInfo, buffer: UnsafeMutablePointer<GstBuffer>, converter: VideoConverter)?
  /// For pictures of a model: their caps and the way to the stream's.
  private var pictures: (info: VideoInfo, converter: VideoConverter)?
  /// The last picture, as a buffer: it is mostly shown several times.
  private var last: (picture: RGBPicture, buffer: UnsafeMutablePointer<GstBuffer>)?

  /// - Throws: RESOURCE/FAILED if there are no buffers of these caps.
  init(_ info: VideoInfo, fit: SceneExtend.Fit) throws {
    self.info = info
    self.fit = fit
    colors = PictureDetail.Colors(try VideoInfo.i420(like: info, width: info.width, height: info.height))
    guard let pool = gst_buffer_pool_new() else { throw Self.noBuffers }
    self.pool = pool
    var gst = info.gst
    let caps = gst_video_info_to_caps(&gst)
    defer { if let caps { gst_caps_unref(caps) } }
    let configuration = gst_buffer_pool_get_config(pool)
    gst_buffer_pool_config_set_params(configuration, caps, UInt32(clamping: info.gst.size), 0, 0)
    guard gst_buffer_pool_set_config(pool, configuration) != 0, gst_buffer_pool_set_active(pool, 1) != 0 else { throw Self.noBuffers }
  }

  deinit {
    if let canvas { gst_buffer_unref(canvas.buffer) }
    if let last { gst_buffer_unref(last.buffer) }
    gst_buffer_pool_set_active(pool, 0)
    gst_object_unref(pool)
  }

  private static let noBuffers = ElementError.resource(GST_RESOURCE_ERROR_FAILED, "There are no buffers for generated frames.")

  /// A buffer with the picture, without times, that the caller owns.
  ///
  /// - Throws: RESOURCE/NO_SPACE_LEFT without memory, CORE/NEGOTIATION if GstVideo cannot convert to the caps.
  func buffer(_ picture: GeneratedPicture) throws -> UnsafeMutablePointer<GstBuffer> {
    switch picture {
    case .view(let shot, let frame): return try render(shot, frame)
    case .between(let picture, let next, let share):
      if share > 0, let detail = next.start ?? picture.detail, let other = next.detail,
        let between = PictureDetail(detail, other, share: share),
        let buffer = try paint(between)
      {
        return buffer
      }
      return try buffer(.picture(picture))
    case .picture(let picture):
      if let last, last.picture === picture { return try copy(last.buffer) }
      let buffer = try convert(picture)
      if let last { gst_buffer_unref(last.buffer) }
      last = (picture, buffer)
      return try copy(buffer)
    }
  }

  /// Black.
  func blank() throws -> UnsafeMutablePointer<GstBuffer> {
    guard let picture = RGBPicture(width: 2, height: 2, bytes: [UInt8](repeating: 0, count: RGBPicture.stride(width: 2) * 2)) else {
      throw Self.noBuffers
    }
    return try buffer(.picture(picture))
  }

  /// The same memory under other times.
  private func copy(_ buffer: UnsafeMutablePointer<GstBuffer>) throws -> UnsafeMutablePointer<GstBuffer> {
    guard let copy = cgst_buffer_copy(buffer) else { throw Self.noBuffers }
    return copy
  }

  private func newBuffer() throws -> UnsafeMutablePointer<GstBuffer> {
    var buffer: UnsafeMutablePointer<GstBuffer>?
    guard gst_buffer_pool_acquire_buffer(pool, &buffer, nil) == GST_FLOW_OK, let buffer else { throw Self.noBuffers }
    return buffer
  }

  /// - Parameter paint: writes the picture into a new buffer, which is released if it throws.
  private func painted(_ paint: (UnsafeMutablePointer<GstBuffer>) throws -> Void) throws -> UnsafeMutablePointer<GstBuffer> {
    let buffer = try newBuffer()
    do {
      try paint(buffer)
    } catch {
      gst_buffer_unref(buffer)
      throw error
    }
    return buffer
  }

  // MARK: Views

  private func render(_ shot: RephotographedShot, _ frame: Int) throws -> UnsafeMutablePointer<GstBuffer> {
    try drawn { shot.render(frame, to: $0, with: sampler) }
  }

  /// A buffer of what is drawn in planes of 4:2:0.
  private func drawn(_ draw: (OutputPlanes) -> Void) throws -> UnsafeMutablePointer<GstBuffer> {
    if info.format == GST_VIDEO_FORMAT_I420 { return try painted { try Self.draw(draw, to: $0, info) } }
    let canvas = try canvas ?? makeCanvas()
    self.canvas = canvas
    try Self.draw(draw, to: canvas.buffer, canvas.info)
    return try painted { target in try VideoFrame.map(canvas.buffer, canvas.info) { try canvas.converter.convert($0, to: target) } }
  }

  private static func draw(_ draw: (OutputPlanes) -> Void, to buffer: UnsafeMutablePointer<GstBuffer>, _ info: VideoInfo) throws {
    try WritableVideoFrame.map(buffer, info) { mapped in
      let gst = mapped.gst
      draw(
        OutputPlanes(width: info.width, height: info.height, y: try plane(0, of: gst), u: try plane(1, of: gst), v: try plane(2, of: gst)))
    }
  }

  private static func plane(_ index: UInt32, of frame: UnsafeMutablePointer<GstVideoFrame>) throws -> OutputPlanes.Plane {
    guard let base = cgst_frame_data(frame, index) else { throw noBuffers }
    return OutputPlanes.Plane(base: UnsafeMutableRawPointer(mutating: base), stride: Int(cgst_frame_stride(frame, index)))
  }

  private func makeCanvas() throws -> (info: VideoInfo, buffer: UnsafeMutablePointer<GstBuffer>, converter: VideoConverter) {
    let small = try VideoInfo.i420(like: info, width: info.width, height: info.height)
    let converter = try VideoConverter(from: small, to: info)
    guard let buffer = gst_buffer_new_allocate(nil, small.gst.size, nil) else { throw Self.noBuffers }
    return (small, buffer, converter)
  }

  // MARK: Pictures of a model

  /// nil if it cannot be painted; so it is if it was made for other colours, before the caps changed.
  private func paint(_ detail: PictureDetail) throws -> UnsafeMutablePointer<GstBuffer>? {
    guard detail.colors == colors else { return nil }
    var isPainted = false
    let buffer = try drawn { isPainted = painter.paint(detail, to: $0) }
    if isPainted { return buffer }
    gst_buffer_unref(buffer)
    return nil
  }

  private func convert(_ picture: RGBPicture) throws -> UnsafeMutablePointer<GstBuffer> {
    if let detail = picture.detail, let buffer = try paint(detail) { return buffer }
    if pictures?.info.width != picture.width || pictures?.info.height != picture.height {
      guard let from = VideoInfo(GST_VIDEO_FORMAT_RGB, width: picture.width, height: picture.height) else { throw Self.noBuffers }
      let (source, destination) = fit.regions(from: (picture.width, picture.height), to: (info.width, info.height))
      pictures = (from, try VideoConverter(from: from, to: info, resampling: .smooth, source: source, destination: destination))
    }
    guard let (from, converter) = pictures, let source = gst_buffer_new_allocate(nil, from.gst.size, nil) else { throw Self.noBuffers }
    defer { gst_buffer_unref(source) }
    _ = picture.bytes.withUnsafeBytes { gst_buffer_fill(source, 0, $0.baseAddress, gsize($0.count)) }
    return try painted { target in try VideoFrame.map(source, from) { try converter.convert($0, to: target) } }
  }
}

extension VideoInfo {
  /// 8-bit 4:2:0 of another's colours, where those are Y′CbCr; of the usual ones for the size where they are not.
  static func i420(like info: VideoInfo, width: Int, height: Int) throws -> VideoInfo {
    guard let made = VideoInfo(GST_VIDEO_FORMAT_I420, width: width, height: height) else {
      throw ElementError.core(GST_CORE_ERROR_NEGOTIATION, "There are no pictures of \(width)×\(height).")
    }
    guard info.gst.finfo.map({ $0.pointee.flags.rawValue & GST_VIDEO_FORMAT_FLAG_YUV.rawValue != 0 }) ?? false else { return made }
    var gst = made.gst
    gst.colorimetry = info.gst.colorimetry
    gst.chroma_site = info.gst.chroma_site
    return VideoInfo(gst)
  }
}

extension SceneExtend.Fit {
  /// Which part of a picture is shown, and where; nil for all of it.
  func regions(
    from picture: (width: Int, height: Int), to frame: (width: Int, height: Int)
  ) -> (source: VideoConverter.Region?, destination: VideoConverter.Region?) {
    switch self {
    case .stretch: (nil, nil)
    case .cover: (Self.largest(in: picture, like: frame), nil)
    case .contain: (nil, Self.largest(in: frame, like: picture))
    }
  }

  /// The largest region in the middle of one size that is as wide a height as another.
  private static func largest(in outer: (width: Int, height: Int), like shape: (width: Int, height: Int)) -> VideoConverter.Region {
    var (width, height) = (outer.width, max(1, outer.width * shape.height / max(1, shape.width)))
    if height > outer.height { (width, height) = (max(1, outer.height * shape.width / max(1, shape.height)), outer.height) }
    // Whole chroma samples.
    if width > 1, width < outer.width { width &= ~1 }
    if height > 1, height < outer.height { height &= ~1 }
    return VideoConverter.Region(x: (outer.width - width) / 2 & ~1, y: (outer.height - height) / 2 & ~1, width: width, height: height)
  }
}
