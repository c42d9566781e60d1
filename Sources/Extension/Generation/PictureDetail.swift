import Pixels

/// A generated picture in full size: what a small model drew, with the detail of the frame that it goes on from.
///
/// A model whose shots are differences from a shot that goes on (`SceneModel.Reference`) has in every picture what the camera sees of
/// that shot's last frame, small, and what it changed of it. The full frame is seen as the camera would see it; where the
/// model changed little the picture is that, plus the change; where it changed much it is the model's own, enlarged.
///
/// ```swift
/// let painter = DetailPainter()
/// painter.paint(detail, to: planes)
/// ```
public final class PictureDetail: Sendable {
  /// The full frame that goes on.
  let base: PlanarPicture
  /// What of it the camera sees.
  let view: CameraView
  /// The model's picture and the view, both small, in the base's colours.
  let drawn, likeness: PlanarPicture
  /// Where the picture is the model's own: 255; in all three planes. So it is where the view is beyond the base.
  let mask: PlanarPicture
  /// Of the base, and so of what is painted.
  public let colors: Colors

  /// What the bytes of the base mean.
  public typealias Colors = PictureColors

  /// nil unless both pictures are of one size.
  ///
  /// - Parameters:
  ///   - view: of the base, in its pixels.
  ///   - drawn: what the model made.
  ///   - likeness: the view, as small as that: what the model began with.
  public init?(base: PlanarPicture, view: CameraView, drawn: RGBPicture, likeness: RGBPicture, colors: Colors) {
    let (width, height) = (drawn.width, drawn.height)
    guard (likeness.width, likeness.height) == (width, height) else { return nil }
    guard let plain = PlanarPicture(width: width, height: height, rgb: likeness.bytes, stride: likeness.stride, colors: colors),
      let made = PlanarPicture(width: width, height: height, rgb: drawn.bytes, stride: drawn.stride, colors: colors),
      let mask = PlanarPicture(width: width, height: height, fill: { Self.write(mask: $0, from: likeness, to: drawn, view, of: base) })
    else { return nil }
    (self.base, self.view, self.drawn, self.likeness, self.mask, self.colors) = (base, view, made, plain, mask, colors)
  }

  /// What is seen between two pictures of a shot: the camera is between, and what the model drew is mixed.
  ///
  /// nil if they do not go on from one frame.
  ///
  /// - Parameter share: of `next`, 0 … 256.
  public init?(_ detail: PictureDetail, _ next: PictureDetail, share: Int) {
    guard detail.base === next.base, let drawn = detail.drawn.mixed(with: next.drawn, share: share),
      let likeness = detail.likeness.mixed(with: next.likeness, share: share), let mask = detail.mask.mixed(with: next.mask, share: share)
    else { return nil }
    func between(_ a: Double, _ b: Double) -> Double { a + (b - a) * Double(share) / 256 }
    let (a, b) = (detail.view, next.view)
    view = CameraView(x: between(a.x, b.x), y: between(a.y, b.y), width: between(a.width, b.width), height: between(a.height, b.height))
    (base, self.drawn, self.likeness, self.mask, colors) = (detail.base, drawn, likeness, mask, detail.colors)
  }

  /// The frame's detail fades between changes of so many levels of 255.
  private static let detailFades: ClosedRange<Float> = 8...32

  /// Where the picture is what the model drew, and not the frame.
  private static func write(
    mask planes: OutputPlanes, from likeness: RGBPicture, to drawn: RGBPicture, _ view: CameraView, of base: PlanarPicture
  ) {
    let (width, height, stride) = (drawn.width, drawn.height, drawn.stride)
    let change = PictureChange(width: width, height: height) { pixel in
      let at = pixel / width * stride + 3 * (pixel % width)
      return Float((at..<at + 3).map { abs(Int(likeness.bytes[$0]) - Int(drawn.bytes[$0])) }.max() ?? 0)
    }
    /// 1 beyond an edge that the view passes, fading over two small pixels inside it; for each place along a side.
    func outside(_ start: Double, _ size: Double, _ count: Int, of side: Int) -> [Double] {
      let step = size / Double(count)
      return (0..<count).map { place in
        let at = start + (Double(place) + 0.5) * step
        let left = start < -0.5 ? 1 - at / step / 2 : 0
        let right = start + size > Double(side) + 0.5 ? 1 - (Double(side) - at) / step / 2 : 0
        return min(max(left, right, 0), 1)
      }
    }
    let (columns, rows) = (outside(view.x, view.width, width, of: base.width), outside(view.y, view.height, height, of: base.height))
    func level(_ x: Int, _ y: Int) -> UInt8 {
      UInt8((255 * max(Double(change.share(y * width + x, between: detailFades)), columns[x], rows[y])).rounded())
    }
    func fill(_ plane: OutputPlanes.Plane, _ columns: Int, _ rows: Int, every: Int) {
      for y in 0..<rows {
        let row = (plane.base + y * plane.stride).assumingMemoryBound(to: UInt8.self)
        for x in 0..<columns { row[x] = level(x * every, y * every) }
      }
    }
    fill(planes.y, width, height, every: 1)
    for chroma in [planes.u, planes.v] { fill(chroma, (width + 1) / 2, (height + 1) / 2, every: 2) }
  }
}

/// Paints ``PictureDetail`` in any size. An object serves one thread at a time.
///
/// - Cost: four pictures of the output's size are resampled, `PictureSampler`'s cost each, and as much memory is kept for three.
public final class DetailPainter {
  private let sampler = PictureSampler()
  /// The small pictures, as large as what was painted last.
  private var enlarged: [PlanarMemory] = []

  /// Memory is taken with the first picture.
  public init() {}

  /// - Returns: false, with nothing of use written, for planes outside 1 … 32,768 samples, strides below a row, or a view far from
  ///   the base.
  public func paint(_ detail: PictureDetail, to planes: OutputPlanes) -> Bool {
    guard sampler.sample(detail.base, view: detail.view, to: planes) else { return false }
    let small = [detail.drawn, detail.likeness, detail.mask]
    if enlarged.first.map({ ($0.width, $0.height) != (planes.width, planes.height) }) ?? true {
      enlarged = small.compactMap { _ in PlanarMemory(width: planes.width, height: planes.height) }
    }
    for (picture, memory) in zip(small, enlarged) {
      let whole = CameraView(x: 0, y: 0, width: Double(picture.width), height: Double(picture.height))
      guard sampler.sample(picture, view: whole, to: memory.output) else { return false }
    }
    func blend(_ output: OutputPlanes.Plane, _ plane: ((PlaneView, PlaneView, PlaneView)) -> PlaneView, _ width: Int, _ height: Int) {
      let planes = enlarged.map { plane($0.planes) }
      for y in 0..<height {
        func row(_ plane: PlaneView) -> UnsafePointer<UInt8> {
          UnsafePointer((plane.base + y * plane.stride).assumingMemoryBound(to: UInt8.self))
        }
        addDetail(
          to: row(planes[0]), beyond: row(planes[1]), mask: row(planes[2]),
          output: (output.base + y * output.stride).assumingMemoryBound(to: UInt8.self), count: width)
      }
    }
    let (width, height) = ((planes.width + 1) / 2, (planes.height + 1) / 2)
    blend(planes.y, \.0, planes.width, planes.height)
    blend(planes.u, \.1, width, height)
    blend(planes.v, \.2, width, height)
    return true
  }

  /// The picture in the size of its base.
  public func picture(_ detail: PictureDetail) -> PlanarPicture? {
    var isPainted = false
    let picture = PlanarPicture(width: detail.base.width, height: detail.base.height) { isPainted = paint(detail, to: $0) }
    return isPainted ? picture : nil
  }
}
