import Pixels
import Testing

@Suite("From R′G′B′ to 4:2:0")
struct PlanarFromRGBTests {
  /// A picture of one colour but for some pixels.
  private func bytes(_ width: Int, _ height: Int, stride: Int, _ color: (Int, Int) -> [UInt8]) -> [UInt8] {
    var bytes = [UInt8](repeating: 77, count: stride * height)
    for y in 0..<height { for x in 0..<width { for c in 0..<3 { bytes[y * stride + 3 * x + c] = color(x, y)[c] } } }
    return bytes
  }

  private func samples(_ picture: PlanarPicture) -> (y: [UInt8], u: [UInt8], v: [UInt8]) {
    func read(_ plane: PlaneView, _ columns: Int, _ rows: Int) -> [UInt8] {
      (0..<rows).flatMap { y in (0..<columns).map { (plane.base + y * plane.stride).load(fromByteOffset: $0, as: UInt8.self) } }
    }
    let (y, u, v) = picture.planes
    let (columns, rows) = ((picture.width + 1) / 2, (picture.height + 1) / 2)
    return (read(y, picture.width, picture.height), read(u, columns, rows), read(v, columns, rows))
  }

  // BT.601's and BT.709's tables of 75 % and 100 % bars, and BT.2020's red.
  @Test(
    "Bars have their standards' levels",
    arguments: [
      (0.299, 0.114, ColorRange.limited, [255, 0, 0], [81, 90, 240]), (0.299, 0.114, .limited, [0, 255, 0], [145, 54, 34]),
      (0.299, 0.114, .limited, [0, 0, 255], [41, 240, 110]), (0.2126, 0.0722, .limited, [255, 0, 0], [63, 102, 240]),
      (0.2126, 0.0722, .limited, [255, 255, 255], [235, 128, 128]), (0.2126, 0.0722, .limited, [0, 0, 0], [16, 128, 128]),
      (0.299, 0.114, .full, [255, 0, 0], [76, 85, 255]), (0.2627, 0.0593, .limited, [255, 0, 0], [74, 97, 240]),
    ] as [(Double, Double, ColorRange, [UInt8], [UInt8])])
  func bars(red: Double, blue: Double, range: ColorRange, color: [UInt8], expected: [UInt8]) throws {
    let colors = PictureColors(red: red, blue: blue, range: range)
    for (width, height, stride) in [(1, 1, 3), (5, 3, 16), (8, 8, 24)] {
      let picture = try #require(
        PlanarPicture(
          width: width, height: height, rgb: bytes(width, height, stride: stride) { _, _ in color }, stride: stride, colors: colors))
      let (y, u, v) = samples(picture)
      #expect(y.allSatisfy { $0 == expected[0] } && u.allSatisfy { $0 == expected[1] } && v.allSatisfy { $0 == expected[2] })
    }
  }

  @Test("Chroma lies beside every other luma sample, and between rows")
  func places() throws {
    let colors = PictureColors(red: 0.2126, blue: 0.0722, range: .full)
    // A blue column: a quarter of it, half of it, or nothing is in a chroma sample.
    let picture = try #require(
      PlanarPicture(
        width: 8, height: 2, rgb: bytes(8, 2, stride: 24) { x, _ in x == 3 ? [0, 0, 255] : [0, 0, 0] }, stride: 24, colors: colors))
    #expect(samples(picture).u == [128, 160, 160, 128])
    let row = try #require(
      PlanarPicture(
        width: 2, height: 4, rgb: bytes(2, 4, stride: 6) { _, y in y == 1 ? [0, 0, 255] : [0, 0, 0] }, stride: 6, colors: colors))
    #expect(samples(row).u == [192, 128])
  }

  @Test(
    "Too few bytes, and sides that no picture has, are no picture",
    arguments: [(4, 4, 11, 44), (4, 4, 12, 47), (0, 4, 12, 48), (4, -1, 12, 48)])
  func refused(width: Int, height: Int, stride: Int, count: Int) {
    let bytes = [UInt8](repeating: 0, count: count)
    #expect(
      PlanarPicture(
        width: width, height: height, rgb: bytes, stride: stride, colors: PictureColors(red: 0.299, blue: 0.114, range: .full)) == nil)
  }
}
