extension Compute {
  /// γ · x / √(mean(x²) + ε) of each row: `[rows][columns]` of float32 → the products' type.
  ///
  /// - Parameters:
  ///   - scale: γ, `columns` values.
  ///   - type: of the result; nil for that of the products.
  /// - Source: Zhang and Sennrich, https://arxiv.org/abs/1910.07467.
  public func normalizeByRootMeanSquare(_ source: Matrix, scale: [Float], epsilon: Float, type: DataType? = nil) throws -> Matrix {
    let columns = source.columns
    precondition(source.type == .float32, "rows of another type")
    precondition(scale.count == columns, "a factor for each column")
    let result = Matrix(rows: source.rows, columns: columns, type: type ?? self.type)
    try scale.withUnsafeBufferPointer { scale in
      guard let gamma = scale.baseAddress else { return }
      try forEachRow(source.rows) { row, _ in
        let values = source.row(row).assumingMemoryBound(to: Float.self)
        var squares = Floats()
        for index in stride(from: 0, to: columns, by: 8) {
          let x = eight(values, index, columns)
          squares += x * x
        }
        let inverse = 1 / (squares.sum() / Float(columns) + epsilon).squareRoot()
        if result.type == .bfloat16 {
          mapRow(columns, values, Float32.self, to: result.row(row), BFloat16.self) { $1 * inverse * eight(gamma, $0, columns) }
        } else {
          mapRow(columns, values, Float32.self, to: result.row(row), Float32.self) { $1 * inverse * eight(gamma, $0, columns) }
        }
      }
    }
    return result
  }
}
