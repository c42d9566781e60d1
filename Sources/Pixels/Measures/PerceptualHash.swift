/// How many bits of each picture's perceptual hash differ from the one before: PySceneDetect's hash detector.
///
/// Gray, reduced to (size·lowpass)² as `cv2.INTER_AREA` does, divided by its maximum, DCT; the bits are the size² lowest
/// frequencies above their median.
public final class PerceptualHash {
  private var reducer: Reducer
  private var area: AreaReducer
  private let size: Int
  private let side: Int
  private var hasPrevious = false
  private let basis: OwnedBuffer<Double>
  private let columns: OwnedBuffer<Double>
  private let frequencies: OwnedBuffer<Double>
  private let sorted: OwnedBuffer<Double>
  private var bits: OwnedBuffer<Bool>
  private var previousBits: OwnedBuffer<Bool>

  /// - Parameters:
  ///   - size: side of the hash, 1 … 32, clamped.
  ///   - lowpass: size of the transformed picture over `size`, 1 … 16, clamped.
  public init(layout: PictureLayout, size: Int = 8, lowpass: Int = 2) {
    self.size = min(max(size, 1), 32)
    side = self.size * min(max(lowpass, 1), 16)
    reducer = Reducer(layout: layout)
    area = AreaReducer(from: reducer.size, side: side)
    basis = OwnedBuffer(count: self.size * side, zero: 0)
    columns = OwnedBuffer(count: self.size * side, zero: 0)
    frequencies = OwnedBuffer(count: self.size * self.size, zero: 0)
    sorted = OwnedBuffer(count: self.size * self.size, zero: 0)
    bits = OwnedBuffer(count: self.size * self.size, zero: false)
    previousBits = OwnedBuffer(count: self.size * self.size, zero: false)
    // Orthonormal DCT-II: c(k)·cos(π(2n + 1)k / 2N).
    for k in 0..<self.size {
      let scale = ((k == 0 ? 1.0 : 2.0) / Double(side)).squareRoot()
      for n in 0..<side {
        basis.base[k * side + n] = scale * cosine(halfTurns: (2 * n + 1) * k, of: 2 * side)
      }
    }
  }

  /// Forgets the previous picture.
  public func reset() { hasPrevious = false }

  /// The part of bits that changed since the previous picture, whatever its layout, 0 … 1; nil for the first one.
  public func measure(_ picture: borrowing Picture) -> Double? {
    if picture.layout != reducer.layout {
      reducer = Reducer(layout: picture.layout)
      area = AreaReducer(from: reducer.size, side: side)
    }
    swap(&bits, &previousBits)
    hash(picture)
    guard hasPrevious else {
      hasPrevious = true
      return nil
    }
    let count = size * size
    var changed = 0
    for index in 0..<count where bits.base[index] != previousBits.base[index] { changed += 1 }
    return Double(changed) / Double(count)
  }

  private func hash(_ picture: borrowing Picture) {
    area.begin()
    for y in 0..<reducer.size.height {
      reducer.reduceRow(y, of: picture)
      Luma.convert(reducer, shift: 15)
      area.add(reducer.blue, row: y)
    }
    area.finish()
    transform()
    let count = size * size
    let (frequencies, sorted) = (frequencies.base, sorted.base)
    // By insertion: the library's sort allocates.
    for index in 0..<count {
      let value = frequencies[index]
      var place = index
      while place > 0, sorted[place - 1] > value {
        sorted[place] = sorted[place - 1]
        place -= 1
      }
      sorted[place] = value
    }
    let median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
    for index in 0..<count { bits.base[index] = frequencies[index] > median }
  }

  /// The lowest frequencies, [size, size], of the area picture over its maximum.
  private func transform() {
    let (samples, basis, columns) = (area.samples, basis.base, columns.base)
    var maximum: Float = 0
    for index in 0..<(side * side) { maximum = max(maximum, samples[index]) }
    let scale = maximum == 0 ? 1 : 1 / Double(maximum)
    for k in 0..<size {
      for x in 0..<side {
        var sum = 0.0
        for y in 0..<side { sum += basis[k * side + y] * Double(samples[y * side + x]) }
        columns[k * side + x] = sum * scale
      }
    }
    for k in 0..<size {
      for l in 0..<size {
        var sum = 0.0
        for x in 0..<side { sum += basis[l * side + x] * columns[k * side + x] }
        // A flat picture has no frequencies but the first: what is left of them is rounding, not a bit.
        frequencies.base[k * size + l] = abs(sum) < 1e-9 ? 0 : sum
      }
    }
  }
}
