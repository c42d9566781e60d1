import Tensors

extension SceneExtension {
  /// Refuses a model whose shots this machine cannot hold, before it takes memory for one.
  ///
  /// Files of a few kilobytes may say that shots are as large as they like; no other file bounds that.
  func requireMemory(of path: String) throws(WeightsError) {
    let (needed, present) = (leastMemory, Double(physicalMemory))
    guard needed > present else { return }
    throw WeightsError(
      .malformed, path: path,
      """
      has shots of \(model.frames) frames of \(model.width)×\(model.height) pixels, \(model.shots) in a sequence, which take at least \
      \(Self.gigabytes(needed)) of memory, where this machine has \(Self.gigabytes(present))
      """)
  }

  /// Bytes that a shot takes at the least beside the weights: its frames, and what the blocks keep of all tokens of its sequence.
  ///
  /// In `Double`, which nothing overflows.
  private var leastMemory: Double {
    let frames = Double(model.frames) * Double(model.width) * Double(model.height) * 3 * 4
    let (side, configuration) = (Double(pipeline.autoencoder.spatialCompression), pipeline.transformer.configuration)
    let patch = Double(configuration.patch)
    let latents = Double(pipeline.autoencoder.latents(frames: model.frames)) / Double(configuration.patchFrames ?? 1)
    // Under the segment-causal mask earlier shots are keys, which were computed before.
    let sequence = model.mask == .causal ? 1 : Double(model.shots)
    let tokens = sequence * latents * (Double(model.width) / side / patch) * (Double(model.height) / side / patch)
    return frames + tokens * Double(pipeline.transformer.activationBytes(tokens: 1 << 16)) / Double(1 << 16)
  }

  private static func gigabytes(_ bytes: Double) -> String { "\(Int(min(1e18, max(1, (bytes / 1e9).rounded())))) GB" }
}
