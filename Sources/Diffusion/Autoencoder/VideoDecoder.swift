import Tensors

/// Latents → frames, a chunk at a time.
///
/// Source: CogVideoXDecoder3D of diffusers.
final class VideoDecoder {
  private let postQuantization: Linear?
  private let input: CausalConvolution
  private let middle: [ResidualBlock]
  private let blocks: [(residuals: [ResidualBlock], upsampling: UpsamplingConvolution?, doublesTime: Bool)]
  private let norm: AutoencoderNorm
  private let output: CausalConvolution

  init(_ layers: AutoencoderLayers) throws(WeightsError) {
    let configuration = layers.configuration
    let channels = Array(configuration.blockChannels.reversed())
    guard let first = channels.first, let last = channels.last else { preconditionFailure("an autoencoder without blocks") }
    let latents = configuration.latentChannels
    postQuantization = configuration.hasPostQuantization ? try layers.pointwise("post_quant_conv", latents, latents, type: .float32) : nil
    input = try layers.causal("decoder.conv_in", latents, first)
    middle = try layers.residuals("decoder.mid_block", first, first, count: 2, isSpatial: true)
    blocks = try channels.indices.map { (index) throws(WeightsError) in
      let name = "decoder.up_blocks.\(index)"
      return (
        try layers.residuals(name, channels[max(0, index - 1)], channels[index], count: configuration.layersPerBlock + 1, isSpatial: true),
        index == channels.count - 1 ? nil : try layers.upsampling(name + ".upsamplers.0", channels[index]),
        index < configuration.temporalLevels
      )
    }
    norm = try layers.norm("decoder.norm_out", last, isSpatial: true, epsilon: 1e-6)
    output = try layers.causal("decoder.conv_out", last, configuration.outChannels)
  }

  /// - Parameter latents: `[T′, h, w, C]` in float32, the chunk after the one before.
  /// - Returns: `[T, H, W, channels]` in float32.
  func callAsFunction(_ latents: Frames, _ context: ChunkContext) throws -> Frames {
    let (compute, history) = (context.compute, context.history)
    var context = context
    var latents = latents
    if let postQuantization {
      latents = Frames(
        try postQuantization(latents.matrix, on: compute), count: latents.count, height: latents.height, width: latents.width)
    }
    context.latents = latents
    var hidden = try history.apply(input, latents.converted(to: compute.type, on: compute), context)
    for residual in middle { hidden = try residual(hidden, context) }
    for block in blocks {
      for residual in block.residuals { hidden = try residual(hidden, context) }
      guard let upsampling = block.upsampling else { continue }
      try context.check()
      let order = block.doublesTime ? Self.doubled(hidden.count) : nil
      hidden = try upsampling(hidden.converted(to: compute.type, on: compute), repeated: order, on: compute, check: context.check)
    }
    return try history.apply(output, norm(hidden, context, activation: .swish), context)
  }

  /// Which frame each of twice as many is; the first of an odd number comes once.
  static func doubled(_ count: Int) -> [Int] {
    let odd = count % 2
    return (0..<AutoencoderConfiguration.upsampled(count)).map { ($0 + odd) / 2 }
  }
}
