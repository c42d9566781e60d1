/// Classifier-free guidance: the prediction with the prompt, carried on past the one without.
///
/// Source: Ho and Salimans 2022; diffusers' `CogVideoXPipeline`.
public struct Guidance: Sendable {
  /// 1 is the prompt's own prediction; CogVideoX's default is 6.
  public var scale: Double
  /// diffusers' `use_dynamic_cfg`: the scale changes from step to step.
  public var isDynamic: Bool

  /// Nothing is checked: a scale of 1 and below is no guidance, and requests want a finite one.
  public init(scale: Double, isDynamic: Bool = false) {
    self.scale = scale
    self.isDynamic = isDynamic
  }

  /// Whether the prediction without the prompt is needed at all.
  public var isNeeded: Bool { scale > 1 }

  /// The scale at a step: ``scale``, or 1 + scale·(1 − cos(π·((n − t)/n)⁵))/2 with n steps at timestep t.
  ///
  /// The published formula counts `timestep` in training steps and `steps` in sampling steps, so that it oscillates between
  /// 1 and 1 + scale and rises smoothly only for t below n. It is kept, since models are judged with it.
  ///
  /// - Precondition: `steps` is above 0.
  public func scale(at timestep: Double, steps: Int) -> Double {
    guard isDynamic else { return scale }
    let n = Double(steps)
    return 1 + scale * ((1 - PortableMath.cosine(.pi * PortableMath.fifthPower((n - timestep) / n))) / 2)
  }

  /// unconditional + scale·(conditional − unconditional), in place of `conditional`.
  ///
  /// - Precondition: the arrays are of one length.
  public static func apply(_ scale: Double, unconditional: [Float], to conditional: inout [Float]) {
    precondition(conditional.count == unconditional.count, "the arrays are of one length")
    let scale = Float(scale)
    conditional.withUnsafeMutableBufferPointer { conditional in
      unconditional.withUnsafeBufferPointer { unconditional in
        for index in 0..<min(conditional.count, unconditional.count) {
          conditional[index] = unconditional[index] + scale * (conditional[index] - unconditional[index])
        }
      }
    }
  }
}
