import Tensors

/// What a T5 encoder's `config.json` says.
///
/// Reads those of transformers' `T5Config`, `MT5Config` and `UMT5Config`, also where they are of models with a decoder,
/// which is not used. Names in parentheses are the file's.
public struct T5EncoderConfiguration: Hashable, Sendable {
  /// Ids are below it (`vocab_size`).
  public package(set) var vocabulary: Int
  /// Of a token's vector (`d_model`).
  public package(set) var width: Int
  /// Of a head's queries, keys and values (`d_kv`); times ``heads`` it need not be ``width``.
  public package(set) var headSize: Int
  /// (`num_heads`)
  public package(set) var heads: Int
  /// Of the layer within feed-forward networks (`d_ff`).
  public package(set) var feedForwardWidth: Int
  /// (`num_layers`)
  public package(set) var blocks: Int
  /// Of relative positions, of both signs together (`relative_attention_num_buckets`).
  public package(set) var buckets: Int
  /// From it on all positions share a bucket (`relative_attention_max_distance`).
  public package(set) var largestDistance: Int
  /// ε of the normalisations (`layer_norm_epsilon`).
  public package(set) var epsilon: Float
  /// Of feed-forward networks (`feed_forward_proj`).
  public package(set) var activation: Activation
  /// Whether the activation is multiplied with a second projection: T5 v1.1 and later (`feed_forward_proj` begins with `gated-`).
  public package(set) var isGated: Bool
  /// Whether each block has its own biases for relative positions, as in UMT5, and not all those of the first.
  public package(set) var hasBiasPerBlock: Bool

  /// Functions by transformers' names; "gated-gelu" is the one with tanh, as the models that it names were trained.
  private static let activations: [String: Activation] = [
    "relu": .relu, "gelu": .gelu, "gelu_new": .geluTanh, "gelu_pytorch_tanh": .geluTanh, "silu": .swish, "swish": .swish,
  ]

  /// - Throws: the file is missing or damaged, another model's, or a field is out of its range.
  public init(path: String) throws(WeightsError) {
    let fields = try ConfigurationFields(path: path)
    let model = try fields.choice("model_type", ["t5", "mt5", "umt5"], default: "t5")
    let isFirst = model == "t5"
    vocabulary = try fields.integer("vocab_size", default: isFirst ? 32128 : 250_112, in: 1...1 << 24)
    width = try fields.integer("d_model", default: 512, in: 1...1 << 16)
    headSize = try fields.integer("d_kv", default: 64, in: 1...1 << 12)
    heads = try fields.integer("num_heads", default: isFirst ? 8 : 6, in: 1...1 << 8)
    feedForwardWidth = try fields.integer("d_ff", default: isFirst ? 2048 : 1024, in: 1...1 << 18)
    blocks = try fields.integer("num_layers", default: isFirst ? 6 : 8, in: 1...1 << 10)
    // A quarter of the buckets are for the nearest positions of one sign, and a logarithm begins behind them.
    buckets = try fields.integer("relative_attention_num_buckets", default: 32, in: 4...1 << 12)
    largestDistance = try fields.integer("relative_attention_max_distance", default: 128, in: 2...1 << 20)
    try fields.require("relative_attention_max_distance", largestDistance, in: buckets / 4 + 1...1 << 20)
    epsilon = Float(try fields.number("layer_norm_epsilon", default: 1e-6, in: 0...1))
    let plain = Self.activations.keys.sorted()
    let known = plain + plain.map { "gated-" + $0 }
    let name = try fields.choice("feed_forward_proj", known, default: isFirst ? "relu" : "gated-gelu")
    isGated = name.hasPrefix("gated-")
    let function = isGated ? String(name.dropFirst("gated-".count)) : name
    activation = name == "gated-gelu" ? .geluTanh : Self.activations[function] ?? .relu
    hasBiasPerBlock = model == "umt5"
  }

  /// Of all heads' queries, keys or values together.
  var innerWidth: Int { heads * headSize }

  /// The tables of which a file has at least one; transformers saves either, or both with the same contents.
  static let embeddingNames = ["shared.weight", "encoder.embed_tokens.weight"]
}
