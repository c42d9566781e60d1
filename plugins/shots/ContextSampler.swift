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

  struct Model {
    var width, height, frames, shots: Int
    var frameRate: (numerator: Int, denominator: Int)
  }

  /// - Parameters:
  ///   - model: nil if none will generate.
  ///   - keepsAlbum: whether the virtual camera may have to take pictures.
  init(_ model: Model?, keepsAlbum: Bool, fit: SceneExtend.Fit) {
    self.fit = fit
    self.keepsAlbum = keepsAlbum
    keepsClips = model != nil
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
  }

  /// The next frame begins a shot.
  mutating func cut() {
    window.cut()
    album.beginShot()
  }

  /// What is shown next is a generated shot.
  mutating func cutGenerated() { window.cut() }

  /// - Parameter time: nanoseconds, of a clock that goes on with the stream.
  mutating func see(_ buffer: UnsafeMutablePointer<GstBuffer>, at time: ClockTime) throws {
    guard let info else { return }
    let isWanted = keepsClips && window.wants(time)
    guard isWanted || keepsAlbum else { return }
    try VideoFrame.map(buffer, info) { frame in
      if isWanted, let small { try small.convert(frame) { if let picture = Self.picture($0) { window.add(picture) } } }
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
    if keepsClips, (picture.width, picture.height) == model, window.wants(time) { window.add(picture) }
  }

  mutating func removeAll() {
    window.removeAll()
    album.removeAll()
  }

  func context(width: Int, height: Int, frameRate: (numerator: Int, denominator: Int)) -> SceneContext {
    SceneContext(clips: keepsClips ? window.clips : [], album: album, width: width, height: height, frameRate: frameRate)
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
