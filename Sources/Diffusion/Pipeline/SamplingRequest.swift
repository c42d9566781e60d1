import Tensors

/// What latents are to be generated.
public struct SamplingRequest {
  /// What sees what while shots are generated.
  public enum Control: Hashable, Sendable {
    /// All tokens see all: plain CogVideoX.
    case full
    /// Scenes with a text each, the first of them perhaps conditions.
    case mask2dit(AttentionMask.Mask2DiT)
    /// One video of several shots, kept apart on some layers.
    case cineTrans(CineTrans)
  }

  /// Clean latents of the scenes before, scaled as the transformer sees them. Each is a shot of the sequence, with its text.
  public var conditions: [Latents] = []
  /// What a model of more input than output channels sees beside the noise of the generated frames: latents of the channels that it
  /// has more. nil for zeros, which it sees beside conditions too.
  public var beside: Latents?
  /// Latent frames of each shot that is generated.
  public var shots: [Int]
  /// Rows of a latent frame, a multiple of the transformer's patch.
  public var height: Int
  /// Columns of a latent frame, a multiple of the transformer's patch.
  public var width: Int
  /// Embeddings `[tokens][text_embed_dim]`: one a condition and a shot in their order, perhaps one more for all of it
  /// (CineTrans), or a single one for all.
  public var texts: [Matrix]
  /// What guidance leads away from, in place of every text; nil for no guidance.
  public var negative: Matrix?
  /// What tokens see, and so how many texts there may be.
  public var control = Control.full
  /// How often the sample goes through the transformer, 1 … the scheduler's training steps, 1000 as a rule.
  public var steps = 50
  /// Without effect if ``negative`` is nil; its scale is finite.
  public var guidance = Guidance(scale: 6)
  /// With ``segment`` what all noise is made from, the same on every machine.
  public var seed: UInt64 = 0
  /// Which shot of an extended video the first is: each has noise of its own.
  public var segment: UInt32 = 0
  /// nil for what the model's folder says.
  public var scheduler: Scheduler.Kind?
  /// Noise to begin with, in place of the seed's: of the generated frames, or of the conditions and them. For tests.
  public var noise: Latents?

  /// Without conditions, guidance or masks until they are set. Checked when it is sampled.
  public init(shots: [Int], height: Int, width: Int, texts: [Matrix]) {
    self.shots = shots
    self.height = height
    self.width = width
    self.texts = texts
  }
}
