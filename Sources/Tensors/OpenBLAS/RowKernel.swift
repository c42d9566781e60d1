/// What is done row by row without a product, in float32.
final class RowKernel: KernelBody {
  let implementation = "simd"
  let takesSecond = false
  private let body: (_ source: UnsafeMutableRawPointer, _ target: UnsafeMutableRawPointer) -> Void

  private init(_ body: @escaping (UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> Void) { self.body = body }

  func run(
    _ source: UnsafeMutableRawPointer, _ second: UnsafeMutableRawPointer?, to destination: UnsafeMutableRawPointer, on stream: Stream
  ) throws(ComputeError) { body(source, destination) }

  private static func check(_ shape: [Int]) throws(ComputeError) {
    guard Extent(shape: shape, type: .float32) != nil else { throw ComputeError(call: "rows of an impossible size", status: 2) }
  }

  static func activation(_ function: Activation, count: Int) throws(ComputeError) -> RowKernel {
    try check([count])
    return RowKernel {
      ElementRows(activation: function, bias: nil, rows: 1, columns: count, source: $0, target: $1, rowSize: 0).apply()
    }
  }

  static func softmax(rows: Int, columns: Int) throws(ComputeError) -> RowKernel {
    try check([rows, columns])
    return RowKernel { source, target in
      for row in 0..<rows { softmax(source + row &* columns &* 4, columns, to: target + row &* columns &* 4) }
    }
  }

  private static func softmax(_ source: UnsafeRawPointer, _ columns: Int, to target: UnsafeMutableRawPointer) {
    var largest = Floats(repeating: -.infinity)
    let whole = columns & ~7
    for index in stride(from: 0, to: whole, by: 8) {
      let x = Float32.load(source + index &* 4)
      largest.replace(with: x, where: x .> largest)
    }
    var maximum = largest.max()
    for index in whole..<columns { maximum = max(maximum, Float32.loadOne(source + index &* 4)) }
    mapRow(columns, source, Float32.self, to: target, Float32.self) { Exponential.value($1 - maximum) }
    let factor = 1 / sum(target, columns)
    mapRow(columns, target, Float32.self, to: target, Float32.self) { $1 * factor }
  }

  private static func sum(_ row: UnsafeRawPointer, _ columns: Int) -> Float {
    let values = row.assumingMemoryBound(to: Float.self)
    var sums = Floats()
    for index in stride(from: 0, to: columns, by: 8) { sums += eight(values, index, columns) }
    return sums.sum()
  }

  static func layerNormalization(rows: Int, columns: Int, scale: [Float], shift: [Float], epsilon: Float) throws(ComputeError) -> RowKernel
  {
    try check([rows, columns])
    guard scale.count == columns, shift.count == columns else { throw ComputeError(call: "a value for each channel", status: 2) }
    return RowKernel { source, target in
      scale.withUnsafeBufferPointer { scale in
        shift.withUnsafeBufferPointer { shift in
          guard let gamma = scale.baseAddress, let beta = shift.baseAddress else { return }
          for row in 0..<rows {
            let line = source + row &* columns &* 4
            let (mean, inverse) = Compute.moments(line, columns, epsilon)
            mapRow(columns, line, Float32.self, to: target + row &* columns &* 4, Float32.self) {
              ($1 - mean) * inverse * eight(gamma, $0, columns) + eight(beta, $0, columns)
            }
          }
        }
      }
    }
  }

  static func rowSums(rows: Int, columns: Int) throws(ComputeError) -> RowKernel {
    try check([rows, columns])
    return RowKernel { source, target in
      for row in 0..<rows { Float32.storeOne(sum(source + row &* columns &* 4, columns), target + row &* 4) }
    }
  }

  /// `[rows][columns]`, or the transpose of `[columns][rows]`.
  static func copy(rows: Int, columns: Int, isTransposed: Bool, type: DataType) throws(ComputeError) -> RowKernel {
    try OpenBLAS.checkTypes(type)
    try check([rows, columns])
    return RowKernel { source, target in
      guard isTransposed else { return target.copyMemory(from: source, byteCount: rows &* columns &* 4) }
      let (from, to) = (source.assumingMemoryBound(to: Float.self), target.assumingMemoryBound(to: Float.self))
      // In tiles whose lines stay in the first cache.
      for top in stride(from: 0, to: rows, by: 16) {
        for left in stride(from: 0, to: columns, by: 16) {
          for row in top..<min(top &+ 16, rows) {
            for column in left..<min(left &+ 16, columns) { to[row &* columns &+ column] = from[column &* rows &+ row] }
          }
        }
      }
    }
  }
}
