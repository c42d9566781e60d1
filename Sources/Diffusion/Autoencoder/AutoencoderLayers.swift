import Tensors

/// Makes an autoencoder's layers from named tensors, and notes which tensors they call for.
final class AutoencoderLayers {
  let configuration: AutoencoderConfiguration
  let type: DataType
  private let read: (String, [Int]) throws(WeightsError) -> [Float]
  private(set) var expected: [ExpectedTensor] = []

  /// - Parameter read: gets a tensor's name and shape.
  init(_ configuration: AutoencoderConfiguration, type: DataType, read: @escaping (String, [Int]) throws(WeightsError) -> [Float]) {
    self.configuration = configuration
    self.type = type
    self.read = read
  }

  private func values(_ name: String, _ shape: [Int]) throws(WeightsError) -> [Float] {
    expected.append(ExpectedTensor(name, shape))
    return try read(name, shape)
  }

  /// Weights are read later, when their layer is first used.
  private func later(_ name: String, _ shape: [Int]) -> () throws(WeightsError) -> [Float] {
    expected.append(ExpectedTensor(name, shape))
    return { [read] () throws(WeightsError) in try read(name, shape) }
  }

  /// 3×3×3.
  func causal(_ name: String, _ inputs: Int, _ outputs: Int) throws(WeightsError) -> CausalConvolution {
    CausalConvolution(
      inputs: inputs, outputs: outputs, bias: try values(name + ".conv.bias", [outputs]), type: type,
      weights: later(name + ".conv.weight", [outputs, inputs, 3, 3, 3]))
  }

  /// 1×1×1.
  ///
  /// - Parameter type: nil for the products'.
  func pointwise(_ name: String, _ inputs: Int, _ outputs: Int, type: DataType? = nil) throws(WeightsError) -> Linear {
    Linear(
      inputs: inputs, outputs: outputs, bias: try values(name + ".bias", [outputs]), type: type ?? self.type,
      weights: later(name + ".weight", [outputs, inputs, 1, 1, 1]))
  }

  /// 3×3 with a stride of two.
  func downsampling(_ name: String, _ channels: Int) throws(WeightsError) -> FrameConvolution {
    FrameConvolution(
      inputs: channels, outputs: channels, kernel: (3, 3), stride: 2, before: (0, 0), after: (1, 1),
      bias: try values(name + ".conv.bias", [channels]), type: type, weights: later(name + ".conv.weight", [channels, channels, 3, 3]))
  }

  /// 3×3 of frames of twice the size.
  func upsampling(_ name: String, _ channels: Int) throws(WeightsError) -> UpsamplingConvolution {
    UpsamplingConvolution(
      inputs: channels, outputs: channels, bias: try values(name + ".conv.bias", [channels]), type: type,
      weights: later(name + ".conv.weight", [channels, channels, 3, 3]))
  }

  /// - Parameter isSpatial: scaled and shifted by the latents.
  func norm(_ name: String, _ channels: Int, isSpatial: Bool, epsilon: Float) throws(WeightsError) -> AutoencoderNorm {
    let layer = isSpatial ? name + ".norm_layer" : name
    let latents = configuration.latentChannels
    return AutoencoderNorm(
      groups: configuration.groups, epsilon: isSpatial ? 1e-6 : epsilon,
      scale: try values(layer + ".weight", [channels]), shift: try values(layer + ".bias", [channels]),
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
