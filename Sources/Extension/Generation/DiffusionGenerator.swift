import Diffusion
import Pixels
import Tensors
import Timing

/// Shots of a diffusion transformer that sees those before them: `SceneExtension` as a generator.
///
/// A shot that is longer than the model's is made of several clips, each of which goes on with the one before.
public final class DiffusionGenerator: ShotGenerator {
  /// `diffusion`, which shot lists name as what made a shot.
  public let name = "diffusion"
  private let scene: SceneExtension
  private var colors: PictureDetail.Colors?
  private let painter = DetailPainter()

  /// - Parameter scene: for this generator alone; each `begin` empties it.
  public init(_ scene: SceneExtension) { self.scene = scene }

  /// Size, rate and length of the clips that it takes and makes.
  public var model: SceneModel { scene.model }

  /// That of the model's clips.
  public var shotDuration: UInt64 {
    let times = FrameTimes(start: 0, numerator: model.frameRate.numerator, denominator: model.frameRate.denominator)
    return times.time(of: UInt64(model.frames))
  }

  /// Shows the clips to the model, without prompts. Generated ends count only while colours are as they were.
  ///
  /// - Throws: what `check` and the scene throw.
  public func begin(_ context: SceneContext, check: @escaping ProgressCheck) throws {
    scene.removeAll()
    colors = context.colors
    for clip in context.clips {
      try scene.append(frames(clip.frames), prompt: "", end: picture(clip.end)) { try check($0.step, $0.steps) }
    }
  }

  private func picture(_ end: ShotEnd?) -> PlanarPicture? {
    switch end {
    case .frame(let picture): picture
    // The stream's colours may have changed since.
    case .generated(let detail) where detail.colors == colors: painter.picture(detail)
    case .generated, nil: nil
    }
  }

  /// Makes as many clips as last for `duration`, rounded up; `emit` gets pictures as soon as they are decoded.
  ///
  /// - Throws: what `check` and the scene throw.
  public func generate(_ shot: PlannedShot, duration: UInt64, check: @escaping ProgressCheck, emit: (ShotPiece) -> Void) throws {
    let clips = max(1, (duration + shotDuration - 1) / max(1, shotDuration))
    var last: RGBPicture?
    for clip in 0..<clips {
      let beginning = clip == 0 ? beginning(of: shot) : .same
      var likenesses: [RGBPicture]?
      try scene.generate(prompt: shot.prompt, beginning: beginning, check: { try check($0.step, $0.steps) }) { piece in
        if likenesses == nil { likenesses = piece.continuation.flatMap { $0.end == nil ? nil : pictures($0.frames) } }
        let made = pictures(piece.frames).enumerated().map { index, picture in
          let frame = piece.first + index
          guard let continuation = piece.continuation, let likenesses, likenesses.indices.contains(frame) else { return picture }
          return detailed(
            picture, after: clip > 0 && frame == 0 ? last : nil, likeness: likenesses[frame], of: continuation, frame: frame)
        }
        last = made.last
        emit(.pictures(made, rate: model.frameRate))
      }
      scene.keep(end: last?.detail.flatMap(painter.picture))
    }
  }

  /// The picture, which shows the end of the shot that goes on too, as far as the camera sees it.
  ///
  /// - Parameter last: the picture before, which that end is, where the shot does not begin here.
  private func detailed(
    _ picture: RGBPicture, after last: RGBPicture?, likeness: RGBPicture, of continuation: SceneExtension.Continuation, frame: Int
  ) -> RGBPicture {
    guard let colors, let base = continuation.end, continuation.path.indices.contains(frame) else { return picture }
    let (zoom, x, y) = continuation.path[frame]
    let (scaleX, scaleY) = (Double(base.width) / Double(picture.width), Double(base.height) / Double(picture.height))
    let view = CameraView(
      x: (Double(picture.width) * (1 - zoom) / 2 + x) * scaleX, y: (Double(picture.height) * (1 - zoom) / 2 + y) * scaleY,
      width: Double(base.width) * zoom, height: Double(base.height) * zoom)
    let detail = PictureDetail(base: base, view: view, drawn: picture, likeness: likeness, colors: colors)
    let whole = CameraView(x: 0, y: 0, width: Double(base.width), height: Double(base.height))
    let start = last.flatMap { PictureDetail(base: base, view: whole, drawn: $0, likeness: $0, colors: colors) }
    return RGBPicture(width: picture.width, height: picture.height, bytes: picture.bytes, detail: detail, start: start) ?? picture
  }

  /// How much faster than its own duration a shot is made, by making one that goes on with another.
  public func measuredFactor(clock: () -> UInt64, check: @escaping ProgressCheck) throws -> Double {
    scene.removeAll()
    // The first one finds kernels to make and pages to read.
    try scene.generate(prompt: "", beginning: .next, check: { try check($0.step, $0.steps) }) { _ in }
    let start = clock()
    try scene.generate(prompt: "", beginning: .same, check: { try check($0.step, $0.steps) }) { _ in }
    scene.removeAll()
    return Double(shotDuration) / Double(max(1, clock() - start))
  }

  /// Where nobody said how a shot begins: one with a prompt is a new one, if the model draws such; others go back and forth between the
  /// last shots, which a small model knows best, or on with the last one where the other is not known in full size as that is.
  private func beginning(of shot: PlannedShot) -> ShotBeginning {
    if let beginning = shot.beginning { return beginning }
    guard shot.prompt.isEmpty || !model.drawsNewScenes else { return .next }
    let ends = scene.ends
    let isPoorer = ends.count > 1 && ends[ends.count - 2] == nil && ends[ends.count - 1] != nil
    return scene.count > 1 && !isPoorer ? .back : .same
  }

  /// `[T, H, W, 3]`, −1…1.
  private func frames(_ clip: [RGBPicture]) -> Frames {
    let frames = Frames(count: clip.count, height: model.height, width: model.width, channels: 3)
    for (index, picture) in clip.enumerated() where picture.width == model.width && picture.height == model.height {
      for y in 0..<model.height {
        let target = frames.matrix.row((index * model.height + y) * model.width).assumingMemoryBound(to: Float.self)
        for x in 0..<3 * model.width { target[x] = Float(picture.bytes[y * picture.stride + x]) / 127.5 - 1 }
      }
    }
    return frames
  }

  private func pictures(_ frames: Frames) -> [RGBPicture] {
    let values = frames.matrix.floats()
    let (width, height) = (frames.width, frames.height)
    let stride = RGBPicture.stride(width: width)
    return (0..<frames.count).compactMap { index in
      var bytes = [UInt8](repeating: 0, count: stride * height)
      for y in 0..<height {
        let source = (index * height + y) * width * 3
        for x in 0..<3 * width {
          let level = (values[source + x] + 1) * 127.5
          // What is not a number is black.
          bytes[y * stride + x] = level > 0 ? UInt8(min(255, level.rounded())) : 0
        }
      }
      return RGBPicture(width: width, height: height, bytes: bytes)
    }
  }
}
