import Tensors

/// Makes an autoencoder's layers from named tensors.
struct AutoencoderLayers {
  let configuration: AutoencoderConfiguration
  /// The products'.
  let type: DataType
  let reader: WeightReader

  /// 3×3×3.
  func causal(_ name: String, _ inputs: Int, _ outputs: Int) throws(WeightsError) -> CausalConvolution {
    CausalConvolution(
      inputs: inputs, outputs: outputs, bias: try reader.floats(name + ".conv.bias", [outputs]), type: type,
      // Four sums for three frames.
      weights: reader.later(name + ".conv.weight", [outputs, inputs, 3, 3, 3], type: type, sums: (4, 3)))
  }

  /// 1×1×1.
  ///
  /// - Parameter type: nil for the products'.
  func pointwise(_ name: String, _ inputs: Int, _ outputs: Int, type: DataType? = nil) throws(WeightsError) -> Linear {
    try reader.linear(name, inputs: inputs, outputs: outputs, shape: [outputs, inputs, 1, 1, 1], type: type ?? self.type)
  }

  /// 3×3 with a stride of two.
  func downsampling(_ name: String, _ channels: Int) throws(WeightsError) -> FrameConvolution {
    FrameConvolution(
      inputs: channels, outputs: channels, kernel: (3, 3), stride: 2, before: (0, 0), after: (1, 1),
      bias: try reader.floats(name + ".conv.bias", [channels]), type: type,
      weights: reader.later(name + ".conv.weight", [channels, channels, 3, 3], type: type))
  }

  /// 3×3 of frames of twice the size.
  func upsampling(_ name: String, _ channels: Int) throws(WeightsError) -> UpsamplingConvolution {
    UpsamplingConvolution(
      inputs: channels, outputs: channels, bias: try reader.floats(name + ".conv.bias", [channels]), type: type,
      // Four sums of 2×2 for one of 3×3.
      weights: reader.later(name + ".conv.weight", [channels, channels, 3, 3], type: type, sums: (16, 9)))
  }

  /// - Parameter isSpatial: scaled and shifted by the latents.
  func norm(_ name: String, _ channels: Int, isSpatial: Bool, epsilon: Float) throws(WeightsError) -> AutoencoderNorm {
    let layer = isSpatial ? name + ".norm_layer" : name
    let latents = configuration.latentChannels
    return AutoencoderNorm(
      groups: configuration.groups, epsilon: isSpatial ? 1e-6 : epsilon,
      scale: try reader.floats(layer + ".weight", [channels]), shift: try reader.floats(layer + ".bias", [channels]),
      // The latents themselves: their few channels are not worth rounding.
      latents: isSpatial
        ? (
          try pointwise(name + ".conv_y.conv", latents, channels, type: .float32),
          try pointwise(name + ".conv_b.conv", latents, channels, type: .float32)
        )
        : nil)
  }

  func residual(_ name: String, _ inputs: Int, _ outputs: Int, isSpatial: Bool) throws(WeightsError) -> ResidualBlock {
    let epsilon = configuration.epsilon
    return ResidualBlock(
      norms: (
        try norm(name + ".norm1", inputs, isSpatial: isSpatial, epsilon: epsilon),
        try norm(name + ".norm2", outputs, isSpatial: isSpatial, epsilon: epsilon)
      ),
      convolutions: (try causal(name + ".conv1", inputs, outputs), try causal(name + ".conv2", outputs, outputs)),
      shortcut: inputs == outputs ? nil : try pointwise(name + ".conv_shortcut", inputs, outputs),
      activation: configuration.activation)
  }

  func residuals(_ name: String, _ inputs: Int, _ outputs: Int, count: Int, isSpatial: Bool) throws(WeightsError) -> [ResidualBlock] {
    try (0..<count).map { (index) throws(WeightsError) in
      try residual("\(name).resnets.\(index)", index == 0 ? inputs : outputs, outputs, isSpatial: isSpatial)
    }
  }
}
