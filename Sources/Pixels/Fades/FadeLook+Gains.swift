import Glibc

extension FadeLook {
  /// How much of the clean picture is left in each frame of a fade.
  ///
  /// Brightness is compared between frames one and two apart, in which the picture may travel, and with the clean frame. What
  /// moves makes a comparison uncertain: where comparisons are poor the result follows the curve that editors would have
  /// drawn (`FadeCurve`), where they are good it follows them, whatever the curve. That keeps the error of the restored
  /// picture under what rounding costs in still pictures and pans; a picture that itself becomes brighter or darker all over
  /// while it fades cannot be told from a fade of another shape.
  ///
  /// - Parameters:
  ///   - looks: of all frames of one half of a fade, in the order of time going away from `reference`: forwards for a fade out,
  ///     backwards for a fade in. Frames without any picture may be among them, at the end.
  ///   - reference: the nearest clean frame.
  ///   - level: what the picture fades to.
  /// - Returns: a gain for each look, 0 … 1; 0 for frames in which nothing is seen, 1 for looks of another grid than the
  ///   reference's.
  ///
  /// Cost: 0.3 ms a frame, up to a few hundred frames.
  public static func gains(of looks: [FadeLook], reference: FadeLook, level: FadeLevel) -> [Double] {
    guard looks.allSatisfy({ $0.columns == reference.columns && $0.rows == reference.rows }) else { return looks.map { _ in 1 } }
    let frames = ([reference] + looks).map { FadeDistance($0, from: level) }
    let last = frames.lastIndex { $0.mean >= leastMean } ?? 0
    let steps = measuredSteps(frames, last)
    // A reference in which nothing is seen has nothing to compare with.
    guard last >= 1, !steps.isEmpty, frames[0].mean >= leastMean else { return looks.map { _ in 0 } }
    let curve = FadeCurve.fitting(steps, last: last, isComplete: last < looks.count)
    let logs = combined(steps, (1...last).map { Glibc.log(max(curve.gain(at: $0), 1e-4)) })
    return logs.map { min(exp($0), 1) } + Array(repeating: 0, count: looks.count - last)
  }

  /// Mean distance from the level below which rounding has eaten a picture: two thirds of a level of 8 bits.
  private static var leastMean: Double { 0.003 }

  private static func measuredSteps(_ frames: [FadeDistance], _ last: Int) -> [GainStep] {
    var steps: [GainStep] = []
    guard last >= 1 else { return steps }
    for to in 1...last {
      for from in Set([0, max(0, to - 2), to - 1]).sorted() {
        let isNear = to - from <= 2
        guard let ratio = isNear ? BrightnessRatio.travelling(frames[from], frames[to]) : .median(frames[from], frames[to]) else {
          continue
        }
        steps.append(GainStep(from: from, to: to, log: ratio.log, deviation: deviation(ratio.scatter, frames[from], frames[to])))
      }
    }
    return steps
  }

  /// Found on pans, handheld underwater footage and animation: the error of the ratio grows with the cells' scatter, faster
  /// than it where much moves, and with the rounding of dark frames.
  private static func deviation(_ scatter: Double, _ first: FadeDistance, _ second: FadeDistance) -> Double {
    let motion = 0.3 * scatter + 2 * scatter * scatter
    let (one, two) = (0.0004 / first.mean, 0.0004 / second.mean)
    return (motion * motion + 1e-6 + one * one + two * two).squareRoot()
  }

  /// Logarithms of the gains that agree best with the measurements and the curve, each forgiven where it is far off: least
  /// squares, reweighted, begun from the measurements alone.
  private static func combined(_ steps: [GainStep], _ curve: [Double]) -> [Double] {
    let n = curve.count
    var logs = curve
    for round in 0..<20 {
      var matrix = Array(repeating: 0.0, count: n * n)
      var right = Array(repeating: 0.0, count: n)
      for step in steps {
        let residual = step.log - (logs[step.to - 1] - (step.from > 0 ? logs[step.from - 1] : 0))
        let weight = 1 / (step.deviation * step.deviation + (round == 0 ? 0 : residual * residual / 2))
        let (i, j) = (step.to - 1, step.from - 1)
        matrix[i * n + i] += weight
        right[i] += weight * step.log
        guard j >= 0 else { continue }
        matrix[j * n + j] += weight
        matrix[i * n + j] -= weight
        right[j] -= weight * step.log
      }
      for i in 0..<n {
        let off = logs[i] - curve[i]
        let weight = round == 0 ? 1e-3 : 1 / (0.02 * 0.02 + off * off)
        matrix[i * n + i] += weight
        right[i] += weight * curve[i]
      }
      guard let next = Cholesky.solve(matrix, right, band: 2) else { return logs }
      logs = next
    }
    return logs
  }
}
