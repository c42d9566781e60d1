/// A 3×3 convolution of frames of twice the height and width, of which each pixel is four of the same.
///
/// The larger frames are never there: of the nine pixels under the kernel several are the same, so that each of the result's
/// four phases (even and odd rows and columns) is a 2×2 convolution of the small frame, with sums of the weights. That is
/// four multiplications where the definition has nine.
public final class UpsamplingConvolution {
  /// Channels of the frames that go in.
  public let inputs: Int
  /// Channels of the frames that come out.
  public let outputs: Int
  private let type: DataType
  private let weights: DerivedWeights
  /// Even rows with even and odd columns, then odd rows.
  private let phases: [BandedConvolution]

  /// - Parameters:
  ///   - bias: `outputs` values.
  ///   - weights: `[outputs][inputs][3][3]`; asked for once, or again if frames of another size want another order.
  public init(inputs: Int, outputs: Int, bias: [Float], type: DataType, weights: @escaping () throws -> [Float]) {
    self.inputs = inputs
    self.outputs = outputs
    self.type = type
    let derived = DerivedWeights(weights)
    self.weights = derived
    phases = (0..<4).map { phase in
      let (row, column) = (phase / 2, phase % 2)
      // An even row sees half of the pixel above, an odd one half of that below.
      let settings = BandedConvolution.Settings(
        inputs: inputs, outputs: outputs, kernel: (2, 2), before: (1 - row, 1 - column), after: (row, column), type: type)
      let packed = derived.packed(shape: [outputs, inputs, 2, 2], type: type) { Self.taps($0, row: row, column: column) }
      return BandedConvolution(settings, bias: bias, weights: packed)
    }
  }

  /// The 2×2 kernel of a phase: taps that fall on the same pixel are added up.
  private static func taps(_ weights: [Float], row: Int, column: Int) -> [Float] {
    let kernels = weights.count / 9
    var taps = [Float](repeating: 0, count: kernels * 4)
    for kernel in 0..<kernels {
      for y in 0..<3 {
        for x in 0..<3 {
          // In an even phase the first of three taps is alone, in an odd one the last.
          let place = (y + 1 - row) / 2 * 2 + (x + 1 - column) / 2
          taps[kernel * 4 + place] += weights[kernel * 9 + y * 3 + x]
        }
      }
    }
    return taps
  }

  /// - Parameters:
  ///   - source: in the products' element type.
  ///   - repeated: which frame of the source each of the result's is, neighbours the same as often as wanted; nil for each once.
  ///   - check: called by the caller's thread before each band of rows; what it throws ends the work.
  /// - Returns: `[count][2·height][2·width][outputs]` in float32.
  public func callAsFunction(_ source: Frames, repeated: [Int]? = nil, on compute: Compute, check: () throws -> Void = {}) throws -> Frames
  {
    precondition(source.channels == inputs && source.type == type, "frames of other channels or another type")
    let order = repeated ?? Array(0..<source.count)
    precondition(order.allSatisfy { (0..<source.count).contains($0) }, "frames beyond the last")
    let result = Frames(count: order.count, height: 2 * source.height, width: 2 * source.width, channels: outputs)
    let parts = phases.map {
      $0.bands(height: source.height, width: source.width, most: BandedConvolution.most(source.height, source.width))
    }
    try weights.whileHeld {
      for (phase, bands) in zip(phases, parts) { try phase.prepare(bands, accumulates: [false], threads: compute.threads) }
    }
    let count = parts[0].count
    let pixel = outputs * 4
    try compute.forEach(source.count * count) { piece, thread in
      if thread == 0 { try check() }
      let frame = piece / count
      let targets = order.indices.filter { order[$0] == frame }
      guard let first = targets.first else { return }
      let rows = parts[0][piece % count].rows
      let memory = compute.scratch(thread, byteCount: rows.count * source.width * pixel)
      for (phase, convolution) in phases.enumerated() {
        let band = parts[phase][piece % count]
        let from = source.matrix.row(frame * source.area + band.source.lowerBound * source.width)
        try convolution.run(band, from, to: memory, accumulates: false, thread: thread, on: compute)
        for (index, row) in rows.enumerated() {
          var target = result.matrix.row(first * result.area + (2 * row + phase / 2) * result.width + phase % 2)
          var sums = memory + index * source.width * pixel
          for _ in 0..<source.width {
            target.copyMemory(from: sums, byteCount: pixel)
            target += 2 * pixel
            sums += pixel
          }
        }
      }
      let start = 2 * rows.lowerBound * result.width
      for target in targets.dropFirst() {
        result.matrix.row(target * result.area + start).copyMemory(
          from: result.matrix.row(first * result.area + start), byteCount: 2 * rows.count * result.width * pixel)
      }
    }
    compute.count(operations: 4 * Double(source.count) * phases[0].operations(height: source.height, width: source.width))
    return result
  }
}
