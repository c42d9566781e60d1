/// The weights with which one axis of a picture is resampled, as libswscale 6 derives them for `SWS_BICUBIC`.
///
/// The kernel is the cubic with B = 0, C = 0.6 (swscale's default parameters), widened by the ratio where the axis shrinks, so
/// that every source sample counts. Output sample i lies at (i + ½) · ratio − ½; what the kernel finds outside the picture
/// falls to the edge sample. Tails that sum to less than 0.002 of the kernel's peak are cut off. Weights are whole multiples of
/// 1 / `one`; each one's rounding error is carried into the next, so that they sum to 1.
///
/// Source: the rules of libswscale's `initFilter`; compared with ffmpeg 5.1's output.
struct CubicFilter {
  /// One output sample's weights of the source samples from `first` on, none outside the source.
  struct Taps {
    var first: Int
    var weights: [Double]
    var end: Int { first + weights.count }
  }

  var taps: [Taps]

  /// - Parameters:
  ///   - source: samples there are, 1 … 65,535.
  ///   - output: samples wanted, 1 … 65,535.
  ///   - one: weights are rounded to multiples of 1 / `one`: 16,384 along rows, 4,096 along columns.
  init(source: Int, output: Int, one: Double) {
    // 16.16 fixed point, rounded, as swscale steps.
    let step = ((source << 16) + output / 2) / output
    // As many samples as wanted: swscale copies.
    guard abs(step - (1 << 16)) >= 10 else {
      taps = (0..<output).map { Taps(first: min($0, source - 1), weights: [1]) }
      return
    }
    let reach = step <= 1 << 16 ? 5 : 1 + (4 * source + output - 1) / output
    let count = max(1, min(reach, source - 2))
    let widening = max(1, Double(source) / Double(output))
    taps = (0..<output).map { index in
      // Twice the position in 16.16, whose quotient is cut towards 0.
      let position = (2 * index + 1) * step - (1 << 16)
      let first = (position - ((count - 2) << 16)) / (1 << 17)
      let center = Double(position) / Double(1 << 17)
      return Taps(first: first, weights: (0..<count).map { Self.kernel(abs(Double(first + $0) - center) / widening) })
    }
    cutTails()
    for index in taps.indices {
      taps[index] = Self.rounded(Self.folded(taps[index], source: source), one: one)
    }
  }

  /// The cubic with B = 0 and C = 0.6; 1 at 0, 0 from 2 on.
  private static func kernel(_ distance: Double) -> Double {
    let (d, c) = (distance, 0.6)
    if d >= 2 { return 0 }
    return d < 1 ? ((2 - c) * d + (c - 3)) * d * d + 1 : c * (((5 - d) * d - 8) * d + 4)
  }

  private mutating func cutTails() {
    let limit = 0.002
    for index in taps.indices.reversed() {
      var sum = 0.0
      while let near = taps[index].weights.first, taps[index].weights.count > 1 {
        sum += abs(near)
        let isBeforeNext = index == taps.count - 1 || taps[index].first < taps[index + 1].first
        guard sum <= limit, isBeforeNext else { break }
        taps[index].first += 1
        // All keep their number of weights until the right tails are cut, alike.
        taps[index].weights = Array(taps[index].weights.dropFirst()) + [0]
      }
    }
    let needed = taps.map { taps in
      var (sum, count) = (0.0, taps.weights.count)
      while count > 1 {
        sum += abs(taps.weights[count - 1])
        if sum > limit { break }
        count -= 1
      }
      return count
    }
    let longest = needed.max() ?? 1
    for index in taps.indices { taps[index].weights = Array(taps[index].weights.prefix(longest)) }
  }

  private static func folded(_ taps: Taps, source: Int) -> Taps {
    let first = min(max(taps.first, 0), source - 1)
    let last = min(max(taps.end - 1, first), source - 1)
    var folded = Taps(first: first, weights: Array(repeating: 0, count: last - first + 1))
    for (index, weight) in taps.weights.enumerated() {
      folded.weights[min(max(taps.first + index, first), last) - first] += weight
    }
    return folded
  }

  private static func rounded(_ taps: Taps, one: Double) -> Taps {
    let sum = taps.weights.reduce(0, +)
    guard sum > 0 else { return taps }
    var (rounded, carried) = (taps, 0.0)
    for (index, weight) in taps.weights.enumerated() {
      let exact = weight / sum * one + carried
      let whole = exact.rounded()
      carried = exact - whole
      rounded.weights[index] = whole / one
    }
    return rounded
  }

  /// The same filter for pairs of neighbouring samples whose mean it was made for: each sample gets half of its pair's weight.
  func spread(source: Int) -> CubicFilter {
    var spread = self
    for (index, taps) in taps.enumerated() {
      let (first, end) = (taps.first * 2, min(taps.end * 2, source))
      var weights = Array(repeating: 0.0, count: max(1, end - first))
      for (offset, weight) in taps.weights.enumerated() {
        // The last of an odd number of samples is a pair with itself.
        for half in [offset * 2, offset * 2 + 1] { weights[min(half, weights.count - 1)] += weight / 2 }
      }
      spread.taps[index] = Taps(first: first, weights: weights)
    }
    return spread
  }

  /// The same filter for groups of neighbouring samples that have been summed: each group gets the mean of its samples'
  /// weights. Where the kernel is many groups wide that moves results by hundredths of a level.
  func grouped(by size: Int, source: Int) -> CubicFilter {
    guard size > 1 else { return self }
    var grouped = self
    for (index, taps) in taps.enumerated() {
      let first = taps.first / size
      let last = max(first, (taps.end - 1) / size)
      var weights = Array(repeating: 0.0, count: last - first + 1)
      for (offset, weight) in taps.weights.enumerated() { weights[(taps.first + offset) / size - first] += weight }
      for offset in weights.indices {
        weights[offset] /= Double(max(1, min(size, source - (first + offset) * size)))
      }
      grouped.taps[index] = Taps(first: first, weights: weights)
    }
    return grouped
  }
}

/// A filter along rows, ready for whole vectors: each output's weights begin at `first` and are padded with zeros.
struct RowFilter: ~Copyable {
  /// Samples that may be read behind a row's last one; they are weighted with 0, so they have only to be finite.
  static let overread = laneCount

  let count: Int
  private let firsts: OwnedBuffer<Int32>
  private let weights: OwnedBuffer<Float>
  /// Weights per output, a multiple of `laneCount`.
  private let length: Int
  /// swscale cuts what its first pass gives down to 1/128 of a level, which takes half of that on average; copied samples
  /// lose nothing.
  private let loss: Float

  init(_ filter: CubicFilter) {
    count = filter.taps.count
    let longest = filter.taps.map(\.weights.count).max() ?? 0
    length = (longest + laneCount - 1) / laneCount * laneCount
    loss = longest > 1 ? 1 / 256 : 0
    firsts = OwnedBuffer(count: count, zero: 0)
    weights = OwnedBuffer(count: count * length, zero: 0)
    // No read passes the row's end by more than `overread`: begin earlier instead.
    let end = filter.taps.map(\.end).max() ?? 0
    for (index, taps) in filter.taps.enumerated() {
      let first = max(0, min(taps.first, end + Self.overread - length))
      firsts.base[index] = Int32(truncatingIfNeeded: first)
      for (offset, weight) in taps.weights.enumerated() {
        weights.base[index * length + taps.first - first + offset] = Float(weight)
      }
    }
  }

  /// - Parameters:
  ///   - row: the source's samples, with `overread` readable ones behind.
  ///   - output: gets `count` samples.
  func apply(_ row: UnsafePointer<Float>, to output: UnsafeMutablePointer<Float>) {
    let (firsts, length) = (firsts.base, length)
    var weights = UnsafePointer(weights.base)
    for index in 0..<count {
      let samples = row + Int(truncatingIfNeeded: firsts[index])
      var sum = Floats(repeating: 0)
      var x = 0
      while x < length {
        sum += load(samples, x) * load(weights, x)
        x &+= laneCount
      }
      output[index] = (sum[0] + sum[4]) + (sum[1] + sum[5]) + ((sum[2] + sum[6]) + (sum[3] + sum[7])) - loss
      weights += length
    }
  }
}
