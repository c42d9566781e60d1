import CGStreamer
import Extension
import GStreamerKit
import Pixels
import Timing

/// Keeps of the frames that pass what generators go on with: small clips for a model, full pictures for the virtual camera.
///
/// Not thread-safe. Cost: with `keepsAlbum` a copy of each frame in 4:2:0; for a model a small picture at its rate, some 8 a second, and
/// for one that goes on from frames a copy in 4:2:0 as often, of which the last of each shot is kept.
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
  private var full: Way?
  /// Whether the ends of shots are kept in full size, for a model that goes on from them, and the way there.
  private let keepsEnds: Bool
  private var whole: (way: Way, colors: PictureDetail.Colors)?

  /// How frames become pictures of 8-bit 4:2:0.
  private enum Way {
    case copied
    case converted(VideoConverter)

    init(from info: VideoInfo, to pictures: VideoInfo) throws {
      let isSame = info.format == GST_VIDEO_FORMAT_I420 && (info.width, info.height) == (pictures.width, pictures.height)
      self = isSame ? .copied : .converted(try VideoConverter(from: info, to: pictures))
    }

    func picture(_ frame: borrowing VideoFrame) throws -> PlanarPicture? {
      guard case .converted(let converter) = self else { return ContextSampler.planar(frame) }
      var picture: PlanarPicture?
      try converter.convert(frame) { picture = ContextSampler.planar($0) }
      return picture
    }
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
      full = try Way(from: info, to: info.i420(width: size.width, height: size.height))
    }
    if keepsEnds {
      // Frames in other colours are nothing to draw on.
      window.removeEnds()
      let pictures = try info.i420(width: info.width, height: info.height)
      whole = try PictureDetail.Colors(pictures).map { (try Way(from: info, to: pictures), $0) }
    }
  }

  /// The next frame begins a shot.
  mutating func cut() {
    cutGenerated()
    album.beginShot()
  }

  /// What is shown next is a generated shot.
  mutating func cutGenerated() { window.cut() }

  /// - Parameter time: nanoseconds, of a clock that goes on with the stream.
  mutating func see(_ buffer: Buffer, at time: ClockTime) throws {
    guard let info else { return }
    let isWanted = keepsClips && window.wants(time)
    guard isWanted || keepsAlbum else { return }
    try buffer.withFrame(info) { frame in
      if isWanted, let small {
        let end = try whole?.way.picture(frame).map(ShotEnd.frame)
        try small.convert(frame) { if let picture = Self.picture($0) { window.add(picture, end: end) } }
      }
      if let picture = try full?.picture(frame) { album.add(picture) }
    }
  }

  /// A picture that was generated and shown is context too.
  mutating func see(_ picture: RGBPicture, at time: ClockTime) {
    guard keepsClips, (picture.width, picture.height) == model, window.wants(time) else { return }
    // What was shown in full size is kept of the last one only.
    guard let small = RGBPicture(width: picture.width, height: picture.height, bytes: picture.bytes) else { return }
    window.add(small, end: picture.detail.map(ShotEnd.generated))
  }

  mutating func removeAll() {
    window.removeAll()
    album.removeAll()
  }

  func context(width: Int, height: Int, frameRate: (numerator: Int, denominator: Int)) -> SceneContext {
    SceneContext(
      clips: keepsClips ? window.clips : [], colors: whole?.colors, album: album, width: width, height: height, frameRate: frameRate)
  }

  private static func picture(_ frame: borrowing VideoFrame) -> RGBPicture? {
    frame.rows(0).flatMap { RGBPicture(width: frame.info.width, height: frame.info.height, copying: $0) }
  }

  private static func planar(_ frame: borrowing VideoFrame) -> PlanarPicture? {
    guard let y = frame.rows(0), let u = frame.rows(1), let v = frame.rows(2) else { return nil }
    return PlanarPicture(width: frame.info.width, height: frame.info.height, copying: y, u, v)
  }
}

extension VideoFrame {
  fileprivate borrowing func rows(_ index: Int) -> SourceRows? {
    plane(index).map { SourceRows(base: $0.base, stride: $0.stride, rowBytes: $0.rowBytes, rows: $0.rows) }
  }
}

extension PictureDetail.Colors {
  /// nil for a matrix that is not known.
  init?(_ info: VideoInfo) {
    guard let (red, blue) = info.lumaShares else { return nil }
    self.init(red: red, blue: blue, range: info.colorRange == GST_VIDEO_COLOR_RANGE_0_255 ? .full : .limited)
  }
}
