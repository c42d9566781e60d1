import Diffusion

/// What is to be generated next.
public struct PlannedShot: Hashable, Sendable {
  /// Which shot of the show, from 0.
  public var index: UInt64
  /// What it shows; empty for the model's own idea.
  public var caption: String
  /// What holds for it and others; empty if nobody said.
  public var general: String
  /// What the shot before it shows, where the prompt tells it.
  public var previous: String?
  /// What it must not show; empty for the model's own.
  public var negativePrompt: String
  /// Nanoseconds; nil for the model's own length.
  public var duration: UInt64?
  /// nil where nobody said.
  public var beginning: ShotBeginning?

  /// ``caption`` and ``general`` as one text for models with one prompt a shot.
  ///
  /// The caption comes first, since encoders cut long texts off at their end. A full stop goes between the two where the
  /// caption ends without punctuation; of equal or empty texts only one is left.
  public var prompt: String { joined(caption, general) }
}

/// Two texts as sentences of one.
func joined(_ first: String, _ second: String) -> String {
  if first.isEmpty || first == second { return second }
  if second.isEmpty { return first }
  let isSentence = first.unicodeScalars.last?.properties.generalCategory == .otherPunctuation
  return first + (isSentence ? " " : ". ") + second
}
