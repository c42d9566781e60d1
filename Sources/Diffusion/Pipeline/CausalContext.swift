import Tensors

/// The scenes before the one that is generated, as keys and values of all layers: for models with the segment-causal mask.
///
/// A scene's keys are computed once, over the scenes that were kept when it came, and used in all steps of all extensions until
/// the window has passed it. What a scene saw that is no longer kept stays in its keys: the result is that of the whole video
/// under a causal mask whose window is that of the context.
public final class CausalContext {
  private let transformer: CogVideoXTransformer
  private let window: Int
  /// The negative text, projected; nil without guidance.
  private let negative: Matrix?
  private var scenes: [Scene] = []
  /// Frames, in tokens' terms, of scenes that are no longer kept.
  private var dropped = 0

  private struct Scene {
    var textTokens: Int
    var frames: Int
    var keys: KeptKeys
    /// Keys of the pass without prompts.
    var negative: KeptKeys?
  }

  /// - Parameters:
  ///   - window: how many scenes are kept at most, at least 1.
  ///   - negative: the embedding of the negative text, `[tokens][text_embed_dim]`; nil if there will be no guidance.
  public init(_ transformer: CogVideoXTransformer, window: Int, negative: Matrix?) throws {
    self.transformer = transformer
    self.window = max(1, window)
    self.negative = try negative.map { try transformer.project(text: $0) }
  }

  /// How many scenes are kept.
  public var count: Int { scenes.count }

  /// As if no scene had come.
  public func removeAll() {
    scenes.removeAll()
    dropped = 0
  }

  /// Bytes of all keys and values that are kept, those of the negative text's passes included.
  public var byteCount: Int { scenes.reduce(0) { $0 + $1.keys.byteCount + ($1.negative?.byteCount ?? 0) } }

  /// Adds a scene, dropping the oldest if there are more than the window holds.
  ///
  /// - Parameters:
  ///   - latents: as ``LatentSampler/condition(_:seed:segment:)`` gives them.
  ///   - text: its embedding, `[tokens][text_embed_dim]`.
  ///   - check: called before each block.
  public func append(_ latents: Latents, text: Matrix, check: () throws -> Void = {}) throws {
    let projected = try transformer.project(text: text)
    let keys = try keys(latents, projected, isNegative: false, check)
    let without = try negative.map { try self.keys(latents, $0, isNegative: true, check) }
    let depth = transformer.configuration.patchFrames ?? 1
    scenes.append(Scene(textTokens: projected.rows, frames: latents.frames / depth, keys: keys, negative: without))
    if scenes.count > window { dropped += scenes.removeFirst().frames }
  }

  private func keys(_ latents: Latents, _ text: Matrix, isNegative: Bool, _ check: () throws -> Void) throws -> KeptKeys {
    var (pass, mask) = try pass(text, frames: latents.frames, height: latents.height, width: latents.width, isNegative: isNegative)
    pass.mask = { _ in mask }
    pass.latents = latents
    pass.keeps = true
    pass.outputs = pass.frames.lowerBound..<pass.frames.lowerBound
    guard let kept = try transformer(pass, check: check).kept else { throw DiffusionError.cancelled }
    return kept
  }

  /// A pass over one more scene, all timesteps 0, its latents still to be set.
  func pass(
    _ text: Matrix, frames: Int, height: Int, width: Int, isNegative: Bool
  ) throws -> (pass: TransformerPass, mask: AttentionMask) {
    let depth = transformer.configuration.patchFrames ?? 1
    let textTokens = scenes.map { isNegative ? negative?.rows ?? 0 : $0.textTokens }
    let layout = try transformer.layout(
      texts: textTokens + [text.rows], shots: scenes.map { $0.frames * depth } + [frames], height: height, width: width)
    let mask = AttentionMask.segmentCausal(layout)
    let last = scenes.count
    var pass = TransformerPass(
      layout: layout, latents: Latents([], frames: 0, channels: 0, height: 0, width: 0), projected: [text], time: 0
    ) { _ in mask }
    pass.frames = layout.frames(ofShot: last)
    pass.texts = last..<last + 1
    pass.firstFrame = dropped
    pass.kept = try scenes.enumerated().map { index, scene in
      guard var kept = isNegative ? scene.negative : scene.keys else {
        throw DiffusionError.setting("guidance with a context that was made without a negative text")
      }
      kept.tokens = [layout.text(index), layout.shot(index)]
      return kept
    }
    return (pass, mask)
  }
}
