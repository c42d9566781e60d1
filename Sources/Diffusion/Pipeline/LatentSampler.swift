import Tensors

/// From noise to latents: asks the transformer, step by step, with guidance, conditions and masks.
///
/// The conditions' latents pass through the scheduler's noise of timestep 0 once, as in Mask²DiT's published code, and stay what
/// they are; their video and text tokens are modulated by timestep 0 (the segment-level condition).
///
/// Source: diffusers, `CogVideoXPipeline`; Qi et al., Mask²DiT; Wu et al., CineTrans.
public final class LatentSampler {
  /// Asked once a step, with guidance twice.
  public let transformer: CogVideoXTransformer
  private let schedulerFields: ConfigurationFields

  /// - Parameter schedulerFolder: with `scheduler_config.json`, which is read once.
  /// - Throws: that file is missing or damaged, or of no scheduler that this engine knows.
  public init(transformer: CogVideoXTransformer, schedulerFolder: String) throws(WeightsError) {
    self.transformer = transformer
    schedulerFields = try Scheduler.fields(folder: schedulerFolder)
    _ = try Scheduler(schedulerFields, steps: 1, tokens: 1)
  }

  /// Finds now what ``sample(_:context:probe:check:)`` would find of a request of so many shots, each with a text of its own,
  /// and of the scheduler's file with it.
  ///
  /// - Throws: as that does.
  func check(_ request: SamplingRequest) throws {
    var request = request
    request.texts = Array(repeating: Matrix([0], rows: 1, columns: 1), count: request.shots.count)
    try validate(request, nil)
    _ = try transformer.layout(texts: request.texts.map(\.rows), shots: request.shots, height: request.height, width: request.width)
    _ = try scheduler(request)
  }

  private func scheduler(_ request: SamplingRequest) throws(WeightsError) -> Scheduler {
    let patch = transformer.configuration.patch
    let tokens = request.shots.reduce(0, +) * (request.height / patch) * (request.width / patch)
    return try Scheduler(schedulerFields, steps: request.steps, tokens: tokens, kind: request.scheduler)
  }

  /// Latents of the generated shots, one after the other.
  ///
  /// - Parameter context: earlier scenes whose keys are kept, for segment-causal models; then the request has one shot, one text
  ///   and no conditions.
  /// - Parameter probe: measures the pass with the prompts; not with a context.
  /// - Throws: ``DiffusionError`` for a request that makes no sense, and what `check` throws.
  public func sample(
    _ request: SamplingRequest, context: CausalContext? = nil, probe: AttentionProbe? = nil, check: GenerationCheck = { _ in }
  ) throws -> Latents {
    try validate(request, context)
    let frames = request.shots.reduce(0, +)
    let scheduler = try scheduler(request)
    let projected = try request.texts.map(transformer.project)
    let isGuided = request.guidance.isNeeded && request.negative != nil
    let negative = isGuided ? try request.negative.map { try transformer.project(text: $0) } : nil

    let first = request.conditions.reduce(0) { $0 + $1.frames }
    let conditions = try noised(request, scheduler)
    func noise(_ stream: NoiseStream) -> [Float] {
      NoiseGenerator(seed: request.seed, segment: request.segment, stream: stream)
        .values(count: frames * transformer.configuration.outChannels * request.height * request.width)
    }
    func latents(_ values: [Float]) -> Latents {
      Latents(values, frames: frames, channels: transformer.configuration.outChannels, height: request.height, width: request.width)
    }
    var sample = request.noise.map { $0.frames > frames ? $0[first..<first + frames].values : $0.values } ?? noise(.start)

    let passes = [projected] + (negative.map { [Array(repeating: $0, count: projected.count)] } ?? [])
    let plans: [SamplingPass] = try passes.enumerated().map { index, texts in
      try plan(request, texts: texts, context: context, isNegative: index == 1, first: first)
    }
    // 0 is the conditions'.
    try transformer.prepare(times: scheduler.timesteps + [0])
    var state = SchedulerState()
    for (index, time) in scheduler.timesteps.enumerated() {
      let opened = opened(request, step: index)
      let noisy = latents(sample).beside(request.beside, channels: transformer.configuration.besideChannels)
      let input = conditions.map { $0.followed(by: noisy) } ?? noisy
      var predictions: [[Float]] = []
      for (number, plan) in plans.enumerated() {
        var pass = plan.pass(time: time, opened: opened)
        pass.latents = input
        let progress = GenerationProgress(part: .sampling, step: index, steps: scheduler.timesteps.count)
        let probe = number == 0 && context == nil ? probe : nil
        predictions.append(try transformer(pass, probe: probe) { try check(progress) }.prediction.values)
      }
      if predictions.count == 2 {
        let scale = request.guidance.scale(at: time, steps: request.steps)
        Guidance.apply(scale, unconditional: predictions[1], to: &predictions[0])
      }
      scheduler.step(
        index, prediction: predictions[0], sample: &sample, noise: scheduler.needsNoise ? noise(.step(index)) : [], state: &state)
    }
    return latents(sample)
  }

  /// A scene as a condition: with the noise of timestep 0, and nothing in the channels that the transformer has besides.
  ///
  /// - Parameter segment: which shot of the video it is, for noise of its own.
  public func condition(_ latents: Latents, seed: UInt64, segment: UInt32) throws -> Latents {
    let scheduler = try Scheduler(schedulerFields, steps: 1, tokens: 1)
    let noise = NoiseGenerator(seed: seed, segment: segment, stream: .condition).values(count: latents.values.count)
    var result = latents
    scheduler.addNoise(noise, to: &result.values, timestep: 0)
    return result.beside(nil, channels: transformer.configuration.besideChannels)
  }

  /// All conditions in a row, each with noise of its own; nil for none.
  private func noised(_ request: SamplingRequest, _ scheduler: Scheduler) throws -> Latents? {
    var all: Latents?
    for (index, condition) in request.conditions.enumerated() {
      var latents = condition
      let first = all?.frames ?? 0
      if let noise = request.noise, noise.frames > request.shots.reduce(0, +) {
        scheduler.addNoise(noise[first..<first + condition.frames].values, to: &latents.values, timestep: 0)
        latents = latents.beside(nil, channels: transformer.configuration.besideChannels)
      } else {
        // Scenes keep their noise while the window slides over them.
        let segment = request.segment &- UInt32(request.conditions.count - index)
        latents = try self.condition(condition, seed: request.seed, segment: segment)
      }
      all = all?.followed(by: latents) ?? latents
    }
    return all
  }

  /// What stays the same in all steps of one of the two passes.
  private struct SamplingPass {
    var pass: TransformerPass
    var mask: AttentionMask
    var full: AttentionMask
    var maskedLayers: ClosedRange<Int>?
    var conditions: Int

    /// - Parameter opened: masked layers that are left open in this step.
    func pass(time: Double, opened: Set<Int>) -> TransformerPass {
      var pass = pass
      for index in pass.layout.shots.indices.dropFirst(conditions) { pass.shotTimes[index] = time }
      for index in pass.layout.texts.indices where index >= conditions || pass.layout.texts.count < pass.layout.shots.count {
        pass.textTimes[index] = time
      }
      let (mask, full, layers) = (mask, full, maskedLayers)
      pass.mask = { layer in layers.map { $0.contains(layer) && !opened.contains(layer) } ?? true ? mask : full }
      return pass
    }
  }

  private func plan(
    _ request: SamplingRequest, texts: [Matrix], context: CausalContext?, isNegative: Bool, first: Int
  ) throws -> SamplingPass {
    let depth = transformer.configuration.patchFrames ?? 1
    if let context {
      let (pass, mask) = try context.pass(
        texts[0], frames: request.shots[0], height: request.height, width: request.width, isNegative: isNegative)
      return SamplingPass(pass: pass, mask: mask, full: mask, conditions: pass.layout.shots.count - 1)
    }
    let shots = request.conditions.map(\.frames) + request.shots
    let layout = try transformer.layout(texts: texts.map(\.rows), shots: shots, height: request.height, width: request.width)
    var pass = TransformerPass(layout: layout, latents: Latents([], frames: 0, channels: 0, height: 0, width: 0), projected: texts, time: 0)
    { _ in
      .full(layout)
    }
    pass.outputs = first / depth..<layout.frames
    let conditions = request.conditions.count
    switch request.control {
    case .full: return SamplingPass(pass: pass, mask: .full(layout), full: .full(layout), conditions: conditions)
    case .mask2dit(let variant):
      if !transformer.configuration.isRotary, shots.count > 1 {
        pass.positions = .stretched(sceneFrames: max(1, layout.frames / shots.count))
      }
      return SamplingPass(pass: pass, mask: .mask2dit(variant, layout), full: .full(layout), conditions: conditions)
    case .cineTrans(let cineTrans):
      return SamplingPass(
        pass: pass, mask: cineTrans.mask(layout), full: .full(layout), maskedLayers: cineTrans.layers, conditions: conditions)
    }
  }

  /// Masked layers that chance leaves open in a step, the same for both passes.
  private func opened(_ request: SamplingRequest, step: Int) -> Set<Int> {
    guard case .cineTrans(let cineTrans) = request.control, cineTrans.opening > 0 else { return [] }
    let key = SIMD2(UInt32(truncatingIfNeeded: request.seed), UInt32(truncatingIfNeeded: request.seed >> 32))
    return Set(
      cineTrans.layers.filter { layer in
        let counter = SIMD4(UInt32(truncatingIfNeeded: layer), UInt32(truncatingIfNeeded: step), .max, request.segment)
        return Double(Philox.words(counter: counter, key: key).x) < cineTrans.opening * 0x1p32
      })
  }

  private func validate(_ request: SamplingRequest, _ context: CausalContext?) throws {
    let shots = request.conditions.count + request.shots.count
    guard !request.shots.isEmpty, request.shots.allSatisfy({ 1...65536 ~= $0 }) else {
      throw DiffusionError.size("shots of \(request.shots) latent frames")
    }
    guard 1...8192 ~= request.height, 1...8192 ~= request.width else {
      throw DiffusionError.size("latents of \(request.width) × \(request.height), not of 1 to 8192 each way")
    }
    // 2²⁸ numbers are a gigabyte, and some hours of video.
    let frames = request.shots.reduce(0, +) + request.conditions.reduce(0) { $0 + $1.frames }
    let numbers = frames.multipliedReportingOverflow(by: transformer.configuration.inChannels * request.height * request.width)
    guard !numbers.overflow, numbers.partialValue <= 1 << 28 else {
      throw DiffusionError.size("\(frames) latent frames of \(request.width) × \(request.height)")
    }
    for condition in request.conditions
    where (condition.height, condition.width, condition.channels) != (request.height, request.width, transformer.configuration.outChannels)
    {
      throw DiffusionError.size("a condition of another size than the shot")
    }
    if let beside = request.beside {
      let wanted = (request.shots.reduce(0, +), transformer.configuration.besideChannels, request.height, request.width)
      guard (beside.frames, beside.channels, beside.height, beside.width) == wanted else {
        throw DiffusionError.size(
          "\(beside.channels) channels of \(beside.frames) frames beside the noise, not \(wanted.1) of \(wanted.0) of its size")
      }
    }
    let texts: Set<Int>
    switch request.control {
    case .full: texts = [1, shots]
    case .mask2dit: texts = [shots]
    case .cineTrans(let cineTrans):
      texts = [1, shots, shots + 1]
      guard cineTrans.layers.lowerBound >= 0, cineTrans.layers.upperBound < transformer.configuration.layers else {
        throw DiffusionError.setting("masked layers \(cineTrans.layers) of a model of \(transformer.configuration.layers)")
      }
      guard 0...1 ~= cineTrans.opening else { throw DiffusionError.setting("an opening probability of \(cineTrans.opening), not 0 to 1") }
    }
    guard texts.contains(request.texts.count) else {
      throw DiffusionError.setting(
        "\(request.texts.count) texts for \(shots) shots, not \(texts.sorted().map { "\($0)" }.joined(separator: " or "))")
    }
    guard request.texts.allSatisfy({ $0.rows > 0 }), request.guidance.scale.isFinite else {
      throw DiffusionError.setting("an empty text or no finite guidance")
    }
    if let noise = request.noise {
      let generated = request.shots.reduce(0, +)
      guard [generated, frames].contains(noise.frames),
        noise.frameSize == transformer.configuration.outChannels * request.height * request.width
      else {
        throw DiffusionError.size("noise of another size than the shots")
      }
    }
    if context != nil {
      guard request.conditions.isEmpty, shots == 1, request.texts.count == 1 else {
        throw DiffusionError.setting("a kept context goes with one shot, one text and no other conditions")
      }
    }
  }
}
