import Pixels

/// A generated shot: a virtual camera's move over the loop of a shot that was kept. Frames are rendered when they are asked for, in any
/// order, on any thread.
///
/// ```swift
/// let camera = PictureSampler()
/// for frame in 0..<shot.frameCount { shot.render(frame, to: planes, with: camera) }
/// ```
public struct RephotographedShot: CustomStringConvertible, Sendable {
  /// From 1.
  public let number: Int
  /// ``ShotAlbum/Shot/number`` of what it was taken from.
  public let source: Int
  /// At the rate of the source, at least 1.
  public let frameCount: Int
  /// In luma samples of the source's pictures.
  public let move: CameraMove
  /// Indices count from the first frame that was kept of the source.
  public let loop: Loop
  /// Where in the loop it begins.
  public let loopStart: Int
  /// Largest step between neighbouring frames of the loop and the source's typical step: mean |difference| of luma, 0 … 255.
  public let largestStep, typicalStep: Double
  let frames: [PlanarPicture]

  /// What it is, for people who read logs: "shot 3 of source shot 7: push in ×1.42, loop 12–40 back and forth".
  public var description: String {
    let change = max(move.start.width, move.end.width) / max(min(move.start.width, move.end.width), 1e-9)
    let hundredths = Int((min(change, 1000) * 100).rounded())
    let fraction = hundredths % 100
    let zooms = move.kind == .pushIn || move.kind == .pullOut
    let moved = zooms ? "\(move.kind.rawValue) ×\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)" : move.kind.rawValue
    let looped =
      switch loop.order {
      case .still: "still \(loop.first)"
      case .forward: "loop \(loop.first)–\(loop.last)"
      case .backAndForth: "loop \(loop.first)–\(loop.last) back and forth"
      }
    return "shot \(number) of source shot \(source): \(moved), \(looped)"
  }

  /// The view at a frame; frames before the first and after the last are as those.
  public func view(at frame: Int) -> CameraView {
    frameCount < 2 ? move.start : move.view(at: Double(frame) / Double(frameCount - 1))
  }

  /// What of the source is shown at a frame.
  public func moment(at frame: Int) -> Loop.Moment {
    loop.moment(at: loopStart + min(max(frame, 0), frameCount - 1))
  }

  func glimpse(at frame: Int, size: (width: Int, height: Int)) -> Glimpse? {
    Glimpse(of: frames, at: moment(at: frame), in: view(at: frame), size: size)
  }

  /// Writes a frame. The planes have the aspect that the shot was made for, in any size; with another one the picture is stretched.
  ///
  /// - Returns: false, with nothing written, for planes outside 1 … 32,768 samples or strides below a row.
  @discardableResult
  public func render(_ frame: Int, to planes: OutputPlanes, with sampler: PictureSampler) -> Bool {
    let moment = moment(at: frame)
    guard frames.indices.contains(moment.frame), frames.indices.contains(moment.other) else { return false }
    return sampler.sample(
      frames[moment.frame], mixedWith: frames[moment.other], share: moment.share, view: view(at: frame), to: planes)
  }
}

/// Renders views of pictures; keeps the memory it needs for that. An object serves one thread at a time.
///
/// - Cost: one core of Zen 4, 1080p of 1080p: 5.3 ms at scale 1.3, 3.4 ms at 2.5, at 1.3 a mixture of two
///   frames 0.7 ms more. Larger pictures than the output cost more: their samples all count.
public final class PictureSampler {
  private let planes = PlaneSampler()

  /// Memory is taken with the first picture, and again where sizes grow.
  public init() {}

  /// Fills planes with a view of a picture; edges are repeated where it reaches beyond.
  ///
  /// - Parameters:
  ///   - other: of the same size, else it is left out.
  ///   - share: of `other`, in 256ths.
  /// - Returns: false, with nothing written, for planes outside 1 … 32,768 samples, strides below a row, or an empty view.
  @discardableResult
  public func sample(
    _ picture: PlanarPicture, mixedWith other: PlanarPicture? = nil, share: Int = 0, view: CameraView, to output: OutputPlanes
  ) -> Bool {
    let sizes = 1...PlanarPicture.largestSide
    guard sizes.contains(output.width), sizes.contains(output.height) else { return false }
    let (chromaWidth, chromaHeight) = ((output.width + 1) / 2, (output.height + 1) / 2)
    guard output.y.stride >= output.width, output.u.stride >= chromaWidth, output.v.stride >= chromaWidth else { return false }
    let (stepX, stepY) = (view.width / Double(output.width), view.height / Double(output.height))
    let luma = SampleGrid(x: view.x + stepX / 2 - 0.5, y: view.y + stepY / 2 - 0.5, stepX: stepX, stepY: stepY)
    // Across, chroma lies with the luma samples of even index; down, half a luma sample below them.
    let chroma = SampleGrid(x: luma.x / 2, y: (view.y + stepY - 1) / 2, stepX: stepX, stepY: stepY)
    let isMixed = share > 0 && other?.width == picture.width && other?.height == picture.height
    let second = isMixed ? other?.planes : nil
    let (width, height) = ((picture.width + 1) / 2, (picture.height + 1) / 2)
    return planes.sample(
      picture.planes.0, mixedWith: second?.0, share: share, width: picture.width, height: picture.height, at: luma,
      to: output.y.base, stride: output.y.stride, width: output.width, height: output.height)
      && planes.sample(
        picture.planes.1, mixedWith: second?.1, share: share, width: width, height: height, at: chroma,
        to: output.u.base, stride: output.u.stride, width: chromaWidth, height: chromaHeight)
      && planes.sample(
        picture.planes.2, mixedWith: second?.2, share: share, width: width, height: height, at: chroma,
        to: output.v.base, stride: output.v.stride, width: chromaWidth, height: chromaHeight)
  }
}
