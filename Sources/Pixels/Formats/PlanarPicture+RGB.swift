/// What the bytes of a ``PlanarPicture`` mean.
public struct PictureColors: Hashable, Sendable {
  /// What Y′ is made of, and with it U and V.
  public var luma: LumaCoefficients
  /// The span of the samples.
  public var range: ColorRange

  /// - Parameters:
  ///   - red, blue: the shares of R′ and B′ in Y′: 0.2126 and 0.0722 with BT.709's matrix.
  public init(red: Double, blue: Double, range: ColorRange) { (luma, self.range) = (LumaCoefficients(red: red, blue: blue), range) }
}

extension PlanarPicture {
  /// Makes a picture of R′G′B′, each chroma sample of the six pixels around its place, beside every other luma sample and between rows.
  ///
  /// nil for a width or height outside 1 … ``largestSide``, or too few bytes.
  ///
  /// - Parameters:
  ///   - bytes: `[height][stride]`, three a pixel.
  ///   - stride: bytes from one row to the next.
  public convenience init?(width: Int, height: Int, rgb bytes: [UInt8], stride: Int, colors: PictureColors) {
    let sides = 1...Self.largestSide
    guard sides.contains(width), sides.contains(height), stride >= 3 * width, bytes.count / height >= stride else { return nil }
    self.init(width: width, height: height) { planes in
      let luma = colors.luma
      let (black, lumaGain, chromaGain) = colors.range == .limited ? (16.0, 219.0 / 255, 224.0 / 255) : (0, 1, 1)
      func pixel(_ x: Int, _ y: Int) -> SIMD3<Double> {
        let at = min(y, height - 1) * stride + 3 * min(max(x, 0), width - 1)
        return SIMD3(Double(bytes[at]), Double(bytes[at + 1]), Double(bytes[at + 2]))
      }
      func brightness(_ color: SIMD3<Double>) -> Double { luma(color.x, color.y, color.z) }
      func level(_ value: Double) -> UInt8 { UInt8(min(max(value, 0), 255).rounded()) }
      for y in 0..<height {
        let row = (planes.y.base + y * planes.y.stride).assumingMemoryBound(to: UInt8.self)
        for x in 0..<width { row[x] = level(black + lumaGain * brightness(pixel(x, y))) }
      }
      for y in 0..<(height + 1) / 2 {
        let u = (planes.u.base + y * planes.u.stride).assumingMemoryBound(to: UInt8.self)
        let v = (planes.v.base + y * planes.v.stride).assumingMemoryBound(to: UInt8.self)
        for x in 0..<(width + 1) / 2 {
          let upper = pixel(2 * x - 1, 2 * y) + 2 * pixel(2 * x, 2 * y) + pixel(2 * x + 1, 2 * y)
          let lower = pixel(2 * x - 1, 2 * y + 1) + 2 * pixel(2 * x, 2 * y + 1) + pixel(2 * x + 1, 2 * y + 1)
          let color = (upper + lower) / 8
          let y = brightness(color)
          u[x] = level(128 + chromaGain * (color.z - y) / (2 * (1 - luma.blue)))
          v[x] = level(128 + chromaGain * (color.x - y) / (2 * (1 - luma.red)))
        }
      }
    }
  }
}
