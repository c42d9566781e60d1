import Pixels
import Testing

@Suite("Measures")
struct MeasureTests {
  /// A picture of one pixel measured after a black one shows its H, S and V.
  @Test func `HSV is OpenCV's`() {
    let levels: [UInt8] = [0, 1, 2, 3, 7, 16, 33, 64, 65, 90, 127, 128, 129, 170, 200, 254, 255]
    let layout = PictureLayout(format: .bgr, width: 1, height: 1)
    let measure = HSVDifference(layout: layout, edges: false)
    let picture = GuardedPicture(layout)
    func put(_ blue: UInt8, _ green: UInt8, _ red: UInt8) {
      picture.planes[0].start.copyMemory(from: [blue, green, red], byteCount: 3)
    }
    var found: [UInt8] = []
    for blue in levels {
      for green in levels {
        for red in levels {
          put(0, 0, 0)
          measure.reset()
          _ = picture.withPicture { measure.measure($0) }
          put(blue, green, red)
          guard let hsv = picture.withPicture({ measure.measure($0) }) else { continue }
          found += [UInt8(hsv.hue), UInt8(hsv.saturation), UInt8(hsv.value)]
        }
      }
    }
    #expect(Array(found.prefix(96)) == Patterns.bytes(Fixtures.hsvStart))
    let hash = found.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    #expect(hash == Fixtures.hsvHash)
  }

  @Test func `edges are Canny's, dilated`() {
    for fixture in Fixtures.edges {
      let (width, height) = (fixture.width, fixture.height)
      let stride = (width + 7) / 8 * 8
      var value = [Int16](repeating: 0, count: stride * height)
      for y in 0..<height {
        for x in 0..<width {
          value[y * stride + x] = Int16(
            Patterns.sample(x, y, plane: 0, seed: fixture.seed, low: fixture.low, high: fixture.high))
          if x >= (width + 1) / 2 { value[y * stride + x] += Int16(fixture.step) }
        }
      }
      let map = EdgeMap(width: width, height: height)
      let bits = Patterns.bytes(fixture.bits)
      let rowBytes = (width + 7) / 8
      var (wrong, edges) = (0, 0)
      let changed = map.update(value, stride: stride)
      for y in 0..<height {
        for x in 0..<width {
          let expected = bits[y * rowBytes + x / 8] >> (7 - x % 8) & 1 == 1
          if map.isEdge(x: x, y: y) != expected { wrong += 1 }
          if expected { edges += 1 }
        }
      }
      #expect(wrong == 0, "\(width)×\(height)")
      #expect(changed == edges)
      #expect(map.update(value, stride: stride) == 0)
    }
  }

  /// Equal but for single samples of the small picture that are one level off (at 255 × 257), and for OpenCV's
  /// histograms of floats.
  @Test func `scores are PySceneDetect's`() {
    for pair in Fixtures.pairs where !isDebug || pair.width < 1000 {
      let layout = PictureLayout(format: .bgr, width: pair.width, height: pair.height)
      let difference = HSVDifference(layout: layout, edges: true)
      let histogram = LumaHistogram(layout: layout)
      let hash = PerceptualHash(layout: layout)
      let mean = MeanLevel(layout: layout)
      GuardedPicture(layout, scene: .pattern(seed: pair.first)).withPicture {
        _ = difference.measure($0)
        _ = histogram.measure($0)
        _ = hash.measure($0)
        _ = mean.measure($0)
      }
      GuardedPicture(layout, scene: .pattern(seed: pair.second)).withPicture {
        guard let found = difference.measure($0) else { return #expect(Bool(false), "no difference") }
        #expect(abs(found.hue - pair.hue) < 0.005, "\(pair.width)×\(pair.height)")
        #expect(abs(found.saturation - pair.saturation) < 0.005, "\(pair.width)×\(pair.height)")
        #expect(abs(found.value - pair.value) < 0.005, "\(pair.width)×\(pair.height)")
        #expect(abs(found.edges - pair.edges) < 0.05, "\(pair.width)×\(pair.height)")
        #expect(abs((histogram.measure($0) ?? 9) - pair.correlation) < 1e-4, "\(pair.width)×\(pair.height)")
        #expect(hash.measure($0) == pair.hash, "\(pair.width)×\(pair.height)")
        #expect(abs(mean.measure($0) - pair.mean) < 0.005, "\(pair.width)×\(pair.height)")
      }
    }
  }

  /// As in PySceneDetect: black has no bit, any other flat picture the first one.
  @Test func `a flat picture's hash has no noise in it`() {
    let layout = PictureLayout(format: .gray8, width: 300, height: 200, range: .full)
    let hash = PerceptualHash(layout: layout)
    let levels: [UInt8] = [0, 10, 128, 255, 0]
    let distances = levels.map { level -> Double? in
      let scene = Scene(luma: { _, _ in level }, chroma: { _, _, _ in 0 }, color: { _, _ in (0, 0, 0) })
      return GuardedPicture(layout, scene: scene).withPicture { hash.measure($0) }
    }
    #expect(distances == [nil, 1.0 / 64, 0, 0, 1.0 / 64])
  }

  @Test func `a reset forgets the last picture`() {
    let layout = PictureLayout(format: .nv12, width: 64, height: 48)
    let difference = HSVDifference(layout: layout, edges: true)
    let histogram = LumaHistogram(layout: layout)
    let hash = PerceptualHash(layout: layout)
    for _ in 0..<2 {
      GuardedPicture(layout, scene: .pattern(seed: 1)).withPicture {
        #expect(difference.measure($0) == nil)
        #expect(histogram.measure($0) == nil)
        #expect(hash.measure($0) == nil)
        #expect(difference.measure($0) != nil)
        #expect(histogram.measure($0) != nil)
        #expect(hash.measure($0) != nil)
      }
      difference.reset()
      histogram.reset()
      hash.reset()
    }
  }

  @Test func `a picture of another layout is a first picture`() {
    let layouts = [(PixelFormat.i420, 64, 48), (.bgrx, 400, 300), (.gray8, 1, 1)].map {
      PictureLayout(format: $0.0, width: $0.1, height: $0.2)
    }
    let difference = HSVDifference(layout: layouts[0], edges: true)
    let histogram = LumaHistogram(layout: layouts[0])
    let hash = PerceptualHash(layout: layouts[0])
    let mean = MeanLevel(layout: layouts[0])
    for layout in layouts {
      let picture = GuardedPicture(layout, scene: .pattern(seed: 1))
      picture.withPicture {
        #expect(difference.measure($0) == nil)
        #expect(histogram.measure($0) == nil)
        #expect(hash.measure($0) == nil)
        #expect(mean.measure($0) == MeanLevel(layout: layout).measure($0))
        #expect(difference.measure($0)?.edges == 0)
      }
    }
  }

  /// Parameters that came from a user are clamped, not trapped on.
  @Test func `any parameter is taken`() {
    let layout = PictureLayout(format: .rgb, width: 20, height: 10)
    for number in [Int.min, -1, 0, 1, 3, 1000, Int.max] {
      GuardedPicture(layout, scene: .pattern(seed: 1)).withPicture {
        #expect(LumaHistogram(layout: layout, bins: number).measure($0) == nil)
        #expect(PerceptualHash(layout: layout, size: number, lowpass: number).measure($0) == nil)
      }
    }
    for size in [Int.min, 0, Int.max] {
      _ = HSVDifference(layout: PictureLayout(format: .i420, width: size, height: size), edges: true)
      _ = PerceptualHash(layout: PictureLayout(format: .i420, width: size, height: size))
    }
  }
}

@Suite("Mean difference")
struct MeanDifferenceTests {
  @Test func `it is the mean of the bytes' absolute differences`() {
    let (a, b): ([UInt8], [UInt8]) = ([0, 255, 10, 7], [255, 0, 13, 7])
    #expect(meanDifference(a, stride: 2, b, stride: 2, width: 2, rows: 2) == 128.25)
    #expect(meanDifference(a, stride: 2, b, stride: 2, width: 0, rows: 2) == 0)
  }

  @Test func `what lies between rows does not count, and wide rows do not overflow`() {
    let (width, stride) = (200_003, 200_010)
    let a = [UInt8](repeating: 0, count: 2 * stride)
    var b = [UInt8](repeating: 255, count: 2 * stride)
    #expect(meanDifference(a, stride: stride, b, stride: stride, width: width, rows: 2) == 255)
    for index in 0..<2 * stride where index % stride >= width { b[index] = 0 }
    #expect(meanDifference(a, stride: stride, b, stride: stride, width: width, rows: 2) == 255)
  }
}
