import Tensors

/// Looks less far ahead than the convolutions reach: the newest frames are computed again with every step, as if the
/// stream ended with them, and settled when enough frames have followed.
///
/// A settled frame had from `lookAhead` − 3 to `lookAhead` later frames. Cost: (1 + `lookAhead`) / 4 of computing once.
final class ProvisionalPredictor: Predictor {
  let lookAhead: Int
  var bestCount: Int { step }
  let leastCount = 1
  /// Frames that a pass settles.
  private let step: Int
  private let network: Network
  private var similarity: SimilarityBand
  private var histogram: SimilarityBand
  /// Frames of the next pass, the unsettled ones first.
  private var pending: [UInt8] = []
  private var stepped = 0
  private var emitted = 0
  private var pushed = 0
  private var last: [UInt8] = []
  private let means: AlignedMemory
  private let bands: AlignedMemory
  private let colors = AlignedMemory(byteCount: ColorHistogram.bins * 4)
  private var logits: [Logits] = []

  init(_ weights: TransNetWeights, lookAhead: Int, precision: Precision, team: WorkerTeam) throws(ComputeError) {
    self.lookAhead = lookAhead
    step = min(4, lookAhead)
    let span = 1 + lookAhead
    network = try Network(weights, flow: .provisional, precision: precision, team: team, counts: [span], denseCounts: [step, span])
    similarity = SimilarityBand(dimension: 128, span: span)
    histogram = SimilarityBand(dimension: ColorHistogram.bins, span: span)
    means = AlignedMemory(byteCount: span * Network.meanCount * 4)
    bands = AlignedMemory(byteCount: 2 * step * SimilarityBand.width * 4)
    reset()
  }

  /// Frames of a pass: the first that is settled has `lookAhead` others after it.
  private var span: Int { 1 + lookAhead }

  func reset() {
    network.reset()
    similarity.reset()
    histogram.reset()
    pending.removeAll(keepingCapacity: true)
    (stepped, emitted, pushed) = (0, 0, 0)
  }

  func push(_ frames: UnsafePointer<UInt8>, count: Int, into predictions: inout [Prediction]) throws(ComputeError) {
    guard count > 0 else { return }
    if pushed == 0 { for _ in 0..<leadingCopies { try append(frames, into: &predictions) } }
    pushed += count
    for index in 0..<count { try append(frames + index * Network.frameBytes, into: &predictions) }
    last = Array(UnsafeBufferPointer(start: frames + (count - 1) * Network.frameBytes, count: Network.frameBytes))
  }

  func finish(into predictions: inout [Prediction]) throws(ComputeError) {
    let copy = last
    while emitted < pushed + leadingCopies, pushed > 0 {
      try copy.withUnsafeBufferPointer { (frame) throws(ComputeError) in
        if let base = frame.baseAddress { try append(base, into: &predictions) }
      }
    }
    reset()
  }

  private func append(_ frame: UnsafePointer<UInt8>, into predictions: inout [Prediction]) throws(ComputeError) {
    let counted = colors.base.assumingMemoryBound(to: Float.self)
    ColorHistogram.count(frame, into: counted)
    histogram.append(counted)
    pending += UnsafeBufferPointer(start: frame, count: Network.frameBytes)
    stepped += 1
    if pending.count == span * Network.frameBytes { try run(into: &predictions) }
  }

  private func run(into predictions: inout [Prediction]) throws(ComputeError) {
    try pending.withUnsafeBufferPointer { (frames) throws(ComputeError) in
      if let base = frames.baseAddress { try network.step(base, count: span, advance: step) }
    }
    let joined = means.base.assumingMemoryBound(to: Float.self)
    network.joinMeans(span, into: joined)
    let projected = try network.project(joined, count: span)
    similarity.removeLast(similarity.count - emitted)
    for frame in 0..<span { similarity.append(projected + frame * 128) }
    let first = bands.base.assumingMemoryBound(to: Float.self)
    let second = first + step * SimilarityBand.width
    for index in 0..<step {
      histogram.write(emitted + index, after: lookAhead, to: first + index * SimilarityBand.width)
      similarity.write(emitted + index, after: lookAhead, to: second + index * SimilarityBand.width)
    }
    logits.removeAll(keepingCapacity: true)
    try network.decide(network.features, histogram: first, similarity: second, count: step, into: &logits)
    for logit in logits {
      if emitted >= leadingCopies, emitted < leadingCopies + pushed { predictions.append(Prediction(logit)) }
      emitted += 1
    }
    pending.removeFirst(step * Network.frameBytes)
  }
}
