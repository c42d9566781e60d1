import Glibc

/// TransNetV2's outputs for a frame, made safe.
struct TransitionProbabilities {
  var one: Double
  var many: Double

  init(one: Float, many: Float) {
    func clean(_ x: Float) -> Double { x > 0 ? Double(min(x, 1)) : 0 }
    self.one = clean(one)
    self.many = clean(many)
  }

  static func logarithm(_ x: Double) -> Float { Float(log(x + 0.02)) }
}

/// A boundary by frames of the stream since it was reset.
struct TransitionFinding {
  /// First frame of the new shot; of a gradual transition the middle.
  var frame: Int
  /// Last clean frame of the old shot.
  var start: Int
  /// First clean frame of the new one.
  var end: Int
  var kind: BoundaryKind
  var score: Double

  /// Takes on an interval around `middle`, in whole frames, and no further than a stream remembers and has seen.
  mutating func extend(from start: Double, to end: Double, around middle: Int) {
    func whole(_ x: Double) -> Int { Int(exactly: (x + 0.5).rounded(.down)) ?? middle }
    self.start = max(0, middle - TransitionRule.longest, min(middle - 1, whole(start)))
    self.end = min(middle + TransitionRule.longest, max(middle, whole(end)))
  }
}

/// Runs of TransNetV2's `one_hot` over its threshold, as its `predictions_to_scenes` reads them: the new shot begins where
/// a run ends, and a run that is open at either end of the stream opens no shot.
struct TransitionRuns {
  private struct Run {
    /// First frame over the threshold.
    var first: Int
    /// The frame at which the combiner is surest of a boundary, what it says there, and the probability before it.
    var best: Int
    var output: TransitionOutput
    var score: Double
  }

  private var wasOver = false
  /// Whether the run is one that began inside the stream.
  private var began = false
  private var run: Run?

  /// `isOver`: of frame `frame`; `before`: one_hot of the frame before; `output`: the combiner's for `frame`.
  mutating func see(_ frame: Int, isOver: Bool, _ before: Double, _ output: TransitionOutput) -> TransitionFinding? {
    defer { wasOver = isOver }
    let first = frame - 1
    if wasOver, began {
      // Row t stands for the step from t-1, so the run's first row is the one after its first frame.
      if let known = run {
        if output.boundary > known.output.boundary { run = Run(first: known.first, best: frame, output: output, score: before) }
      } else {
        run = Run(first: first, best: frame, output: output, score: before)
      }
    }
    if isOver, !wasOver {
      began = frame > 0
      run = nil
    }
    guard !isOver, wasOver, let done = run else { return nil }
    run = nil
    var found = TransitionFinding(frame: frame, start: done.first, end: frame, kind: done.output.kind, score: done.score)
    if found.kind != .cut {
      found.extend(from: Double(done.best) - done.output.since, to: Double(done.best) + done.output.until, around: done.best)
      found.start = min(found.start, done.first)
      found.end = max(found.end, frame)
    }
    return found
  }
}
