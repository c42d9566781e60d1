import Tensors

/// Goes on with a video shot by shot: shots that were decoded go in, generated ones come out and are the context of the next.
///
/// ```swift
/// let scene = try SceneExtension(folder: "scene-model", compute: Compute(threads: 2))
/// for shot in decoded { try scene.append(shot, prompt: "") }
/// while isWanted { try scene.generate(prompt: "Next scene: A rabbit wakes up.") { frames in show(frames) } }
/// ```
///
/// The context is the last shots that the model was made for, in latents; under the segment-causal mask it is their keys, which
/// are computed once. Memory does not grow with the video.
///
/// To be used by one caller at a time.
public final class SceneExtension {
  public let model: SceneModel
  public let pipeline: VideoPipeline
  /// What is used in place of the model's own.
  public var steps: Int
  public let guidance: Double
  private let maskLayers: ClosedRange<Int>
  public let negativePrompt: String
  public let seed: UInt64
  /// Under the segment-causal mask.
  private let context: CausalContext?
  /// Under other masks, the noised latents of shots and their texts.
  private var window: [(latents: Latents, text: Matrix)] = []
  /// The last shots' frames, for a model with references.
  private var recent: [Frames] = []
  /// Shots so far, generated or not: each has noise of its own.
  public private(set) var shots: UInt32 = 0
  /// What the shot that is generated, or was last, is a difference from; nil for a new one, and for models without references.
  public private(set) var continuation: Continuation?

  /// A shot as motion compensation alone goes on with it.
  public struct Continuation {
    /// How many shots before the generated one it lies.
    public let shotsBefore: Int
    /// What the camera sees of its last frame, frame by frame: ``CameraMotion/path(count:damping:width:height:)``.
    public let path: [(zoom: Double, x: Double, y: Double)]
    /// That, `[T, H, W, 3]` of −1…1: what the generated frames are if the model changes nothing.
    public let frames: Frames
  }

  /// - Parameters:
  ///   - folder: a model's, with `scene.json` or without.
  ///   - textEncoder: a folder with both tokenizer and encoder; nil for what the model's file says.
  ///   - steps, guidance, mask: nil for the model's.
  ///   - negativePrompt: what guidance leads away from.
  ///   - maskLayers: those that CineTrans's mask is on; nil for the published ones.
  ///   - adapters: LoRA files for the transformer, each with a factor.
  /// - Throws: `WeightsError`, naming file, tensor or field; `DiffusionError` for settings that do not fit the model.
  public init(
    folder: String, textEncoder: String? = nil, compute: Compute, mask: SceneModel.Mask? = nil, maskLayers: ClosedRange<Int>? = nil,
    steps: Int? = nil, guidance: Double? = nil,
    negativePrompt: String = "", seed: UInt64 = 0, adapters: [(LowRankAdapter, scale: Float)] = []
  ) throws {
    let known = try SceneModel.read(folder: folder)
    let encoder = known?.textEncoder.map { folder + "/../" + $0 }
    pipeline = try VideoPipeline(
      folder: folder, textEncoder: textEncoder ?? encoder, compute: compute, adapters: adapters, seesReference: known?.reference != nil)
    let configuration = pipeline.transformer.configuration
    var model = known ?? SceneModel(transformer: configuration, spatialCompression: pipeline.autoencoder.spatialCompression)
    model.mask = mask ?? model.mask
    self.model = model
    self.maskLayers = maskLayers ?? CineTrans.publishedLayers(of: configuration.layers)
    self.steps = steps ?? model.steps
    self.guidance = guidance ?? model.guidance
    self.negativePrompt = negativePrompt
    self.seed = seed
    guard pipeline.autoencoder.frames(latents: pipeline.autoencoder.latents(frames: model.frames)) == model.frames else {
      throw WeightsError(
        .malformed, path: folder + "/" + SceneModel.fileName,
        "has shots of \(model.frames) frames, which the autoencoder's latents do not hold")
    }
    let side = pipeline.autoencoder.spatialCompression
    guard model.width % side == 0, model.height % side == 0 else {
      throw WeightsError(
        .malformed, path: folder + "/" + SceneModel.fileName,
        "has shots of \(model.width)×\(model.height) pixels, not of multiples of the autoencoder's \(side)")
    }
    let negative = Guidance(scale: self.guidance).isNeeded ? try pipeline.prompts.embed(negativePrompt) : nil
    context = model.mask == .causal ? try CausalContext(pipeline.transformer, window: max(1, model.shots - 1), negative: negative) : nil
    do {
      try pipeline.sampler.check(request)
    } catch DiffusionError.size(let text) {
      throw WeightsError(.malformed, path: folder + "/" + SceneModel.fileName, "has shots that cannot be generated: \(text)")
    }
  }

  /// As if nothing had come before: what follows is of another video.
  public func removeAll() {
    context?.removeAll()
    window.removeAll()
    recent.removeAll()
    continuation = nil
    shots = 0
  }

  /// How many shots the next one will see.
  public var count: Int { context?.count ?? window.count }

  /// Adds a shot of the video, dropping the oldest if there are more than the model sees.
  ///
  /// - Parameters:
  ///   - frames: `[T, H, W, 3]`, −1…1, as many and as large as the model's.
  ///   - prompt: what the shot shows; empty if nobody knows.
  public func append(_ frames: Frames, prompt: String, check: @escaping GenerationCheck = { _ in }) throws {
    guard frames.count == model.frames, frames.height == model.height, frames.width == model.width else {
      throw DiffusionError.size(
        "a shot of \(frames.count) frames of \(frames.width)×\(frames.height), not \(model.frames) of \(model.width)×\(model.height)")
    }
    let latents = try pipeline.encode(frames, check: at(.encoding, check))
    try append(latents, frames, text: try embed(prompt, check), check)
  }

  /// Generates the next shot, and adds it to the context.
  ///
  /// - Parameters:
  ///   - prompt: empty for the model's own idea. With one of the model's prefixes it says which shot goes on.
  ///   - check: called before each block of a network; what it throws ends the generation, and nothing is added.
  ///   - emit: gets frames `[T, H, W, 3]` of about −1…1 as soon as they are decoded.
  public func generate(prompt: String, check: @escaping GenerationCheck = { _ in }, emit: (Frames) throws -> Void) throws {
    let text = try embed(prompt, check)
    var request = request
    request.texts = window.map(\.text) + [text]
    request.conditions = window.map(\.latents)
    request.negative = request.guidance.isNeeded ? try embed(negativePrompt, check) : nil
    let reference = try reference(prompt, check)
    request.beside = reference?.latents
    var latents = try pipeline.sampler.sample(request, context: context, check: check)
    if let reference, let scale = model.reference?.scale {
      for index in latents.values.indices { latents.values[index] = reference.latents.values[index] + latents.values[index] / scale }
    }
    var parts: [Frames] = []
    var count = 0
    try pipeline.decode(latents, check: at(.decoding, check)) { decoded in
      var part = decoded
      if let reference, let frames = continuation?.frames, let unrest = model.reference?.unrest {
        part = decoded.plus(reference.rest, from: count)
        part.steady(over: frames, from: count, unrest: unrest)
      }
      count += part.count
      if model.reference != nil { parts.append(part) }
      try emit(part)
    }
    let frames = Frames.concatenated(parts)
    // What is shown is what the next shot sees.
    if reference != nil {
      latents = try pipeline.encode(frames.channels(0..<frames.channels) { min(max($0, -1), 1) }, check: at(.encoding, check))
    }
    try append(latents, frames, text: text, check)
  }

  /// What a shot is a difference from.
  private struct Reference {
    var latents: Latents
    /// What the frames have beyond what the latents keep of them. The difference is added to the frames themselves: what stands still
    /// loses nothing, for any number of shots.
    var rest: Frames
  }

  /// The shot that goes on in one with this prompt, as motion compensation continues it; nil for a new shot, and for models without
  /// references.
  private func reference(_ prompt: String, _ check: @escaping GenerationCheck) throws -> Reference? {
    continuation = nil
    guard let settings = model.reference else { return nil }
    let before = prompt.hasPrefix(model.prefixes.same) ? 1 : prompt.hasPrefix(model.prefixes.back) ? 2 : 0
    guard before > 0, before <= recent.count else { return nil }
    let shot = recent[recent.count - before]
    let motion = CameraMotion(of: shot)
    let frames = motion.continuing(shot, count: model.frames, damping: settings.damping)
    let latents = try pipeline.encode(frames, check: at(.encoding, check))
    var parts: [Frames] = []
    try pipeline.decode(latents, check: at(.decoding, check)) { parts.append($0) }
    let rest = Frames.concatenated(parts).channels(0..<frames.channels) { -$0 }.plus(frames, from: 0)
    continuation = Continuation(
      shotsBefore: before, path: motion.path(count: model.frames, damping: settings.damping, width: shot.width, height: shot.height),
      frames: frames)
    return Reference(latents: latents, rest: rest)
  }

  /// The next shot, without texts and conditions.
  private var request: SamplingRequest {
    let side = pipeline.autoencoder.spatialCompression
    let frames = pipeline.autoencoder.latents(frames: model.frames)
    var request = SamplingRequest(shots: [frames], height: model.height / side, width: model.width / side, texts: [])
    if let variant = AttentionMask.Mask2DiT(rawValue: model.mask.rawValue) { request.control = .mask2dit(variant) }
    if model.mask == .cinetrans { request.control = .cineTrans(CineTrans(layers: maskLayers)) }
    (request.steps, request.guidance, request.seed, request.segment) = (steps, Guidance(scale: guidance), seed, shots)
    return request
  }

  /// Tells of this part of the work, of whose steps nothing is known.
  private func at(_ part: GenerationProgress.Part, _ check: @escaping GenerationCheck) -> () throws -> Void {
    { try check(GenerationProgress(part: part, step: 0, steps: 1)) }
  }

  private func embed(_ prompt: String, _ check: @escaping GenerationCheck) throws -> Matrix {
    try pipeline.prompts.embed(prompt, check: at(.text, check))
  }

  private func append(_ latents: Latents, _ frames: Frames, text: Matrix, _ check: @escaping GenerationCheck) throws {
    if let context, model.shots > 1 {
      // The transformer sees conditions with the noise of timestep 0.
      let condition = try pipeline.sampler.condition(latents, seed: seed, segment: shots)
      try context.append(condition, text: text, check: at(.encoding, check))
    } else if model.shots > 1 {
      window = Array((window + [(latents, text)]).suffix(model.shots - 1))
    }
    if model.reference != nil { recent = Array((recent + [frames]).suffix(min(2, model.shots - 1))) }
    shots &+= 1
  }
}
