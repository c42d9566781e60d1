/// What detectors of cuts will measure in a shot, found out before it is shown.
///
/// A shot is to begin with a cut to them, and to have no other. ``flaw`` says how far it is from that, with some room: they look at
/// all of a frame, this at some points of it (``Glimpse``).
struct ShotRehearsal {
  /// What was shown last.
  struct Ending {
    var glimpse: Glimpse
    /// The last two steps before it, 0 … 255.
    var steps: [Double]
  }

  /// 0 for a shot without a flaw. More is worse: 1 is twice what may be, or half of what must be.
  let flaw: Double
  let ending: Ending?

  /// Largest step between frames. Detectors that compare neighbours have a threshold of 27.
  private static let largestStep = 20.0
  /// Least change from what was shown last.
  private static let leastCut = 34.0
  /// Adaptive detectors compare a frame's change with the mean of two before and two after it: a cut is 3 times that or more, and 15
  /// at least. So a cut must stand out, and a step must not.
  private static let leastRatio = 4.0
  private static let (largestRatio, countingStep) = (2.3, 12.0)
  /// Frames that are looked at: of a longer shot its beginning, middle and end.
  private static let mostFrames = 240

  /// - Parameters:
  ///   - before: nil if nothing was.
  ///   - size: of the output, as it was for what is before.
  init(_ shot: RephotographedShot, after before: Ending?, size: (width: Int, height: Int)) {
    let parts = Self.parts(of: shot.frameCount).map { part in part.compactMap { shot.glimpse(at: $0, size: size) } }
    let steps = parts.flatMap(Glimpse.changes)
    ending = parts.last?.last.map { Ending(glimpse: $0, steps: steps.suffix(2).map { $0 }) }
    var flaws = [0, (steps.max() ?? 0) / Self.largestStep - 1]
    if let before, let first = parts.first?.first {
      let cut = max(first.change(from: before.glimpse), 1)
      flaws.append(Self.leastCut / cut - 1)
      flaws.append(Self.leastRatio * Self.mean(before.steps + steps.prefix(2)) / cut - 1)
      // The next cut is probably like this one, and is to stand out from how this shot ends.
      flaws.append(Self.leastRatio * Self.mean(steps.suffix(2)) / cut - 1)
    }
    for index in steps.indices where steps[index] >= Self.countingStep {
      let neighbours = [index - 2, index - 1, index + 1, index + 2].filter(steps.indices.contains).map { steps[$0] }
      if neighbours.count == 4 { flaws.append(steps[index] / (Self.largestRatio * max(Self.mean(neighbours), 0.01)) - 1) }
    }
    flaw = flaws.max() ?? 0
  }

  private static func parts(of count: Int) -> [Range<Int>] {
    guard count > mostFrames else { return [0..<count] }
    let (length, middle) = (mostFrames / 3, count / 2)
    return [0..<length, middle - length / 2..<middle + length / 2, count - length..<count]
  }

  private static func mean(_ steps: some Collection<Double>) -> Double { steps.isEmpty ? 0 : steps.reduce(0, +) / Double(steps.count) }
}

extension ShotRehearsal.Ending {
  /// The end of a shot that was shown as it is.
  init?(of shot: ShotAlbum.Shot, size: (width: Int, height: Int)) {
    let glimpses = shot.frames.suffix(3).compactMap { Glimpse(of: $0, size: size) }
    guard let last = glimpses.last else { return nil }
    self.init(glimpse: last, steps: Glimpse.changes(glimpses))
  }
}
