import Glibc

/// How editors let a picture go: a straight ramp, or one that eases in, out, or both ways.
///
/// With u running from 1 at `start` to 0 at `end`: v = u^(1+p) for p ≥ 0, 1 − (1 − u)^(1−p) for p < 0, and
/// gain = (1 − s) v + s v² (3 − 2v).
struct FadeCurve {
  /// Frames after the clean one; the ramp may begin before or after it.
  var start: Double
  /// The first frame without any picture.
  var end: Double
  /// p, −2 … 2.
  var power: Double
  /// s, 0 … 1.
  var smoothness: Double

  func gain(at frame: Int) -> Double {
    let u = min(max((end - Double(frame)) / (end - start), 0), 1)
    let v = power >= 0 ? pow(u, 1 + power) : 1 - pow(1 - u, 1 - power)
    return (1 - smoothness) * v + smoothness * v * v * (3 - 2 * v)
  }

  /// The curve that says best what was measured: the best of a coarse grid, then steps downhill in each parameter.
  ///
  /// - Parameters:
  ///   - last: the last frame in which anything is seen, from 1.
  ///   - isComplete: whether frames without any picture follow it.
  static func fitting(_ steps: [GainStep], last: Int, isComplete: Bool) -> FadeCurve {
    let ends = [0.35, 1, 1.6] + (isComplete ? [] : [3, 8])
    var grid: [(cost: Double, curve: FadeCurve)] = []
    for end in ends {
      for start in [-1.0, 0, 1, 2] {
        for power in [-1, -0.5, 0, 0.5, 1] {
          for smoothness in [0, 0.5, 1] {
            let curve = FadeCurve(start: start, end: Double(last) + end, power: power, smoothness: smoothness)
            grid.append((curve.cost(steps, last), curve))
          }
        }
      }
    }
    grid.sort { $0.cost < $1.cost }
    var best = grid[0]
    for seed in grid.prefix(3) {
      let found = seed.curve.refined(from: seed.cost, steps, last)
      if found.cost < best.cost { best = found }
    }
    return best.curve
  }

  private func refined(from cost: Double, _ steps: [GainStep], _ last: Int) -> (cost: Double, curve: FadeCurve) {
    var best = (cost: cost, curve: self)
    var size = 1.0
    for _ in 0..<12 {
      var improved = false
      for (parameter, stride) in [(\FadeCurve.start, 0.5), (\.end, 0.5), (\.power, 0.25), (\.smoothness, 0.25)] {
        for direction in [size, -size] {
          var curve = best.curve
          curve[keyPath: parameter] += direction * stride
          let cost = curve.cost(steps, last)
          if cost < best.cost { (best, improved) = ((cost, curve), true) }
        }
      }
      if !improved { size /= 2 }
    }
    return best
  }

  /// −ln likelihood of the measurements under Cauchy's distribution, which forgives what a picture's own changes spoil, and
  /// of the curve: plain ramps that begin at the clean frame are likelier, as much as ten measurements say.
  private func cost(_ steps: [GainStep], _ last: Int) -> Double {
    guard end > Double(last), start <= end - 1.5, (0...1).contains(smoothness), abs(power) <= 2 else { return .infinity }
    let logs = (0...last).map { Glibc.log(max(gain(at: $0), 1e-6)) }
    var cost = 10 * abs(power) + 8 * smoothness + abs(start) + 0.5 * abs(end - Double(last) - 1)
    for step in steps {
      let residual = (step.log - (logs[step.to] - logs[step.from])) / step.deviation
      cost += log1p(residual * residual)
    }
    return cost
  }
}

/// A measured ratio of two frames' gains. Frame 0 is the clean one.
struct GainStep {
  var from: Int
  var to: Int
  /// ln(gain of `to` / gain of `from`).
  var log: Double
  /// Standard deviation of `log`, as far as it can be told.
  var deviation: Double
}
