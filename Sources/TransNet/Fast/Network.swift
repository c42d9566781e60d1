import Synchronization
import Tensors

/// What the network says of a frame, before the sigmoid.
struct Logits {
  /// The frame is the middle of a transition.
  var oneHot: Float
  /// The frame lies in a transition.
  var manyHot: Float
}

/// The convolutions and dense layers of TransNetV2, a few frames at a time.
///
/// Frames enter with ``step(_:count:advance:)``; the features of frames that are `delay` behind come out of it, and
/// ``decide(_:)`` turns features and bands into logits. All on one thread, which has the team to help it.
final class Network {
  static let frameBytes = 27 * 48 * 3
  static let featureCount = 4608
  static let meanCount = 448

  /// How far the features lie behind the frames.
  let delay: Int
  private let flow: Flow
  private let precision: Precision
  private let team: WorkerTeam
  private let groups: Int
  private let streams: [Stream]
  private let stacks: [Stack]
  private let frames: AlignedMemory
  private let dense: DenseLayers

  /// - Parameters:
  ///   - counts: numbers of frames that a step may have.
  ///   - denseCounts: numbers of frames that the dense layers may get; nil for the same.
  init(
    _ weights: TransNetWeights, flow: Flow, precision: Precision, team: WorkerTeam, counts: [Int], denseCounts: [Int]? = nil
  ) throws(ComputeError) {
    self.flow = flow
    self.precision = precision
    self.team = team
    groups = team.count >= 4 ? 4 : team.count >= 2 ? 2 : 1
    delay = flow == .delayed ? 6 * Cell.reach : 0
    let largest = counts.max() ?? 1
    var streams: [Stream] = []
    for _ in 0..<groups { streams.append(try Stream()) }
    self.streams = streams
    frames = AlignedMemory(byteCount: largest * 27 * 48 * 3 * precision.activation.size)
    var stacks: [Stack] = []
    var (height, width) = (27, 48)
    for index in 0..<3 {
      stacks.append(
        try Stack(
          index, (weights.cells[2 * index], weights.cells[2 * index + 1]), height: height, width: width, flow: flow, precision: precision,
          ranges: weights.ranges, groups: groups, counts: counts))
      (height, width) = (height / 2, width / 2)
    }
    self.stacks = stacks
    dense = try DenseLayers(weights, precision: precision, groups: groups, counts: denseCounts ?? counts)
  }

  func reset() { for stack in stacks { stack.reset() } }

  /// Computes `count` frames.
  ///
  /// - Parameters:
  ///   - source: `[count][27][48][3]` levels.
  ///   - advance: how many of them are there to stay; the rest comes again with the next step.
  func step(_ source: UnsafePointer<UInt8>, count: Int, advance: Int) throws(ComputeError) {
    switch precision.activation {
    case .float32:
      let target = frames.base.assumingMemoryBound(to: Float.self)
      for index in 0..<count * Self.frameBytes { target[index] = Float(source[index]) }
    case .bfloat16:
      // Levels are whole numbers of eight bits: exact.
      let target = frames.base.assumingMemoryBound(to: UInt16.self)
      for index in 0..<count * Self.frameBytes { target[index] = UInt16(truncatingIfNeeded: Float(source[index]).bitPattern >> 16) }
    default:
      frames.base.copyMemory(from: source, byteCount: count * Self.frameBytes)
    }
    var input = frames.base
    for stack in stacks {
      try run(stack, input, count: count, advance: advance)
      input = stack.pooled.base
    }
  }

  /// The features of the last step, `[count][4608]` in `precision.inner`, and the spatial means of its stacks, `[count][64]`,
  /// `[count][128]`, `[count][256]`. With a delayed flow they belong to frames 16, 32 and 48 before those of the step.
  var features: UnsafeRawPointer { UnsafeRawPointer(stacks[2].pooled.base) }
  func means(_ stack: Int) -> UnsafePointer<Float> { UnsafePointer(stacks[stack].means.base.assumingMemoryBound(to: Float.self)) }

  /// The means of the three stacks beside each other, `[count][448]`, where they belong to the same frames.
  func joinMeans(_ count: Int, into target: UnsafeMutablePointer<Float>) {
    for frame in 0..<count {
      var offset = 0
      for (stack, channels) in [64, 128, 256].enumerated() {
        (target + frame * Self.meanCount + offset).update(from: means(stack) + frame * channels, count: channels)
        offset += channels
      }
    }
  }

  var featureBytes: Int { Self.featureCount * precision.inner.size }

  private func run(_ stack: Stack, _ input: UnsafeMutableRawPointer, count: Int, advance: Int) throws(ComputeError) {
    stack.prepare(count)
    try onTeam { (index, stream) throws(ComputeError) in try stack.first.run(input, count: count, group: index, on: stream) }
    try onTeam { (index, _) throws(ComputeError) in stack.join(count, part: index, of: self.groups) }
    stack.clearJoinedBefore(count)
    try onTeam { (index, stream) throws(ComputeError) in
      try stack.second.run(stack.joined(newest: count), count: count, group: index, on: stream)
    }
    try onTeam { (index, _) throws(ComputeError) in stack.pool(count, part: index, of: self.groups) }
    stack.finish(count, advance: advance)
  }

  /// Runs the work on each thread of the team.
  private func onTeam(_ work: (Int, Stream) throws(ComputeError) -> Void) throws(ComputeError) {
    let failure = Mutex<ComputeError?>(nil)
    team.run { index in
      guard index < groups else { return }
      do throws(ComputeError) { try work(index, streams[index]) } catch { failure.withLock { $0 = error } }
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  /// Logits of `count` frames.
  ///
  /// - Parameters:
  ///   - features: `[count][4608]` as ``features`` has them.
  ///   - histogram, similarity: `[count][101]`.
  func decide(
    _ features: UnsafeRawPointer, histogram: UnsafeMutablePointer<Float>, similarity: UnsafeMutablePointer<Float>, count: Int,
    into logits: inout [Logits]
  ) throws(ComputeError) {
    try dense.prepare(features, histogram: histogram, similarity: similarity, count: count, on: streams[0])
    try onTeam { (index, stream) throws(ComputeError) in try dense.hidden(count, group: index, on: stream) }
    dense.heads(count, into: &logits)
  }

  /// `[count][448]` → `[count][128]`, not yet of length 1.
  func project(_ means: UnsafeMutablePointer<Float>, count: Int) throws(ComputeError) -> UnsafePointer<Float> {
    try dense.project(means, count: count, on: streams[0])
  }

  /// For calibration: the largest values that stacks' first cells and pools put out in the last step.
  func largestActivations(_ count: Int) -> [Float] { stacks.flatMap { [$0.first.largestOutput(count), $0.largestPooled(count)] } }
}
