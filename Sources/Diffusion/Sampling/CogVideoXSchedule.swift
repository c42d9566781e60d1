import Tensors

/// What CogVideoX's two schedulers share: ᾱ of every training step and the timesteps of the sampling steps.
///
/// Source: diffusers' `CogVideoXDDIMScheduler`; zero terminal SNR and the spacings from Lin et al. 2023, "Common Diffusion
/// Noise Schedules and Sample Steps Are Flawed".
struct CogVideoXSchedule {
  enum BetaSchedule: String { case linear, scaledLinear = "scaled_linear" }
  enum Spacing: String { case trailing, leading, linspace }
  /// What the model's answer p is, and so x₀.
  enum Prediction: String {
    case epsilon, sample
    case velocity = "v_prediction"
  }

  /// ᾱ by timestep, falling; of 1 it is the part of a sample's variance that is signal.
  let alphas: [Double]
  /// ᾱ before timestep 0.
  let finalAlpha: Double
  let prediction: Prediction
  let timesteps: [Int]
  /// From a timestep to the one that its step arrives at. It is this for every spacing, also where the next timestep differs.
  let stride: Int

  init(_ configuration: CogVideoXConfiguration, steps: Int, _ fields: FieldCheck) throws(WeightsError) {
    let count = try fields.integer("num_train_timesteps", configuration.trainingSteps, in: 1...FieldCheck.mostTrainingSteps)
    try fields.steps(steps, trainingSteps: count)
    let betas: BetaSchedule = try fields.option("beta_schedule", configuration.betaSchedule, "\"scaled_linear\" or \"linear\"")
    let spacing: Spacing = try fields.option(
      "timestep_spacing", configuration.timestepSpacing, "\"trailing\", \"leading\" or \"linspace\"")
    prediction = try fields.option(
      "prediction_type", configuration.predictionType, "\"epsilon\", \"sample\" or \"v_prediction\"")
    let (start, end, scale) = (configuration.betaStart, configuration.betaEnd, configuration.snrShiftScale)
    try fields.require(!configuration.hasTrainedBetas, "trained_betas", "an array", "null")
    try fields.require(start > 0 && start < 1, "beta_start", start, "a number above 0 and below 1")
    try fields.require(end > 0 && end < 1, "beta_end", end, "a number above 0 and below 1")
    try fields.require(scale > 0 && scale < .infinity, "snr_shift_scale", scale, "a number above 0")
    let offset = try fields.integer("steps_offset", configuration.stepsOffset, in: 0...(count - 1))

    let toZero = configuration.rescalesToZeroSNR
    try fields.require(!toZero || count > 1, "num_train_timesteps", count, "2 or more, as \"rescale_betas_zero_snr\" needs")
    alphas =
      switch betas {
      case .scaledLinear:
        Self.alphas(betas: line(start.squareRoot(), end.squareRoot(), count).map { $0 * $0 }, snrShift: scale, toZero: toZero)
      case .linear:
        // float32, as diffusers has it: over a thousand factors the difference from Double is that of the tolerance.
        Self.alphas(betas: line(Float(start), Float(end), count), snrShift: Float(scale), toZero: toZero).map(Double.init)
      }
    for (timestep, alpha) in alphas.enumerated() where !(alpha >= 0 && alpha < 1) {
      throw fields.error(
        "has \(start) as \"beta_start\", \(end) as \"beta_end\" and \(scale) as \"snr_shift_scale\", which leave no noise, or no "
          + "number, at timestep \(timestep)")
    }
    finalAlpha = configuration.finalAlphaIsOne ? 1 : alphas[0]
    stride = count / steps
    timesteps = Self.timesteps(spacing, steps: steps, trainingSteps: count, offset: offset)
    let first = timesteps[0]
    try fields.require(first < count, "steps_offset", offset, "small enough for \(steps) steps below \(count): the first is \(first)")
    if prediction == .epsilon, let timestep = timesteps.first(where: { alphas[$0] == 0 }) {
      throw fields.error(
        "has \"epsilon\" as \"prediction_type\", which says nothing of the sample at timestep \(timestep), where no signal is left")
    }
  }

  /// ᾱ = Π(1 − β), shifted and rescaled in this order.
  private static func alphas<Real: BinaryFloatingPoint>(betas: [Real], snrShift s: Real, toZero: Bool) -> [Real] {
    var product = 1.0
    var alphas = betas.map { beta in
      product *= Double(1 - beta)
      let alpha = Real(product)
      return alpha / (s + (1 - s) * alpha)
    }
    guard toZero else { return alphas }
    let first = alphas[0].squareRoot()
    let last = alphas[alphas.count - 1].squareRoot()
    for index in alphas.indices {
      let root = (alphas[index].squareRoot() - last) * (first / (first - last))
      alphas[index] = root * root
    }
    return alphas
  }

  /// `steps` timesteps, falling.
  private static func timesteps(_ spacing: Spacing, steps: Int, trainingSteps: Int, offset: Int) -> [Int] {
    switch spacing {
    case .trailing:
      // By numpy's way to add, since its rounding decides where a timestep falls between two.
      let last = Double(trainingSteps)
      let delta = (last - last / Double(steps)) - last
      return (0..<steps).map { Int((last + Double($0) * delta).rounded(.toNearestOrEven)) - 1 }
    case .leading:
      let ratio = trainingSteps / steps
      return (0..<steps).reversed().map { $0 * ratio + offset }
    case .linspace:
      let delta = steps > 1 ? Double(trainingSteps - 1) / Double(steps - 1) : 0
      return (0..<steps).reversed().map { Int((Double($0) * delta).rounded(.toNearestOrEven)) }
    }
  }

  /// ᾱ at `timestep`, and where the step from there arrives.
  func alphas(at timestep: Int) -> (here: Double, next: Double) {
    (alphas[timestep], timestep >= stride ? alphas[timestep - stride] : finalAlpha)
  }

  /// x₀ = sample·x + prediction·p
  func original(alpha: Double) -> (sample: Double, prediction: Double) {
    let (signal, noise) = (alpha.squareRoot(), (1 - alpha).squareRoot())
    return switch prediction {
    case .epsilon: (1 / signal, -noise / signal)
    case .sample: (0, 1)
    case .velocity: (signal, -noise)
    }
  }
}

/// `count` numbers from `start` to `end`, the second half counted from the end and each rounded once, as torch does.
private func line<Real: BinaryFloatingPoint>(_ start: Real, _ end: Real, _ count: Int) -> [Real] {
  guard count > 1 else { return [start] }
  let step = (end - start) / Real(count - 1)
  return (0..<count).map { $0 < count / 2 ? start.addingProduct(step, Real($0)) : end.addingProduct(-step, Real(count - 1 - $0)) }
}
