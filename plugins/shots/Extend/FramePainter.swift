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
  private let pool: VideoBufferPool
  private let sampler = PictureSampler()
  private let painter = DetailPainter()
  /// Of what is drawn for these caps.
  private let colors: PictureDetail.Colors?
  /// For views where the caps are not I420: what they are rendered into.
  private var canvas: (info: VideoInfo, buffer: Buffer, converter: VideoConverter)?
  /// For pictures of a model: their caps and the way to the stream's.
  private var pictures: (info: VideoInfo, converter: VideoConverter)?
  /// The last picture, as a buffer: it is mostly shown several times.
  private var last: (picture: RGBPicture, buffer: Buffer)?

  /// - Throws: RESOURCE/FAILED if there are no buffers of these caps.
  init(_ info: VideoInfo, fit: SceneExtend.Fit) throws {
    self.info = info
    self.fit = fit
    colors = PictureDetail.Colors(try info.i420(width: info.width, height: info.height))
    pool = try VideoBufferPool(info)
  }

  private static let noBuffers = ElementError.resource(GST_RESOURCE_ERROR_FAILED, "There are no buffers for generated frames.")

  /// A buffer with the picture, without times.
  ///
  /// - Throws: RESOURCE/NO_SPACE_LEFT without memory, CORE/NEGOTIATION if GstVideo cannot convert to the caps.
  func buffer(_ picture: GeneratedPicture) throws -> Buffer {
    switch picture {
    case .view(let shot, let frame):
      return try drawn {
        shot.render(frame, to: $0, with: sampler)
        return true
      } ?? blank()
    case .between(let picture, let next, let share):
      if share > 0, let detail = next.start ?? picture.detail, let other = next.detail,
        let between = PictureDetail(detail, other, share: share), let buffer = try paint(between)
      {
        return buffer
      }
      return try buffer(.picture(picture))
    case .picture(let picture):
      if let last, last.picture === picture { return last.buffer }
      let buffer = try convert(picture)
      last = (picture, buffer)
      return buffer
    }
  }

  /// Black.
  func blank() throws -> Buffer {
    guard let picture = RGBPicture(width: 2, height: 2, bytes: [UInt8](repeating: 0, count: RGBPicture.stride(width: 2) * 2)) else {
      throw Self.noBuffers
    }
    return try buffer(.picture(picture))
  }

  // MARK: What is drawn in planes of 4:2:0

  /// - Parameter draw: false if it cannot; then the result is nil.
  private func drawn(_ draw: (OutputPlanes) -> Bool) throws -> Buffer? {
    if info.format == GST_VIDEO_FORMAT_I420 {
      var buffer = try pool.buffer()
      return try Self.draw(draw, to: &buffer, info) ? buffer : nil
    }
    var (small, buffer, converter) = try canvas ?? makeCanvas()
    // It is drawn over again and again: nothing else may hold it meanwhile.
    canvas = nil
    defer { canvas = (small, buffer, converter) }
    guard try Self.draw(draw, to: &buffer, small) else { return nil }
    var target = try pool.buffer()
    try buffer.withFrame(small) { try converter.convert($0, to: &target) }
    return target
  }

  private static func draw(_ draw: (OutputPlanes) -> Bool, to buffer: inout Buffer, _ info: VideoInfo) throws -> Bool {
    try buffer.withWritableFrame(info) { frame in
      guard let y = frame.plane(0), let u = frame.plane(1), let v = frame.plane(2) else { throw noBuffers }
      return draw(
        OutputPlanes(
          width: info.width, height: info.height, y: .init(base: y.base, stride: y.stride), u: .init(base: u.base, stride: u.stride),
          v: .init(base: v.base, stride: v.stride)))
    }
  }

  private func makeCanvas() throws -> (info: VideoInfo, buffer: Buffer, converter: VideoConverter) {
    let small = try info.i420(width: info.width, height: info.height)
    guard let buffer = Buffer(size: small.size) else { throw Self.noBuffers }
    return (small, buffer, try VideoConverter(from: small, to: info))
  }

  // MARK: Pictures of a model

  /// nil if it cannot be painted; so it is if it was made for other colours, before the caps changed.
  private func paint(_ detail: PictureDetail) throws -> Buffer? {
    guard detail.colors == colors else { return nil }
    return try drawn { painter.paint(detail, to: $0) }
  }

  private func convert(_ picture: RGBPicture) throws -> Buffer {
    if let detail = picture.detail, let buffer = try paint(detail) { return buffer }
    if pictures?.info.width != picture.width || pictures?.info.height != picture.height {
      guard let from = VideoInfo(GST_VIDEO_FORMAT_RGB, width: picture.width, height: picture.height) else { throw Self.noBuffers }
      let (source, destination) = fit.regions(from: (picture.width, picture.height), to: (info.width, info.height))
      pictures = (from, try VideoConverter(from: from, to: info, resampling: .smooth, source: source, destination: destination))
    }
    guard let (from, converter) = pictures, let source = Buffer(bytes: picture.bytes) else { throw Self.noBuffers }
    var target = try pool.buffer()
    try source.withFrame(from) { try converter.convert($0, to: &target) }
    return target
  }
}

extension SceneExtend.Fit {
  /// Which part of a picture is shown, and where; nil for all of it.
  func regions(
    from picture: (width: Int, height: Int), to frame: (width: Int, height: Int)
  ) -> (source: VideoConverter.Region?, destination: VideoConverter.Region?) {
    switch self {
    case .stretch: (nil, nil)
    case .cover: (VideoConverter.Region(in: picture, like: frame), nil)
    case .contain: (nil, VideoConverter.Region(in: frame, like: picture))
    }
  }
}
