/// Which samples of one axis of a plane make each output sample, and with what weights.
///
/// The kernel is the cubic with B = 0, C = ½ (Catmull–Rom; R. Keys, "Cubic convolution interpolation", 1981), widened by the step where
/// the axis shrinks, so that every sample counts. It passes through the samples: at whole positions and a step of 1 they come
/// out as they are. What the kernel finds outside the plane falls to the edge sample.
struct SampleAxis {
  /// Weights sum to 1 << `shift`.
  static let shift = 14

  /// Weights of each output sample.
  private(set) var taps = 0
  /// Per output sample, never decreasing: the first source sample that counts. `first + taps` is inside the plane.
  private(set) var firsts: [Int32] = []
  /// Per output sample `taps` weights.
  private(set) var weights: [Int16] = []

  /// Takes other positions, in the memory of the ones before.
  ///
  /// - Parameters:
  ///   - source: samples there are, 1 … 32,768.
  ///   - count: samples wanted, 1 … 32,768.
  ///   - start: where the first output sample lies, in samples of the source; 0 is the first one's middle.
  ///   - step: from one output sample to the next.
  /// - Returns: false for numbers outside these ranges or positions farther away than 100,000, and nothing is changed.
  mutating func set(source: Int, count: Int, start: Double, step: Double) -> Bool {
    let sizes = 1...32768
    guard sizes.contains(source), sizes.contains(count), step > 0, abs(start) < 1e5, abs(start + Double(count) * step) < 1e5 else {
      return false
    }
    let widening = max(1, step)
    let reach = step > 1 ? Int((4 * widening).rounded(.up)) + 1 : 4
    taps = min(reach, source)
    firsts.removeAll(keepingCapacity: true)
    weights.removeAll(keepingCapacity: true)
    var kernel = [Double](repeating: 0, count: reach)
    var folded = [Double](repeating: 0, count: taps)
    for index in 0..<count {
      let position = start + Double(index) * step
      let begin = Int((position - 2 * widening).rounded(.down)) + 1
      var sum = 0.0
      for tap in 0..<reach {
        kernel[tap] = Self.kernel(abs(Double(begin + tap) - position) / widening)
        sum += kernel[tap]
      }
      let first = min(max(begin, 0), source - taps)
      for tap in 0..<taps { folded[tap] = 0 }
      for tap in 0..<reach { folded[min(max(begin + tap - first, 0), taps - 1)] += kernel[tap] }
      firsts.append(Int32(truncatingIfNeeded: first))
      append(folded, sum: sum)
    }
    return true
  }

  /// What rounding leaves goes to the largest weight, where it is seen least.
  private mutating func append(_ folded: [Double], sum: Double) {
    let one = 1 << Self.shift
    var (rest, largest) = (one, 0)
    for (tap, weight) in folded.enumerated() {
      let rounded = Int((weight / sum * Double(one)).rounded())
      rest -= rounded
      if weight > folded[largest] { largest = tap }
      weights.append(Int16(truncatingIfNeeded: rounded))
    }
    weights[weights.count - folded.count + largest] &+= Int16(truncatingIfNeeded: rest)
  }

  private static func kernel(_ d: Double) -> Double {
    if d >= 2 { return 0 }
    return d < 1 ? (1.5 * d - 2.5) * d * d + 1 : ((2.5 - 0.5 * d) * d - 4) * d + 2
  }
}
