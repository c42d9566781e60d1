import Tensors

/// The published windows: 100 frames every 50, of which those from 25 to 74 count; the first and last frame stand in for
/// what lies beyond the stream.
///
/// Source: `TransNetV2.predict_frames`. Memory: about 250 MB in float32.
final class WindowedPredictor: Predictor {
  private static let window = 100
  private static let step = 50

  /// The first frame of a window that counts has so many after it.
  static let lookAhead = window - leadingCopies - 1
  var lookAhead: Int { Self.lookAhead }
  let bestCount = step
  let leastCount = 1
  private let network: Network
  private var similarity = SimilarityBand(dimension: 128, span: window)
  private var histogram = SimilarityBand(dimension: ColorHistogram.bins, span: window)
  /// Frames of the window so far.
  private var pending: [UInt8] = []
  private var pushed = 0
  private var emitted = 0
  private let means = AlignedMemory(byteCount: window * Network.meanCount * 4)
  private let bands = AlignedMemory(byteCount: 2 * step * SimilarityBand.width * 4)
  private let colors = AlignedMemory(byteCount: ColorHistogram.bins * 4)
  private var logits: [Logits] = []

  init(_ weights: TransNetWeights, precision: Precision, team: WorkerTeam) throws(ComputeError) {
    network = try Network(
      weights, flow: .provisional, precision: precision, team: team, counts: [Self.window], denseCounts: [Self.step, Self.window])
    pending.reserveCapacity((Self.window + Self.step) * Network.frameBytes)
  }

  func reset() {
    pending.removeAll(keepingCapacity: true)
    (pushed, emitted) = (0, 0)
  }

  func push(_ frames: UnsafePointer<UInt8>, count: Int, into predictions: inout [Prediction]) throws(ComputeError) {
    guard count > 0 else { return }
    if pushed == 0 { try append(frames, copies: leadingCopies, into: &predictions) }
    pushed += count
    for index in 0..<count { try append(frames + index * Network.frameBytes, copies: 1, into: &predictions) }
  }

  func finish(into predictions: inout [Prediction]) throws(ComputeError) {
    let last = Array(pending.suffix(Network.frameBytes))
    while emitted < pushed, !last.isEmpty {
      pending += last
      if pending.count == Self.window * Network.frameBytes { try run(into: &predictions) }
    }
    reset()
  }

  private func append(_ frame: UnsafePointer<UInt8>, copies: Int, into predictions: inout [Prediction]) throws(ComputeError) {
    for _ in 0..<copies {
      pending += UnsafeBufferPointer(start: frame, count: Network.frameBytes)
      if pending.count == Self.window * Network.frameBytes { try run(into: &predictions) }
    }
  }

  private func run(into predictions: inout [Prediction]) throws(ComputeError) {
    network.reset()
    similarity.reset()
    histogram.reset()
    let window = Self.window
    try pending.withUnsafeBufferPointer { (frames) throws(ComputeError) in
      guard let base = frames.baseAddress else { return }
      try network.step(base, count: window, advance: 0)
      let counted = colors.base.assumingMemoryBound(to: Float.self)
      for frame in 0..<window {
        ColorHistogram.count(base + frame * Network.frameBytes, into: counted)
        histogram.append(counted)
      }
    }
    let joined = means.base.assumingMemoryBound(to: Float.self)
    network.joinMeans(window, into: joined)
    let projected = try network.project(joined, count: window)
    for frame in 0..<window { similarity.append(projected + frame * 128) }
    let first = bands.base.assumingMemoryBound(to: Float.self)
    let second = first + Self.step * SimilarityBand.width
    for index in 0..<Self.step {
      histogram.write(leadingCopies + index, after: SimilarityBand.reach, to: first + index * SimilarityBand.width)
      similarity.write(leadingCopies + index, after: SimilarityBand.reach, to: second + index * SimilarityBand.width)
    }
    logits.removeAll(keepingCapacity: true)
    try network.decide(
      network.features + leadingCopies * network.featureBytes, histogram: first, similarity: second, count: Self.step, into: &logits)
    for logit in logits where emitted < pushed || pushed == 0 {
      predictions.append(Prediction(logit))
      emitted += 1
    }
    pending.removeFirst(Self.step * Network.frameBytes)
  }
}
