/// Rotations of pairs of a head's numbers by each token's position.
public struct RotaryTable: Sendable {
  /// `[tokens][size]`: the cosine of each pair twice.
  public let cosines: [Float]
  /// `[tokens][size]`: of each pair the negative sine, then the sine.
  public let sines: [Float]
  /// Numbers of a head, an even number.
  public let size: Int

  /// - Parameters:
  ///   - size: numbers of a head, an even number.
  ///   - cosines, sines: of each angle, `[tokens][size / 2]`.
  public init(size: Int, cosines: [Float], sines: [Float]) {
    precondition(size > 0 && size % 2 == 0 && cosines.count == sines.count && cosines.count % (size / 2) == 0, "an angle for each pair")
    self.size = size
    self.cosines = cosines.flatMap { [$0, $0] }
    self.sines = sines.flatMap { [-$0, $0] }
  }

  /// Tokens that have a position, a row of the tables each.
  public var tokens: Int { cosines.count / size }
}

extension Compute {
  /// Normalises each head of each row over its own numbers, turns the rows that have a position, and scales: in place.
  ///
  /// γ · (x − μ) / √(σ² + ε) + β, then (x₂ᵢ, x₂ᵢ₊₁) turned by the token's i-th angle.
  ///
  /// - Parameters:
  ///   - matrix: `[tokens][heads · size]`, in the products' element type.
  ///   - normalization: γ and β, `size` values each; nil for none.
  ///   - rotation: row 0 is for row `firstRotated`, and so on; rows beyond it are not turned.
  /// - Source: Su et al., https://arxiv.org/abs/2104.09864.
  public func prepareHeads(
    _ matrix: Matrix, heads: Int, normalization: (scale: [Float], shift: [Float])?, epsilon: Float, factor: Float,
    rotation: RotaryTable?, firstRotated: Int = 0
  ) throws {
    precondition(heads > 0 && matrix.columns % heads == 0 && matrix.type == type, "heads that do not divide the width")
    let size = matrix.columns / heads
    precondition(normalization.map { $0.scale.count == size && $0.shift.count == size } ?? true, "a factor for each number of a head")
    precondition(rotation.map { $0.size == size } ?? true, "a rotation of other heads")
    let gamma = (normalization?.scale ?? Array(repeating: 1, count: size)).map { $0 * factor }
    let beta = (normalization?.shift ?? Array(repeating: 0, count: size)).map { $0 * factor }
    let rotated = firstRotated..<firstRotated + (rotation?.tokens ?? 0)
    try gamma.withUnsafeBufferPointer { gamma in
      try beta.withUnsafeBufferPointer { beta in
        try (rotation?.cosines ?? []).withUnsafeBufferPointer { cosines in
          try (rotation?.sines ?? []).withUnsafeBufferPointer { sines in
            guard let gamma = gamma.baseAddress, let beta = beta.baseAddress else { return }
            try forEachRow(matrix.rows) { row, thread in
              let numbers = scratch(thread, byteCount: size * 4)
              let angles = rotated.contains(row) ? (row - rotated.lowerBound) * size : nil
              let turn: Turn? = angles.flatMap { place in
                cosines.baseAddress.flatMap { cosines in sines.baseAddress.map { Turn(cosines: cosines + place, sines: $0 + place) } }
              }
              for head in 0..<heads {
                let address = matrix.row(row) + head * size * matrix.type.size
                if type == .bfloat16 {
                  Self.prepareHead(address, BFloat16.self, numbers, size, normalization != nil, epsilon, gamma, beta, turn)
                } else {
                  Self.prepareHead(address, Float32.self, numbers, size, normalization != nil, epsilon, gamma, beta, turn)
                }
              }
            }
          }
        }
      }
    }
  }

  private struct Turn {
    var cosines: UnsafePointer<Float>
    var sines: UnsafePointer<Float>
  }

  @inline(__always)
  private static func prepareHead<E: NumberFormat>(
    _ address: UnsafeMutableRawPointer, _: E.Type, _ numbers: UnsafeMutableRawPointer, _ size: Int, _ isNormalized: Bool, _ epsilon: Float,
    _ gamma: UnsafePointer<Float>, _ beta: UnsafePointer<Float>, _ turn: Turn?
  ) {
    mapRow(size, address, E.self, to: numbers, Float32.self) { $1 }
    let (mean, inverse) = isNormalized ? moments(numbers, size, epsilon) : (0, 1)
    mapRow(size, numbers, Float32.self, to: address, E.self) { index, x in
      let y = (x - mean) * inverse * eight(gamma, index, size) + eight(beta, index, size)
      guard let turn else { return y }
      let swapped = Floats(y[1], y[0], y[3], y[2], y[5], y[4], y[7], y[6])
      return y * eight(turn.cosines, index, size) + swapped * eight(turn.sines, index, size)
    }
  }
}
