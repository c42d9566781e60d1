import Tensors

extension Scheduler {
  /// DDIM with η = 0: x' = a·x + (√ᾱ' − √ᾱ·a)·x₀, a = √((1 − ᾱ')/(1 − ᾱ)).
  ///
  /// Source: Song et al. 2021, equation 12; diffusers' `CogVideoXDDIMScheduler`.
  init(ddim schedule: CogVideoXSchedule, _ fields: ConfigurationFields) throws(WeightsError) {
    let coefficients = schedule.timesteps.map { timestep in
      let (alpha, next) = schedule.alphas(at: timestep)
      let original = schedule.original(alpha: alpha)
      let a = ((1 - next) / (1 - alpha)).squareRoot()
      let b = next.squareRoot() - alpha.squareRoot() * a
      return StepCoefficients(sample: Float(a + b * original.sample), prediction: Float(b * original.prediction))
    }
    try self.init(
      kind: .ddim, timesteps: schedule.timesteps.map(Double.init), coefficients: coefficients,
      forward: .variancePreserving(alphas: schedule.alphas), fields)
  }

  /// SDE-DPM++ 2M: x' = √((1 − ᾱ')/(1 − ᾱ))·e⁻ʰ·x + √ᾱ'·(1 − e⁻²ʰ)·D + √(1 − ᾱ')·√(1 − e⁻²ʰ)·ε, where D is x₀ drawn on from
  /// the step before, (1 + 1/2r)·x₀ − 1/2r·x₀(before), and h is how far half the logarithm of ᾱ/(1 − ᾱ) goes.
  ///
  /// D = x₀ at the first step and at one that arrives before timestep 0.
  ///
  /// Source: Lu et al. 2022, "DPM-Solver++", algorithm SDE-DPM-Solver++(2M); diffusers' `CogVideoXDPMScheduler`, as
  /// `CogVideoXPipeline` drives it. diffusers draws two noises at a step with D and uses the second: here it is one.
  init(dpm schedule: CogVideoXSchedule, _ fields: ConfigurationFields) throws(WeightsError) {
    func snr(_ alpha: Double) -> Double { alpha / (1 - alpha) }
    let coefficients = schedule.timesteps.enumerated().map { index, timestep in
      let (alpha, next) = schedule.alphas(at: timestep)
      let original = schedule.original(alpha: alpha)
      // e⁻²ʰ as a quotient and no difference of logarithms: at a step from no signal, or to no noise, h is infinite.
      let decay = snr(alpha) / snr(next)
      let keep = ((1 - next) / (1 - alpha)).squareRoot() * decay.squareRoot()
      let pull = next.squareRoot() * (1 - decay)
      var half = 0.0  // 1/2r, r = (h of the step before) / h
      if index > 0, timestep >= schedule.stride {
        let earlier = schedule.alphas[schedule.timesteps[index - 1]]
        half = -PortableMath.log(decay) / PortableMath.log(snr(alpha) / snr(earlier)) / 2
      }
      return StepCoefficients(
        sample: Float(keep + pull * (1 + half) * original.sample),
        prediction: Float(pull * (1 + half) * original.prediction),
        earlierOriginal: Float(-pull * half),
        noise: Float((1 - next).squareRoot() * (1 - decay).squareRoot()),
        originalSample: Float(original.sample), originalPrediction: Float(original.prediction))
    }
    try self.init(
      kind: .dpm, timesteps: schedule.timesteps.map(Double.init), coefficients: coefficients,
      forward: .variancePreserving(alphas: schedule.alphas), fields)
  }
}
