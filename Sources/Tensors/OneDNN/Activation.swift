import COneDNN

/// A function of each element by itself.
public enum Activation: CaseIterable, Hashable, Sendable {
  /// max(x, 0)
  case relu
  /// x/2 · (1 + tanh(√(2/π) · (x + 0.044715·x³))). Source: Hendrycks and Gimpel, https://arxiv.org/abs/1606.08415.
  case geluTanh
  /// x/2 · (1 + erf(x / √2))
  case gelu
  /// x / (1 + e⁻ˣ), also called SiLU.
  case swish
  /// 1 / (1 + e⁻ˣ)
  case logistic
  case tanh
  /// eˣ
  case exp

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

extension Kernel {
  /// y = f(x) of `count` elements, which may be written over themselves.
  ///
  /// - Parameter type: `float32` or `bfloat16`.
  public static func activation(_ function: Activation, count: Int, type: DataType) throws(OneDNNError) -> Kernel {
    let layout = try Layout.dense([count], type)
    return try Kernel(
      KernelDescription("dnnl_eltwise_forward_primitive_desc_create") { result, engine, attributes in
        dnnl_eltwise_forward_primitive_desc_create(
          result, engine, dnnl_forward_inference, function.oneDNN, layout.handle, layout.handle, function.alpha, 0, attributes)
      })
  }
}
