import COneDNN

extension Kernel {
  /// yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ) of each row: `[rows][columns]`, which may be written over itself if the types are one.
  ///
  /// - Parameters:
  ///   - type: `float32` or `bfloat16`.
  ///   - destination: the result's type; nil for the same.
  public static func softmax(rows: Int, columns: Int, type: DataType, destination: DataType? = nil) throws(OneDNNError) -> Kernel {
    var layout = try Layout.dense([rows, columns], type).descriptor
    var result = try Layout.dense([rows, columns], destination ?? type).descriptor
    var operation = dnnl_softmax_v2_desc_t()
    let status = dnnl_softmax_v2_forward_desc_init(&operation, dnnl_forward_inference, dnnl_softmax_accurate, &layout, &result, 1)
    try OneDNN.check(status, "dnnl_softmax_v2_forward_desc_init")
    return try Kernel(KernelDescription(&operation))
  }

  /// y = γ · (x − μ) / √(σ² + ε) + β of each row, with its mean μ and its variance σ²: `[rows][columns]`, which may be
  /// written over itself.
  ///
  /// - Parameters:
  ///   - scale, shift: γ and β, `columns` values each.
  ///   - type: `float32` or `bfloat16`.
  /// - Source: Ba, Kiros and Hinton, "Layer Normalization" (https://arxiv.org/abs/1607.06450).
  public static func layerNormalization(
    rows: Int, columns: Int, scale: [Float], shift: [Float], epsilon: Float, type: DataType
  ) throws(OneDNNError) -> Kernel {
    var layout = try Layout.dense([rows, columns], type).descriptor
    var operation = dnnl_layer_normalization_desc_t()
    let flags = dnnl_use_scale.rawValue | dnnl_use_shift.rawValue
    let status = dnnl_layer_normalization_forward_desc_init(&operation, dnnl_forward_inference, &layout, nil, epsilon, UInt32(flags))
    try OneDNN.check(status, "dnnl_layer_normalization_forward_desc_init")
    return try Kernel(
      KernelDescription(&operation),
      constants: [(DNNL_ARG_SCALE, constant(scale, shape: [columns])), (DNNL_ARG_SHIFT, constant(shift, shape: [columns]))])
  }

  /// yᵢ = Σⱼ xᵢⱼ, in float32: `[rows][columns]` → `[rows]`.
  ///
  /// - Parameter type: `float32` or `bfloat16`.
  static func rowSums(rows: Int, columns: Int, type: DataType) throws(OneDNNError) -> Kernel {
    var layout = try Layout.dense([rows, columns], type).descriptor
    var result = try Layout.dense([rows, 1], .float32).descriptor
    var operation = dnnl_reduction_desc_t()
    let status = dnnl_reduction_desc_init(&operation, dnnl_reduction_sum, &layout, &result, 0, 0)
    try OneDNN.check(status, "dnnl_reduction_desc_init")
    return try Kernel(KernelDescription(&operation))
  }
}
