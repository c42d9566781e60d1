import Tensors

/// A model's folder, opened: context shots and prompts in, new frames out.
///
/// ```swift
/// let pipeline = try VideoPipeline(folder: "CogVideoX-2b", compute: Compute(threads: 2), residency: .block)
/// var request = VideoRequest(shots: .separate([49]), height: 480, width: 720, prompts: ["A panda plays the guitar."])
/// request.steps = 20
/// try pipeline.generate(request) { shot, frames in show(frames) }
/// ```
///
/// The folder is as diffusers saves a `CogVideoXPipeline`: `model_index.json`, tokenizer, text_encoder (T5 or BERT), transformer,
/// vae, scheduler. Opening it reads and checks every configuration and every tensor's place, shape and type, and no weights.
///
/// To be used by one caller at a time.
public final class VideoPipeline {
  /// Of the folder `transformer`, with the adapters.
  public let transformer: CogVideoXTransformer
  /// Of the folder `vae`: a ``VideoAutoencoder`` or a ``LappedAutoencoder``.
  public let autoencoder: any Autoencoder
  /// The tokenizer and the text encoder; remembers the last embeddings.
  public let prompts: PromptEncoder
  /// Goes from noise to latents by the folder's scheduler.
  public let sampler: LatentSampler

  /// - Parameters:
  ///   - textEncoder: a folder with both tokenizer and encoder, in place of the model's own.
  ///   - residency: of the transformer's weights and the text encoder's.
  ///   - adapters: LoRA files for the transformer, each with a factor.
  ///   - seesReference: whether the transformer has as many input channels more, for latents beside the noise.
  /// - Throws: `WeightsError`, naming file, tensor or field, for a folder that is not a model which this engine knows.
  public init(
    folder: String, textEncoder: String? = nil, compute: Compute, residency: Residency = .all,
    adapters: [(LowRankAdapter, scale: Float)] = [], seesReference: Bool = false
  ) throws {
    let model = try ModelFolder(path: folder)
    let transformerFolder = try model.component("transformer", classes: [TransformerConfiguration.className])
    let autoencoderFolder = try model.component("vae", classes: Autoencoders.classes)
    let schedulerFolder = try model.component(
      "scheduler", classes: [Scheduler.Kind.ddim, .dpm, .flowMatchEuler].map(\.rawValue))

    transformer = try CogVideoXTransformer(folder: transformerFolder, compute: compute, residency: residency, adapters: adapters)
    autoencoder = try Autoencoders.load(folder: autoencoderFolder, compute: compute)
    sampler = try LatentSampler(transformer: transformer, schedulerFolder: schedulerFolder)

    let bert = ["BertModel"]
    let encoders = ["T5EncoderModel", "UMT5EncoderModel"] + bert
    let tokenizers = ["T5Tokenizer", "T5TokenizerFast", "BertTokenizer", "BertTokenizerFast"]
    let tokenizerFolder: String
    let encoderFolder: String
    let isBert: Bool
    if let textEncoder {
      (tokenizerFolder, encoderFolder) = (textEncoder, textEncoder)
      isBert = try ConfigurationFields(path: textEncoder + "/config.json").choice("model_type", ["bert", "t5", "umt5", "mt5"]) == "bert"
    } else {
      tokenizerFolder = try model.component("tokenizer", classes: tokenizers)
      encoderFolder = try model.component("text_encoder", classes: encoders)
      isBert = model.components["text_encoder"].map(bert.contains) ?? false
    }
    prompts = try PromptEncoder(
      tokenizer: tokenizerFolder, encoder: encoderFolder, isBert: isBert, maximalTokens: transformer.configuration.maximalTextTokens,
      compute: compute, residency: residency)

    // What one part makes the next must take.
    let configuration = transformer.configuration
    guard prompts.width == configuration.textWidth else {
      throw WeightsError(
        .malformed, path: transformerFolder + "/config.json",
        "has a text_embed_dim of \(configuration.textWidth), but the text encoder's is \(prompts.width)")
    }
    guard autoencoder.latentChannels == configuration.outChannels,
      configuration.inChannels == configuration.outChannels * (seesReference ? 2 : 1)
    else {
      throw WeightsError(
        .malformed, path: transformerFolder + "/config.json",
        """
        has \(configuration.inChannels) in_channels and \(configuration.outChannels) out_channels, but the \
        autoencoder's latents have \(autoencoder.latentChannels)
        """
          + (seesReference ? ", and with a reference_scale in_channels are twice as many" : ""))
    }
  }

  /// Where the cuts of a request fall: for each its frame, asked for and got.
  public func cuts(_ request: VideoRequest) throws -> [(asked: Double, got: Int)] { try plan(request).cuts?.rounded ?? [] }

  /// Generates the shots.
  ///
  /// - Parameters:
  ///   - probe: measures attention on the way.
  ///   - check: called before each piece of work; what it throws ends the generation.
  ///   - emit: gets frames `[T, H, W, 3]` of about −1…1, as soon as they are decoded, with the index of their shot among the
  ///     generated ones (0 for all of a video with cuts).
  /// - Throws: ``DiffusionError`` and ``TextEncoderError`` for what cannot be generated; `WeightsError` for weights
  ///   that are not finite.
  public func generate(
    _ request: VideoRequest, probe: AttentionProbe? = nil, check: @escaping GenerationCheck = { _ in },
    emit: (_ shot: Int, _ frames: Frames) throws -> Void
  ) throws {
    let plan = try plan(request)
    let texts = try request.prompts.enumerated().map { index, prompt in
      try prompts.embed(prompt) { try check(GenerationProgress(part: .text, step: index, steps: request.prompts.count)) }
    }
    let negative = try request.negativePrompt.map { prompt in
      try prompts.embed(prompt) { try check(GenerationProgress(part: .text, step: request.prompts.count, steps: request.prompts.count)) }
    }
    var sampling = SamplingRequest(shots: plan.shots, height: plan.height, width: plan.width, texts: texts)
    sampling.conditions = try request.context.enumerated().map { index, frames in
      try encode(frames, tiling: request.tiling) {
        try check(GenerationProgress(part: .encoding, step: index, steps: request.context.count))
      }
    }
    sampling.negative = negative
    (sampling.control, sampling.steps, sampling.guidance) = (request.control, request.steps, request.guidance)
    (sampling.seed, sampling.segment, sampling.scheduler, sampling.noise) = (
      request.seed, request.segment, request.scheduler, request.noise
    )
    let latents = try sampler.sample(sampling, probe: probe, check: check)

    let videos = plan.cuts == nil ? plan.shots : [latents.frames]
    var first = 0
    for (shot, count) in videos.enumerated() {
      // Latents that only made patches come out even lie before the others.
      try decode(latents[first + plan.padding..<first + count], tiling: request.tiling) {
        try check(GenerationProgress(part: .decoding, step: shot, steps: videos.count))
      } emit: {
        try emit(shot, $0)
      }
      first += count
    }
  }

  /// Frames → their likeliest latents, as the transformer sees them.
  ///
  /// - Parameter frames: `[T, H, W, 3]`, −1…1.
  public func encode(_ frames: Frames, tiling: Tiling? = nil, check: @escaping () throws -> Void = {}) throws -> Latents {
    try autoencoder.encode(frames, tiling: tiling, check: check)
  }

  /// The transformer's latents → frames, handed on as soon as they are decoded.
  public func decode(_ latents: Latents, tiling: Tiling? = nil, check: @escaping () throws -> Void = {}, emit: (Frames) throws -> Void)
    throws
  {
    try autoencoder.decode(latents, tiling: tiling, check: check, emit: emit)
  }

  /// A request in latents.
  private struct LatentPlan {
    var shots: [Int]
    var height: Int
    var width: Int
    var cuts: LatentCuts?
    /// Latent frames before each video that are not decoded.
    var padding: Int
  }

  private func plan(_ request: VideoRequest) throws -> LatentPlan {
    let side = autoencoder.spatialCompression
    let (patch, depth) = (transformer.configuration.patch * side, transformer.configuration.patchFrames ?? 1)
    guard request.height > 0, request.width > 0, request.height % patch == 0, request.width % patch == 0,
      max(request.height, request.width) <= 1 << 15
    else {
      throw DiffusionError.size("frames of \(request.width) × \(request.height), not of multiples of \(patch)")
    }
    func latents(_ frames: Int) throws -> Int {
      guard 1...100_000 ~= frames else { throw DiffusionError.size("\(frames) frames, not 1 to 100000") }
      let count = autoencoder.latents(frames: frames)
      let decoded = autoencoder.frames(latents: count)
      guard decoded == frames else {
        throw DiffusionError.size("\(frames) frames, whose \(count) latent frames would be decoded to \(decoded)")
      }
      return count
    }
    for frames in request.context {
      guard frames.height == request.height, frames.width == request.width else {
        throw DiffusionError.size("a context of another size than the shots")
      }
      guard try latents(frames.count) % depth == 0 else {
        throw DiffusionError.size("a context of \(frames.count) frames, which does not come out even in patches of \(depth) latent frames")
      }
    }
    let (height, width) = (request.height / side, request.width / side)
    switch request.shots {
    case .separate(let frames):
      let counts = try frames.map(latents)
      // All videos of a request are padded alike.
      let paddings = Set(counts.map { (depth - $0 % depth) % depth })
      guard let padding = paddings.first, paddings.count == 1 else {
        throw DiffusionError.size(
          "shots of \(frames) frames, of which some come out even in patches of \(depth) latent frames and some do not")
      }
      return LatentPlan(shots: counts.map { $0 + padding }, height: height, width: width, padding: padding)
    case .cut(let frames, let cuts):
      guard depth == 1 else { throw DiffusionError.setting("cuts within a video of a model whose patches are \(depth) latent frames long") }
      let boundaries = try LatentCuts(cuts, latents: latents(frames), compression: autoencoder.temporalCompression)
      return LatentPlan(shots: boundaries.shots, height: height, width: width, cuts: boundaries, padding: 0)
    }
  }
}
