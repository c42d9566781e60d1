import Tensors

/// A block: joint attention over text and video, then a feed-forward layer, each after a modulated normalisation and behind
/// a gate.
///
/// Source: diffusers, `CogVideoXBlock`; Peebles and Xie, https://arxiv.org/abs/2212.09748.
final class TransformerBlock {
  private let configuration: TransformerConfiguration
  private let modulations: [Linear]
  private let norms: [(scale: [Float], shift: [Float])]
  private let query: Linear
  private let key: Linear
  private let value: Linear
  private let output: Linear
  private let queryNorm: (scale: [Float], shift: [Float])
  private let keyNorm: (scale: [Float], shift: [Float])
  private let widening: Linear
  private let narrowing: Linear

  init(_ layer: Int, _ configuration: TransformerConfiguration, _ weights: WeightReader, type: DataType) throws(WeightsError) {
    self.configuration = configuration
    let width = configuration.width
    let prefix = "transformer_blocks.\(layer)."
    func linear(_ name: String, _ inputs: Int, _ outputs: Int, hasBias: Bool = true, type: DataType) throws(WeightsError) -> Linear {
      try weights.linear(prefix + name, inputs: inputs, outputs: outputs, hasBias: hasBias, type: type)
    }
    func norm(_ name: String, _ size: Int, isAffine: Bool = true) throws(WeightsError) -> (scale: [Float], shift: [Float]) {
      try weights.norm(prefix + name, size: size, isAffine: isAffine)
    }
    // Few rows, and every token depends on them: float32.
    modulations = try ["norm1", "norm2"].map { (name) throws(WeightsError) in
      try linear(name + ".linear", configuration.timeWidth, 6 * width, type: .float32)
    }
    norms = try ["norm1", "norm2"].map { (name) throws(WeightsError) in
      try norm(name + ".norm", width, isAffine: configuration.isAffine)
    }
    query = try linear("attn1.to_q", width, width, hasBias: configuration.hasAttentionBias, type: type)
    key = try linear("attn1.to_k", width, width, hasBias: configuration.hasAttentionBias, type: type)
    value = try linear("attn1.to_v", width, width, hasBias: configuration.hasAttentionBias, type: type)
    output = try linear("attn1.to_out.0", width, width, type: type)
    queryNorm = try norm("attn1.norm_q", configuration.headSize)
    keyNorm = try norm("attn1.norm_k", configuration.headSize)
    widening = try linear("ff.net.0.proj", width, 4 * width, type: type)
    narrowing = try linear("ff.net.2", 4 * width, width, type: type)
  }

  /// Of the feed-forward layer, whose inner numbers are four times as many as others.
  static let tokensAtOnce = 4096

  /// Rows of the hidden state at one timestep, and whether they are text.
  struct Span {
    var rows: Range<Int>
    /// The row of the activated time embeddings.
    var time: Int
    var isText: Bool
  }

  /// Modulations of timesteps that come again, and what they were made of.
  private var known: (times: Matrix, factors: [Matrix])?

  /// Makes the modulations of timesteps beforehand, for passes that are given this very matrix: the weights that they take are
  /// as many as the rest of a small model's, and read once this way.
  func prepare(_ times: Matrix, on compute: Compute) throws {
    known = (times, try modulations.map { try $0(times, on: compute) })
  }

  /// - Parameters:
  ///   - hidden: `[N][D]` of float32, changed in place.
  ///   - times: SiLU of each timestep's embedding, `[times][time_embed_dim]` of float32.
  ///   - rotation: for the rows from `firstVideo` on.
  ///   - kept: this layer's keys and values of tokens that are not in `hidden`.
  ///   - probe: sees queries and keys before they are multiplied.
  /// - Returns: this layer's keys and values.
  func callAsFunction(
    _ hidden: Matrix, times: Matrix, spans: [Span], rotation: RotaryTable?, firstVideo: Int, groups: [AttentionGroup],
    kept: [(keys: Matrix, values: Matrix)], probe: ((Matrix, Matrix) throws -> Void)?, on compute: Compute
  ) throws -> (keys: Matrix, values: Matrix) {
    let heads = configuration.heads
    var keyValues: (keys: Matrix, values: Matrix)?
    let type = try [query, key, value].allSatisfy { try $0.sourceType() == .int8 } ? DataType.int8 : compute.type
    try modulated(hidden, part: 0, type: type, times: times, spans: spans, on: compute) { normal in
      // [N, D] each
      let queries = try query(normal, on: compute)
      let keys = try key(normal, on: compute)
      let values = try value(normal, on: compute)
      let scale = 1 / Float(configuration.headSize).squareRoot()
      try compute.prepareHeads(
        queries, heads: heads, normalization: queryNorm, epsilon: 1e-6, factor: scale, rotation: rotation, firstRotated: firstVideo)
      try compute.prepareHeads(
        keys, heads: heads, normalization: keyNorm, epsilon: 1e-6, factor: 1, rotation: rotation, firstRotated: firstVideo)
      try probe?(queries, keys)
      keyValues = (keys, values)
      let seen = try compute.attend(queries, [(keys, values)] + kept, heads: heads, groups: groups)
      return [(try output(seen, type: .float32, on: compute), 0..<hidden.rows)]
    }
    try modulated(hidden, part: 1, type: widening.sourceType(), times: times, spans: spans, on: compute) { normal in
      // In strips: four times as wide as all the rest.
      let wideType = try normal.type == .int8 ? narrowing.sourceType() : normal.type
      return try stride(from: 0, to: hidden.rows, by: Self.tokensAtOnce).map { first in
        let rows = first..<min(first + Self.tokensAtOnce, hidden.rows)
        let wide = try widening(normal, rows: rows, activation: .geluTanh, type: wideType, on: compute)
        return (try narrowing(wide, type: .float32, on: compute), rows)
      }
    }
    guard let keyValues else { throw DiffusionError.cancelled }
    return keyValues
  }

  /// x ← x + gate · f(norm(x) · (1 + scale) + shift)
  ///
  /// - Parameter type: of what `body` gets.
  private func modulated(
    _ hidden: Matrix, part: Int, type: DataType, times: Matrix, spans: [Span], on compute: Compute,
    _ body: (Matrix) throws -> [(Matrix, Range<Int>)]
  ) throws {
    let width = configuration.width
    // For each timestep: shift, scale and gate of video, then those of text. [times, 6D]
    let ready = known?.times === times ? known?.factors[part] : nil
    let factors = try ready ?? modulations[part](times, on: compute)
    func factor(_ span: Span, _ index: Int) -> UnsafePointer<Float> {
      UnsafePointer(factors.row(span.time).assumingMemoryBound(to: Float.self) + (span.isText ? 3 + index : index) * width)
    }
    let normal = try compute.normalize(
      hidden, scale: norms[part].scale, shift: norms[part].shift, epsilon: configuration.epsilon,
      modulations: spans.map { .init(rows: $0.rows, shift: factor($0, 0), scale: factor($0, 1)) }, type: type)
    for (result, rows) in try body(normal) {
      for span in spans {
        let both = span.rows.clamped(to: rows)
        guard !both.isEmpty else { continue }
        try compute.add(result, row: both.lowerBound - rows.lowerBound, to: hidden, rows: both, gate: factor(span, 2))
      }
    }
    withExtendedLifetime(factors) {}
  }
}
