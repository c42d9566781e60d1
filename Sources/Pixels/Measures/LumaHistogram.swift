/// The correlation of each picture's luma histogram with the one before: PySceneDetect's histogram detector.
public final class LumaHistogram {
  private var reducer: Reducer
  private var counts: OwnedBuffer<UInt32>
  private var previous: OwnedBuffer<UInt32>
  private let bins: Int
  private var hasPrevious = false
  /// The bin of each level, as `cv2.calcHist` finds it over [0, 256).
  private let binOfLevel: OwnedBuffer<Int32>

  /// - Parameter bins: of equal width over 0 ..< 256; 1 … 256, clamped.
  public init(layout: PictureLayout, bins: Int = 128) {
    reducer = Reducer(layout: layout)
    self.bins = min(max(bins, 1), 256)
    counts = OwnedBuffer(count: self.bins, zero: 0)
    previous = OwnedBuffer(count: self.bins, zero: 0)
    binOfLevel = OwnedBuffer(count: 256, zero: 0)
    for level in 0..<256 { binOfLevel.base[level] = Int32(level * self.bins / 256) }
  }

  /// Forgets the previous picture.
  public func reset() { hasPrevious = false }

  /// The correlation, −1 … 1, of the two histograms (`cv2.HISTCMP_CORREL`), which does not depend on how many pixels each
  /// has: pictures of all layouts are compared. nil for the first picture.
  public func measure(_ picture: borrowing Picture) -> Double? {
    if picture.layout != reducer.layout { reducer = Reducer(layout: picture.layout) }
    swap(&counts, &previous)
    count(picture)
    guard hasPrevious else {
      hasPrevious = true
      return nil
    }
    return correlation()
  }

  private func count(_ picture: borrowing Picture) {
    let (reducer, counts, binOfLevel) = (reducer, counts.base, binOfLevel.base)
    counts.update(repeating: 0, count: bins)
    for y in 0..<reducer.size.height {
      reducer.reduceRow(y, of: picture)
      Luma.convert(reducer, shift: 14)
      let levels = reducer.blue
      for x in 0..<reducer.size.width {
        counts[Int(truncatingIfNeeded: binOfLevel[Int(truncatingIfNeeded: levels[x]) & 0xFF])] &+= 1
      }
    }
  }

  private func correlation() -> Double {
    let (first, second) = (previous.base, counts.base)
    var (sum1, sum2, square1, square2, product) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for bin in 0..<bins {
      let (a, b) = (Double(first[bin]), Double(second[bin]))
      sum1 += a
      sum2 += b
      square1 += a * a
      square2 += b * b
      product += a * b
    }
    guard square1 > 0, square2 > 0 else { return 1 }
    let bins = Double(bins)
    // Scaled as PySceneDetect normalises, to Σa² = 1; the correlation does not depend on it, OpenCV's guard does.
    let spread = (1 - sum1 * sum1 / bins / square1) * (1 - sum2 * sum2 / bins / square2)
    guard spread > .ulpOfOne else { return 1 }
    let scale = (square1 * square2).squareRoot()
    return (product - sum1 * sum2 / bins) / scale / spread.squareRoot()
  }
}
