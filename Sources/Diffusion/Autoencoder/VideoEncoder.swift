import Tensors

/// Frames → the moments of their latents, a chunk at a time.
///
/// Source: CogVideoXEncoder3D of diffusers.
final class VideoEncoder {
  private let input: CausalConvolution
  private let blocks: [(residuals: [ResidualBlock], downsampling: FrameConvolution?, halvesTime: Bool)]
  private let middle: [ResidualBlock]
  private let norm: AutoencoderNorm
  private let output: CausalConvolution
  private let quantization: Linear?

  init(_ layers: AutoencoderLayers) throws(WeightsError) {
    let configuration = layers.configuration
    let channels = configuration.blockChannels
    guard let first = channels.first, let last = channels.last else { preconditionFailure("an autoencoder without blocks") }
    input = try layers.causal("encoder.conv_in", configuration.inChannels, first)
    blocks = try channels.indices.map { (index) throws(WeightsError) in
      let name = "encoder.down_blocks.\(index)"
      return (
        try layers.residuals(name, channels[max(0, index - 1)], channels[index], count: configuration.layersPerBlock, isSpatial: false),
        index == channels.count - 1 ? nil : try layers.downsampling(name + ".downsamplers.0", channels[index]),
        index < configuration.temporalLevels
      )
    }
    middle = try layers.residuals("encoder.mid_block", last, last, count: 2, isSpatial: false)
    norm = try layers.norm("encoder.norm_out", last, isSpatial: false, epsilon: 1e-6)
    output = try layers.causal("encoder.conv_out", last, 2 * configuration.latentChannels)
    quantization =
      configuration.hasQuantization
      ? try layers.pointwise("quant_conv", 2 * configuration.latentChannels, 2 * configuration.latentChannels, type: .float32) : nil
  }

  /// - Parameter frames: `[T, H, W, C]`, the chunk after the one before.
  /// - Returns: `[T′, h, w, 2·latent channels]` in float32: means, then logarithms of variances.
  func callAsFunction(_ frames: Frames, _ context: ChunkContext) throws -> Frames {
    let (compute, history) = (context.compute, context.history)
    var hidden = try history.apply(input, frames.converted(to: compute.type, on: compute), context)
    for block in blocks {
      for residual in block.residuals { hidden = try residual(hidden, context) }
      guard let downsampling = block.downsampling else { continue }
      try context.check()
      if block.halvesTime { hidden = try Self.halved(hidden, on: compute) }
      hidden = try downsampling(hidden.converted(to: compute.type, on: compute), on: compute)
    }
    for residual in middle { hidden = try residual(hidden, context) }
    hidden = try history.apply(output, norm(hidden, context, activation: .swish), context)
    guard let quantization else { return hidden }
    return Frames(try quantization(hidden.matrix, on: compute), count: hidden.count, height: hidden.height, width: hidden.width)
  }

  /// The means of pairs of frames; the first of an odd number stays as it is.
  private static func halved(_ source: Frames, on compute: Compute) throws -> Frames {
    let odd = source.count % 2
    let result = Frames(count: source.count / 2 + odd, height: source.height, width: source.width, channels: source.channels)
    let size = source.width * source.channels
    try compute.forEach(result.count * source.height) { line, _ in
      let (frame, y) = (line / source.height, line % source.height)
      let isWhole = odd == 1 && frame == 0
      let first = isWhole ? 0 : 2 * frame - odd
      let a = source.matrix.row((first * source.height + y) * source.width)
      let b = isWhole ? a : source.matrix.row(((first + 1) * source.height + y) * source.width)
      let values = UnsafePointer(b.assumingMemoryBound(to: Float.self))
      mapRow(size, a, Float32.self, to: result.matrix.row(line * source.width), Float32.self) { ($1 + eight(values, $0, size)) * 0.5 }
    }
    return result
  }
}
