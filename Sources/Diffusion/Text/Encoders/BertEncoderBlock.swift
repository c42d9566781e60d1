import Tensors

/// One block of BERT: attention and a feed-forward network, each added to what came in and normalised after that.
///
/// Its matrices are read when they are first multiplied.
struct BertEncoderBlock {
  private let configuration: BertEncoderConfiguration
  private let query: Linear
  private let key: Linear
  private let value: Linear
  private let output: Linear
  private let attentionNormalization: LayerNormalization
  private let first: Linear
  private let second: Linear
  private let forwardNormalization: LayerNormalization

  /// - Parameters:
  ///   - prefix: of the block's tensors.
  ///   - type: the products'.
  init(prefix: String, _ configuration: BertEncoderConfiguration, _ weights: WeightReader, type: DataType) throws(WeightsError) {
    let (width, wide) = (configuration.width, configuration.feedForwardWidth)
    func linear(_ name: String, _ inputs: Int, _ outputs: Int) throws(WeightsError) -> Linear {
      try weights.linear(prefix + name, inputs: inputs, outputs: outputs, type: type)
    }
    self.configuration = configuration
    query = try linear("attention.self.query", width, width)
    key = try linear("attention.self.key", width, width)
    value = try linear("attention.self.value", width, width)
    output = try linear("attention.output.dense", width, width)
    attentionNormalization = try LayerNormalization(prefix + "attention.output.LayerNorm", configuration, weights)
    first = try linear("intermediate.dense", width, wide)
    second = try linear("output.dense", wide, width)
    forwardNormalization = try LayerNormalization(prefix + "output.LayerNorm", configuration, weights)
  }

  /// - Parameters:
  ///   - x: `[T][D]` of float32, written over.
  ///   - tokens: the first rows; those behind them are neither attended to nor of use.
  /// - Returns: `[T][D]` of float32.
  func callAsFunction(_ x: Matrix, tokens: Int, on compute: Compute) throws -> Matrix {
    let source = try x.converted(to: compute.type, on: compute)
    let queries = try query(source, on: compute)  // [T, D]
    let factor = 1 / Float(configuration.width / configuration.heads).squareRoot()
    try compute.prepareHeads(queries, heads: configuration.heads, normalization: nil, epsilon: 0, factor: factor, rotation: nil)
    let (keys, values) = (try key(source, on: compute), try value(source, on: compute))
    let group = AttentionGroup(queries: 0..<tokens, keys: [AttentionGroup.Keys(0..<tokens)])
    let mixed = try compute.attend(queries, [(keys, values)], heads: configuration.heads, groups: [group])
    try compute.add(output(mixed, type: .float32, on: compute), to: x)
    let y = try attentionNormalization(x, on: compute)  // [T, D]
    let wide = try first(y.converted(to: compute.type, on: compute), activation: configuration.activation, on: compute)  // [T, F]
    try compute.add(second(wide, type: .float32, on: compute), to: y)
    return try forwardNormalization(y, on: compute)
  }
}

/// γ, β and ε of a layer normalisation.
struct LayerNormalization {
  private let scale: [Float]
  private let shift: [Float]
  private let epsilon: Float

  /// - Parameter name: of the tensors, without `.weight` and `.bias`.
  init(_ name: String, _ configuration: BertEncoderConfiguration, _ weights: WeightReader) throws(WeightsError) {
    (scale, shift) = try weights.norm(name, size: configuration.width)
    epsilon = configuration.epsilon
  }

  /// - Returns: in float32, as what comes in.
  func callAsFunction(_ x: Matrix, on compute: Compute) throws -> Matrix {
    try compute.normalize(x, scale: scale, shift: shift, epsilon: epsilon, type: .float32)
  }
}
