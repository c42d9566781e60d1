import COneDNN

extension OneDNNKernel {
  /// C = A·B, both given with each run: `[count][rows][inner]` and `[count][inner][columns]` → `[count][rows][columns]`.
  ///
  /// - Parameters:
  ///   - source, second, destination: element types; with a second of `int8` the source is `uint8` or `int8`.
  static func product(
    _ shape: ProductShape, source: DataType, second: DataType, destination: DataType, finish: Finish = Finish()
  ) throws(ComputeError) -> OneDNNKernel {
    let other = try Layout.matrices(shape.count, shape.inner, shape.columns, second, shape.second, isTransposed: shape.isSecondTransposed)
    return try OneDNNKernel(describe(shape, other, hasBias: false, source, destination, finish), takesSecond: true)
  }

  /// C = A·W + b: `[count][rows][inner]` → `[count][rows][columns]`.
  ///
  /// - Parameters:
  ///   - weights: of shape `[count][inner][columns]`, or `[1][inner][columns]` for the same with every matrix.
  ///   - bias: `columns` values, or nil for none.
  static func product(
    _ shape: ProductShape, _ weights: PackedWeights, bias: [Float]?, source: DataType, destination: DataType, finish: Finish = Finish()
  ) throws(ComputeError) -> OneDNNKernel {
    let any = shape.count == 1 ? try weights.anyMatrixLayout : try weights.anyLayout
    let description = try describe(shape, any, hasBias: bias != nil, source, destination, finish)
    let packed = try weights.operand(description.layout(dnnl_query_weights_md), isMatrix: shape.count == 1)
    let axes = shape.count == 1 ? [1, shape.columns] : [1, 1, shape.columns]
    return try OneDNNKernel(description, constants: [(DNNL_ARG_WEIGHTS, packed)] + OneDNNKernel.bias(bias, shape: axes))
  }

  /// C = A·B, both given with each run, B in the order of ``packedOrder(_:source:)``.
  static func product(
    _ shape: ProductShape, packed: Layout, source: DataType, destination: DataType, finish: Finish = Finish()
  ) throws(ComputeError) -> OneDNNKernel {
    try OneDNNKernel(describe(shape, packed, hasBias: false, source, destination, finish), takesSecond: true)
  }

  /// The order that oneDNN likes best for B.
  static func packedOrder(_ shape: ProductShape, source: DataType) throws(ComputeError) -> Layout {
    let any = try Layout.any([shape.inner, shape.columns], source)
    return try describe(shape, any, hasBias: false, source, .float32, Finish()).layout(dnnl_query_weights_md)
  }

  private static func describe(
    _ shape: ProductShape, _ second: Layout, hasBias: Bool, _ source: DataType, _ destination: DataType, _ finish: Finish
  ) throws(ComputeError) -> KernelDescription {
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
