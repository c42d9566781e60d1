import COneDNN

/// How matrices lie in memory.
public struct MatrixStrides {
  /// Elements from one row to the next; nil for rows without gaps.
  public var row: Int?
  /// Elements from one matrix to the next; nil for matrices without gaps.
  public var matrix: Int?

  public init(row: Int? = nil, matrix: Int? = nil) {
    self.row = row
    self.matrix = matrix
  }
}

/// The shape of C = A·B for `count` pairs of matrices.
public struct ProductShape {
  public var count: Int
  /// Of A and C.
  public var rows: Int
  /// Columns of A, rows of B.
  public var inner: Int
  /// Of B and C.
  public var columns: Int
  /// Of A.
  public var first = MatrixStrides()
  /// Of B; if it is transposed, of what lies in memory.
  public var second = MatrixStrides()
  /// Of C.
  public var result = MatrixStrides()
  /// B lies in memory as `[columns][inner]`. For products of two operands.
  public var isSecondTransposed = false

  public init(count: Int = 1, rows: Int, inner: Int, columns: Int) {
    self.count = count
    self.rows = rows
    self.inner = inner
    self.columns = columns
  }
}

extension Kernel {
  /// C = A·B, both given with each run: `[count][rows][inner]` and `[count][inner][columns]` → `[count][rows][columns]`.
  ///
  /// - Parameters:
  ///   - source, second, destination: element types; with a second of `int8` the source is `uint8` or `int8`.
  public static func product(
    _ shape: ProductShape, source: DataType, second: DataType, destination: DataType, finish: Finish = Finish()
  ) throws(OneDNNError) -> Kernel {
    let other = try Layout.matrices(shape.count, shape.inner, shape.columns, second, shape.second, isTransposed: shape.isSecondTransposed)
    return try Kernel(describe(shape, other, hasBias: false, source, destination, finish), takesSecond: true)
  }

  /// C = A·W + b: `[count][rows][inner]` → `[count][rows][columns]`.
  ///
  /// - Parameters:
  ///   - weights: of shape `[count][inner][columns]`, or `[1][inner][columns]` for the same with every matrix.
  ///   - bias: `columns` values, or nil for none.
  public static func product(
    _ shape: ProductShape, _ weights: PackedWeights, bias: [Float]?, source: DataType, destination: DataType, finish: Finish = Finish()
  ) throws(OneDNNError) -> Kernel {
    let any = shape.count == 1 ? try weights.anyMatrixLayout : try weights.anyLayout
    let description = try describe(shape, any, hasBias: bias != nil, source, destination, finish)
    let packed = try weights.operand(description.layout(dnnl_query_weights_md), isMatrix: shape.count == 1)
    let axes = shape.count == 1 ? [1, shape.columns] : [1, 1, shape.columns]
    return try Kernel(description, constants: [(DNNL_ARG_WEIGHTS, packed)] + Kernel.bias(bias, shape: axes))
  }

  /// C = A·B, both given with each run, B in the order of ``packedOrder(_:source:)``.
  static func product(
    _ shape: ProductShape, packed: Layout, source: DataType, destination: DataType, finish: Finish = Finish()
  ) throws(OneDNNError) -> Kernel {
    try Kernel(describe(shape, packed, hasBias: false, source, destination, finish), takesSecond: true)
  }

  /// The order that oneDNN likes best for B.
  static func packedOrder(_ shape: ProductShape, source: DataType) throws(OneDNNError) -> Layout {
    let any = try Layout.any([shape.inner, shape.columns], source)
    return try describe(shape, any, hasBias: false, source, .float32, Finish()).layout(dnnl_query_weights_md)
  }

  private static func describe(
    _ shape: ProductShape, _ second: Layout, hasBias: Bool, _ source: DataType, _ destination: DataType, _ finish: Finish
  ) throws(OneDNNError) -> KernelDescription {
    let from = try Layout.matrices(shape.count, shape.rows, shape.inner, source, shape.first)
    let to = try Layout.matrices(shape.count, shape.rows, shape.columns, destination, shape.result)
    let axes = shape.count == 1 ? [1, shape.columns] : [1, 1, shape.columns]
    let offset = hasBias ? try Layout.dense(axes, .float32) : nil
    let column: Int32 = shape.count == 1 ? 1 : 2
    return try KernelDescription(
      "dnnl_matmul_primitive_desc_create", finish, channels: shape.columns, axis: column, weightsAxis: column
    ) { dnnl_matmul_primitive_desc_create($0, $1, from.handle, second.handle, offset?.handle, to.handle, $2) }
  }
}
