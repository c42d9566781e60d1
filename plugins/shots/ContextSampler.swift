import CGStreamer
import Extension
import GStreamerKit

/// Keeps of the frames that pass what generators go on with: small clips for a model, full pictures for the virtual camera.
///
/// Not thread-safe. Cost: with `keepsAlbum` a copy of each frame in 4:2:0; for a model a small picture at its rate, some 8 a second.
struct ContextSampler {
  private let fit: SceneExtend.Fit
  private let model: (width: Int, height: Int)
  private let albumShots: Int
  private let keepsAlbum: Bool
  private let keepsClips: Bool
  private var window: ContextWindow<RGBPicture>
  private var album: ShotAlbum
  private var info: VideoInfo?
  private var small: VideoConverter?
  private var full: (info: VideoInfo, converter: VideoConverter?)?
  /// Ends of shots in full size, for a model that goes on from them: as many as the window has parts, and the way there.
  private let keepsEnds: Bool
  private var ends = [End.unseen]
  private var whole: (info: VideoInfo, converter: VideoConverter?, colors: PictureDetail.Colors)?

  /// The last picture of a shot that was taken.
  private enum End {
    case unseen, unknown
    case frame(PlanarPicture)
    case generated(PictureDetail)

    var isSeen: Bool { if case .unseen = self { false } else { true } }
  }

  struct Model {
    var width, height, frames, shots: Int
    var frameRate: (numerator: Int, denominator: Int)
    var goesOnFromFrames: Bool
  }

  /// - Parameters:
  ///   - model: nil if none will generate.
  ///   - keepsAlbum: whether the virtual camera may have to take pictures.
  init(_ model: Model?, keepsAlbum: Bool, fit: SceneExtend.Fit) {
    self.fit = fit
    self.keepsAlbum = keepsAlbum
    keepsClips = model != nil
    // Elsewhere a model's picture is not all of the frame, or not only that.
    keepsEnds = (model?.goesOnFromFrames ?? false) && fit == .stretch
    self.model = (model?.width ?? 1, model?.height ?? 1)
    albumShots = max(2, (model?.shots ?? 3) - 1)
    window = ContextWindow(shots: max(1, (model?.shots ?? 3) - 1), frames: model?.frames ?? 1, rate: model?.frameRate ?? (8, 1))
    album = ShotAlbum(shots: albumShots)
  }

  mutating func configure(_ info: VideoInfo) throws {
    self.info = info
    if keepsClips, let rgb = VideoInfo(GST_VIDEO_FORMAT_RGB, width: model.width, height: model.height) {
      // What is cut off here is what is not shown there, so that framings agree.
      let (source, destination): (VideoConverter.Region?, VideoConverter.Region?) =
        fit == .stretch ? (nil, nil) : SceneExtend.Fit.cover.regions(from: (info.width, info.height), to: model)
      small = try VideoConverter(from: info, to: rgb, resampling: .smooth, source: source, destination: destination)
    }
    if keepsAlbum {
      let size = ShotAlbum.size(for: info.width, height: info.height, shots: albumShots, frames: 12)
      let pictures = try VideoInfo.i420(like: info, width: size.width, height: size.height)
      let isSame = info.format == GST_VIDEO_FORMAT_I420 && size == (info.width, info.height)
      full = (pictures, isSame ? nil : try VideoConverter(from: info, to: pictures))
    }
    if keepsEnds {
      // Frames in other colours are nothing to draw on.
      ends = ends.map { $0.isSeen ? .unknown : .unseen }
      let pictures = try VideoInfo.i420(like: info, width: info.width, height: info.height)
      whole = try PictureDetail.Colors(pictures).map { (pictures, info.format == GST_VIDEO_FORMAT_I420 ? nil : try VideoConverter(from: info, to: pictures), $0) }
    }
  }

  /// The next frame begins a shot.
  mutating func cut() {
    cutGenerated()
    album.beginShot()
  }

  /// What is shown next is a generated shot.
  mutating func cutGenerated() {
    window.cut()
    guard ends.last?.isSeen ?? true else { return }
    ends.append(.unseen)
    if ends.count > window.shots + 1 { ends.removeFirst() }
  }

  /// - Parameter time: nanoseconds, of a clock that goes on with the stream.
  mutating func see(_ buffer: UnsafeMutablePointer<GstBuffer>, at time: ClockTime) throws {
    guard let info else { return }
    let isWanted = keepsClips && window.wants(time)
    guard isWanted || keepsAlbum else { return }
    try VideoFrame.map(buffer, info) { frame in
      if isWanted, let small { try small.convert(frame) { if let picture = Self.picture($0) { window.add(picture) } } }
      if isWanted { ends[ends.count - 1] = try end(frame).map(End.frame) ?? .unknown }
      guard let full else { return }
      if let converter = full.converter {
        try converter.convert(frame) { if let picture = Self.planar($0) { album.add(picture) } }
      } else if let picture = Self.planar(frame) {
        album.add(picture)
      }
    }
  }

  /// A picture that was generated and shown is context too.
  mutating func see(_ picture: RGBPicture, at time: ClockTime) {
    guard keepsClips, (picture.width, picture.height) == model, window.wants(time) else { return }
    window.add(picture)
    ends[ends.count - 1] = picture.detail.map(End.generated) ?? .unknown
  }

  /// The frame in full size, if such are kept.
  private func end(_ frame: borrowing VideoFrame) throws -> PlanarPicture? {
    guard let whole else { return nil }
    guard let converter = whole.converter else { return Self.planar(frame) }
    var picture: PlanarPicture?
    try converter.convert(frame) { picture = Self.planar($0) }
    return picture
  }

  mutating func removeAll() {
    window.removeAll()
    ends = [.unseen]
    album.removeAll()
  }

  func context(width: Int, height: Int, frameRate: (numerator: Int, denominator: Int)) -> SceneContext {
    let clips = keepsClips ? window.clips : []
    let painter = DetailPainter()
    let known = ends.filter(\.isSeen).suffix(clips.count).map { end -> PlanarPicture? in
      switch end {
      case .unseen, .unknown: nil
      case .frame(let picture): picture
      case .generated(let detail): painter.picture(detail)
      }
    }
    // Of a single shot there may be several clips, of which the last one ends as it does.
    let earlier = [PlanarPicture?](repeating: nil, count: clips.count - known.count)
    return SceneContext(
      clips: clips, ends: earlier + known, colors: whole?.colors, album: album, width: width, height: height, frameRate: frameRate)
  }

  private static func picture(_ frame: borrowing VideoFrame) -> RGBPicture? {
    guard let plane = frame.plane(0) else { return nil }
    let stride = RGBPicture.stride(width: frame.info.width)
    let bytes = [UInt8](unsafeUninitializedCapacity: stride * plane.rows) { bytes, count in
      guard let base = bytes.baseAddress else { return }
      base.initialize(repeating: 0, count: stride * plane.rows)
      for row in 0..<plane.rows { UnsafeMutableRawPointer(base + row * stride).copyMemory(from: plane.base + row * plane.stride, byteCount: plane.rowBytes) }
      count = stride * plane.rows
    }
    return RGBPicture(width: frame.info.width, height: frame.info.height, bytes: bytes)
  }

  private static func planar(_ frame: borrowing VideoFrame) -> PlanarPicture? {
    guard let y = frame.plane(0), let u = frame.plane(1), let v = frame.plane(2) else { return nil }
    func copy(_ source: VideoFrame.Plane, _ target: OutputPlanes.Plane) {
      for row in 0..<source.rows { (target.base + row * target.stride).copyMemory(from: source.base + row * source.stride, byteCount: source.rowBytes) }
    }
    return PlanarPicture(width: frame.info.width, height: frame.info.height) { planes in
      copy(y, planes.y)
      copy(u, planes.u)
      copy(v, planes.v)
    }
  }
}

extension PictureDetail.Colors {
  /// nil for matrices that are neither BT.601's nor BT.709's.
  init?(_ info: VideoInfo) {
    guard [GST_VIDEO_COLOR_MATRIX_BT601, GST_VIDEO_COLOR_MATRIX_BT709].contains(info.colorMatrix) else { return nil }
    self.init(
      matrix: info.colorMatrix == GST_VIDEO_COLOR_MATRIX_BT601 ? .bt601 : .bt709, range: info.colorRange == GST_VIDEO_COLOR_RANGE_0_255 ? .full : .limited)
  }
}
