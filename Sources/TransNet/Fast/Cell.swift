import Tensors

/// How frames follow each other in the network's cells.
enum Flow {
  /// Every frame is computed once; a cell's output lies 8 frames behind its input, for by then all its taps are known.
  case delayed
  /// The newest frames are computed again with every step, as if nothing came after them; output does not lie behind.
  case provisional
}

/// One DDCNN cell on the fast path: buffers that hold what its dilated taps look back on, and its kernels.
///
/// The wide spatial convolution is split among the workers by branches. A worker's part of its result, `[frames][pixels]
/// [branches][2F]`, is read by the temporal convolution of a branch as if it were an image with time as its rows and
/// `pixels · branches` columns of 2F channels, of which every `branches`-th column is the branch's.
final class Cell {
  let height: Int
  let width: Int
  let inputs: Int
  let filters: Int
  var channels: Int { 4 * filters }
  var pixels: Int { height * width }
  /// Frames that the largest dilation reaches.
  static let reach = 8
  static let dilations = TransNetWeights.Cell.dilations

  /// Each branch's output of this step, `[frames][pixels][F]` of float32.
  let branches: [AlignedMemory]

  private let flow: Flow
  private let precision: Precision
  private let groups: Int
  private let wide: [AlignedMemory]
  private let capacity: Int
  /// Frames before the new ones that are kept.
  private let kept: Int
  private var head = 0
  private let spatialWeights: [PackedWeights]
  private let spatialScales: [[Float]]
  private let temporalWeights: [PackedWeights]
  private let biases: [[Float]]
  private var plans: [Int: Plan] = [:]

  /// The kernels for a number of frames.
  private struct Plan {
    /// One a group.
    var spatial: [Kernel]
    /// One a branch.
    var temporal: [Kernel]
  }

  /// - Parameters:
  ///   - step: the value of one unit of the input, for `int8`; the input of the first cell counts levels, of 1/255.
  ///   - groups: workers, 1, 2 or 4.
  ///   - counts: numbers of frames that a step may have.
  init(
    _ weights: TransNetWeights.Cell, height: Int, width: Int, step: Float, flow: Flow, precision: Precision, groups: Int, counts: [Int]
  ) throws(ComputeError) {
    self.height = height
    self.width = width
    self.flow = flow
    self.precision = precision
    self.groups = groups
    inputs = weights.inputs
    filters = weights.filters
    let (inputs, filters, pixels) = (weights.inputs, weights.filters, height * width)
    let largest = counts.max() ?? 1
    kept = flow == .delayed ? 2 * Self.reach : Self.reach
    capacity = kept + max(largest, flow == .delayed ? Self.slack : 0)
    let share = 4 / groups
    // A branch's last column ends beyond the last pixel's first branch: one frame more.
    let wideBytes = (capacity + 1) * pixels * share * 2 * filters * precision.inner.size
    wide = (0..<groups).map { _ in AlignedMemory(byteCount: wideBytes) }
    branches = (0..<4).map { _ in AlignedMemory(byteCount: largest * pixels * filters * 4) }

    var spatialWeights: [PackedWeights] = []
    var spatialScales: [[Float]] = []
    for group in 0..<groups {
      // [3][3][inputs][8F] → [8F / groups][inputs][3][3]
      let outputs = 8 * filters / groups
      var values = [Float](repeating: 0, count: outputs * inputs * 9)
      for tap in 0..<9 {
        for input in 0..<inputs {
          for output in 0..<outputs {
            values[(output * inputs + input) * 9 + tap] = weights.spatial[(tap * inputs + input) * 8 * filters + group * outputs + output]
          }
        }
      }
      var scales: [Float] = []
      if precision == .int8 {
        for output in 0..<outputs {
          let range = output * inputs * 9..<(output + 1) * inputs * 9
          let largest = values[range].reduce(0) { max($0, abs($1)) }
          let unit = largest > 0 ? largest / 127 : 1
          for index in range { values[index] = (values[index] / unit).rounded(.toNearestOrEven) }
          scales.append(unit * step)
        }
      } else if step != 1 {
        for index in values.indices { values[index] *= step }
      }
      spatialWeights.append(PackedWeights(values, shape: [outputs, inputs, 3, 3], type: precision.spatialWeight))
      spatialScales.append(scales)
    }
    self.spatialWeights = spatialWeights
    self.spatialScales = spatialScales
    temporalWeights = weights.temporal.map { taps in
      // [3][2F][F] → [F][2F][3][1]
      var values = [Float](repeating: 0, count: taps.count)
      for tap in 0..<3 {
        for input in 0..<2 * filters {
          for output in 0..<filters {
            values[(output * 2 * filters + input) * 3 + tap] = taps[(tap * 2 * filters + input) * filters + output]
          }
        }
      }
      return PackedWeights(values, shape: [filters, 2 * filters, 3, 1], type: precision.inner)
    }
    biases = (0..<4).map { Array(weights.bias[$0 * filters..<($0 + 1) * filters]) }
    for count in counts { plans[count] = try makePlan(count) }
    for weights in spatialWeights + temporalWeights { weights.seal() }
  }

  /// Frames between two moves of what is kept to the front: a quarter of the copying at half the memory of twice as many.
  private static let slack = 24

  private func makePlan(_ count: Int) throws(ComputeError) -> Plan {
    var plan = Plan(spatial: [], temporal: [])
    let share = 4 / groups
    var spatial = ConvolutionShape(count: count, height: height, width: width, inputs: inputs, outputs: 2 * share * filters, kernel: (3, 3))
    spatial.padding = (1, 1)
    for group in 0..<groups {
      plan.spatial.append(
        try .convolution(
          spatial, spatialWeights[group], bias: nil, source: precision.activation, destination: precision.inner,
          finish: Finish(scales: spatialScales[group])))
    }
    for (branch, dilation) in Self.dilations.enumerated() {
      var temporal = ConvolutionShape(
        count: 1, height: count + (flow == .delayed ? 2 : 1) * dilation, width: pixels * share, inputs: 2 * filters, outputs: filters,
        kernel: (3, 1))
      temporal.dilation = (dilation, 1)
      temporal.stride = (1, share)
      // What comes later is zero.
      temporal.paddingAfter = flow == .delayed ? nil : (dilation, 0)
      plan.temporal.append(
        try .convolution(
          temporal, temporalWeights[branch], bias: biases[branch], source: precision.inner, destination: .float32,
          finish: Finish(activation: .relu)))
    }
    return plan
  }

  private var wideFrame: Int { pixels * 4 / groups * 2 * filters * precision.inner.size }

  /// Makes room for a step. Before ``run(_:count:group:on:)``, on one thread.
  func prepare(_ count: Int) {
    guard head + kept + count > capacity else { return }
    for memory in wide { memory.base.copyMemory(from: memory.base + head * wideFrame, byteCount: kept * wideFrame) }
    head = 0
  }

  /// Both convolutions for a worker's branches.
  ///
  /// - Parameter source: `[count][pixels][inputs]` activations.
  func run(_ source: UnsafeMutableRawPointer, count: Int, group: Int, on stream: Stream) throws(ComputeError) {
    guard let plan = plans[count] else { throw ComputeError(call: "a step of \(count) frames", status: 2) }
    let base = wide[group].base
    try plan.spatial[group].run(source, to: base + (head + kept) * wideFrame, on: stream)
    let share = 4 / groups
    for slot in 0..<share {
      let branch = group * share + slot
      let first = head + Self.reach - Self.dilations[branch]
      try plan.temporal[branch].run(
        base + first * wideFrame + slot * 2 * filters * precision.inner.size, to: branches[branch].base, on: stream)
    }
  }

  /// The first `count` frames of the step become part of what is looked back on.
  func advance(_ count: Int) { head += count }

  /// Forgets all frames: what comes before the next one is zero.
  func reset() {
    head = 0
    for memory in wide { memory.base.initializeMemory(as: UInt8.self, repeating: 0, count: kept * wideFrame) }
  }

  /// The largest value that a branch's output of `count` frames holds, for calibration.
  func largestOutput(_ count: Int) -> Float {
    branches.reduce(0) { result, memory in
      let values = UnsafeBufferPointer(start: memory.base.assumingMemoryBound(to: Float.self), count: count * pixels * filters)
      return values.reduce(result, max)
    }
  }
}
