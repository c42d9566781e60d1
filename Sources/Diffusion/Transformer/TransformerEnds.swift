import Tensors

/// What is before and behind a transformer's blocks.
///
/// Source: diffusers, `CogVideoXPatchEmbed`, `TimestepEmbedding` and `AdaLayerNorm`.
struct TransformerEnds {
  let patchProjection: Linear
  let textProjection: Linear
  let timeLayers: (Linear, Linear)
  let finalNorm: (scale: [Float], shift: [Float])
  let outputModulation: Linear
  let outputNorm: (scale: [Float], shift: [Float])
  let outputProjection: Linear

  /// - Parameter type: the products'. What belongs to timesteps is float32.
  init(_ configuration: TransformerConfiguration, _ reader: WeightReader, type: DataType) throws(WeightsError) {
    let (width, timeWidth, patch) = (configuration.width, configuration.timeWidth, configuration.patch)
    func linear(_ name: String, _ inputs: Int, _ outputs: Int, type: DataType = .float32) throws(WeightsError) -> Linear {
      try reader.linear(name, inputs: inputs, outputs: outputs, type: type)
    }
    // A convolution whose kernel is its stride is a linear layer over patches.
    patchProjection = try reader.linear(
      "patch_embed.proj", inputs: configuration.inputs, outputs: width,
      hasBias: configuration.patchFrames != nil || configuration.hasPatchBias,
      shape: configuration.patchFrames == nil ? [width, configuration.inChannels, patch, patch] : nil, type: type)
    textProjection = try linear("patch_embed.text_proj", configuration.textWidth, width, type: type)
    timeLayers = (try linear("time_embedding.linear_1", width, timeWidth), try linear("time_embedding.linear_2", timeWidth, timeWidth))
    finalNorm = try reader.norm("norm_final", size: width, isAffine: configuration.isAffine)
    outputModulation = try linear("norm_out.linear", timeWidth, 2 * width)
    outputNorm = try reader.norm("norm_out.norm", size: width, isAffine: configuration.isAffine)
    outputProjection = try linear("proj_out", width, configuration.outputs, type: type)
  }
}
