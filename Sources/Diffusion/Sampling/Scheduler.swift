import Tensors

/// How a sample of noise becomes a latent: the times at which the model is asked, and what each answer does to the sample.
///
/// ```swift
/// let scheduler = try Scheduler(folder: "CogVideoX-5b/scheduler", steps: 50, tokens: 17_550)
/// var state = SchedulerState()
/// for index in scheduler.timesteps.indices {
///   let prediction = model(sample, scheduler.timesteps[index])
///   scheduler.step(index, prediction: prediction, sample: &sample, noise: scheduler.needsNoise ? noise(index) : [], state: &state)
/// }
/// ```
///
/// Every scheduler here is linear in its arrays, so that it is a constant: a few numbers a step, computed once in Double.
/// No number depends on the machine: there are only additions, multiplications, divisions and square roots of IEEE 754.
/// The sample goes to the model as it is (diffusers' `scale_model_input` is the identity), and pure noise to begin with has a
/// standard deviation of 1 (`init_noise_sigma`).
///
/// - Cost: a step reads and writes each array once.
public struct Scheduler: Sendable {
  /// diffusers' class, as `_class_name` gives it.
  public enum Kind: String, Sendable {
    /// Denoising diffusion implicit model with η = 0: no noise but the first.
    case ddim = "CogVideoXDDIMScheduler"
    /// The stochastic SDE-DPM++ 2M: remembers one step, and needs noise at every one.
    case dpm = "CogVideoXDPMScheduler"
    /// Euler's method for a model that predicts the velocity from data to noise.
    case flowMatchEuler = "FlowMatchEulerDiscreteScheduler"
  }

  /// The caller's choice, else what the file says.
  public let kind: Kind
  /// The model's time at each step, falling, in 0...training steps.
  public let timesteps: [Double]
  /// Whether ``step(_:prediction:sample:noise:state:)`` needs noise.
  public let needsNoise: Bool
  let coefficients: [StepCoefficients]
  let forward: ForwardProcess

  /// Reads `scheduler_config.json`. Fields that are absent have diffusers' defaults.
  ///
  /// - Parameters:
  ///   - folder: a diffusers model's `scheduler` folder.
  ///   - steps: how often the model is asked; 1...training steps.
  ///   - tokens: video tokens of a sample; only `use_dynamic_shifting` looks at them.
  ///   - kind: nil for what the file says. A CogVideoX file fits both ``Kind/ddim`` and ``Kind/dpm``.
  /// - Throws: if the file cannot be read, its class or a field is not supported, or a number makes no sense.
  public init(folder: String, steps: Int, tokens: Int, kind: Kind? = nil) throws(WeightsError) {
    try self.init(Self.fields(folder: folder), steps: steps, tokens: tokens, kind: kind)
  }

  static func fields(folder: String) throws(WeightsError) -> ConfigurationFields {
    try ConfigurationFields(path: folder + "/scheduler_config.json")
  }

  /// - Parameter fields: of `scheduler_config.json`.
  init(_ fields: ConfigurationFields, steps: Int, tokens: Int, kind: Kind? = nil) throws(WeightsError) {
    let fitting: [Kind] = kind == nil ? [.ddim, .dpm, .flowMatchEuler] : kind == .flowMatchEuler ? [.flowMatchEuler] : [.ddim, .dpm]
    let name = try fields.className(fitting.map(\.rawValue))
    switch kind ?? Kind(rawValue: name) {
    case .dpm: self = try Scheduler(dpm: CogVideoXSchedule(fields, steps: steps), fields)
    case .flowMatchEuler: self = try Scheduler(flowMatch: fields, steps: steps, tokens: tokens)
    case .ddim, nil: self = try Scheduler(ddim: CogVideoXSchedule(fields, steps: steps), fields)
    }
  }

  init(
    kind: Kind, timesteps: [Double], coefficients: [StepCoefficients], forward: ForwardProcess, _ fields: ConfigurationFields
  ) throws(WeightsError) {
    for (index, step) in coefficients.enumerated() where !step.isFinite {
      throw WeightsError(
        .malformed, path: fields.path, "gives no finite step \(index + 1) of \(coefficients.count), at timestep \(timesteps[index])")
    }
    self.kind = kind
    self.timesteps = timesteps
    self.coefficients = coefficients
    self.forward = forward
    needsNoise = coefficients.contains { $0.noise != 0 }
  }

  /// Takes a sample from the time of step `index` to that of the next.
  ///
  /// - Parameters:
  ///   - prediction: the model's, with guidance.
  ///   - noise: standard normal, fresh at every step; not looked at if ``needsNoise`` is false.
  ///   - state: from the step before; a new one for the first.
  /// - Precondition: `index` is one of ``timesteps``, and the arrays are of one length.
  public func step(_ index: Int, prediction: [Float], sample: inout [Float], noise: [Float] = [], state: inout SchedulerState) {
    let step = coefficients[index]
    let count = sample.count
    precondition(prediction.count == count && (step.noise == 0 || noise.count == count), "the arrays are of one length")
    let needsEarlier = step.earlierOriginal != 0
    precondition(!needsEarlier || state.original.count == count, "the state is that of the step before")
    var original: [Float] = []
    if index + 1 < coefficients.count, coefficients[index + 1].earlierOriginal != 0 {
      original = combine(step.originalSample, sample, step.originalPrediction, prediction)
    }
    accumulate(step.sample, &sample, step.prediction, prediction)
    if needsEarlier { accumulate(1, &sample, step.earlierOriginal, state.original) }
    if step.noise != 0 { accumulate(1, &sample, step.noise, noise) }
    state.original = original
  }

  /// Takes a clean sample to `timestep`: signal·x + noise·ε, with the factors of ``levels(at:)``.
  ///
  /// - Parameter noise: standard normal.
  /// - Precondition: the arrays are of one length.
  public func addNoise(_ noise: [Float], to sample: inout [Float], timestep: Double) {
    precondition(noise.count == sample.count, "the arrays are of one length")
    let levels = levels(at: timestep)
    accumulate(Float(levels.signal), &sample, Float(levels.noise), noise)
  }

  /// What a sample at `timestep` consists of: √ᾱ of the clean one and √(1 − ᾱ) of noise, or 1 − σ and σ for flow matching.
  ///
  /// - Parameter timestep: any, not only those of ``timesteps``; from 0, least noise, to the number of training steps, and
  ///   taken as the nearest of these if it lies outside.
  public func levels(at timestep: Double) -> (signal: Double, noise: Double) { forward.levels(at: timestep) }
}

/// What a scheduler remembers from one step to the next: a new value for each sample.
public struct SchedulerState: Sendable {
  /// x₀ as the last step predicted it; empty if no step needs it.
  var original: [Float] = []

  /// Before the first step.
  public init() {}
}

/// One step: x ← sample·x + prediction·p + earlierOriginal·x₀ of the step before + noise·ε.
struct StepCoefficients {
  var sample: Float
  var prediction: Float
  var earlierOriginal: Float = 0
  var noise: Float = 0
  /// x₀ = originalSample·x + originalPrediction·p, for the step after.
  var originalSample: Float = 0
  var originalPrediction: Float = 0

  var isFinite: Bool {
    [sample, prediction, earlierOriginal, noise, originalSample, originalPrediction].allSatisfy(\.isFinite)
  }
}

extension ConfigurationFields {
  /// `num_train_timesteps`, which bounds what the file can make this process allocate, to a thousand times what models are
  /// trained with; and that `steps`, which the caller says, is no more.
  func trainingSteps(for steps: Int) throws(WeightsError) -> Int {
    let count = try integer("num_train_timesteps", default: 1000, in: 1...1_000_000)
    guard (1...count).contains(steps) else {
      throw error("num_train_timesteps", "is \(count), which allows 1 to \(count) steps, not \(steps)")
    }
    return count
  }

  /// A finite number above 0.
  func positive(_ field: String, default fallback: Double) throws(WeightsError) -> Double {
    let number = try number(field, default: fallback, in: -.infinity ... .infinity)
    guard number > 0, number < .infinity else { throw error(field, "is \(number), not above 0") }
    return number
  }
}

/// How noise came to a sample in training.
enum ForwardProcess {
  /// √ᾱ·x + √(1 − ᾱ)·ε, ᾱ by timestep.
  case variancePreserving(alphas: [Double])
  /// (1 − σ)·x + σ·ε, σ = timestep / training steps.
  case straight(trainingSteps: Int)

  func levels(at timestep: Double) -> (signal: Double, noise: Double) {
    let timestep = timestep > 0 ? timestep : 0  // also what is not a number
    switch self {
    case .variancePreserving(let alphas):
      let alpha = alphas[Int(min(timestep, Double(alphas.count - 1)))]
      return (alpha.squareRoot(), (1 - alpha).squareRoot())
    case .straight(let trainingSteps):
      let sigma = min(timestep / Double(trainingSteps), 1)
      return (1 - sigma, sigma)
    }
  }
}

/// x ← a·x + b·y
private func accumulate(_ a: Float, _ x: inout [Float], _ b: Float, _ y: [Float]) {
  x.withUnsafeMutableBufferPointer { x in
    y.withUnsafeBufferPointer { y in
      for index in 0..<min(x.count, y.count) { x[index] = a * x[index] + b * y[index] }
    }
  }
}

/// a·x + b·y
private func combine(_ a: Float, _ x: [Float], _ b: Float, _ y: [Float]) -> [Float] {
  var result = x
  accumulate(a, &result, b, y)
  return result
}
