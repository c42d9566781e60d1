import Tensors

extension Scheduler {
  /// Euler's method along x = (1 − σ)·x₀ + σ·ε: x' = x + (σ' − σ)·v; or, with `stochastic_sampling`, back to x₀ = x − σ·v and
  /// from there with fresh noise to σ'.
  ///
  /// Source: Lipman et al. 2023; Esser et al. 2024 for the shift; diffusers' `FlowMatchEulerDiscreteScheduler` with the
  /// σ that it makes itself (some pipelines pass their own).
  init(flowMatch fields: ConfigurationFields, steps: Int, tokens: Int) throws(WeightsError) {
    let trainingSteps = try fields.trainingSteps(for: steps)
    for field in ["invert_sigmas", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"]
    where try fields.boolean(field, default: false) {
      throw fields.error(field, "is true, not false: it is not supported")
    }
    let isStochastic = try fields.boolean("stochastic_sampling", default: false)
    let sigmas = try Self.sigmas(fields, steps: steps, trainingSteps: trainingSteps, tokens: tokens)
    let coefficients = zip(sigmas, sigmas.dropFirst() + [0]).map { sigma, next in
      isStochastic
        ? StepCoefficients(sample: 1 - next, prediction: (next - 1) * sigma, noise: next)
        : StepCoefficients(sample: 1, prediction: next - sigma)
    }
    try self.init(
      kind: .flowMatchEuler, timesteps: sigmas.map { Double($0 * Float(trainingSteps)) }, coefficients: coefficients,
      forward: .straight(trainingSteps: trainingSteps), fields)
  }

  /// σ at each step, falling, in 0...1.
  private static func sigmas(
    _ fields: ConfigurationFields, steps: Int, trainingSteps: Int, tokens: Int
  ) throws(WeightsError) -> [Float] {
    let terminal = try fields.number("shift_terminal", default: 0, in: 0...1.0.nextDown)  // diffusers takes 0 as none
    let isDynamic = try fields.boolean("use_dynamic_shifting", default: false)
    let isLinear = try fields.choice("time_shift_type", ["exponential", "linear"], default: "exponential") == "linear"
    let shift = try isDynamic ? dynamicShift(fields, isLinear: isLinear, tokens: tokens) : fields.positive("shift", default: 1)
    // The least σ of training; without dynamic shifting diffusers shifts it here, in float32, and below again.
    var least = 1 / Float(trainingSteps)
    if !isDynamic { least = Float(shift) * least / (1 + Float(shift - 1) * least) }
    let (last, first) = (Double(least) * Double(trainingSteps), Double(trainingSteps))
    let step = steps > 1 ? (last - first) / Double(steps - 1) : 0
    var sigmas = (0..<steps).map { index in
      let sigma = (index > 0 && index == steps - 1 ? last : first + Double(index) * step) / Double(trainingSteps)
      return isDynamic ? shift / (shift + (1 / sigma - 1)) : shift * sigma / (1 + (shift - 1) * sigma)
    }
    if terminal > 0 {
      let scale = (1 - sigmas[steps - 1]) / (1 - terminal)
      guard scale > 0 else { throw fields.error("shift_terminal", "is \(terminal), to which \(steps) steps, all of noise, cannot stretch") }
      sigmas = sigmas.map { 1 - (1 - $0) / scale }
    }
    for sigma in sigmas where !(sigma >= 0 && sigma <= 1) {
      throw fields.error("shift", "makes \(sigma) a noise level, which is not between 0 and 1")
    }
    return sigmas.map { Float($0) }
  }

  /// What multiplies the odds of noise, σ/(1 − σ): by the number of tokens, on the straight line of diffusers' pipelines.
  private static func dynamicShift(_ fields: ConfigurationFields, isLinear: Bool, tokens: Int) throws(WeightsError) -> Double {
    let base = try fields.integer("base_image_seq_len", default: 256, in: 0...Int(Int32.max))
    let most = try fields.integer("max_image_seq_len", default: 4096, in: 0...Int(Int32.max))
    guard base < most else { throw fields.error("base_image_seq_len", "is \(base), not below \(most), \"max_image_seq_len\"") }
    let range = -Double.greatestFiniteMagnitude ... .greatestFiniteMagnitude
    let baseShift = try fields.number("base_shift", default: 0.5, in: range)
    let maxShift = try fields.number("max_shift", default: 1.15, in: range)
    let slope = (maxShift - baseShift) / Double(most - base)
    let mu = Double(tokens) * slope + baseShift - slope * Double(base)
    let shift = isLinear ? mu : PortableMath.exp(mu)
    guard shift > 0, shift < .infinity else {
      throw fields.error(
        "base_shift", "is \(baseShift), which with \(maxShift) as \"max_shift\" makes \(shift) the shift of \(tokens) tokens")
    }
    return shift
  }
}
