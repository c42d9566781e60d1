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

  /// What the bytes of the base mean.
  public struct Colors: Hashable, Sendable {
    public var matrix: ColorMatrix
    public var range: ColorRange

    public init(matrix: ColorMatrix, range: ColorRange) { (self.matrix, self.range) = (matrix, range) }
  }

  /// nil unless both pictures are of one size.
  ///
  /// - Parameters:
  ///   - view: of the base, in its pixels.
  ///   - drawn: what the model made.
  ///   - likeness: the view, as small as that: what the model began with.
  public init?(base: PlanarPicture, view: CameraView, drawn: RGBPicture, likeness: RGBPicture, colors: Colors) {
    let (width, height) = (drawn.width, drawn.height)
    guard (likeness.width, likeness.height) == (width, height) else { return nil }
    let change = Change(from: likeness, to: drawn)
    guard let plain = PlanarPicture(width: width, height: height, fill: { Self.convert(likeness.bytes, likeness.stride, colors, to: $0) }),
      let made = PlanarPicture(width: width, height: height, fill: { Self.convert(drawn.bytes, drawn.stride, colors, to: $0) }),
      let mask = PlanarPicture(width: width, height: height, fill: { change.write(mask: $0, view, of: base) })
    else { return nil }
    (self.base, self.view, self.drawn, self.likeness, self.mask) = (base, view, made, plain, mask)
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
    (base, self.drawn, self.likeness, self.mask) = (detail.base, drawn, likeness, mask)
  }

  /// R′G′B′ → Y′CbCr 4:2:0, chroma beside every other luma sample and between rows.
  private static func convert(_ bytes: [UInt8], _ stride: Int, _ colors: Colors, to planes: OutputPlanes) {
    let (red, blue) = colors.matrix == .bt601 ? (0.299, 0.114) : (0.2126, 0.0722)
    let (black, luma, chroma) = colors.range == .limited ? (16.0, 219.0 / 255, 224.0 / 255) : (0, 1, 1)
    /// R′, G′, B′ as sums over some pixels with a sum of weights of 1.
    func pixel(_ x: Int, _ y: Int) -> SIMD3<Double> {
      let at = min(y, planes.height - 1) * stride + 3 * min(max(x, 0), planes.width - 1)
      return SIMD3(Double(bytes[at]), Double(bytes[at + 1]), Double(bytes[at + 2]))
    }
    func brightness(_ color: SIMD3<Double>) -> Double { red * color.x + (1 - red - blue) * color.y + blue * color.z }
    func level(_ value: Double) -> UInt8 { UInt8(min(max(value, 0), 255).rounded()) }
    for y in 0..<planes.height {
      let row = (planes.y.base + y * planes.y.stride).assumingMemoryBound(to: UInt8.self)
      for x in 0..<planes.width { row[x] = level(black + luma * brightness(pixel(x, y))) }
    }
    for y in 0..<(planes.height + 1) / 2 {
      let u = (planes.u.base + y * planes.u.stride).assumingMemoryBound(to: UInt8.self)
      let v = (planes.v.base + y * planes.v.stride).assumingMemoryBound(to: UInt8.self)
      for x in 0..<(planes.width + 1) / 2 {
        let upper = pixel(2 * x - 1, 2 * y) + 2 * pixel(2 * x, 2 * y) + pixel(2 * x + 1, 2 * y)
        let lower = pixel(2 * x - 1, 2 * y + 1) + 2 * pixel(2 * x, 2 * y + 1) + pixel(2 * x + 1, 2 * y + 1)
        let color = (upper + lower) / 8
        let y = brightness(color)
        u[x] = level(128 + chroma * (color.z - y) / (2 * (1 - blue)))
        v[x] = level(128 + chroma * (color.x - y) / (2 * (1 - red)))
      }
    }
  }
}

extension PlanarPicture {
  /// nil for a picture of another size.
  fileprivate func mixed(with other: PlanarPicture, share: Int) -> PlanarPicture? {
    guard (other.width, other.height) == (width, height) else { return nil }
    return PlanarPicture(width: width, height: height) { output in
      func mix(_ plane: (PlanarPicture) -> PlaneView, to output: OutputPlanes.Plane, _ columns: Int, _ rows: Int) {
        for y in 0..<rows {
          func row(_ picture: PlanarPicture) -> UnsafePointer<UInt8> {
            UnsafePointer((plane(picture).base + y * plane(picture).stride).assumingMemoryBound(to: UInt8.self))
          }
          Pixels.mix(row(self), row(other), share: share, to: (output.base + y * output.stride).assumingMemoryBound(to: UInt8.self), count: columns)
        }
      }
      mix(\.planes.0, to: output.y, width, height)
      mix(\.planes.1, to: output.u, (width + 1) / 2, (height + 1) / 2)
      mix(\.planes.2, to: output.v, (width + 1) / 2, (height + 1) / 2)
    }
  }
}

/// How much a model changed a picture, pixel by pixel: the largest of three differences, spread over the neighbours.
private struct Change {
  let width, height: Int
  /// 0…255.
  private let values: [Double]

  /// Between these, levels of 255, the frame's detail fades.
  private static let own = (8.0, 32.0)

  init(from a: RGBPicture, to b: RGBPicture) {
    let (width, height, stride) = (a.width, a.height, a.stride)
    let differences = (0..<width * height).map { index -> Double in
      let at = index / width * stride + 3 * (index % width)
      return Double((0..<3).map { abs(Int(a.bytes[at + $0]) - Int(b.bytes[at + $0])) }.max() ?? 0)
    }
    (self.width, self.height) = (width, height)
    values = Self.smoothed(Self.smoothed(differences, width, height), width, height)
  }

  /// Means over 3 × 3, edges repeated.
  private static func smoothed(_ values: [Double], _ width: Int, _ height: Int) -> [Double] {
    (0..<width * height).map { index in
      let (x, y) = (index % width, index / width)
      let (left, right) = (max(0, x - 1), min(width - 1, x + 1))
      return [max(0, y - 1), y, min(height - 1, y + 1)].reduce(0) { $0 + values[$1 * width + left] + values[$1 * width + x] + values[$1 * width + right] } / 9
    }
  }

  private func step(_ index: Int, _ limits: (Double, Double)) -> Double {
    let part = min(max((values[index] - limits.0) / (limits.1 - limits.0), 0), 1)
    return part * part * (3 - 2 * part)
  }

  func write(mask planes: OutputPlanes, _ view: CameraView, of base: PlanarPicture) {
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
    func level(_ x: Int, _ y: Int) -> UInt8 { UInt8((255 * max(step(y * width + x, Self.own), columns[x], rows[y])).rounded()) }
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
/// - Cost: four pictures of the output's size are resampled, `PictureSampler`'s cost each, and as much memory is used for three.
public final class DetailPainter {
  private let sampler = PictureSampler()

  public init() {}

  /// - Returns: false, with nothing of use written, for planes outside 1 … 32,768 samples, strides below a row, or a view far from
  ///   the base.
  public func paint(_ detail: PictureDetail, to planes: OutputPlanes) -> Bool {
    var isPainted = sampler.sample(detail.base, view: detail.view, to: planes)
    /// A small picture as large as the output.
    func enlarged(_ picture: PlanarPicture) -> PlanarPicture? {
      PlanarPicture(width: planes.width, height: planes.height) { output in
        let whole = CameraView(x: 0, y: 0, width: Double(picture.width), height: Double(picture.height))
        isPainted = sampler.sample(picture, view: whole, to: output) && isPainted
      }
    }
    guard isPainted, let drawn = enlarged(detail.drawn), let likeness = enlarged(detail.likeness), let mask = enlarged(detail.mask), isPainted else { return false }
    func blend(_ output: OutputPlanes.Plane, _ plane: (PlanarPicture) -> PlaneView, _ width: Int, _ height: Int) {
      for y in 0..<height {
        func row(_ picture: PlanarPicture) -> UnsafePointer<UInt8> {
          let plane = plane(picture)
          return UnsafePointer((plane.base + y * plane.stride).assumingMemoryBound(to: UInt8.self))
        }
        addDetail(
          to: row(drawn), beyond: row(likeness), mask: row(mask), output: (output.base + y * output.stride).assumingMemoryBound(to: UInt8.self), count: width)
      }
    }
    let (width, height) = ((planes.width + 1) / 2, (planes.height + 1) / 2)
    blend(planes.y, { $0.planes.0 }, planes.width, planes.height)
    blend(planes.u, { $0.planes.1 }, width, height)
    blend(planes.v, { $0.planes.2 }, width, height)
    return true
  }

  /// The picture in the size of its base.
  public func picture(_ detail: PictureDetail) -> PlanarPicture? {
    var isPainted = false
    let picture = PlanarPicture(width: detail.base.width, height: detail.base.height) { isPainted = paint(detail, to: $0) }
    return isPainted ? picture : nil
  }
}
