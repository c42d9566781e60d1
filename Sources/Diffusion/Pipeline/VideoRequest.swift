import Tensors

/// What shots are to be generated, and after which.
public struct VideoRequest {
  /// The shots that are generated.
  public enum Shots: Hashable, Sendable {
    /// Each a video of its own, of so many frames, as Mask²DiT has it. CogVideoX's latents hold 8·k or 8·k + 1 frames.
    case separate([Int])
    /// One video of so many frames with cuts before these, which fall on the nearest latent boundaries: CineTrans.
    case cut(frames: Int, at: [Double])
  }

  /// Shots before, in order: `[T, H, W, 3]`, −1…1, each of the request's height and width.
  public var context: [Frames] = []
  /// How many videos come out, how long they are and where they cut.
  public var shots: Shots
  /// Pixels of a frame's height, at most 32,768: a multiple of a patch's side, 16 for CogVideoX.
  public var height: Int
  /// Pixels of a frame's width, on the same condition.
  public var width: Int
  /// One a context shot and a generated one in their order, perhaps one more for all of it (CineTrans), or a single one.
  public var prompts: [String]
  /// nil for no guidance.
  public var negativePrompt: String? = ""
  /// What tokens see, and so how many prompts there may be.
  public var control = SamplingRequest.Control.full
  /// How often the sample goes through the transformer, 1 … the scheduler's training steps, 1000 as a rule.
  public var steps = 50
  /// Without effect if ``negativePrompt`` is nil; its scale is finite.
  public var guidance = Guidance(scale: 6)
  /// With ``segment`` what all noise is made from, the same on every machine.
  public var seed: UInt64 = 0
  /// Which shot of an extended video the first generated one is.
  public var segment: UInt32 = 0
  /// nil for what the model's folder says.
  public var scheduler: Scheduler.Kind?
  /// For large frames: the autoencoder works tile by tile.
  public var tiling: Tiling?
  /// Noise to begin with, in place of the seed's. For tests.
  public var noise: Latents?

  /// Without context, guided away from an empty prompt. Checked when it is generated.
  public init(shots: Shots, height: Int, width: Int, prompts: [String]) {
    self.shots = shots
    self.height = height
    self.width = width
    self.prompts = prompts
  }
}
