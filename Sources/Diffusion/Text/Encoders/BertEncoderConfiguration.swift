import Tensors

/// What a BERT encoder's `config.json` says, as transformers' `BertModel` writes it. Names in parentheses are the file's.
public struct BertEncoderConfiguration: Hashable, Sendable {
  /// Ids are below it (`vocab_size`).
  public package(set) var vocabulary: Int
  /// Of a token's vector, and of all heads together (`hidden_size`).
  public package(set) var width: Int
  /// (`num_attention_heads`)
  public package(set) var heads: Int
  /// Of the layer within feed-forward networks (`intermediate_size`).
  public package(set) var feedForwardWidth: Int
  /// (`num_hidden_layers`)
  public package(set) var blocks: Int
  /// The longest text that there are positions for (`max_position_embeddings`).
  public package(set) var mostTokens: Int
  /// Kinds of segments, of which the first is used (`type_vocab_size`).
  public package(set) var segmentKinds: Int
  /// ε of the normalisations (`layer_norm_eps`).
  public package(set) var epsilon: Float
  /// Of feed-forward networks (`hidden_act`).
  public package(set) var activation: Activation

  private static let activations: [String: Activation] = [
    "gelu": .gelu, "gelu_new": .geluTanh, "gelu_pytorch_tanh": .geluTanh, "relu": .relu, "silu": .swish, "swish": .swish,
  ]

  /// - Throws: the file is missing or damaged, another model's, or a field is out of its range; positions that are not
  ///   absolute, or a decoder.
  public init(path: String) throws(WeightsError) {
    let fields = try ConfigurationFields(path: path)
    _ = try fields.choice("model_type", ["bert"], default: "bert")
    _ = try fields.choice("position_embedding_type", ["absolute"], default: "absolute")
    guard try !fields.boolean("is_decoder", default: false) else {
      throw fields.error("is_decoder", "is true, but only encoders are supported")
    }
    vocabulary = try fields.integer("vocab_size", default: 30522, in: 1...1 << 24)
    width = try fields.integer("hidden_size", default: 768, in: 1...1 << 16)
    heads = try fields.integer("num_attention_heads", default: 12, in: 1...1 << 10)
    guard width % heads == 0 else { throw fields.error("hidden_size", "is \(width), not a multiple of the \(heads) heads") }
    feedForwardWidth = try fields.integer("intermediate_size", default: 3072, in: 1...1 << 18)
    blocks = try fields.integer("num_hidden_layers", default: 12, in: 1...1 << 10)
    mostTokens = try fields.integer("max_position_embeddings", default: 512, in: 1...1 << 14)
    segmentKinds = try fields.integer("type_vocab_size", default: 2, in: 1...1 << 10)
    epsilon = Float(try fields.number("layer_norm_eps", default: 1e-12, in: 0...1))
    let name = try fields.choice("hidden_act", Self.activations.keys.sorted(), default: "gelu")
    activation = Self.activations[name] ?? .gelu
  }
}
