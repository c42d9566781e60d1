import Extension
import Pixels

/// The project's folder.
let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

extension OutputPlanes.Plane {
  func set(_ x: Int, _ y: Int, _ level: UInt8) { base.storeBytes(of: level, toByteOffset: y * stride + x, as: UInt8.self) }
}

/// A picture of luma levels and one colour; nil for a size that none can have.
func picture(_ width: Int, _ height: Int, u: UInt8 = 128, v: UInt8 = 128, _ luma: (Int, Int) -> UInt8) -> PlanarPicture? {
  PlanarPicture(width: width, height: height) { planes in
    for y in 0..<height { for x in 0..<width { planes.y.set(x, y, luma(x, y)) } }
    for y in 0..<(height + 1) / 2 {
      for x in 0..<(width + 1) / 2 {
        planes.u.set(x, y, u)
        planes.v.set(x, y, v)
      }
    }
  }
}

/// Smooth in the middle and contrasty enough for loops: three waves, in pixels, around grey.
func waves(_ x: Double, _ y: Double) -> UInt8 {
  func wave(_ turns: Double) -> Double {  // a parabola a half-turn: needs no C library
    let t = (turns - turns.rounded(.down)) * 2 - 1
    return 4 * t * (1 - abs(t))
  }
  return UInt8(min(max(126 + 40 * wave(x / 17) + 30 * wave(y / 11 + x / 41) + 20 * wave((x + y) / 7), 16), 235))
}

/// A canvas of I420 that pictures are rendered to.
final class Canvas {
  let width, height: Int
  var bytes: [UInt8]
  private let padding: Int

  init(_ width: Int, _ height: Int, padding: Int = 3) {
    (self.width, self.height, self.padding) = (width, height, padding)
    let chroma = (width + 1) / 2 + padding
    bytes = [UInt8](repeating: 7, count: (width + padding) * height + 2 * chroma * ((height + 1) / 2))
  }

  var lumaStride: Int { width + padding }
  var chromaStride: Int { (width + 1) / 2 + padding }

  func draw<Result>(_ body: (OutputPlanes) -> Result) -> Result? {
    let (u, v) = (lumaStride * height, lumaStride * height + chromaStride * ((height + 1) / 2))
    return bytes.withUnsafeMutableBytes { memory -> Result? in
      guard let base = memory.baseAddress else { return nil }
      return body(
        OutputPlanes(
          width: width, height: height, y: .init(base: base, stride: lumaStride), u: .init(base: base + u, stride: chromaStride),
          v: .init(base: base + v, stride: chromaStride)))
    }
  }

  /// Luma without padding.
  var luma: [UInt8] { (0..<height).flatMap { bytes[$0 * lumaStride..<$0 * lumaStride + width] } }

  func look<Result>(_ layout: PictureLayout, _ body: (borrowing Picture) -> Result) -> Result? {
    let (u, v) = (lumaStride * height, lumaStride * height + chromaStride * ((height + 1) / 2))
    return bytes.withUnsafeBytes { memory -> Result? in
      guard let base = memory.baseAddress else { return nil }
      return body(
        Picture(
          layout: layout,
          planes: (
            PlaneView(base: base, stride: lumaStride), PlaneView(base: base + u, stride: chromaStride),
            PlaneView(base: base + v, stride: chromaStride)
          )))
    }
  }
}

/// Mean |difference|.
func difference(_ a: [UInt8], _ b: [UInt8]) -> Double {
  zip(a, b).reduce(0.0) { $0 + Double(abs(Int($1.0) - Int($1.1))) } / Double(max(1, a.count))
}

/// An album of shots that move and look nothing like each other.
func album(_ shots: Int, frames: Int, width: Int = 96, height: Int = 64, limit: Int = ShotAlbum.defaultByteLimit) -> ShotAlbum {
  var album = ShotAlbum(shots: shots, byteLimit: limit)
  for shot in 0..<shots {
    album.beginShot()
    let colors: [(UInt8, UInt8)] = [(90, 190), (170, 80), (60, 90), (200, 200)]
    let (u, v) = colors[shot % 4]
    for frame in 0..<frames {
      let made = picture(width, height, u: u, v: v) { x, y in
        waves(Double(x) + Double(frame) * 0.7 + Double(shot * 31), Double(y) + Double(shot * 17)) / 2 + UInt8(shot % 3 * 50)
      }
      if let made { album.add(made) }
    }
  }
  return album
}
