/// How far a generation is.
public struct GenerationProgress: Hashable, Sendable {
  /// What is done one after the other, in this order.
  public enum Part: String, Sendable {
    /// Texts are encoded.
    case text
    /// Frames of the context are encoded.
    case encoding
    /// The transformer is at work.
    case sampling
    /// Latents become frames.
    case decoding
  }

  /// What is being done.
  public var part: Part
  /// Steps of the part that are over, from 0.
  public var step: Int
  /// All steps of the part: the scheduler's while sampling, otherwise the texts, context shots or videos that there are.
  public var steps: Int
}

/// Called before each piece of work, at most a block of a network long. What it throws ends the generation.
public typealias GenerationCheck = (GenerationProgress) throws -> Void
