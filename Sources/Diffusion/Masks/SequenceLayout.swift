/// What a transformer's sequence is made of: text blocks, then shots of video.
///
/// Tokens follow each other as `[text 0, text 1, …; shot 0, shot 1, …]`, a shot's tokens by latent frame, row and column.
public struct SequenceLayout: Hashable, Sendable {
  /// Tokens of each text block: one a shot, and perhaps a last one that is for all.
  public var texts: [Int]
  /// Frames of each shot, in tokens' terms: latent frames, or groups of `patch_size_t` of them.
  public var shots: [Int]
  /// Patches of a frame: 1350 for CogVideoX's 480 × 720 pixels.
  public var tokensPerFrame: Int

  /// For any numbers; ``CogVideoXTransformer/layout(texts:shots:height:width:)`` makes layouts that fit a model.
  public init(texts: [Int], shots: [Int], tokensPerFrame: Int) {
    self.texts = texts
    self.shots = shots
    self.tokensPerFrame = tokensPerFrame
  }

  /// Tokens of all text blocks, which lie before the video's.
  public var textTokens: Int { texts.reduce(0, +) }
  /// Frames of all shots, in tokens' terms.
  public var frames: Int { shots.reduce(0, +) }
  /// Tokens of all of the sequence.
  public var tokens: Int { textTokens + frames * tokensPerFrame }

  /// The rows of a text block.
  public func text(_ index: Int) -> Range<Int> {
    let first = texts[..<index].reduce(0, +)
    return first..<first + texts[index]
  }

  /// The frames of a shot.
  public func frames(ofShot index: Int) -> Range<Int> {
    let first = shots[..<index].reduce(0, +)
    return first..<first + shots[index]
  }

  /// The rows of some frames.
  public func video(_ frames: Range<Int>) -> Range<Int> {
    textTokens + frames.lowerBound * tokensPerFrame..<textTokens + frames.upperBound * tokensPerFrame
  }

  /// The rows of a shot.
  public func shot(_ index: Int) -> Range<Int> { video(frames(ofShot: index)) }
}
