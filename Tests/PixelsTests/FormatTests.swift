import Pixels
import Testing

/// Unoptimised loops take a hundred times as long: a debug build leaves out what only repeats.
#if DEBUG
  let isDebug = true
#else
  let isDebug = false
#endif

/// Every plane of these pictures ends at an unreadable page.
@Suite("Every format")
struct FormatTests {
  static let sizes = [(1, 1), (2, 2), (2, 1), (3, 5), (1, 7), (7, 8), (8, 8), (17, 9), (255, 257), (300, 1), (641, 359)]

  @Test(arguments: PixelFormat.allCases)
  func `is read inside its planes`(format: PixelFormat) {
    for (width, height) in Self.sizes {
      for ((matrix, range), padding) in zip(colorimetries, [0, 3, 64, 0]) {
        if isDebug && range == .full { continue }
        let layout = PictureLayout(format: format, width: width, height: height, matrix: matrix, range: range)
        measureAll(GuardedPicture(layout, padding: padding))
      }
    }
    measureAll(GuardedPicture(PictureLayout(format: format, width: 1920, height: 1080)))
  }

  @Test(arguments: [PixelFormat.i420, .nv12, .rgb, .bgrx, .yuy2, .p01010le])
  func `is read inside its planes at 8192 × 4320`(format: PixelFormat) {
    measureAll(GuardedPicture(PictureLayout(format: format, width: 8192, height: 4320)))
    measureAll(GuardedPicture(PictureLayout(format: format, width: 8191, height: 4319), padding: 1))
  }

  /// At most one level, and rarely: a blend of two equal samples may lose 1/128 of one. Chroma is replicated as the
  /// reduction itself replicates it, ten-bit samples have the eight-bit ones as their high bits.
  @Test(arguments: PixelFormat.allCases.filter { !$0.isRGB && $0 != .gray8 })
  func `of the same Y′CbCr gives the same small picture`(format: PixelFormat) {
    for (width, height) in [(1, 1), (5, 4), (17, 9), (255, 257), (641, 359), (1920, 1080)] where !isDebug || width < 1000 {
      let layout = PictureLayout(format: format, width: width, height: height)
      var planar = layout
      planar.format = .i420
      let small = SmallPicture(GuardedPicture(layout, padding: 2, scene: .pattern(seed: 3)))
      let expected = SmallPicture(GuardedPicture(planar, scene: .pattern(seed: 3)))
      let difference = SmallPicture.difference(small.samples, expected.samples)
      #expect(difference.largest <= 1 && difference.mean < 0.02, "\(width)×\(height): \(difference)")
    }
  }

  @Test(arguments: PixelFormat.allCases.filter(\.isRGB))
  func `of the same RGB gives the same small picture`(format: PixelFormat) {
    for (width, height) in [(1, 1), (5, 4), (17, 9), (255, 257), (641, 359)] {
      let layout = PictureLayout(format: format, width: width, height: height)
      var reference = layout
      reference.format = .bgr
      let small = SmallPicture(GuardedPicture(layout, padding: 2, scene: .pattern(seed: 3)))
      #expect(small.samples == SmallPicture(GuardedPicture(reference, scene: .pattern(seed: 3))).samples)
    }
  }

  /// Y′CbCr pictures lose up to two levels to swscale's rounding, RGB ones that were converted well do not.
  @Test func `gives the same scores`() {
    let scenes = [Scene.pattern(seed: 4), .pattern(seed: 9)]
    func scores(_ format: PixelFormat) -> ComponentDifference? {
      let layout = PictureLayout(format: format, width: 640, height: 360)
      let difference = HSVDifference(layout: layout, edges: false)
      var last: ComponentDifference?
      for scene in scenes {
        let scene = scene.converted(matrix: .bt709, range: .limited)
        last = GuardedPicture(layout, scene: scene).withPicture { difference.measure($0) }
      }
      return last
    }
    guard let reference = scores(.i420) else { return #expect(Bool(false), "no score") }
    for format in PixelFormat.allCases where format != .gray8 {
      guard let found = scores(format) else { return #expect(Bool(false), "no score") }
      let tolerance = format.isRGB ? 0.8 : 0.02
      #expect(abs(found.hue - reference.hue) < tolerance, "\(format)")
      #expect(abs(found.saturation - reference.saturation) < tolerance, "\(format)")
      #expect(abs(found.value - reference.value) < tolerance, "\(format)")
    }
  }

  private func measureAll(_ picture: GuardedPicture) {
    let layout = picture.layout
    let difference = HSVDifference(layout: layout, edges: true)
    let histogram = LumaHistogram(layout: layout)
    let hash = PerceptualHash(layout: layout)
    picture.withPicture {
      #expect(difference.measure($0) == nil)
      #expect(histogram.measure($0) == nil)
      #expect(hash.measure($0) == nil)
      #expect(difference.measure($0) == ComponentDifference(hue: 0, saturation: 0, value: 0, edges: 0))
      #expect(histogram.measure($0).map { abs($0 - 1) < 1e-9 } == true)
      #expect(hash.measure($0) == 0)
      #expect((0...255).contains(MeanLevel(layout: layout).measure($0)))
    }
  }
}
