import Tensors

/// What CogVideoX's two schedulers share: ᾱ of every training step and the timesteps of the sampling steps.
///
/// Source: diffusers' `CogVideoXDDIMScheduler`; zero terminal SNR and the spacings from Lin et al. 2023, "Common Diffusion
/// Noise Schedules and Sample Steps Are Flawed".
struct CogVideoXSchedule {
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

  /// `clip_sample`, `clip_sample_range` and `sample_max_value` are not read: diffusers stores them and no step of its two classes
  /// looks at them, so that a file with `"clip_sample": true`, the default, must not clip.
  init(_ fields: ConfigurationFields, steps: Int) throws(WeightsError) {
    let count = try fields.trainingSteps(for: steps)
    let betas = try fields.choice("beta_schedule", ["scaled_linear", "linear"], default: "scaled_linear")
    let spacing = try fields.choice("timestep_spacing", ["trailing", "leading", "linspace"], default: "leading")
    let predictions: [Prediction] = [.epsilon, .sample, .velocity]
    let type = try fields.choice("prediction_type", predictions.map(\.rawValue), default: Prediction.epsilon.rawValue)
    prediction = Prediction(rawValue: type) ?? .epsilon
    if try fields.optionalNumbers("trained_betas", in: -.infinity ... .infinity, count: 0...Int.max) != nil {
      throw fields.error("trained_betas", "is a list, not null: it is not supported")
    }
    let start = try fields.positive("beta_start", default: 0.00085)
    let end = try fields.positive("beta_end", default: 0.012)
    for (field, beta) in [("beta_start", start), ("beta_end", end)] where beta >= 1 { throw fields.error(field, "is \(beta), not below 1") }
    let scale = try fields.positive("snr_shift_scale", default: 3)
    let offset = try fields.integer("steps_offset", default: 0, in: 0...(count - 1))
    let finalAlphaIsOne = try fields.boolean("set_alpha_to_one", default: true)
    let toZero = try fields.boolean("rescale_betas_zero_snr", default: false)
    if toZero { try fields.require("num_train_timesteps", count, in: 2...Int.max) }

    alphas =
      switch betas {
      case "scaled_linear":
        Self.alphas(betas: line(start.squareRoot(), end.squareRoot(), count).map { $0 * $0 }, snrShift: scale, toZero: toZero)
      default:
        // float32, as diffusers has it: over a thousand factors the difference from Double is that of the tolerance.
        Self.alphas(betas: line(Float(start), Float(end), count), snrShift: Float(scale), toZero: toZero).map(Double.init)
      }
    for (timestep, alpha) in alphas.enumerated() where !(alpha >= 0 && alpha < 1) {
      throw fields.error(
        "beta_start",
        "is \(start), which with \(end) as \"beta_end\" and \(scale) as \"snr_shift_scale\" leaves no noise at timestep \(timestep)")
    }
    finalAlpha = finalAlphaIsOne ? 1 : alphas[0]
    stride = count / steps
    timesteps = Self.timesteps(spacing, steps: steps, trainingSteps: count, offset: offset)
    if let first = timesteps.first, first >= count {
      throw fields.error("steps_offset", "is \(offset), which makes \(first) the first of \(steps) timesteps, not one below \(count)")
    }
    if prediction == .epsilon, let timestep = timesteps.first(where: { alphas[$0] == 0 }) {
      throw fields.error("prediction_type", "is \"epsilon\", which leaves the sample open at timestep \(timestep), where all is noise")
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
  private static func timesteps(_ spacing: String, steps: Int, trainingSteps: Int, offset: Int) -> [Int] {
    switch spacing {
    case "trailing":
      // By numpy's way to add, since its rounding decides where a timestep falls between two.
      let last = Double(trainingSteps)
      let delta = (last - last / Double(steps)) - last
      return (0..<steps).map { Int((last + Double($0) * delta).rounded(.toNearestOrEven)) - 1 }
    case "leading":
      let ratio = trainingSteps / steps
      return (0..<steps).reversed().map { $0 * ratio + offset }
    default:
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
