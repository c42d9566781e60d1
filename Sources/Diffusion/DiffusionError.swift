/// What cannot be generated as it was asked for. Files that cannot be used are a `WeightsError`.
public enum DiffusionError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Frames, latents or a number of them that the model cannot have; says which and what it can.
  case size(String)
  /// Cuts that have no latent boundary of their own.
  case cuts(String)
  /// A setting outside of its range, or one that this model has no use for.
  case setting(String)
  /// The caller wanted it to stop.
  case cancelled

  public var description: String {
    switch self {
    case .size(let text): "These frames cannot be generated: \(text)"
    case .cuts(let text): "These cuts cannot be made: \(text)"
    case .setting(let text): "This cannot be set: \(text)"
    case .cancelled: "Generation was cancelled"
    }
  }
}
