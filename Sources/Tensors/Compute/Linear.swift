/// y = x·Wᵀ + b, with weights in the order that the processor likes best.
///
/// The weights are read when the first rows are to be multiplied.
public final class Linear {
  public let inputs: Int
  public let outputs: Int
  private let bias: [Float]?
  private let packed: PackedWeights
  private let reading: Reading
  private let type: DataType
  private var kernels: [Shape: [Kernel?]] = [:]

  private struct Shape: Hashable {
    var rows: Int
    var destination: DataType
    var activation: Activation?
  }

  /// Where a reading that failed leaves its error.
  private final class Reading {
    let read: () throws -> [Float]
    var failure: (any Error)?
    init(_ read: @escaping () throws -> [Float]) { self.read = read }
  }

  /// - Parameters:
  ///   - bias: `outputs` values, or nil for none.
  ///   - weights: `[outputs][inputs]`; asked for once, or again if another number of rows wants another order.
  public init(inputs: Int, outputs: Int, bias: [Float]?, type: DataType, weights: @escaping () throws -> [Float]) {
    self.inputs = inputs
    self.outputs = outputs
    self.bias = bias
    self.type = type
    let reading = Reading(weights)
    self.reading = reading
    packed = PackedWeights(shape: [1, inputs, outputs], type: type, isTransposed: true) {
      do { return try reading.read() } catch {
        reading.failure = error
        return nil
      }
    }
  }

  /// - Parameters:
  ///   - rows: of `source`; nil for all.
  ///   - type: of the result; nil for that of the products.
  /// - Returns: `[rows][outputs]`
  public func callAsFunction(
    _ source: Matrix, rows: Range<Int>? = nil, activation: Activation? = nil, type: DataType? = nil, on compute: Compute
  ) throws -> Matrix {
    let rows = rows ?? 0..<source.rows
    let result = Matrix(rows: rows.count, columns: outputs, type: type ?? self.type)
    try callAsFunction(source, rows: rows, to: result, row: 0, activation: activation, on: compute)
    return result
  }

  /// - Parameters:
  ///   - source: in the products' element type.
  ///   - row: the first row of `result` that is written.
  public func callAsFunction(
    _ source: Matrix, rows: Range<Int>, to result: Matrix, row: Int, activation: Activation? = nil, on compute: Compute
  ) throws {
    precondition(source.columns == inputs && result.columns == outputs && source.type == type, "a matrix of another shape or type")
    precondition(rows.lowerBound >= 0 && rows.upperBound <= source.rows && row >= 0 && row + rows.count <= result.rows, "rows beyond a matrix")
    guard !rows.isEmpty else { return }
    let strip = Self.strip(rows.count)
    let strips = (rows.count + strip - 1) / strip
    // Kernels are made here: weights are packed by one thread.
    for count in Set([strip, rows.count - (strips - 1) * strip]) {
      let shape = Shape(rows: count, destination: result.type, activation: activation)
      for thread in 0..<(strips == 1 ? 1 : compute.threads) where kernels[shape]?[thread] == nil {
        let kernel = try make(shape)
        kernels[shape, default: Array(repeating: nil, count: compute.threads)][thread] = kernel
      }
    }
    try compute.forEach(strips) { piece, thread in
      let first = piece * strip
      let shape = Shape(rows: min(strip, rows.count - first), destination: result.type, activation: activation)
      guard let kernel = kernels[shape]?[thread] else { throw OneDNNError(call: "a kernel that was not made", status: 3) }
      try kernel.run(source.row(rows.lowerBound + first), to: result.row(row + first), on: compute.stream(thread))
    }
    compute.count(operations: 2 * Double(rows.count) * Double(inputs) * Double(outputs))
  }

  private func make(_ shape: Shape) throws -> Kernel {
    reading.failure = nil
    do {
      return try Kernel.product(
        ProductShape(rows: shape.rows, inner: inputs, columns: outputs), packed, bias: bias, source: type, destination: shape.destination,
        finish: Finish(activation: shape.activation))
    } catch { throw reading.failure ?? error }
  }

  /// Enough rows at once that reading the weights costs little, few enough that all threads have work. The number of threads
  /// has no part in it: kernels of other sizes may round otherwise.
  private static func strip(_ rows: Int) -> Int { min(rows >= 4096 ? 512 : rows >= 512 ? 128 : 64, rows) }
}
