import Pixels
import Testing

@Suite("The thumbnail")
struct ThumbnailTests {
  /// ±4 where chroma is subsampled: Y, Cb and Cr are rounded to levels before the conversion, as swscale does it, so a sum that
  /// falls to the other side of one half moves a colour by 1.2 levels for Y and by up to 2.1 for chroma, which its tables cut to
  /// whole steps of Y. That is rare, hence the mean: most samples are equal. ±1 where there is no such rounding, ±2 for RGB,
  /// whose values swscale rounds on the way.
  /// A picture of 3840 × 2160 is reduced in two steps by swscale, whose filters have a limit, and so rounded twice: mean 0.5.
  /// Pictures smaller than the thumbnail: ±20, in few samples, because swscale cuts what overshoots white between its passes,
  /// and a 10-bit picture has quarter levels there.
  @Test(arguments: ThumbnailFixtures.all.indices)
  func `is what ffmpeg extracts`(index: Int) {
    let fixture = ThumbnailFixtures.all[index]
    let (width, height) = (fixture.width, fixture.height)
    if isDebug && width > 1000 { return }
    let picture = GuardedPicture(
      PictureLayout(format: fixture.format, width: width, height: height, matrix: fixture.matrix, range: fixture.range),
      padding: index % 3, scene: .vivid(seed: 5))
    let found = Thumbnails.make(picture)
    let samples = Patterns.positions(width: 48, height: 27).flatMap { found[($0.y * 48 + $0.x) * 3..<($0.y * 48 + $0.x) * 3 + 3] }
    let difference = SmallPicture.difference(samples, Patterns.bytes(fixture.samples))
    let isWhole = fixture.format == .gray8 || fixture.format == .y444
    let largest = width < 48 && height < 27 ? 20 : fixture.format.isRGB ? 2 : isWhole ? 1 : 4
    let mean = width < 48 && height < 27 ? 0.3 : width < 3840 ? 0.15 : 0.5
    #expect(samples.count == 288)
    #expect(difference.largest <= largest && difference.mean <= mean, "\(fixture.format) \(width)×\(height): \(difference)")
  }

  @Test(arguments: PixelFormat.allCases)
  func `is read inside the planes`(format: PixelFormat) {
    for (width, height) in FormatTests.sizes + [(48, 27), (97, 55), (1536, 432), (1, 65535), (65535, 1), (65535, 2), (8192, 4320)] {
      if width == 8192 && (isDebug || ![.i420, .bgrx, .p01010le].contains(format)) { continue }
      for padding in [0, 3] {
        let picture = GuardedPicture(PictureLayout(format: format, width: width, height: height), padding: padding)
        #expect(Thumbnails.make(picture).count == Thumbnailer.byteCount)
      }
    }
  }

  /// Chroma of 4:2:2 and 4:4:4 is resampled from other samples, which is another result.
  @Test func `does not depend on how samples are packed`() {
    let alike: [[PixelFormat]] = [
      [.i420, .yv12, .nv12, .nv21], [.y42b, .yuy2, .uyvy], [.i42010le, .p01010le], PixelFormat.allCases.filter(\.isRGB),
    ]
    for formats in alike {
      for (width, height) in [(1, 1), (5, 4), (17, 9), (255, 257), (641, 359), (800, 600)] {
        let made = formats.map { format in
          Thumbnails.make(
            GuardedPicture(PictureLayout(format: format, width: width, height: height), padding: 1, scene: .vivid(seed: 2)))
        }
        for (format, thumbnail) in zip(formats, made) {
          // Packed chroma is not summed in pairs, and ten-bit formats' lowest bits differ.
          let difference = SmallPicture.difference(thumbnail, made[0])
          #expect(difference.largest <= 4 && difference.mean < 0.6, "\(format) \(width)×\(height) \(difference)")
          if format.isRGB { #expect(thumbnail == made[0]) }
        }
      }
    }
  }

  /// A white column or row on black, wherever it is, brightens the thumbnail by its share.
  @Test(arguments: [(200, 100), (1000, 27), (48, 700), (777, 433)])
  func `sees every sample`(width: Int, height: Int) {
    let layout = PictureLayout(format: .gray8, width: width, height: height, range: .full)
    func sum(_ scene: (Int, Int) -> Bool) -> Double {
      withoutActuallyEscaping(scene) { scene in
        let scene = Scene(luma: { scene($0, $1) ? 255 : 0 }, chroma: { _, _, _ in 128 }, color: { _, _ in (0, 0, 0) })
        return Double(Thumbnails.make(GuardedPicture(layout, scene: scene)).reduce(0) { $0 + Int($1) }) / 3
      }
    }
    let whole = 255.0 * 48 * 27
    // Eight at a time, whose share is above a level.
    for x in stride(from: 0, to: width - 8, by: isDebug ? 37 : 5) {
      let share = sum { column, _ in (x..<x + 8).contains(column) } / whole * Double(width) / 8
      #expect((0.7...1.5).contains(share), "column \(x): \(share)")
    }
    for y in stride(from: 0, to: height - 8, by: isDebug ? 37 : 5) {
      let share = sum { _, row in (y..<y + 8).contains(row) } / whole * Double(height) / 8
      #expect((0.7...1.5).contains(share), "row \(y): \(share)")
    }
  }

  @Test func `of fine stripes is even`() {
    for (width, height) in [(641, 359), (1920, 1080)] where !isDebug || width < 1000 {
      let layout = PictureLayout(format: .gray8, width: width, height: height, range: .full)
      for pattern in [{ (x: Int, _: Int) in x & 1 }, { (_: Int, y: Int) in y & 1 }, { (x: Int, y: Int) in (x + y) & 1 }] {
        let scene = Scene(luma: { UInt8(pattern($0, $1) * 200) }, chroma: { _, _, _ in 128 }, color: { _, _ in (0, 0, 0) })
        let made = Thumbnails.make(GuardedPicture(layout, scene: scene))
        // At the edges the outermost column or row stands for what lies outside.
        for y in 1..<26 {
          let inner = made[(y * 48 + 1) * 3..<(y * 48 + 47) * 3]
          #expect(inner.allSatisfy { (98...102).contains($0) }, "\(inner.min() ?? 0) … \(inner.max() ?? 0)")
        }
      }
    }
  }

  @Test func `of one picture is always the same`() {
    let large = GuardedPicture(PictureLayout(format: .i420, width: 641, height: 359), scene: .vivid(seed: 1))
    let small = GuardedPicture(PictureLayout(format: .bgrx, width: 31, height: 50), scene: .vivid(seed: 2))
    let thumbnailer = Thumbnailer(layout: small.layout)
    let expected = [large, small].map { Thumbnails.make($0) }
    for _ in 0..<3 {
      #expect(Thumbnails.make(large, thumbnailer) == expected[0])
      #expect(Thumbnails.make(small, thumbnailer) == expected[1])
      #expect(Thumbnails.make(small, thumbnailer) == expected[1])
    }
  }

  @Test func `is not written where there is no room`() {
    let picture = GuardedPicture(PictureLayout(format: .rgb, width: 4, height: 4), scene: .vivid(seed: 1))
    var bytes = Array(repeating: UInt8(7), count: Thumbnailer.byteCount - 1)
    let thumbnailer = Thumbnailer(layout: picture.layout)
    let isWritten = bytes.withUnsafeMutableBufferPointer { bytes in picture.withPicture { thumbnailer.reduce($0, to: bytes) } }
    #expect(!isWritten && bytes.allSatisfy { $0 == 7 })
  }

  @Test(arguments: [(0, 4), (4, 0), (-1, 4), (65536, 1), (1, Int.max)])
  func `of a size without pixels is black`(width: Int, height: Int) {
    let picture = GuardedPicture(PictureLayout(format: .i420, width: 4, height: 4), scene: .vivid(seed: 1))
    var bytes = Array(repeating: UInt8(7), count: Thumbnailer.byteCount)
    let layout = PictureLayout(format: .i420, width: width, height: height)
    let thumbnailer = Thumbnailer(layout: layout)
    let isWritten = bytes.withUnsafeMutableBufferPointer { bytes in
      picture.withPicture { thumbnailer.reduce(Picture(layout: layout, planes: $0.planes), to: bytes) }
    }
    #expect(isWritten && bytes.allSatisfy { $0 == 0 })
  }

  // MARK: - Measures

  @Test func `its levels are its channels' means and its luma's spread`() {
    let split = Thumbnails.drawn { x, _ in x < 24 ? (200, 100, 50) : (0, 0, 0) }
    let levels = Thumbnails.view(split) { $0.levels }
    #expect(levels?.red == 100 && levels?.green == 50 && levels?.blue == 25)
    let luma = 0.299 * 200 + 0.587 * 100 + 0.114 * 50
    #expect(abs((levels?.luma ?? 0) - luma / 2) < 1e-6)
    #expect(abs((levels?.deviation ?? 0) - luma / 2) < 1e-6)
    #expect(Thumbnails.view(Thumbnails.drawn { _, _ in (9, 9, 9) }) { $0.levels.deviation } == 0)
  }

  @Test func `its differences lie where the picture changed`() {
    let before = Thumbnails.drawn { _, _ in (10, 10, 10) }
    let after = Thumbnails.drawn { x, y in x < 12 && y < 9 ? (40, 10, 40) : (10, 10, 10) }
    let (whole, cells) =
      Thumbnails.view(before) { first in
        Thumbnails.view(after) { ($0.difference(from: first), $0.differences(from: first, columns: 4, rows: 3)) } ?? (0, [])
      } ?? (0, [])
    #expect(abs(whole - 20.0 / 12) < 1e-9)
    #expect(cells == [20] + Array(repeating: 0, count: 11))
  }

  @Test func `of too few bytes is none`() {
    let few = Array(repeating: UInt8(0), count: Thumbnailer.byteCount - 1)
    #expect(Thumbnails.view(few) { _ in true } == nil)
  }
}

enum Thumbnails {
  static func make(_ picture: GuardedPicture, _ thumbnailer: Thumbnailer? = nil) -> [UInt8] {
    let thumbnailer = thumbnailer ?? Thumbnailer(layout: picture.layout)
    var bytes = Array(repeating: UInt8(0xAA), count: Thumbnailer.byteCount)
    let isWritten = bytes.withUnsafeMutableBufferPointer { bytes in picture.withPicture { thumbnailer.reduce($0, to: bytes) } }
    return isWritten ? bytes : []
  }

  static func drawn(_ color: (Int, Int) -> (UInt8, UInt8, UInt8)) -> [UInt8] {
    (0..<48 * 27).flatMap { index in
      let (red, green, blue) = color(index % 48, index / 48)
      return [red, green, blue]
    }
  }

  static func view<Result>(_ bytes: [UInt8], _ body: (ThumbnailView) -> Result) -> Result? {
    bytes.withUnsafeBufferPointer { ThumbnailView($0).map(body) }
  }
}
