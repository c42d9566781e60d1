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
  public var shots: Shots
  /// Pixels.
  public var height: Int
  public var width: Int
  /// One a context shot and a generated one in their order, perhaps one more for all of it (CineTrans), or a single one.
  public var prompts: [String]
  /// nil for no guidance.
  public var negativePrompt: String? = ""
  public var control = SamplingRequest.Control.full
  public var steps = 50
  public var guidance = Guidance(scale: 6)
  public var seed: UInt64 = 0
  /// Which shot of an extended video the first generated one is.
  public var segment: UInt32 = 0
  public var scheduler: Scheduler.Kind?
  /// For large frames: the autoencoder works tile by tile.
  public var tiling: Tiling?
  /// Noise to begin with, in place of the seed's. For tests.
  public var noise: Latents?

  public init(shots: Shots, height: Int, width: Int, prompts: [String]) {
    self.shots = shots
    self.height = height
    self.width = width
    self.prompts = prompts
  }
}
