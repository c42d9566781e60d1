/// How far a generation is.
public struct GenerationProgress: Hashable, Sendable {
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

  public var part: Part
  /// Steps that are over, and all of them; of the transformer or of what the part does.
  public var step: Int
  public var steps: Int
}

/// Called before each piece of work, at most a block of a network long. What it throws ends the generation.
public typealias GenerationCheck = (GenerationProgress) throws -> Void
