import Tensors

extension Scheduler {
  /// Euler's method along x = (1 − σ)·x₀ + σ·ε: x' = x + (σ' − σ)·v; or, with `stochastic_sampling`, back to x₀ = x − σ·v and
  /// from there with fresh noise to σ'.
  ///
  /// Source: Lipman et al. 2023; Esser et al. 2024 for the shift; diffusers' `FlowMatchEulerDiscreteScheduler` with the
  /// σ that it makes itself (some pipelines pass their own).
  init(flowMatch configuration: FlowMatchConfiguration, steps: Int, tokens: Int, _ fields: FieldCheck) throws(WeightsError) {
    let trainingSteps = try fields.integer("num_train_timesteps", configuration.trainingSteps, in: 1...FieldCheck.mostTrainingSteps)
    try fields.steps(steps, trainingSteps: trainingSteps)
    if let field = configuration.unsupported.first { try fields.require(false, field, true, "false: it is not supported") }
    let levels = try Self.sigmas(configuration, steps: steps, trainingSteps: trainingSteps, tokens: tokens, fields)
    let coefficients = zip(levels, levels.dropFirst() + [0]).map { sigma, next in
      configuration.samplesStochastically
        ? StepCoefficients(sample: 1 - next, prediction: (next - 1) * sigma, noise: next)
        : StepCoefficients(sample: 1, prediction: next - sigma)
    }
    try self.init(
      kind: .flowMatchEuler, timesteps: levels.map { Double($0 * Float(trainingSteps)) }, coefficients: coefficients,
      forward: .straight(trainingSteps: trainingSteps), fields)
  }

  /// σ at each step, falling, in 0...1.
  private static func sigmas(
    _ configuration: FlowMatchConfiguration, steps: Int, trainingSteps: Int, tokens: Int, _ fields: FieldCheck
  ) throws(WeightsError) -> [Float] {
    let terminal = configuration.shiftTerminal
    try fields.require(terminal >= 0 && terminal < 1, "shift_terminal", terminal, "a number from 0 and below 1")
    let shift = try shift(configuration, tokens: tokens, fields)
    // The least σ of training; without dynamic shifting diffusers shifts it here, in float32, and below again.
    var least = 1 / Float(trainingSteps)
    if !configuration.shiftsByTokens { least = Float(shift) * least / (1 + Float(shift - 1) * least) }
    let (last, first) = (Double(least) * Double(trainingSteps), Double(trainingSteps))
    let step = steps > 1 ? (last - first) / Double(steps - 1) : 0
    var sigmas = (0..<steps).map { index in
      let sigma = (index > 0 && index == steps - 1 ? last : first + Double(index) * step) / Double(trainingSteps)
      return configuration.shiftsByTokens ? shift / (shift + (1 / sigma - 1)) : shift * sigma / (1 + (shift - 1) * sigma)
    }
    if terminal > 0 {
      let scale = (1 - sigmas[steps - 1]) / (1 - terminal)
      try fields.require(scale > 0, "shift_terminal", terminal, "0 for \(steps) steps, whose last has nothing to stretch")
      sigmas = sigmas.map { 1 - (1 - $0) / scale }
    }
    for sigma in sigmas where !(sigma >= 0 && sigma <= 1) { throw fields.error("gives \(sigma) as noise level, not one in 0...1") }
    return sigmas.map { Float($0) }
  }

  /// What multiplies the odds of noise, σ/(1 − σ).
  private static func shift(
    _ configuration: FlowMatchConfiguration, tokens: Int, _ fields: FieldCheck
  ) throws(WeightsError) -> Double {
    enum TimeShift: String { case exponential, linear }
    let type: TimeShift = try fields.option("time_shift_type", configuration.timeShiftType, "\"exponential\" or \"linear\"")
    guard configuration.shiftsByTokens else {
      let shift = configuration.shift
      try fields.require(shift > 0 && shift < .infinity, "shift", shift, "a number above 0")
      return shift
    }
    let (base, most) = (configuration.baseTokens, configuration.maxTokens)
    try fields.require(base >= 0 && base < most, "base_image_seq_len", base, "a number from 0 and below max_image_seq_len (\(most))")
    let slope = (configuration.maxShift - configuration.baseShift) / (most - base)
    let mu = Double(tokens) * slope + configuration.baseShift - slope * base
    let shift = type == .linear ? mu : PortableMath.exp(mu)
    guard shift > 0, shift < .infinity else {
      throw fields.error(
        "has \(configuration.baseShift) as \"base_shift\" and \(configuration.maxShift) as \"max_shift\", which make \(shift) as "
          + "shift for \(tokens) tokens, not a number above 0")
    }
    return shift
  }
}
