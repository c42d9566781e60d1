/// Products of matrices, one after the other.
final class OpenBLASProduct: KernelBody {
  let implementation = "openblas:sgemm"
  var takesSecond: Bool { weights == nil }
  private let library: OpenBLAS
  private let shape: ProductShape
  /// Elements from one row, and from one matrix, to the next.
  private let first: (row: Int, matrix: Int)
  private let second: (row: Int, matrix: Int)
  private let result: (row: Int, matrix: Int)
  private let weights: AlignedMemory?
  private let finish: OpenBLASFinish

  /// Of two operands.
  convenience init(_ shape: ProductShape, finish: Finish) throws(ComputeError) { try self.init(shape, weights: nil, bias: nil, finish) }

  /// - Parameters:
  ///   - weights: `[count][inner][columns]`, or `[1][inner][columns]` for all.
  ///   - isTransposed: they are `[columns][inner]`.
  convenience init(
    _ shape: ProductShape, _ weights: PackedWeights, isTransposed: Bool, bias: [Float]?, finish: Finish
  ) throws(ComputeError) {
    var shape = shape
    shape.isSecondTransposed = false
    shape.second = MatrixStrides()
    let matrices = isTransposed ? [] : [weights.shape.first == 1 ? 1 : shape.count]
    if matrices == [1] { shape.second.matrix = 0 }
    let memory = try weights.operand(
      matrices + (isTransposed ? [shape.columns, shape.inner] : [shape.inner, shape.columns]), isTransposed: isTransposed)
    try self.init(shape, weights: memory, bias: bias, finish)
  }

  private init(_ shape: ProductShape, weights: AlignedMemory?, bias: [Float]?, _ finish: Finish) throws(ComputeError) {
    self.shape = shape
    self.weights = weights
    self.finish = try OpenBLASFinish(finish, bias: bias, columns: shape.columns)
    let (height, width) = shape.isSecondTransposed ? (shape.columns, shape.inner) : (shape.inner, shape.columns)
    first = try Self.strides(shape.count, shape.rows, shape.inner, shape.first)
    second = try Self.strides(shape.count, height, width, shape.second)
    result = try Self.strides(shape.count, shape.rows, shape.columns, shape.result)
    library = try OpenBLAS.loaded.get()
  }

  /// - Throws: for sizes that no memory has, or whose rows overlap.
  private static func strides(_ count: Int, _ rows: Int, _ columns: Int, _ strides: MatrixStrides) throws(ComputeError) -> (
    row: Int, matrix: Int
  ) {
    let row = strides.row ?? columns
    guard count >= 0, rows >= 0, columns >= 0, row >= columns, [rows, columns, row].allSatisfy({ $0 <= Int(Int32.max) }),
      let extent = Extent(shape: [count, rows, row], type: .float32)
    else { throw ComputeError(call: "a product of matrices of this size", status: 2) }
    return (row, strides.matrix ?? extent.strides[0])
  }

  func run(
    _ source: UnsafeMutableRawPointer, _ second: UnsafeMutableRawPointer?, to destination: UnsafeMutableRawPointer, on stream: Stream
  ) throws(ComputeError) {
    guard let other = weights?.base ?? second else { return }
    for index in 0..<shape.count {
      let target = (destination + index * result.matrix * 4).assumingMemoryBound(to: Float.self)
      library.multiply(
        OpenBLAS.Operand(source + index * first.matrix * 4, row: first.row),
        OpenBLAS.Operand(other + index * self.second.matrix * 4, row: self.second.row), isTransposed: shape.isSecondTransposed, to: target,
        row: result.row, rows: shape.rows, inner: shape.inner, columns: shape.columns, accumulates: finish.accumulates)
      finish.apply(shape.rows, shape.columns, target, row: result.row)
    }
  }
}
