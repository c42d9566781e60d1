/// What is done to each sum before it is written.
public struct Finish {
  /// Factors, one for each output channel or one for all; empty for none. For kernels of bytes without a bias, which oneDNN 2
  /// would multiply too, and oneDNN 3 would not.
  public var scales: [Float] = []
  /// The sum is added to what is there.
  public var accumulates = false
  /// Applied last.
  public var activation: Activation?

  /// Nothing is done by default.
  public init(scales: [Float] = [], accumulates: Bool = false, activation: Activation? = nil) {
    self.scales = scales
    self.accumulates = accumulates
    self.activation = activation
  }
}
