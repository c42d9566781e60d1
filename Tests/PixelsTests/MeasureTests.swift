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

  /// Blocks of colour that change with the place in the picture, not with its size, and noise that is anew in each pixel.
  private static func scene(_ seed: Int, _ layout: PictureLayout) -> Scene {
    func sample(_ x: Int, _ y: Int, _ width: Int, _ height: Int, _ plane: Int) -> UInt8 {
      let block = (x * 9 / width) * 31 + (y * 6 / height) * 53 + (x * 3 / width + seed) * (y * 2 / height + 2) * 67
      let noise = ((x * 7919 + y * 104_729 + plane) &* 40503 >> 5) % 13
      return UInt8(40 + (block * (seed + plane + 2) + seed * 59 + plane * 71) % 150 + noise)
    }
    let (width, height) = (layout.width, layout.height)
    return Scene(
      luma: { sample($0, $1, width, height, 0) }, chroma: { sample(2 * $0, 2 * $1, width, height, $2) },
      color: { (sample($0, $1, width, height, 0), sample($0, $1, width, height, 1), sample($0, $1, width, height, 2)) })
  }

  private static let sizes = [(640, 360), (160, 90), (426, 240), (90, 160), (64, 36), (256, 144), (360, 288)]

  @Test(arguments: [PixelFormat.i420, .bgrx]) func `the same picture in another size is the same, another picture is another`(
    _ format: PixelFormat
  ) throws {
    var last = PictureLayout(format: format, width: 320, height: 180)
    for (width, height) in Self.sizes {
      let next = PictureLayout(format: format, width: width, height: height)
      for isSame in [true, false] {
        let difference = HSVDifference(layout: last, edges: true)
        let histogram = LumaHistogram(layout: last)
        let hash = PerceptualHash(layout: last)
        GuardedPicture(last, scene: Self.scene(1, last)).withPicture {
          #expect(difference.measure($0) == nil)
          #expect(histogram.measure($0) == nil)
          #expect(hash.measure($0) == nil)
        }
        try GuardedPicture(next, scene: Self.scene(isSame ? 1 : 4, next)).withPicture { picture in
          let measured = (difference.measure(picture), histogram.measure(picture), hash.measure(picture))
          let (changed, correlation, distance) = (try #require(measured.0), try #require(measured.1), try #require(measured.2))
          let score = (changed.hue + changed.saturation + changed.value) / 3
          #expect(isSame ? score < 15 : score > 30, "\(last) \(next): \(changed)")
          #expect(isSame ? correlation > 0.85 : correlation < 0.85, "\(last) \(next): \(correlation)")
          #expect(isSame ? distance < 0.25 : distance > 0.3, "\(last) \(next): \(distance)")
          // The next one of this size is compared pixel by pixel again.
          let again = (difference.measure(picture), hash.measure(picture))
          #expect(again.0 == ComponentDifference(hue: 0, saturation: 0, value: 0, edges: 0) && again.1 == 0)
        }
      }
      last = next
    }
  }

  @Test func `the same picture in another format is the same`() {
    for (one, other) in [(PixelFormat.i420, PixelFormat.nv12), (.y42b, .yuy2), (.i420, .i42010le), (.rgb, .bgrx)] {
      let layouts = [one, other].map { PictureLayout(format: $0, width: 320, height: 180) }
      let difference = HSVDifference(layout: layouts[0], edges: true)
      _ = GuardedPicture(layouts[0], scene: .pattern(seed: 1)).withPicture { difference.measure($0) }
      let changed = GuardedPicture(layouts[1], scene: .pattern(seed: 1)).withPicture { difference.measure($0) }
      #expect(changed == ComponentDifference(hue: 0, saturation: 0, value: 0, edges: 0), "\(one) \(other)")
    }
  }

  @Test func `pictures of any two sizes are compared`() {
    let layouts = [(PixelFormat.i420, 64, 48), (.bgrx, 400, 300), (.gray8, 1, 1), (.rgb, 3, 500), (.i420, 500, 1), (.nv12, 65, 64)].map {
      PictureLayout(format: $0.0, width: $0.1, height: $0.2)
    }
    let difference = HSVDifference(layout: layouts[0], edges: true)
    let mean = MeanLevel(layout: layouts[0])
    for (index, layout) in (layouts + layouts.reversed()).enumerated() {
      GuardedPicture(layout, scene: .pattern(seed: 1)).withPicture {
        let changed = difference.measure($0)
        #expect((changed == nil) == (index == 0))
        #expect(changed.map { $0.hue <= 179 && $0.saturation <= 255 && $0.value <= 255 && $0.edges <= 255 } ?? true)
        #expect(mean.measure($0) == MeanLevel(layout: layout).measure($0))
        #expect(difference.measure($0)?.edges == 0)
      }
    }
  }

  @Test func `after a reset a picture of another size is a first picture`() {
    let layouts = [(64, 48), (400, 300)].map { PictureLayout(format: .nv12, width: $0.0, height: $0.1) }
    let difference = HSVDifference(layout: layouts[0], edges: false)
    _ = GuardedPicture(layouts[0], scene: .pattern(seed: 1)).withPicture { difference.measure($0) }
    difference.reset()
    let first = GuardedPicture(layouts[1], scene: .pattern(seed: 2)).withPicture { difference.measure($0) }
    #expect(first == nil)
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
