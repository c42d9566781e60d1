import Tensors

/// What a transformer is asked to do: which tokens of a sequence it computes, at which timesteps, and what they see.
public struct TransformerPass {
  /// The whole sequence, with what is kept of earlier passes.
  public var layout: SequenceLayout
  /// Frames of the sequence (in tokens' terms) whose latents are given and whose tokens are computed.
  public var frames: Range<Int>
  /// Those of ``frames``, `patchFrames` latent frames for each of them in models of version 1.5, with the model's input channels.
  public var latents: Latents
  /// Text blocks that are computed.
  public var texts: Range<Int>
  /// For each of `texts` its embedding as ``CogVideoXTransformer/project(text:)`` gives it.
  public var projected: [Matrix]
  /// Timesteps of text blocks, by the indices that they have in `layout`. Conditions are at 0.
  public var textTimes: [Double]
  /// Timesteps of shots, by the indices that they have in `layout`. Conditions are at 0.
  public var shotTimes: [Double]
  /// What a layer's tokens see.
  public var mask: (_ layer: Int) -> AttentionMask
  /// Where in time the frames of several scenes are.
  public var positions: PositionRule = .continuous
  /// Frames that lie before the sequence's first, for positions of scenes that went on from kept ones.
  public var firstFrame = 0
  /// Keys and values of the sequence's other tokens.
  public var kept: [KeptKeys] = []
  /// Whether the keys and values of this pass are to be kept.
  public var keeps = false
  /// Frames that come out; nil for all that are computed, empty for none.
  public var outputs: Range<Int>?

  /// - Parameters: as the properties of the same names; all of the sequence is computed at one timestep by default.
  public init(
    layout: SequenceLayout, latents: Latents, projected: [Matrix], time: Double, mask: @escaping (_ layer: Int) -> AttentionMask
  ) {
    self.layout = layout
    self.latents = latents
    self.projected = projected
    self.mask = mask
    frames = 0..<layout.frames
    texts = 0..<layout.texts.count
    textTimes = Array(repeating: time, count: layout.texts.count)
    shotTimes = Array(repeating: time, count: layout.shots.count)
  }

  /// The tokens that are computed, as ranges of the sequence.
  var rows: [Range<Int>] { texts.map(layout.text) + [layout.video(frames)] }
}

/// Keys and values of some tokens in all layers: what later tokens need of them.
public struct KeptKeys: Sendable {
  /// Tokens, numbered in the sequence of the pass that uses them.
  public var tokens: [Range<Int>]
  let layers: [(keys: Matrix, values: Matrix)]

  /// Bytes of the keys and values of all layers.
  public var byteCount: Int { layers.reduce(0) { $0 + 2 * $1.keys.rows * $1.keys.rowSize } }
}
