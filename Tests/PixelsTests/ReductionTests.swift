import Pixels
import Testing

@Suite("The small picture")
struct ReductionTests {
  /// PySceneDetect's `round` is Python's: ties to even.
  @Test func `its size is PySceneDetect's`() {
    let sizes: [(Int, Int, Int, Int)] = [
      (1, 1, 1, 1), (255, 257, 254, 256), (256, 1, 256, 1), (1920, 1080, 256, 144), (1080, 1920, 144, 256),
      (8192, 4320, 256, 135), (640, 359, 256, 144), (512, 5, 256, 2), (512, 7, 256, 4), (2000, 3, 256, 1), (720, 576, 256, 205),
    ]
    for (width, height, smallWidth, smallHeight) in sizes {
      let size = SmallSize(width: width, height: height)
      #expect(size.width == smallWidth && size.height == smallHeight, "\(width)×\(height)")
    }
    #expect(SmallSize(width: 0, height: 5) == SmallSize(width: -1, height: 1 << 40))
  }

  /// ±2: swscale cuts products to whole levels before the blend, this after it. Equal where nothing is blended, which is
  /// so in 64 × 48, 1280 × 720 and 3840 × 2160.
  @Test func `Y′CbCr pictures reduce to what swscale and cv2 resize give`() {
    for fixture in Fixtures.reducedI420 where !isDebug || fixture.width < 1000 {
      let picture = GuardedPicture(
        PictureLayout(
          format: .i420, width: fixture.width, height: fixture.height, matrix: fixture.bt709 ? .bt709 : .bt601,
          range: fixture.full ? .full : .limited),
        scene: .pattern(seed: 1))
      let isExact = [64, 1280, 3840].contains(fixture.width)
      compare(picture, fixture.samples, largest: isExact ? 0 : 2, mean: 0.45)
    }
  }

  /// ±1, and rarely: where OpenCV rounds a sum, this rounds its two parts.
  @Test func `RGB pictures reduce to what cv2 resize gives`() {
    for fixture in Fixtures.reducedBGR where !isDebug || fixture.width < 1000 {
      for format in [PixelFormat.bgr, .xrgb] {
        let picture = GuardedPicture(
          PictureLayout(format: format, width: fixture.width, height: fixture.height), padding: 5, scene: .pattern(seed: 2))
        compare(picture, fixture.samples, largest: 1, mean: 0.01)
      }
    }
  }

  @Test func `gray levels stay gray`() {
    for format in PixelFormat.allCases {
      for (matrix, range) in colorimetries {
        for level in stride(from: 0, through: 255, by: isDebug ? 51 : 5) {
          let level = UInt8(level)
          let scene = Scene(luma: { _, _ in level }, chroma: { _, _, _ in 128 }, color: { _, _ in (level, level, level) })
          let small = SmallPicture(
            GuardedPicture(PictureLayout(format: format, width: 9, height: 4, matrix: matrix, range: range), scene: scene))
          let first = small.samples[0]
          #expect(small.samples.allSatisfy { $0 == first }, "\(format) \(level)")
          let expected = format.isRGB || range == .full ? Double(level) : min(255, max(0, (Double(level) - 16) * 255 / 219))
          #expect(abs(Double(first) - expected) <= 1, "\(format) \(level)")
        }
      }
    }
  }

  private func compare(_ picture: GuardedPicture, _ fixture: String, largest: Int, mean: Double) {
    let small = SmallPicture(picture)
    let found = Patterns.positions(width: small.width, height: small.height).flatMap { small.at($0.x, $0.y) }
    let expected = Patterns.bytes(fixture)
    let layout = picture.layout
    #expect(found.count == expected.count)
    let difference = SmallPicture.difference(found, expected)
    #expect(difference.largest <= largest, "\(layout.width)×\(layout.height) \(layout.matrix) \(layout.range)")
    #expect(difference.mean <= mean, "\(layout.width)×\(layout.height) \(layout.matrix) \(layout.range)")
  }
}

let colorimetries: [(ColorMatrix, ColorRange)] = [
  (.bt601, .limited), (.bt601, .full), (.bt709, .limited), (.bt709, .full),
]

extension PixelFormat {
  var isRGB: Bool { rawValue >= PixelFormat.rgb.rawValue && rawValue <= PixelFormat.abgr.rawValue }
}
