/// Numbers as bytes: q = x / scale to the nearest, with scale = max |x| / 127 of a row, so that rows lose alike however large
/// they are.
///
/// Source: Dettmers et al., LLM.int8(), https://arxiv.org/abs/2208.07339 (vector-wise quantisation, without its outliers).
package enum Quantization {
  /// Writes a row of bytes.
  ///
  /// - Returns: what a byte is to be multiplied by; 0 for a row of zeros.
  @inline(__always)
  package static func quantize<E: NumberFormat>(_ count: Int, _ source: UnsafeRawPointer, _: E.Type, to target: UnsafeMutableRawPointer)
    -> Float
  {
    var largest = Floats()
    var index = 0
    while index &+ 8 <= count {
      let x = E.load(source + index &* E.size)
      let size = unsafeBitCast(unsafeBitCast(x, to: SIMD8<UInt32>.self) & 0x7FFF_FFFF, to: Floats.self)
      largest.replace(with: size, where: size .> largest)
      index &+= 8
    }
    var most = largest.max()
    while index < count {
      most = max(most, abs(E.loadOne(source + index &* E.size)))
      index &+= 1
    }
    let factor = most > 0 ? 127 / most : 0
    index = 0
    while index &+ 8 <= count {
      // Added to so large a number, what is behind the point is rounded away, to the nearest; the low byte is the whole number.
      let moved = E.load(source + index &* E.size) * factor + roundingNumber
      (target + index).storeBytes(
        of: SIMD8<UInt8>(truncatingIfNeeded: unsafeBitCast(moved, to: SIMD8<UInt32>.self)), as: SIMD8<UInt8>.self)
      index &+= 8
    }
    while index < count {
      let moved = E.loadOne(source + index &* E.size) * factor + roundingNumber
      (target + index).storeBytes(of: UInt8(truncatingIfNeeded: moved.bitPattern), as: UInt8.self)
      index &+= 1
    }
    return most / 127
  }

  /// 1.5 · 2²³
  private static var roundingNumber: Float { 12_582_912 }

  /// Weights as whole numbers, each row with its scale.
  ///
  /// - Parameter values: `[rows][columns]`
  /// - Returns: nil if they lose more than ``tolerance``.
  static func quantized(_ values: [Float], rows: Int, columns: Int) -> (values: [Float], scales: [Float])? {
    var result = [Float](repeating: 0, count: values.count)
    var scales = [Float](repeating: 0, count: rows)
    var bytes = [Int8](repeating: 0, count: columns)
    var (lost, total) = (0.0, 0.0)
    values.withUnsafeBytes { values in
      guard let base = values.baseAddress else { return }
      for row in 0..<rows {
        let scale = bytes.withUnsafeMutableBytes { bytes in
          bytes.baseAddress.map { quantize(columns, base + row * columns * 4, Float32.self, to: $0) } ?? 0
        }
        scales[row] = scale
        let line = base.assumingMemoryBound(to: Float.self) + row * columns
        var (rowLost, rowTotal) = (Float(0), Float(0))
        for column in 0..<columns {
          let whole = Float(bytes[column])
          result[row * columns + column] = whole
          let difference = whole * scale - line[column]
          rowLost += difference * difference
          rowTotal += line[column] * line[column]
        }
        lost += Double(rowLost)
        total += Double(rowTotal)
      }
    }
    // The root of the mean square, relative to that of the weights; nothing is lost of zeros, all of what is not finite.
    return lost <= total * tolerance * tolerance ? (result, scales) : nil
  }

  /// What weights may lose, relative and as a root mean square. Normally distributed ones lose 0.7 to 0.9 % in rows of hundreds to
  /// thousands.
  static var tolerance: Double { 0.01 }
}

extension Compute {
  /// Rows as bytes.
  func quantized(_ source: Matrix) throws -> Matrix {
    guard source.type != .int8 else { return source }
    let result = Matrix(rows: source.rows, columns: source.columns, type: .int8)
    try forEachRow(source.rows) { row, _ in
      let (from, to) = (source.row(row), result.row(row))
      result.scales[row] =
        source.type == .bfloat16
        ? Quantization.quantize(source.columns, from, BFloat16.self, to: to)
        : Quantization.quantize(source.columns, from, Float32.self, to: to)
    }
    return result
  }
}
