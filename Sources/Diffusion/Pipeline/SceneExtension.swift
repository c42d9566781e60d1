import Pixels
import Tensors

/// Goes on with a video shot by shot: shots that were decoded go in, generated ones come out and are the context of the next.
///
/// ```swift
/// let scene = try SceneExtension(folder: "scene-model", compute: Compute(threads: 2))
/// for shot in decoded { try scene.append(shot, prompt: "") }
/// while isWanted { try scene.generate(prompt: "A rabbit wakes up.", beginning: .next) { piece in show(piece.frames) } }
/// ```
///
/// The context is the last shots that the model was made for, in latents; under the segment-causal mask it is their keys, which
/// are computed once. Memory does not grow with the video.
///
/// To be used by one caller at a time.
public final class SceneExtension {
  /// What `scene.json` says, or what a folder without it is taken for, with the mask that is used.
  public let model: SceneModel
  /// The networks that the folder holds.
  public let pipeline: VideoPipeline
  /// Steps of each shot, 1 … the scheduler's training steps: the caller's, else the model's. May be set between shots.
  public var steps: Int
  /// The caller's, else the model's; at 1 and below each step is one pass without the negative prompt, not two.
  public let guidance: Double
  private let maskLayers: ClosedRange<Int>
  /// What guidance leads away from; not read at a guidance of 1 and below.
  public let negativePrompt: String
  /// With the number of a shot in the video it gives the shot's noise.
  public let seed: UInt64
  /// Keys of the shots that are remembered, under the segment-causal mask.
  private let context: CausalContext?
  /// The shots that the next one sees, the oldest first.
  private var memory: [RememberedShot] = []
  /// Shots so far, generated or not: each has noise of its own.
  public private(set) var shots: UInt32 = 0

  /// A shot that the next one sees.
  private struct RememberedShot {
    /// Its latents and its text; nil under the segment-causal mask, where keys are kept in their place.
    var condition: (latents: Latents, text: Matrix)?
    /// For a shot that goes on: nil for models without references, and of shots that are too far back.
    var frames: Frames?
    var end: PlanarPicture?
  }

  /// A shot as motion compensation alone goes on with it.
  public struct Continuation {
    /// The last picture in full size of the shot that goes on, where that is known.
    public let end: PlanarPicture?
    /// What the camera sees of its last frame, frame by frame: `GlobalMotion.path(count:damping:width:height:)`.
    public let path: [(zoom: Double, x: Double, y: Double)]
    /// That, `[T, H, W, 3]` of −1…1: what the generated frames are if the model changes nothing.
    public let frames: Frames
  }

  /// Frames of a shot that is generated.
  public struct Piece {
    /// `[T, H, W, 3]` of about −1…1.
    public let frames: Frames
    /// Where the first of them is in the shot, from 0.
    public let first: Int
    /// What the shot is a difference from; nil for a new one, and for models without references.
    public let continuation: Continuation?
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
    try requireMemory(of: folder + "/" + (known == nil ? "transformer/config.json" : SceneModel.fileName))
  }

  /// As if nothing had come before: what follows is of another video.
  public func removeAll() {
    context?.removeAll()
    memory.removeAll()
    shots = 0
  }

  /// How many shots the next one will see.
  public var count: Int { memory.count }

  /// For each of these, the oldest first, its last picture in full size where that is known and can go on.
  public var ends: [PlanarPicture?] { memory.map(\.end) }

  /// Adds a shot of the video, dropping the oldest if there are more than the model sees.
  ///
  /// - Parameters:
  ///   - frames: `[T, H, W, 3]`, −1…1, as many and as large as the model's.
  ///   - prompt: what the shot shows; empty if nobody knows.
  ///   - end: its last picture in full size, for the ``Continuation`` of a shot that goes on with it; nil if that is not known.
  public func append(_ frames: Frames, prompt: String, end: PlanarPicture? = nil, check: @escaping GenerationCheck = { _ in }) throws {
    guard frames.count == model.frames, frames.height == model.height, frames.width == model.width else {
      throw DiffusionError.size(
        "a shot of \(frames.count) frames of \(frames.width)×\(frames.height), not \(model.frames) of \(model.width)×\(model.height)")
    }
    let latents = try pipeline.encode(frames, check: at(.encoding, check))
    try append(latents, frames, text: try embed(prompt, check), check)
    keep(end: end)
  }

  /// Keeps the last picture in full size of the shot that came last.
  public func keep(end: PlanarPicture?) {
    guard model.reference != nil, let last = memory.indices.last else { return }
    memory[last].end = end
  }

  /// Generates the next shot, and adds it to the context.
  ///
  /// - Parameters:
  ///   - prompt: empty for the model's own idea.
  ///   - beginning: which shot goes on, if any. The transformer gets the model's words for it in front of the prompt. nil, or where there
  ///     are no shots before: nothing is told, and none goes on.
  ///   - check: called before each block of a network; what it throws ends the generation, and nothing is added.
  ///   - emit: gets frames as soon as they are decoded.
  public func generate(
    prompt: String, beginning: ShotBeginning? = nil, check: @escaping GenerationCheck = { _ in }, emit: (Piece) throws -> Void
  ) throws {
    let beginning = memory.isEmpty ? nil : beginning
    let text = try embed(model.prefix(beginning) + prompt, check)
    var request = request
    let conditions = memory.compactMap(\.condition)
    request.texts = conditions.map(\.text) + [text]
    request.conditions = conditions.map(\.latents)
    request.negative = request.guidance.isNeeded ? try embed(negativePrompt, check) : nil
    let reference = try reference(beginning, check)
    request.beside = reference?.latents
    var latents = try pipeline.sampler.sample(request, context: context, check: check)
    if let reference, let scale = model.reference?.scale {
      for index in latents.values.indices { latents.values[index] = reference.latents.values[index] + latents.values[index] / scale }
    }
    var parts: [Frames] = []
    var count = 0
    try pipeline.decode(latents, check: at(.decoding, check)) { decoded in
      var part = decoded
      if let reference, let unrest = model.reference?.unrest {
        part = decoded.plus(reference.rest, from: count)
        part.steady(over: reference.continuation.frames, from: count, unrest: unrest)
      }
      if model.reference != nil { parts.append(part) }
      try emit(Piece(frames: part, first: count, continuation: reference?.continuation))
      count += part.count
    }
    let frames = Frames.concatenated(parts)
    // What is shown is what the next shot sees.
    if reference != nil {
      latents = try pipeline.encode(frames.channels(0..<frames.channels) { min(max($0, -1), 1) }, check: at(.encoding, check))
    }
    try append(latents, frames, text: text, check)
  }

  /// What a shot is a difference from.
  private struct ReferenceShot {
    var continuation: Continuation
    var latents: Latents
    /// What the frames have beyond what the latents keep of them. The difference is added to the frames themselves: what stands still
    /// loses nothing, for any number of shots.
    var rest: Frames
  }

  /// The shot that goes on, as motion compensation continues it; nil for a new shot, and for models without references.
  private func reference(_ beginning: ShotBeginning?, _ check: @escaping GenerationCheck) throws -> ReferenceShot? {
    guard let settings = model.reference, let distance = beginning?.distance, distance <= memory.count else { return nil }
    let remembered = memory[memory.count - distance]
    guard let shot = remembered.frames else { return nil }
    let motion = GlobalMotion(of: shot)
    let frames = motion.continuing(shot, count: model.frames, damping: settings.damping)
    let latents = try pipeline.encode(frames, check: at(.encoding, check))
    var parts: [Frames] = []
    try pipeline.decode(latents, check: at(.decoding, check)) { parts.append($0) }
    let rest = Frames.concatenated(parts).channels(0..<frames.channels) { -$0 }.plus(frames, from: 0)
    let continuation = Continuation(
      end: remembered.end, path: motion.path(count: model.frames, damping: settings.damping, width: shot.width, height: shot.height),
      frames: frames)
    return ReferenceShot(continuation: continuation, latents: latents, rest: rest)
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
    if model.shots > 1 {
      var shot = RememberedShot(frames: model.reference == nil ? nil : frames)
      if let context {
        // The transformer sees conditions with the noise of timestep 0.
        let condition = try pipeline.sampler.condition(latents, seed: seed, segment: shots)
        try context.append(condition, text: text, check: at(.encoding, check))
      } else {
        shot.condition = (latents, text)
      }
      memory = Array((memory + [shot]).suffix(model.shots - 1))
      for index in memory.indices.dropLast(ShotBeginning.largestDistance) { (memory[index].frames, memory[index].end) = (nil, nil) }
    }
    shots &+= 1
  }
}
