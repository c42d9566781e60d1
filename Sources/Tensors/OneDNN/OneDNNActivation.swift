import COneDNN

extension Activation {
  var oneDNN: dnnl_alg_kind_t {
    switch self {
    case .relu: dnnl_eltwise_relu
    case .geluTanh: dnnl_eltwise_gelu_tanh
    case .gelu: dnnl_eltwise_gelu_erf
    case .swish: dnnl_eltwise_swish
    case .logistic: dnnl_eltwise_logistic
    case .tanh: dnnl_eltwise_tanh
    case .exp: dnnl_eltwise_exp
    }
  }

  /// Swish is x · σ(α·x), ReLU α·x below zero.
  var alpha: Float { self == .swish ? 1 : 0 }
}

extension OneDNNKernel {
  /// y = f(x) of `count` elements, which may be written over themselves.
  ///
  /// - Parameter type: `float32` or `bfloat16`.
  static func activation(_ function: Activation, count: Int, type: DataType) throws(ComputeError) -> OneDNNKernel {
    let layout = try Layout.dense([count], type)
    return try OneDNNKernel(
      KernelDescription("dnnl_eltwise_forward_primitive_desc_create") { result, engine, attributes in
        dnnl_eltwise_forward_primitive_desc_create(
          result, engine, dnnl_forward_inference, function.oneDNN, layout.handle, layout.handle, function.alpha, 0, attributes)
      })
  }
}
