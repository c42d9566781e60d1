import Tensors

/// One block of a T5 encoder: attention and a feed-forward network, each behind a normalisation and added to what came in.
///
/// Its matrices are read when they are first multiplied.
struct T5EncoderBlock {
  private let configuration: T5EncoderConfiguration
  private let attentionScale: [Float]
  private let forwardScale: [Float]
  private let query: Linear
  private let key: Linear
  private let value: Linear
  private let output: Linear
  /// wi, or wi_0 if there is a gate.
  private let first: Linear
  /// wi_1
  private let gate: Linear?
  private let second: Linear

  private static func prefix(_ index: Int) -> String { "encoder.block.\(index)." }

  /// Of the biases for positions, which are read for each text.
  static func biasName(_ index: Int) -> String { prefix(index) + "layer.0.SelfAttention.relative_attention_bias.weight" }

  /// - Parameter type: the products'.
  init(_ index: Int, _ configuration: T5EncoderConfiguration, _ weights: WeightReader, type: DataType) throws(WeightsError) {
    let attention = Self.prefix(index) + "layer.0."
    let forward = Self.prefix(index) + "layer.1."
    func linear(_ name: String, _ inputs: Int, _ outputs: Int) throws(WeightsError) -> Linear {
      try weights.linear(name, inputs: inputs, outputs: outputs, hasBias: false, type: type)
    }
    let (width, inner, wide) = (configuration.width, configuration.innerWidth, configuration.feedForwardWidth)
    self.configuration = configuration
    if index == 0 || configuration.hasBiasPerBlock { weights.expect(Self.biasName(index), [configuration.buckets, configuration.heads]) }
    attentionScale = try weights.floats(attention + "layer_norm.weight", [width])
    forwardScale = try weights.floats(forward + "layer_norm.weight", [width])
    query = try linear(attention + "SelfAttention.q", width, inner)
    key = try linear(attention + "SelfAttention.k", width, inner)
    value = try linear(attention + "SelfAttention.v", width, inner)
    output = try linear(attention + "SelfAttention.o", inner, width)
    first = try linear(forward + (configuration.isGated ? "DenseReluDense.wi_0" : "DenseReluDense.wi"), width, wide)
    gate = configuration.isGated ? try linear(forward + "DenseReluDense.wi_1", width, wide) : nil
    second = try linear(forward + "DenseReluDense.wo", wide, width)
  }

  /// - Parameters:
  ///   - x: `[T][D]` of float32, written over.
  ///   - attended: the first tokens, which all attend to.
  func callAsFunction(_ x: Matrix, attended: Int, _ positions: T5EncoderPositions, on compute: Compute) throws {
    try attend(x, attended: attended, positions, on: compute)
    // F(x) = W₂·(f(W₁·x) ⊙ V·x)
    let normal = try compute.normalizeByRootMeanSquare(x, scale: forwardScale, epsilon: configuration.epsilon)  // [T, D]
    let wide = try first(normal, activation: configuration.activation, on: compute)  // [T, F]
    if let gate { try compute.multiply(wide, by: gate(normal, on: compute)) }
    try compute.add(second(wide, type: .float32, on: compute), to: x)
  }

  private func attend(_ x: Matrix, attended: Int, _ positions: T5EncoderPositions, on compute: Compute) throws {
    let normal = try compute.normalizeByRootMeanSquare(x, scale: attentionScale, epsilon: configuration.epsilon)  // [T, D]
    // [T, H·d]; scores are not scaled: that is in the weights.
    let queries = try query(normal, on: compute)
    let (keys, values) = (try key(normal, on: compute), try value(normal, on: compute))
    let group = AttentionGroup(queries: 0..<x.rows, keys: [AttentionGroup.Keys(0..<attended)])
    let mixed = try positions.withPointers { bias in
      try compute.attend(queries, [(keys, values)], heads: configuration.heads, groups: [group], bias: bias)
    }
    try compute.add(output(mixed, type: .float32, on: compute), to: x)
  }
}
