import Pixels

/// Finds the loop in which a shot's frames go on without a visible seam.
///
/// ```swift
/// let found = LoopFinder(shot.frames).find(minimum: 12)
/// let moment = found.loop.moment(at: time)
/// ```
///
/// No step of it, from one shown frame to the next, is larger than twice the shot's typical step, all as mean |difference| of luma.
/// The typical step is the median; of a shot that stands in more than half of its steps and moves in at least a quarter (drawn
/// animation on twos), the median of those in which it moves. A shot that moves less often is a still.
///
/// 1. Steps above the limit (a missed cut, a flash), and those that detectors of cuts might take for one, part the frames; the longest
///    run without one is used.
/// 2. Back and forth through the run shows only steps of the source. It is taken unless
/// 3. some stretch of at least half of the run, played forward with a crossfade into its beginning, has a largest step no larger
///    than that by more than a twentieth, and mixes only frames that are about as alike as neighbours. Stretches are ranked by how
///    like its beginning a stretch goes on after its end, long ones before short ones; the best few are measured on all samples.
/// 4. Runs of fewer than four frames would tremble: they are a still.
///
/// Source of the idea: A. Schödl et al., "Video textures", 2000.
///
/// - Cost: three passes over the frames' luma, and n² / 2 comparisons of thumbnails: 25 ms for 40 frames of 1080p on one core of Zen 5.
public struct LoopFinder {
  /// What was found.
  public struct Result: Hashable, Sendable {
    /// Indices count the frames that the finder was given.
    public var loop: Loop
    /// Largest step between neighbours while it plays, 0 … 255.
    public var largestStep: Double
    /// The source's typical step, 0 … 255; 0 for what does not move.
    public var typicalStep: Double
  }

  /// Largest step as detectors of cuts count (see ``Glimpse``), whose usual threshold is 27: taken closer, it is larger.
  private static let largestChange = 18.0
  /// Steps below this are no motion: less than one sample in fifty changes by a level.
  public static let motion = 0.02
  /// Frames mixed at a seam: a third of a second, after which a mixture is seen as one.
  private static let longestCrossfade = 8
  private static let fewestFrames = 4
  /// How far, in typical steps, a stretch may be from its beginning where it is mixed into it, in the whole picture and where it
  /// differs most: hardly more than neighbours, or something is seen to appear out of nothing.
  private static let farthest = 1.25

  private let frames: [PlanarPicture]
  let thumbnails: [LumaThumbnail]
  /// From frame i to i + 1.
  private let steps: [Double]
  /// The same, as detectors of cuts count.
  private let changes: [Double]

  /// - Parameter frames: neighbours at the source's rate, all of one size.
  public init(_ frames: [PlanarPicture]) {
    self.frames = frames
    thumbnails = frames.map { LumaThumbnail($0) }
    steps = zip(frames, frames.dropFirst()).map { $0.lumaDifference(from: $1) }
    changes = Glimpse.changes(frames.compactMap { Glimpse(of: $0, size: ($0.width, $0.height)) })
  }

  /// - Parameter minimum: shortest round of a forward loop in frames, if the shot has so many.
  public func find(minimum: Int) -> Result {
    let still = Result(loop: Loop(still: frames.count / 2), largestStep: 0, typicalStep: 0)
    guard let typical = Self.typicalStep(steps) else { return still }
    let run = longestRun(limit: 2 * typical)
    guard run.count >= Self.fewestFrames else {
      let middle = Loop(still: (run.lowerBound + run.upperBound) / 2)
      return Result(loop: middle, largestStep: 0, typicalStep: typical)
    }
    let (first, last) = (run.lowerBound, run.upperBound)
    let largest = steps[first..<last].max() ?? 0
    if let forward = forwardLoop(in: run, minimum: minimum, typicalStep: typical, most: largest) { return forward }
    return Result(loop: Loop(backAndForth: first, last), largestStep: largest, typicalStep: typical)
  }

  /// The calmest part of a loop, back and forth: of those that are half as long, the one whose largest step is smallest.
  ///
  /// - Parameter minimum: frames of it, if the loop has so many.
  func calmest(of result: Result, minimum: Int) -> Result {
    let frames = result.loop.first...result.loop.last
    let count = min(frames.count, max(frames.count / 2, minimum, Self.fewestFrames))
    guard count >= Self.fewestFrames else { return result }
    func largest(_ all: [Double], _ first: Int) -> Double { all[first..<first + count - 1].max() ?? 0 }
    let starts = frames.lowerBound...frames.upperBound - count + 1
    guard let first = starts.min(by: { largest(changes, $0) < largest(changes, $1) }) else { return result }
    return Result(loop: Loop(backAndForth: first, first + count - 1), largestStep: largest(steps, first), typicalStep: result.typicalStep)
  }

  /// The frame in the middle of a loop, as long as it is wanted.
  func still(of result: Result) -> Result {
    Result(loop: Loop(still: (result.loop.first + result.loop.last) / 2), largestStep: 0, typicalStep: result.typicalStep)
  }

  /// nil where nothing moves, or so seldom that it is no motion.
  static func typicalStep(_ steps: [Double]) -> Double? {
    guard !steps.isEmpty else { return nil }
    let sorted = steps.sorted()
    // Of an even number the lower one: the limit is then the stricter one.
    let median = sorted[(sorted.count - 1) / 2]
    if median >= motion { return median }
    let moving = sorted.filter { $0 >= motion }
    return 4 * moving.count >= steps.count ? moving[(moving.count - 1) / 2] : nil
  }

  private func longestRun(limit: Double) -> ClosedRange<Int> {
    var (best, first) = (0...0, 0)
    for index in frames.indices {
      if index > 0, steps[index - 1] > limit || changes[index - 1] > Self.largestChange { first = index }
      // Of equally long ones the later, which is remembered.
      if index - first >= best.upperBound - best.lowerBound { best = first...index }
    }
    return best
  }

  // MARK: Forward

  private struct Candidate {
    var first, period, crossfade: Int
    var cost: Double
  }

  /// - Parameter most: largest step of what is taken otherwise.
  private func forwardLoop(in run: ClosedRange<Int>, minimum: Int, typicalStep: Double, most: Double) -> Result? {
    // A short round is soon recognised as one, however smooth.
    let shortest = max(minimum, run.count / 2, Self.fewestFrames)
    let pairs = run.lowerBound..<run.upperBound
    func typical(_ measure: (Int) -> Double) -> Double { max(pairs.map(measure).sorted()[(pairs.count - 1) / 2], Self.motion) }
    let unit = typical { thumbnails[$0].difference(from: thumbnails[$0 + 1]) }
    let peak = typical { thumbnails[$0].peakDifference(from: thumbnails[$0 + 1]) }
    func distance(_ a: LumaThumbnail, _ b: LumaThumbnail) -> Double {
      let mean = a.difference(from: b) / unit
      return mean > Self.farthest ? mean : max(mean, a.peakDifference(from: b) / peak)
    }
    var best: [Candidate] = []
    var period = shortest
    while period < run.count {
      let crossfade = min(Self.longestCrossfade, period / 3)
      let distances = (run.lowerBound...run.upperBound - period).map { distance(thumbnails[$0], thumbnails[$0 + period]) }
      var offset = 0
      while crossfade > 0, offset + crossfade <= distances.count {
        let distance = distances[offset..<offset + crossfade].max() ?? 0
        if distance <= Self.farthest {
          let cost = distance - 2 * Double(period) / Double(run.count)
          best.append(Candidate(first: run.lowerBound + offset, period: period, crossfade: crossfade, cost: cost))
        }
        offset += 1
      }
      period += 1
    }
    best.sort { ($0.cost, $0.first, $0.period) < ($1.cost, $1.first, $1.period) }
    for candidate in best.prefix(4) {
      let loop = Loop(
        forward: candidate.first, candidate.first + candidate.period + candidate.crossfade - 1, crossfade: candidate.crossfade)
      let largest = max(steps[candidate.first..<candidate.first + candidate.period - 1].max() ?? 0, seamStep(loop))
      if largest <= min(1.05 * most, 2 * typicalStep) { return Result(loop: loop, largestStep: largest, typicalStep: typicalStep) }
    }
    return nil
  }

  /// The largest step where a forward loop comes round, measured as it is shown.
  private func seamStep(_ loop: Loop) -> Double {
    guard case .forward(let crossfade) = loop.order, let picture = frames.first else { return 0 }
    let (width, height) = (picture.width, picture.height)
    var before = [UInt8](repeating: 0, count: width * height)
    var shown = before
    var largest = 0.0
    for time in loop.period - 1...loop.period + crossfade {
      frames.writeLuma(of: loop.moment(at: time), to: &shown)
      if time >= loop.period {
        let step = before.withUnsafeBytes { a in
          shown.withUnsafeBytes { b in
            guard let a = a.baseAddress, let b = b.baseAddress else { return 0.0 }
            return meanDifference(a, stride: width, b, stride: width, width: width, rows: height)
          }
        }
        largest = max(largest, step)
      }
      swap(&before, &shown)
    }
    return largest
  }
}

extension [PlanarPicture] {
  /// Luma as it is shown at a moment, without padding.
  func writeLuma(of moment: Loop.Moment, to output: inout [UInt8]) {
    guard indices.contains(moment.frame), indices.contains(moment.other) else { return }
    let (a, b) = (self[moment.frame], self[moment.other])
    let (width, height) = (a.width, a.height)
    guard b.width == width, b.height == height, output.count >= width * height else { return }
    let (planeA, planeB) = (a.planes.0, b.planes.0)
    output.withUnsafeMutableBufferPointer { output in
      guard let output = output.baseAddress else { return }
      for y in 0..<height {
        mix(
          (planeA.base + y * planeA.stride).assumingMemoryBound(to: UInt8.self),
          (planeB.base + y * planeB.stride).assumingMemoryBound(to: UInt8.self), share: moment.share, to: output + y * width, count: width)
      }
    }
  }
}
