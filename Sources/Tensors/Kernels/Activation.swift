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
}
