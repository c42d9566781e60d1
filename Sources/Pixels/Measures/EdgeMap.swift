/// The dilated edges of a picture's value channel, as PySceneDetect finds them, and how many changed.
///
/// `cv2.Canny` with thresholds of ⅔ and 4/3 of the median (aperture 3, L1 gradient), then `cv2.dilate` with a square of
/// ones; equal to OpenCV pixel for pixel.
package final class EdgeMap {
  /// PySceneDetect's kernel side is 4 + round(√(width·height) / 192), made odd: 5 for every picture up to 256 × 256.
  private static let reach = 2

  private let width: Int
  private let height: Int
  /// Rows of `dilated` and `current`, with `reach` bytes of nothing before each row and a vector of it behind.
  private let rowStride: Int
  private let canny: Canny
  /// Edges widened along the row, 0 or 1, with `reach` rows of nothing above and below.
  private let widened: OwnedBuffer<UInt8>
  /// The dilated edges, 0 or 1, of the last picture.
  private let dilated: OwnedBuffer<UInt8>

  package init(width: Int, height: Int) {
    self.width = width
    self.height = height
    rowStride = (width + 15) / 16 * 16
    canny = Canny(width: width, height: height)
    widened = OwnedBuffer(count: rowStride * (height + 2 * Self.reach), zero: 0)
    dilated = OwnedBuffer(count: rowStride * height, zero: 0)
  }

  /// Pixels that are in the edge map of this picture or of the last one, but not of both.
  ///
  /// - Parameters:
  ///   - value: `height` rows of `width` samples, 0 … 255.
  ///   - stride: samples from one row to the next.
  package func update(_ value: UnsafePointer<Int16>, stride rowLength: Int) -> Int {
    let (low, high) = Self.thresholds(value, width, height, rowLength)
    canny.find(value, stride: rowLength, low: low, high: high)
    let reach = Self.reach
    for y in 0..<height {
      let edges = canny.row(y)
      let out = UnsafeMutableRawPointer(widened.base + (y &+ reach) &* rowStride)
      // `Canny` keeps a margin of nothing around its rows.
      for x in stride(from: 0, to: rowStride, by: 16) {
        var any = SIMD16<UInt8>(repeating: 0)
        for step in -reach...reach {
          any |= UnsafeRawPointer(edges + (x &+ step)).loadUnaligned(as: SIMD16<UInt8>.self)
        }
        out.storeBytes(of: any & 1, toByteOffset: x, as: SIMD16<UInt8>.self)
      }
    }
    var changed = 0
    for y in 0..<height {
      let out = UnsafeMutableRawPointer(dilated.base + y &* rowStride)
      let above = UnsafeRawPointer(widened.base + y &* rowStride)
      var rowChanges = SIMD16<UInt8>(repeating: 0)
      for x in stride(from: 0, to: rowStride, by: 16) {
        var any = SIMD16<UInt8>(repeating: 0)
        for step in 0...(2 &* reach) {
          any |= above.loadUnaligned(fromByteOffset: x &+ step &* rowStride, as: SIMD16<UInt8>.self)
        }
        if x &+ 16 > width { any &= Self.lanes(below: width &- x) }
        rowChanges &+= any ^ out.loadUnaligned(fromByteOffset: x, as: SIMD16<UInt8>.self)
        out.storeBytes(of: any, toByteOffset: x, as: SIMD16<UInt8>.self)
      }
      changed &+= Int(SIMD16<UInt16>(truncatingIfNeeded: rowChanges).wrappedSum())
    }
    return changed
  }

  /// Whether a pixel is in the dilated edge map of the last picture; for tests.
  package func isEdge(x: Int, y: Int) -> Bool { dilated.base[y * rowStride + x] != 0 }

  private static func lanes(below count: Int) -> SIMD16<UInt8> {
    let lane = SIMD16<UInt8>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    return SIMD16<UInt8>(repeating: 0).replacing(
      with: 1, where: lane .< SIMD16<UInt8>(repeating: UInt8(truncatingIfNeeded: count)))
  }

  /// PySceneDetect's, in its arithmetic: `int(max(0, (1 - 1/3)·median))`, `int(min(255, (1 + 1/3)·median))`.
  private static func thresholds(
    _ value: UnsafePointer<Int16>, _ width: Int, _ height: Int, _ rowLength: Int
  ) -> (low: Int16, high: Int16) {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 256) { counts -> (low: Int16, high: Int16) in
      counts.initialize(repeating: 0)
      guard let base = counts.baseAddress else { return (0, 0) }
      for y in 0..<height {
        let row = value + y &* rowLength
        for x in 0..<width { base[Int(truncatingIfNeeded: row[x]) & 0xFF] &+= 1 }
      }
      // numpy.median: the mean of the two middle values if their number is even.
      let pixels = width * height
      func ranked(_ rank: Int) -> Double {
        var seen = 0
        for level in 0..<256 {
          seen += Int(base[level])
          if seen > rank { return Double(level) }
        }
        return 255
      }
      let median = (ranked((pixels - 1) / 2) + ranked(pixels / 2)) / 2
      let sigma = 1.0 / 3.0
      return (Int16(max(0, (1 - sigma) * median)), Int16(min(255, (1 + sigma) * median)))
    }
  }
}
