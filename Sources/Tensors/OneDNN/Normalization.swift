import COneDNN

extension OneDNNKernel {
  /// yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ) of each row: `[rows][columns]`, which may be written over itself if the types are one.
  ///
  /// - Parameters:
  ///   - type: `float32` or `bfloat16`.
  ///   - destination: the result's type; nil for the same.
  static func softmax(rows: Int, columns: Int, type: DataType, destination: DataType? = nil) throws(ComputeError) -> OneDNNKernel {
    let layout = try Layout.dense([rows, columns], type)
    let result = try Layout.dense([rows, columns], destination ?? type)
    return try OneDNNKernel(
      KernelDescription("dnnl_softmax_forward_primitive_desc_create") {
        dnnl_softmax_forward_primitive_desc_create(
          $0, $1, dnnl_forward_inference, dnnl_softmax_accurate, layout.handle, result.handle, 1, $2)
      })
  }

  /// y = γ · (x − μ) / √(σ² + ε) + β of each row, with its mean μ and its variance σ²: `[rows][columns]`, which may be
  /// written over itself.
  ///
  /// - Parameters:
  ///   - scale, shift: γ and β, `columns` values each.
  ///   - type: `float32` or `bfloat16`.
  /// - Source: Ba, Kiros and Hinton, "Layer Normalization" (https://arxiv.org/abs/1607.06450).
  static func layerNormalization(
    rows: Int, columns: Int, scale: [Float], shift: [Float], epsilon: Float, type: DataType
  ) throws(ComputeError) -> OneDNNKernel {
    let layout = try Layout.dense([rows, columns], type)
    let flags = dnnl_use_scale.rawValue | dnnl_use_shift.rawValue
    return try OneDNNKernel(
      KernelDescription("dnnl_layer_normalization_forward_primitive_desc_create") {
        dnnl_layer_normalization_forward_primitive_desc_create(
          $0, $1, dnnl_forward_inference, layout.handle, layout.handle, nil, epsilon, UInt32(flags), $2)
      },
      constants: [(DNNL_ARG_SCALE, constant(scale, shape: [columns])), (DNNL_ARG_SHIFT, constant(shift, shape: [columns]))])
  }

  /// yᵢ = Σⱼ xᵢⱼ, in float32: `[rows][columns]` → `[rows]`.
  ///
  /// - Parameter type: `float32` or `bfloat16`.
  static func rowSums(rows: Int, columns: Int, type: DataType) throws(ComputeError) -> OneDNNKernel {
    let layout = try Layout.dense([rows, columns], type)
    let result = try Layout.dense([rows, 1], .float32)
    return try OneDNNKernel(
      KernelDescription("dnnl_reduction_primitive_desc_create") {
        dnnl_reduction_primitive_desc_create($0, $1, dnnl_reduction_sum, layout.handle, result.handle, 0, 0, $2)
      })
  }
}
