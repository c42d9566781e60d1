import Pixels
import Testing

/// Planes taken at other positions.
@Suite("The sampler") struct SamplerTests {
  /// A plane with something around it that must not be read or written.
  private struct Plane {
    var width, height: Int
    var stride: Int { width + 5 }
    var bytes: [UInt8]

    init(_ width: Int, _ height: Int, _ level: (Int, Int) -> UInt8) {
      (self.width, self.height) = (width, height)
      bytes = [UInt8](repeating: 77, count: (width + 5) * height)
      for y in 0..<height { for x in 0..<width { bytes[y * stride + x] = level(x, y) } }
    }

    subscript(x: Int, y: Int) -> Int { Int(bytes[min(max(y, 0), height - 1) * stride + min(max(x, 0), width - 1)]) }
  }

  private static func texture(_ x: Int, _ y: Int) -> UInt8 { UInt8((x &* 37 &+ y &* 101 &+ x &* y &* 13) & 255) }

  private static func sampled(
    _ plane: Plane, mixedWith other: Plane? = nil, share: Int = 0, _ grid: SampleGrid, _ width: Int, _ height: Int,
    with sampler: PlaneSampler = .init()
  ) -> Plane? {
    var output = Plane(width, height) { _, _ in 77 }
    let (stride, sourceStride) = (output.stride, plane.stride)
    let done = output.bytes.withUnsafeMutableBytes { out in
      plane.bytes.withUnsafeBytes { a in
        (other ?? plane).bytes.withUnsafeBytes { b -> Bool in
          guard let out = out.baseAddress, let a = a.baseAddress, let b = b.baseAddress else { return false }
          return sampler.sample(
            PlaneView(base: a, stride: sourceStride), mixedWith: other == nil ? nil : PlaneView(base: b, stride: sourceStride),
            share: share,
            width: plane.width, height: plane.height, at: grid, to: out, stride: stride, width: width, height: height)
        }
      }
    }
    return done ? output : nil
  }

  /// Catmull–Rom by its polynomials, in Double, widened where it shrinks, edges repeated.
  private static func expected(_ plane: Plane, _ x: Double, _ y: Double, _ stepX: Double, _ stepY: Double) -> Double {
    func weights(_ p: Double, _ step: Double) -> [(Int, Double)] {
      let wide = max(1, step)
      let all = (Int((p - 2 * wide).rounded(.down)) - 1...Int((p + 2 * wide).rounded(.up)) + 1).map { index -> (Int, Double) in
        let d = abs(Double(index) - p) / wide
        return (index, d < 1 ? 1.5 * d * d * d - 2.5 * d * d + 1 : d < 2 ? -0.5 * d * d * d + 2.5 * d * d - 4 * d + 2 : 0)
      }
      let sum = all.reduce(0) { $0 + $1.1 }
      return all.map { ($0.0, $0.1 / sum) }
    }
    var sum = 0.0
    let across = weights(x, stepX)
    for (row, weight) in weights(y, stepY) { for (column, share) in across { sum += weight * share * Double(plane[column, row]) } }
    return min(max(sum, 0), 255)
  }

  @Test(arguments: [
    (40, 30, SampleGrid(x: 3.3, y: 2.6, stepX: 0.61, stepY: 0.43), 37, 41),
    (40, 30, SampleGrid(x: -1.2, y: -0.7, stepX: 1, stepY: 1), 45, 33),
    (64, 48, SampleGrid(x: 0.4, y: 0.2, stepX: 1.7, stepY: 2.9), 37, 16), (64, 48, SampleGrid(x: 7, y: 9, stepX: 1.2, stepY: 0.8), 21, 19),
    (3, 2, SampleGrid(x: -0.4, y: -0.4, stepX: 0.2, stepY: 0.1), 16, 20), (1, 1, SampleGrid(x: -0.25, y: 0, stepX: 0.5, stepY: 0.5), 9, 3),
    (2, 64, SampleGrid(x: 0, y: 0, stepX: 0.13, stepY: 4), 16, 16),
  ])
  func `is Catmull–Rom to a level`(width: Int, height: Int, grid: SampleGrid, outputWidth: Int, outputHeight: Int) throws {
    let plane = Plane(width, height, Self.texture)
    let output = try #require(Self.sampled(plane, grid, outputWidth, outputHeight))
    for y in 0..<outputHeight {
      for x in 0..<outputWidth {
        let wanted = Self.expected(plane, grid.x + Double(x) * grid.stepX, grid.y + Double(y) * grid.stepY, grid.stepX, grid.stepY)
        #expect(abs(Double(output[x, y]) - wanted) <= 1, "\(x), \(y)")
      }
    }
  }

  @Test func `whole positions give the samples themselves`() throws {
    let plane = Plane(53, 29, Self.texture)
    let output = try #require(Self.sampled(plane, SampleGrid(x: 5, y: 3, stepX: 1, stepY: 1), 41, 23))
    for y in 0..<23 { for x in 0..<41 { #expect(output[x, y] == plane[x + 5, y + 3]) } }
  }

  @Test(arguments: [0, 1, 127, 128, 254, 255]) func `a level stays, at any scale`(level: UInt8) throws {
    for (step, size) in [(0.37, 50), (1, 24), (1.01, 24), (3.7, 9)] {
      let output = try #require(
        Self.sampled(Plane(31, 27) { _, _ in level }, SampleGrid(x: 0.3, y: 0.7, stepX: step, stepY: step), size, size))
      for y in 0..<size { for x in 0..<size { #expect(output[x, y] == Int(level)) } }
    }
  }

  @Test func `nothing beside the output is written`() throws {
    for width in 1...20 {
      let output = try #require(Self.sampled(Plane(9, 9, Self.texture), SampleGrid(x: 0, y: 0, stepX: 0.5, stepY: 1.5), width, 5))
      for y in 0..<5 { #expect(output.bytes[y * output.stride + width..<(y + 1) * output.stride].allSatisfy { $0 == 77 }) }
    }
  }

  @Test func `a second plane is mixed in by its share`() throws {
    let (a, b) = (Plane(20, 10, Self.texture), Plane(20, 10) { x, y in Self.texture(y, x + 3) })
    for share in [0, 1, 100, 256] {
      let output = try #require(Self.sampled(a, mixedWith: b, share: share, SampleGrid(x: 2, y: 0, stepX: 1, stepY: 1), 15, 10))
      for y in 0..<10 {
        for x in 0..<15 { #expect(output[x, y] == (a[x + 2, y] * (256 - share) + b[x + 2, y] * share + 128) / 256) }
      }
    }
  }

  @Test func `a sampler that was used before gives the same`() throws {
    let sampler = PlaneSampler()
    let (large, small) = (Plane(90, 70, Self.texture), Plane(11, 8, Self.texture))
    let grid = SampleGrid(x: 0.3, y: 0.6, stepX: 0.7, stepY: 1.6)
    let fresh = Self.sampled(small, grid, 9, 5)
    _ = Self.sampled(large, mixedWith: large, share: 9, SampleGrid(x: 0, y: 0, stepX: 2.2, stepY: 2.2), 40, 30, with: sampler)
    #expect(Self.sampled(small, grid, 9, 5, with: sampler)?.bytes == fresh?.bytes)
  }

  @Test func `numbers that are no grid are refused`() {
    let plane = Plane(8, 8, Self.texture)
    for wrong in [0, -1, .nan, .infinity, 1e300] as [Double] {
      #expect(Self.sampled(plane, SampleGrid(x: 0, y: 0, stepX: wrong, stepY: 1), 4, 4) == nil, "\(wrong)")
      #expect(Self.sampled(plane, SampleGrid(x: 0, y: 0, stepX: 1, stepY: wrong), 4, 4) == nil, "\(wrong)")
    }
    for wrong in [.nan, .infinity, -1e300] as [Double] {
      #expect(Self.sampled(plane, SampleGrid(x: wrong, y: 0, stepX: 1, stepY: 1), 4, 4) == nil, "\(wrong)")
      #expect(Self.sampled(plane, SampleGrid(x: 0, y: wrong, stepX: 1, stepY: 1), 4, 4) == nil, "\(wrong)")
    }
    #expect(Self.sampled(plane, SampleGrid(x: 0, y: 0, stepX: 1, stepY: 1), 0, 4) == nil)
  }
}

@Suite("Adding detail")
struct DetailBlendTests {
  @Test("Is the picture and a share of what the fine one has beyond its likeness, within bytes", arguments: [0, 1, 127, 128, 254, 255])
  func definition(mask: UInt8) {
    let levels: [UInt8] = [0, 1, 60, 127, 128, 200, 254, 255]
    let all = levels.flatMap { picture in levels.flatMap { fine in levels.map { (picture, fine, $0) } } }
    var output = all.map(\.1)
    addDetail(to: all.map(\.0), beyond: all.map(\.2), mask: [UInt8](repeating: mask, count: all.count), output: &output, count: all.count)
    for (found, (picture, fine, likeness)) in zip(output, all) {
      let exact = Double(picture) + Double(255 - mask) / 255 * (Double(fine) - Double(likeness))
      // Shares are of 256: at most half a level for the largest difference, and as much for rounding.
      #expect(abs(Double(found) - min(max(exact, 0), 255)) <= 1, "\(picture) \(fine) \(likeness)")
    }
  }

  @Test("Writes no more than it is told")
  func bounds() {
    var output: [UInt8] = [9, 9, 9]
    addDetail(to: [1, 1, 1], beyond: [1, 1, 1], mask: [255, 255, 255], output: &output, count: 2)
    #expect(output == [1, 1, 9])
    addDetail(to: [1], beyond: [1], mask: [1], output: &output, count: -1)
    #expect(output == [1, 1, 9])
  }
}
