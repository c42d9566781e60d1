import Tensors

/// What goes with a chunk of a video through an autoencoder's layers.
struct ChunkContext {
  let compute: Compute
  /// What the layers keep from chunk to chunk.
  let history: ChunkHistory
  /// The chunk's latents in float32, for the decoder's normalisations.
  var latents: Frames?
  /// Throws when the work is to be given up.
  let check: () throws -> Void
}

/// The last frames that each causal convolution has seen of one video.
final class ChunkHistory {
  private var pasts: [ObjectIdentifier: Frames] = [:]

  /// Runs the convolution on what comes next in the video.
  func apply(_ convolution: CausalConvolution, _ source: Frames, addingTo base: Frames? = nil, _ context: ChunkContext) throws -> Frames {
    var past = pasts[ObjectIdentifier(convolution)]
    let result = try convolution(source, past: &past, addingTo: base, on: context.compute, check: context.check)
    pasts[ObjectIdentifier(convolution)] = past
    return result
  }
}

/// A group normalisation, which in the decoder is scaled and shifted by the latents, and an activation.
///
/// Source: CogVideoXSpatialNorm3D of diffusers; Zheng et al., "MoVQ", https://arxiv.org/abs/2209.09002.
final class AutoencoderNorm {
  private let groups: Int
  private let epsilon: Float
  private let scale: [Float]
  private let shift: [Float]
  private let latents: (scale: Linear, shift: Linear)?

  init(groups: Int, epsilon: Float, scale: [Float], shift: [Float], latents: (scale: Linear, shift: Linear)?) {
    self.groups = groups
    self.epsilon = epsilon
    self.scale = scale
    self.shift = shift
    self.latents = latents
  }

  /// - Returns: in the products' type.
  func callAsFunction(_ source: Frames, _ context: ChunkContext, activation: Activation) throws -> Frames {
    var modulation: Compute.SpatialModulation?
    if let layers = latents, let z = context.latents {
      // 1×1 convolutions of enlarged latents: the same numbers as enlarging what they make of the latents.
      func map(_ layer: Linear) throws -> Frames {
        Frames(try layer(z.matrix, type: .float32, on: context.compute), count: z.count, height: z.height, width: z.width)
      }
      modulation = .init(scale: try map(layers.scale), shift: try map(layers.shift), frames: Self.nearest(source.count, z.count))
    }
    return try context.compute.groupNormalize(
      source, groups: groups, scale: scale, shift: shift, epsilon: epsilon, modulation: modulation, activation: activation)
  }

  /// Which of `latents` frames each of `count` has: of an odd number the first has the first for itself.
  static func nearest(_ count: Int, _ latents: Int) -> [Int] {
    guard count > 1, count % 2 == 1, latents > 1 else { return (0..<count).map { $0 * latents / count } }
    return [0] + (0..<count - 1).map { 1 + $0 * (latents - 1) / (count - 1) }
  }
}

/// x + conv(norm(conv(norm(x)))), with a 1×1×1 convolution of x where the number of channels changes.
///
/// Source: CogVideoXResnetBlock3D of diffusers.
final class ResidualBlock {
  private let norms: (AutoencoderNorm, AutoencoderNorm)
  private let convolutions: (CausalConvolution, CausalConvolution)
  private let shortcut: Linear?
  private let activation: Activation

  init(
    norms: (AutoencoderNorm, AutoencoderNorm), convolutions: (CausalConvolution, CausalConvolution), shortcut: Linear?,
    activation: Activation
  ) {
    self.norms = norms
    self.convolutions = convolutions
    self.shortcut = shortcut
    self.activation = activation
  }

  /// - Parameter source: float32; the result may be written in its place.
  /// - Returns: float32.
  func callAsFunction(_ source: Frames, _ context: ChunkContext) throws -> Frames {
    let (compute, history) = (context.compute, context.history)
    try context.check()
    var hidden = try norms.0(source, context, activation: activation)
    try context.check()
    hidden = try history.apply(convolutions.0, hidden, context)
    try context.check()
    hidden = try norms.1(hidden, context, activation: activation)
    var base = source
    if let shortcut {
      let rounded = try source.converted(to: compute.type, on: compute)
      base = Frames(
        try shortcut(rounded.matrix, type: .float32, on: compute), count: source.count, height: source.height, width: source.width)
    }
    try context.check()
    return try history.apply(convolutions.1, hidden, addingTo: base, context)
  }
}
