/// A 2D convolution of each frame by itself.
public final class FrameConvolution {
  private let bands: BandedConvolution
  private let weights: DerivedWeights

  /// - Parameters:
  ///   - kernel: rows and columns.
  ///   - before, after: zeros around the frame: rows and columns.
  ///   - bias: `outputs` values.
  ///   - weights: `[outputs][inputs][rows][columns]`; asked for once, or again if frames of another size want another order.
  public init(
    inputs: Int, outputs: Int, kernel: (Int, Int), stride: Int, before: (Int, Int), after: (Int, Int), bias: [Float], type: DataType,
    weights: @escaping () throws -> [Float]
  ) {
    let settings = BandedConvolution.Settings(
      inputs: inputs, outputs: outputs, kernel: kernel, stride: max(1, stride), before: before, after: after, type: type)
    self.weights = DerivedWeights(weights)
    bands = BandedConvolution(
      settings, bias: bias, weights: self.weights.packed(shape: [outputs, inputs, kernel.0, kernel.1], type: type) { $0 })
  }

  /// - Parameter source: in the products' element type.
  /// - Returns: `[count][height′][width′][outputs]` in float32; no rows where the kernel does not fit.
  public func callAsFunction(_ source: Frames, on compute: Compute) throws -> Frames {
    precondition(source.channels == bands.settings.inputs && source.type == bands.settings.type, "frames of other channels or another type")
    let size = bands.settings.result(height: source.height, width: source.width)
    let result = Frames(count: source.count, height: size.height, width: size.width, channels: bands.settings.outputs)
    let parts = bands.bands(height: source.height, width: source.width, most: BandedConvolution.most(size.height, size.width))
    try weights.whileHeld { try bands.prepare(parts, accumulates: [false], threads: compute.threads) }
    try compute.forEach(source.count * parts.count) { piece, thread in
      let (frame, part) = (piece / parts.count, parts[piece % parts.count])
      try bands.run(
        part, source.matrix.row(frame * source.area + part.source.lowerBound * source.width),
        to: result.matrix.row(frame * result.area + part.rows.lowerBound * result.width), accumulates: false, thread: thread, on: compute)
    }
    compute.count(operations: Double(source.count) * bands.operations(height: source.height, width: source.width))
    return result
  }
}
