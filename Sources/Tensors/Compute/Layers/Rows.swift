extension Compute {
  /// What is done to rows after a normalisation: y ← y · (1 + scale) + shift.
  public struct Modulation {
    /// The rows that it is for.
    public var rows: Range<Int>
    /// As many values as the matrix has columns; they stay valid while the function runs.
    public var shift: UnsafePointer<Float>
    /// As ``shift``; 0 leaves a number as large as it is.
    public var scale: UnsafePointer<Float>

    /// Copies nothing: the memory stays its owner's.
    public init(rows: Range<Int>, shift: UnsafePointer<Float>, scale: UnsafePointer<Float>) {
      self.rows = rows
      self.shift = shift
      self.scale = scale
    }
  }

  /// γ · (x − μ) / √(σ² + ε) + β of each row, then its modulation: `[rows][columns]` of float32 → the products' type.
  ///
  /// - Parameters:
  ///   - scale, shift: γ and β, `columns` values each; empty for 1 and 0.
  ///   - modulations: rows that are in none are not modulated; rows must not be in two.
  ///   - type: of the result, `int8` too; nil for that of the products.
  /// - Source: Ba, Kiros and Hinton, https://arxiv.org/abs/1607.06450; the modulation is DiT's adaLN, https://arxiv.org/abs/2212.09748.
  public func normalize(
    _ source: Matrix, scale: [Float], shift: [Float], epsilon: Float, modulations: [Modulation] = [], type: DataType? = nil
  ) throws -> Matrix {
    precondition(source.type == .float32, "rows of another type")
    let columns = source.columns
    precondition([0, columns].contains(scale.count) && scale.count == shift.count, "a factor for each column")
    let result = Matrix(rows: source.rows, columns: columns, type: type ?? self.type)
    let ordered = modulations.sorted { $0.rows.lowerBound < $1.rows.lowerBound }
    // 1 and 0 where a row has no factors of its own.
    let ones = [Float](repeating: 1, count: columns)
    let zeros = [Float](repeating: 0, count: columns)
    try scale.withUnsafeBufferPointer { scale in
      try shift.withUnsafeBufferPointer { shift in
        try ones.withUnsafeBufferPointer { ones in
          try zeros.withUnsafeBufferPointer { zeros in
            guard let ones = ones.baseAddress, let zeros = zeros.baseAddress else { return }
            let gamma = scale.isEmpty ? ones : scale.baseAddress ?? ones
            let beta = shift.isEmpty ? zeros : shift.baseAddress ?? zeros
            try forEachRow(source.rows) { row, thread in
              let modulation = ordered.last { $0.rows.lowerBound <= row }.flatMap { $0.rows.contains(row) ? $0 : nil }
              let (more, offset) = (modulation?.scale ?? zeros, modulation?.shift ?? zeros)
              let (mean, inverse) = Self.moments(source.row(row), columns, epsilon)
              @inline(__always)
              func value(_ index: Int, _ x: Floats) -> Floats {
                let y = (x - mean) * inverse * eight(gamma, index, columns) + eight(beta, index, columns)
                return y * (1 + eight(more, index, columns)) + eight(offset, index, columns)
              }
              if result.type == .int8 {
                let numbers = scratch(thread, byteCount: columns * 4)
                mapRow(columns, source.row(row), Float32.self, to: numbers, Float32.self, value)
                result.scales[row] = Quantization.quantize(columns, numbers, Float32.self, to: result.row(row))
              } else if result.type == .bfloat16 {
                mapRow(columns, source.row(row), Float32.self, to: result.row(row), BFloat16.self, value)
              } else {
                mapRow(columns, source.row(row), Float32.self, to: result.row(row), Float32.self, value)
              }
            }
          }
        }
      }
    }
    return result
  }

  /// A row's mean and 1 / √(variance + ε).
  @inline(__always)
  static func moments(_ row: UnsafeRawPointer, _ count: Int, _ epsilon: Float) -> (mean: Float, inverse: Float) {
    let values = row.assumingMemoryBound(to: Float.self)
    var sum = Floats()
    for index in stride(from: 0, to: count, by: 8) { sum += eight(values, index, count) }
    let mean = sum.sum() / Float(count)
    var squares = Floats()
    for index in stride(from: 0, to: count, by: 8) {
      var d = eight(values, index, count) - mean
      if index &+ 8 > count { for lane in count &- index..<8 { d[lane] = 0 } }
      squares += d * d
    }
    return (mean, 1 / (squares.sum() / Float(count) + epsilon).squareRoot())
  }

  /// x ← x + gate · y: `[rows][columns]`, both float32.
  ///
  /// - Parameters:
  ///   - rows: of `target`; as many of `source` are added, from its row `row` on.
  ///   - gate: `columns` factors, or nil for 1.
  public func add(_ source: Matrix, row: Int = 0, to target: Matrix, rows: Range<Int>? = nil, gate: UnsafePointer<Float>? = nil) throws {
    let rows = rows ?? 0..<target.rows
    precondition(source.columns == target.columns && source.type == .float32 && target.type == .float32, "matrices that do not match")
    precondition(rows.upperBound <= target.rows && row + rows.count <= source.rows, "rows beyond a matrix")
    let columns = source.columns
    try forEachRow(rows.count) { index, _ in
      let from = UnsafeRawPointer(source.row(row + index)).assumingMemoryBound(to: Float.self)
      let place = target.row(rows.lowerBound + index)
      mapRow(columns, place, Float32.self, to: place, Float32.self) { column, x in
        let y = eight(from, column, columns)
        return gate.map { x + y * eight($0, column, columns) } ?? x + y
      }
    }
  }
}

extension SIMD8<Float> {
  @inline(__always)
  package func sum() -> Float {
    let four = lowHalf + highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }
}
