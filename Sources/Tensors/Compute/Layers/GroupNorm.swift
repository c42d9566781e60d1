extension Compute {
  /// Factors and offsets that differ from place to place: y ← y · scale + shift, with those of the nearest place of small frames.
  public struct SpatialModulation {
    /// `[count][height][width][channels]` of small frames, in float32.
    public var scale: Frames
    /// Of the same shape as ``scale``, in float32.
    public var shift: Frames
    /// For each frame that is normalised, which of the small ones it has.
    public var frames: [Int]

    /// Shapes are checked where it is used.
    public init(scale: Frames, shift: Frames, frames: [Int]) {
      self.scale = scale
      self.shift = shift
      self.frames = frames
    }
  }

  /// f(γ · (x − μ) / √(σ² + ε) + β), with the mean and variance of each group of channels over all frames.
  ///
  /// - Parameters:
  ///   - source: float32.
  ///   - groups: divides the channels.
  ///   - scale, shift: γ and β, a value for each channel.
  ///   - modulation: what is done before the activation.
  ///   - activation: f.
  /// - Returns: frames of the same shape in the products' type.
  /// - Source: Wu and He, https://arxiv.org/abs/1803.08494; the modulation is MoVQ's, https://arxiv.org/abs/2209.09002.
  public func groupNormalize(
    _ source: Frames, groups: Int, scale: [Float], shift: [Float], epsilon: Float, modulation: SpatialModulation? = nil,
    activation: Activation
  ) throws -> Frames {
    let channels = source.channels
    precondition(
      source.type == .float32 && groups > 0 && channels % groups == 0, "frames of another type, or groups that do not divide the channels")
    precondition(scale.count == channels && shift.count == channels, "a factor for each channel")
    // x · a + b
    var (factors, offsets) = (scale, shift)
    let moments = try groupMoments(source, groups: groups)
    for channel in 0..<channels {
      let (mean, variance) = moments[channel / (channels / groups)]
      let factor = Double(scale[channel]) / (variance + Double(epsilon)).squareRoot()
      factors[channel] = Float(factor)
      offsets[channel] = Float(Double(shift[channel]) - mean * factor)
    }
    let result = Frames(count: source.count, height: source.height, width: source.width, channels: channels, type: type)
    let lines = try modulation.map { try combine($0, factors, offsets, for: source) }
    let kernels = try (0..<threads).map { _ in try Kernel.activation(activation, count: source.width * channels, type: .float32) }
    try factors.withUnsafeBufferPointer { factors in
      try offsets.withUnsafeBufferPointer { offsets in
        guard let factors = factors.baseAddress, let offsets = offsets.baseAddress else { return }
        // Rows of frames: one is small enough to stay near between the steps.
        try forEach(source.count * source.height) { line, thread in
          let from = source.matrix.row(line * source.width)
          let to = result.matrix.row(line * source.width)
          let values = type == .float32 ? to : scratch(thread, byteCount: source.width * channels * 4)
          for x in 0..<source.width {
            let place = lines?(line, x)
            let (a, b) = (place?.factors ?? factors, place?.offsets ?? offsets)
            mapRow(channels, from + x * channels * 4, Float32.self, to: values + x * channels * 4, Float32.self) {
              $1 * eight(a, $0, channels) + eight(b, $0, channels)
            }
          }
          try kernels[thread].run(values, to: values, on: stream(thread))
          if type == .bfloat16 { mapRow(source.width * channels, values, Float32.self, to: to, BFloat16.self) { $1 } }
        }
      }
    }
    return result
  }

  /// (x·a + b)·scale + shift as one factor and one offset for each place and channel.
  ///
  /// - Returns: where they are for the pixel `x` of a line of the source.
  private func combine(
    _ modulation: SpatialModulation, _ factors: [Float], _ offsets: [Float], for source: Frames
  ) throws -> (_ line: Int, _ x: Int) -> (factors: UnsafePointer<Float>, offsets: UnsafePointer<Float>) {
    let (scale, shift, channels) = (modulation.scale, modulation.shift, source.channels)
    precondition(
      scale.channels == channels && shift.channels == channels && scale.type == .float32 && shift.type == .float32,
      "a modulation of other channels")
    precondition(
      scale.matrix.rows == shift.matrix.rows && scale.area == shift.area && scale.area > 0, "factors and offsets of another shape")
    precondition(
      modulation.frames.count == source.count && modulation.frames.allSatisfy { (0..<scale.count).contains($0) },
      "a modulation of other frames")
    let (combinedFactors, combinedOffsets) = (
      Matrix(rows: scale.matrix.rows, columns: channels), Matrix(rows: scale.matrix.rows, columns: channels)
    )
    try forEachRow(scale.matrix.rows) { row, _ in
      let y = UnsafePointer(scale.matrix.row(row).assumingMemoryBound(to: Float.self))
      let b = UnsafePointer(shift.matrix.row(row).assumingMemoryBound(to: Float.self))
      factors.withUnsafeBufferPointer { factors in
        offsets.withUnsafeBufferPointer { offsets in
          guard let factors = factors.baseAddress, let offsets = offsets.baseAddress else { return }
          mapRow(channels, y, Float32.self, to: combinedFactors.row(row), Float32.self) { $1 * eight(factors, $0, channels) }
          mapRow(channels, y, Float32.self, to: combinedOffsets.row(row), Float32.self) {
            $1 * eight(offsets, $0, channels) + eight(b, $0, channels)
          }
        }
      }
    }
    return { line, x in
      let (frame, y) = (line / source.height, line % source.height)
      let row = (modulation.frames[frame] * scale.height + y * scale.height / source.height) * scale.width + x * scale.width / source.width
      return (
        UnsafePointer(combinedFactors.row(row).assumingMemoryBound(to: Float.self)),
        UnsafePointer(combinedOffsets.row(row).assumingMemoryBound(to: Float.self))
      )
    }
  }

  /// Each group's mean and variance over all rows.
  func groupMoments(_ source: Frames, groups: Int) throws -> [(mean: Double, variance: Double)] {
    let (rows, channels) = (source.matrix.rows, source.channels)
    let atOnce = 256
    let pieces = (rows + atOnce - 1) / atOnce
    let padded = (channels + 7) / 8 * 8
    // Of each piece: what was taken off, and the sums of what is left and of its squares. Taken off is the piece's first row:
    // where a mean is large beside the deviation, squares of the numbers themselves would lose it in float32.
    let partial = Matrix(rows: pieces, columns: 3 * padded)
    try forEach(pieces) { piece, _ in
      let range = piece * atOnce..<min(rows, (piece + 1) * atOnce)
      let base = UnsafePointer(source.matrix.row(range.lowerBound).assumingMemoryBound(to: Float.self))
      let target = partial.row(piece)
      for first in stride(from: 0, to: channels, by: 8) {
        let most = channels - first
        let origin = eight(base + first, 0, most)
        var (sum, squares) = (Floats(), Floats())
        for row in 0..<range.count {
          let d = eight(base + row * channels + first, 0, most) - origin
          sum += d
          squares += d * d
        }
        Float32.store(origin, target + first * 4)
        Float32.store(sum, target + (padded + first) * 4)
        Float32.store(squares, target + (2 * padded + first) * 4)
      }
    }
    let size = channels / groups
    return (0..<groups).map { group in
      var (count, mean, deviations) = (0.0, 0.0, 0.0)
      for piece in 0..<pieces {
        let values = partial.row(piece).assumingMemoryBound(to: Float.self)
        let n = Double(min(rows, (piece + 1) * atOnce) - piece * atOnce)
        for channel in group * size..<(group + 1) * size {
          // Chan, Golub and LeVeque's rule for two parts' means and deviations.
          let sum = Double(values[padded + channel])
          let other = Double(values[channel]) + sum / n
          let difference = other - mean
          deviations += max(0, Double(values[2 * padded + channel]) - sum * sum / n) + difference * difference * count * n / (count + n)
          mean += difference * n / (count + n)
          count += n
        }
      }
      return (mean, count > 0 ? deviations / count : 0)
    }
  }
}
