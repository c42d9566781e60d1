import Tensors

/// What `config.json` of a video autoencoder says.
///
/// Source: AutoencoderKLCogVideoX of diffusers, whose defaults absent fields have.
public struct AutoencoderConfiguration: Hashable, Sendable {
  /// Channels of the frames that are encoded.
  public var inChannels = 3
  /// Channels of the frames that are decoded.
  public var outChannels = 3
  /// Channels of the encoder's blocks; the decoder's are the same backwards.
  public var blockChannels = [128, 256, 256, 512]
  /// Numbers of a latent; the encoder gives twice as many, means and logarithms of variances.
  public var latentChannels = 16
  /// Residual blocks in each of the encoder's; the decoder has one more in each.
  public var layersPerBlock = 3
  /// Between the layers of residual blocks; before the last layers of encoder and decoder it is always SiLU.
  public var activation = Activation.swish
  /// ε of the encoder's normalisations but its last; the others have 1e-6.
  public var epsilon: Float = 1e-6
  /// Groups of channels that are normalised together; they divide every entry of ``blockChannels``.
  public var groups = 32
  /// Frames that one latent frame stands for, after the first that stands for one.
  public var temporalCompression = 4.0
  /// Height that the model was made for, in pixels; tiles are half of it.
  public var sampleHeight = 480
  /// Width that the model was made for, in pixels; tiles are half of it.
  public var sampleWidth = 720
  /// What latents are multiplied with to be of unit variance.
  public var scalingFactor = 1.15258426
  /// Images that a video begins with are divided by the factor, as version 1.5's image model was trained.
  public var invertsScale = false
  /// diffusers' `use_quant_conv`: a linear layer after the encoder. It needs as many latent channels as output channels.
  public var hasQuantization = false
  /// diffusers' `use_post_quant_conv`: a linear layer before the decoder, on the same condition.
  public var hasPostQuantization = false

  /// What a file that names its class and nothing else says.
  public init() {}

  static let className = "AutoencoderKLCogVideoX"

  /// - Parameter path: of `config.json`.
  /// - Throws: `WeightsError` that names the file, the field, and what was expected.
  public init(path: String) throws(WeightsError) { try self.init(ConfigurationFields(path: path)) }

  init(_ fields: ConfigurationFields) throws(WeightsError) {
    try fields.className([Self.className])
    inChannels = try fields.integer("in_channels", default: inChannels, in: 1...64)
    outChannels = try fields.integer("out_channels", default: outChannels, in: 1...64)
    blockChannels = try fields.integers("block_out_channels", default: blockChannels, in: 1...8192, count: 1...8)
    for (field, type) in [("down_block_types", "CogVideoXDownBlock3D"), ("up_block_types", "CogVideoXUpBlock3D")] {
      let types = try fields.words(field, default: Array(repeating: type, count: 4), known: [type], count: 1...8)
      guard types.count == blockChannels.count else {
        throw fields.error(field, "has \(types.count) entries, not \(blockChannels.count) as \"block_out_channels\"")
      }
    }
    latentChannels = try fields.integer("latent_channels", default: latentChannels, in: 1...1024)
    layersPerBlock = try fields.integer("layers_per_block", default: layersPerBlock, in: 1...16)
    activation = try Self.activations[fields.choice("act_fn", Self.activations.keys.sorted(), default: "silu")] ?? .swish
    epsilon = Float(try fields.number("norm_eps", default: 1e-6, in: 0...1))
    groups = try fields.integer("norm_num_groups", default: groups, in: 1...8192)
    for channels in blockChannels where channels % groups != 0 {
      throw fields.error("norm_num_groups", "is \(groups), which does not divide \(channels) channels of \"block_out_channels\"")
    }
    temporalCompression = try fields.number("temporal_compression_ratio", default: temporalCompression, in: 1...256)
    sampleHeight = try fields.integer("sample_height", default: sampleHeight, in: 1...16384)
    sampleWidth = try fields.integer("sample_width", default: sampleWidth, in: 1...16384)
    scalingFactor = try fields.number("scaling_factor", default: scalingFactor, in: 1e-6...1e6)
    invertsScale = try fields.boolean("invert_scale_latents", default: false)
    hasQuantization = try fields.boolean("use_quant_conv", default: false)
    hasPostQuantization = try fields.boolean("use_post_quant_conv", default: false)
    // diffusers makes these layers as wide as frames, and they are applied to latents.
    for (field, isUsed) in [("use_quant_conv", hasQuantization), ("use_post_quant_conv", hasPostQuantization)]
    where isUsed && outChannels != latentChannels {
      throw fields.error(field, "is true, which needs as many \"latent_channels\" (\(latentChannels)) as \"out_channels\" (\(outChannels))")
    }
  }

  private static let activations: [String: Activation] = ["silu": .swish, "swish": .swish, "gelu": .gelu, "relu": .relu]

  /// How many times the encoder halves the height and the width.
  var spatialLevels: Int { blockChannels.count - 1 }

  /// Pixels of a latent's side.
  public var spatialCompression: Int { 1 << spatialLevels }

  /// How many blocks, the first ones of encoder and decoder, change the number of frames.
  var temporalLevels: Int {
    // ⌊log₂ ratio⌋, and the last block does not.
    var levels = 0
    while Double(1 << (levels + 1)) <= temporalCompression { levels += 1 }
    return min(levels, spatialLevels)
  }

  /// What encoder and decoder call for, in an autoencoder that computes in `type`.
  private func demand(
    _ type: DataType, of files: WeightFiles? = nil
  ) throws(WeightsError) -> (encoder: WeightReader.Demand, decoder: WeightReader.Demand) {
    (
      try WeightReader.demand(of: files) { (reader) throws(WeightsError) in
        _ = try VideoEncoder(AutoencoderLayers(configuration: self, type: type, reader: reader))
      },
      try WeightReader.demand(of: files) { (reader) throws(WeightsError) in
        _ = try VideoDecoder(AutoencoderLayers(configuration: self, type: type, reader: reader))
      }
    )
  }

  /// All the tensors that the configuration calls for, as diffusers names them.
  ///
  /// - Parameter files: that have to have them; of a configuration from outside, whose sizes they bound.
  /// - Throws: for what `files` do not have; they are not looked through for all of it.
  public func expectedTensors(of files: WeightFiles? = nil) throws(WeightsError) -> [ExpectedTensor] {
    let demand = try demand(.float32, of: files)
    return demand.encoder.tensors + demand.decoder.tensors
  }

  /// Bytes that the weights take once they were used, of an autoencoder that computes in `type`.
  public func residentBytes(_ type: DataType) throws(WeightsError) -> (encoder: Int, decoder: Int) {
    let demand = try demand(type)
    return (demand.encoder.residentBytes, demand.decoder.residentBytes)
  }

  /// How many frames come of so many latent frames.
  ///
  /// - Parameter count: at least 1; 13 gives 49 with fourfold compression.
  public func frames(latents count: Int) -> Int {
    Self.latentChunks(count).reduce(0) { frames, chunk in
      (0..<temporalLevels).reduce(chunk.count) { count, _ in Self.upsampled(count) } + frames
    }
  }

  /// How many latent frames come of so many frames.
  public func latents(frames count: Int) -> Int {
    Self.frameChunks(count).reduce(0) { latents, chunk in
      (0..<temporalLevels).reduce(chunk.count) { count, _ in count / 2 + count % 2 } + latents
    }
  }

  /// Latent frames that are decoded together: two each time, and first those that would be left over too.
  static func latentChunks(_ count: Int) -> [Range<Int>] { chunks(count, of: 2) }

  /// Frames that are encoded together: eight each time, and first those that would be left over too.
  static func frameChunks(_ count: Int) -> [Range<Int>] { chunks(count, of: 8) }

  private static func chunks(_ count: Int, of size: Int) -> [Range<Int>] {
    let first = count < size ? count : size + count % size
    guard first > 0 else { return [] }
    return [0..<first] + stride(from: first, to: count, by: size).map { $0..<$0 + size }
  }

  /// A single frame stays one, and so does the first of an odd number.
  static func upsampled(_ count: Int) -> Int { count % 2 == 1 ? 2 * count - 1 : 2 * count }
}
