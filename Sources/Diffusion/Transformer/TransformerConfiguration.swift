import Tensors

/// The `config.json` of a CogVideoXTransformer3DModel: 2B (sincos positions), 5B (rotary ones) and 1.5 (patches in time).
///
/// Source: diffusers, `CogVideoXTransformer3DModel`, whose defaults absent fields have.
public struct TransformerConfiguration: Hashable, Sendable {
  /// `_class_name` of the file.
  public static let className = "CogVideoXTransformer3DModel"

  /// Attention heads of a block, 1 … 512.
  public var heads = 30
  /// Numbers of a head, 2 … 1024; rotary positions need a multiple of 16.
  public var headSize = 64
  /// Numbers of a latent that goes in: of the noisy one, and of what some models see beside it.
  public var inChannels = 16
  /// Numbers of a latent that comes out.
  public var outChannels = 16
  /// Numbers of a timestep's embedding.
  public var timeWidth = 512
  /// Numbers of a text token, as the text encoder gives it.
  public var textWidth = 4096
  /// Blocks of attention and feed-forward layer, 1 … 512.
  public var layers = 30
  /// Whether queries, keys and values have a bias.
  public var hasAttentionBias = true
  /// Latents of a row that the model was trained on, by which rotary positions are scaled.
  public var sampleWidth = 90
  /// Latents of a column that the model was trained on.
  public var sampleHeight = 60
  /// Frames that the model was trained on: of the video, not of latents.
  public var sampleFrames = 49
  /// Latents of a patch's side, 1 … 64.
  public var patch = 2
  /// Latent frames of a patch; nil for models of version 1.0, whose patches have no time.
  public var patchFrames: Int?
  /// Frames of the video that a latent frame stands for, after the first.
  public var timeCompression = 4
  /// Tokens that longer texts are cut to, and that T5's are padded to.
  public var maximalTextTokens = 226
  /// Whether the normalisations of tokens have factors and offsets of their own.
  public var isAffine = true
  /// ε of the normalisations of tokens; those of queries and keys have 1e-6.
  public var epsilon: Float = 1e-5
  /// What rows and columns of patches are divided by before sincos positions are made of them.
  public var spaceScale = 1.875
  /// What frames are divided by before sincos positions are made of them.
  public var timeScale = 1.0
  /// Whether positions turn queries and keys (5B), or are added to tokens as sines and cosines (2B).
  public var isRotary = false
  /// Whether the first layer has a bias, which with ``patchFrames`` it always has.
  public var hasPatchBias = true

  /// Channels of the input beyond those that are generated: of models that see a picture beside the noise.
  public var besideChannels: Int { max(0, inChannels - outChannels) }
  /// Numbers of a token: D.
  public var width: Int { heads * headSize }
  /// Numbers of a patch that come out of the last layer.
  public var outputs: Int { outChannels * patch * patch * (patchFrames ?? 1) }
  /// Numbers of a patch that go into the first layer.
  public var inputs: Int { inChannels * patch * patch * (patchFrames ?? 1) }

  /// What a file that names its class and nothing else says: CogVideoX-2b.
  public init() {}

  /// - Throws: a field of another type, out of range, or with a value that this engine has no code for.
  public init(path: String) throws(WeightsError) {
    let fields = try ConfigurationFields(path: path)
    try fields.className([Self.className])
    heads = try fields.integer("num_attention_heads", default: 30, in: 1...512)
    headSize = try fields.integer("attention_head_dim", default: 64, in: 2...1024)
    inChannels = try fields.integer("in_channels", default: 16, in: 1...4096)
    outChannels = try fields.integer("out_channels", default: inChannels, in: 1...4096)
    timeWidth = try fields.integer("time_embed_dim", default: 512, in: 1...65536)
    textWidth = try fields.integer("text_embed_dim", default: 4096, in: 1...65536)
    layers = try fields.integer("num_layers", default: 30, in: 1...512)
    hasAttentionBias = try fields.boolean("attention_bias", default: true)
    sampleWidth = try fields.integer("sample_width", default: 90, in: 1...8192)
    sampleHeight = try fields.integer("sample_height", default: 60, in: 1...8192)
    sampleFrames = try fields.integer("sample_frames", default: 49, in: 1...65536)
    patch = try fields.integer("patch_size", default: 2, in: 1...64)
    patchFrames = try fields.optionalInteger("patch_size_t", in: 1...64)
    timeCompression = try fields.integer("temporal_compression_ratio", default: 4, in: 1...64)
    maximalTextTokens = try fields.integer("max_text_seq_length", default: 226, in: 1...65536)
    isAffine = try fields.boolean("norm_elementwise_affine", default: true)
    epsilon = Float(try fields.number("norm_eps", default: 1e-5, in: 0...1))
    spaceScale = try fields.number("spatial_interpolation_scale", default: 1.875, in: 1e-3...1e3)
    timeScale = try fields.number("temporal_interpolation_scale", default: 1, in: 1e-3...1e3)
    isRotary = try fields.boolean("use_rotary_positional_embeddings", default: false)
    hasPatchBias = try fields.boolean("patch_bias", default: true)
    _ = try fields.choice("activation_fn", ["gelu-approximate"], default: "gelu-approximate")
    _ = try fields.choice("timestep_activation_fn", ["silu"], default: "silu")
    guard try fields.boolean("flip_sin_to_cos", default: true) else { throw fields.error("flip_sin_to_cos", "is false, not true") }
    _ = try fields.number("freq_shift", default: 0, in: 0...0)
    // Both are of image-to-video models, whose first frame is a further input.
    if try fields.boolean("use_learned_positional_embeddings", default: false) {
      throw fields.error("use_learned_positional_embeddings", "is true, which is for image-to-video models")
    }
    if try fields.optionalInteger("ofs_embed_dim", in: 0...65536) != nil {
      throw fields.error("ofs_embed_dim", "is set, which is for image-to-video models")
    }
    if isRotary {
      // A quarter of a head's numbers is for time, three eighths each for rows and columns, in pairs.
      guard headSize % 16 == 0 else {
        throw fields.error("attention_head_dim", "is \(headSize), not a multiple of 16, as rotary positions need")
      }
    } else {
      guard width % 16 == 0 else { throw fields.error("num_attention_heads", "times attention_head_dim is \(width), not a multiple of 16") }
    }
    _ = try fields.require("num_attention_heads × attention_head_dim", width, in: 1...65536)
  }

  private func demand(
    ends: DataType, blocks type: DataType, _ blocks: Range<Int>, of files: WeightFiles? = nil
  ) throws(WeightsError) -> WeightReader.Demand {
    try WeightReader.demand(of: files) { (reader) throws(WeightsError) in
      _ = try TransformerEnds(self, reader, type: ends)
      for layer in blocks { _ = try TransformerBlock(layer, self, reader, type: type) }
    }
  }

  /// All tensors of the model's files.
  ///
  /// - Parameter files: that have to have them; of a configuration from outside, whose sizes they bound.
  /// - Throws: for what `files` do not have; they are not looked through for all of it.
  public func tensors(of files: WeightFiles? = nil) throws(WeightsError) -> [ExpectedTensor] {
    try demand(ends: .float32, blocks: .float32, 0..<layers, of: files).tensors
  }

  /// Bytes of the weights that stay in memory once they were all used.
  ///
  /// - Parameters:
  ///   - type: the products'.
  ///   - blocks: that of the weights of blocks.
  package func residentBytes(_ type: DataType, blocks: DataType, _ residency: Residency) throws(WeightsError) -> Int {
    try demand(ends: type, blocks: blocks, 0..<(residency == .block ? min(1, layers) : layers)).residentBytes
  }

  /// Numbers in all tensors: 1,693,783,872 for 2B.
  public func parameters() throws(WeightsError) -> Int { try tensors().reduce(0) { $0 + $1.shape.reduce(1, *) } }
}
