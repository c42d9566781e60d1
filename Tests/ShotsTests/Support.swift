import Shots
import TestSupport
import Timing

/// The boundaries that a rule finds in scores given frame by frame; nil is "nothing to compare with".
func boundaries<Rule: ScoreRule>(
  _ rule: Rule, _ scores: [Double?], rate: FrameRate = .fallback, finishing: Bool = true
) -> [Boundary] {
  var rule = rule
  var findings = Findings()
  for (frame, score) in scores.enumerated() { rule.see(score, at: frameTime(frame, rate: rate), into: &findings) }
  if finishing { rule.finish(into: &findings) }
  return findings.boundaries
}

/// Quiet frames with `high` at some of them; the first frame has nothing to compare with.
func scores(_ count: Int, _ high: [Int: Double], quiet: Double = 2) -> [Double?] {
  var all = [Double?](repeating: quiet, count: count)
  for (frame, score) in high { all[frame] = score }
  all[0] = nil
  return all
}
