import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What the network says of a frame.
public struct Prediction: Hashable, Sendable {
  /// Probability that the frame is the middle of a transition, 0…1.
  public var oneHot: Float
  /// Probability that the frame lies in a transition, 0…1.
  public var manyHot: Float

  init(_ logits: Logits) {
    oneHot = 1 / (1 + exp(-logits.oneHot))
    manyHot = 1 / (1 + exp(-logits.manyHot))
  }
}

/// Turns frames into predictions, one for each, in order.
///
/// To be used from one thread, on which ``ComputeLibrary/useOneThread()`` was called before.
public protocol Predictor: AnyObject {
  /// How many later frames must be there before a frame's prediction is sure to be.
  var lookAhead: Int { get }
  /// How many frames are best pushed at a time when there are many.
  var bestCount: Int { get }
  /// How many frames must be there for anything to be computed, when there are few.
  var leastCount: Int { get }

  /// Takes the next frames, `[count][27][48][3]` levels of red, green and blue, and appends what is known by now.
  func push(_ frames: UnsafePointer<UInt8>, count: Int, into predictions: inout [Prediction]) throws(ComputeError)
  /// The stream is over: appends what is still missing, and forgets the stream.
  func finish(into predictions: inout [Prediction]) throws(ComputeError)
  /// Forgets all frames.
  func reset()
}

/// How the network runs over a stream.
public enum Windowing: Hashable, Sendable {
  /// The published way: windows of 100 frames, 50 apart, of which the 50 in the middle count.
  case windowed
  /// With what earlier frames left behind, looking so many frames ahead.
  ///
  /// From 48 frames on, the reach of the convolutions, every frame is computed once, and 99 are as many as are made use of.
  /// Below 48 the newest frames are computed again with every step as more becomes known, which costs the more the further
  /// it looks ahead.
  case streaming(lookAhead: Int)

  /// How many later frames must be there before a frame's prediction is sure to be.
  public var lookAhead: Int {
    switch self {
    case .windowed: WindowedPredictor.lookAhead
    case .streaming(let lookAhead): min(max(1, lookAhead), DelayedPredictor.mostLookAhead)
    }
  }
}

extension TransNetWeights {
  /// - Parameters:
  ///   - precision: with OpenBLAS it is always float32.
  ///   - threads: 1, 2 or 4; other numbers are rounded down.
  public func makePredictor(_ windowing: Windowing, precision: Precision, threads: Int) throws(ComputeError) -> any Predictor {
    let precision = precision.available
    // Without VNNI the sums of byte products may saturate.
    guard precision != .int8 || ComputeLibrary.hasInt8 else { throw ComputeError(call: "int8 on a processor without VNNI", status: 3) }
    let team = WorkerTeam(count: min(max(threads, 1), 4))
    switch windowing {
    case .windowed: return try WindowedPredictor(self, precision: precision, team: team)
    case .streaming(let lookAhead) where lookAhead >= DelayedPredictor.leastLookAhead:
      return try DelayedPredictor(self, lookAhead: lookAhead, precision: precision, team: team)
    case .streaming(let lookAhead): return try ProvisionalPredictor(self, lookAhead: max(1, lookAhead), precision: precision, team: team)
    }
  }
}

/// Copies of the first frame that the published code puts before a stream.
let leadingCopies = 25

/// Every frame once: cells lie 8 frames behind each other.
final class DelayedPredictor: Predictor {
  static let convolutionReach = 6 * Cell.reach
  static let leastLookAhead = convolutionReach
  /// What the similarity band reaches beyond the convolutions, and a pair's second frame.
  static let mostLookAhead = convolutionReach + SimilarityBand.reach + 1

  let lookAhead: Int
  let bestCount = 8
  let leastCount: Int
  private let network: Network
  /// Later frames that the similarity band takes in, as far as the look-ahead goes beyond the convolutions.
  private let similarityReach: Int
  private var similarity: SimilarityBand
  private var histogram: SimilarityBand
  private let counts: [Int]

  /// Frames stepped, leading copies included.
  private var stepped = 0
  private var emitted = 0
  private var pushed = 0
  private var last: [UInt8] = []
  private let firstMeans: Ring
  private let secondMeans: Ring
  private let features: Ring
  private let means: AlignedMemory
  private let bands: AlignedMemory
  private let colors: AlignedMemory
  private var logits: [Logits] = []

  /// - Parameter wanted: the look-ahead; what is more than can be made use of, 99 frames, is not waited for.
  init(_ weights: TransNetWeights, lookAhead wanted: Int, precision: Precision, team: WorkerTeam) throws(ComputeError) {
    // Frames come in pairs where there is time for it: a pair costs less than twice one. Its first frame waits for its second.
    leastCount = wanted >= Self.convolutionReach + 2 ? 2 : 1
    similarityReach = min(SimilarityBand.reach, max(0, wanted - Self.convolutionReach - (leastCount - 1)))
    lookAhead = Self.convolutionReach + similarityReach + leastCount - 1
    counts = [1, 2, bestCount]
    network = try Network(weights, flow: .delayed, precision: precision, team: team, counts: counts)
    similarity = SimilarityBand(dimension: 128, span: bestCount)
    histogram = SimilarityBand(dimension: ColorHistogram.bins, span: lookAhead + 2 * bestCount)
    firstMeans = Ring(count: 32 + 2 * bestCount, byteCount: 64 * 4)
    secondMeans = Ring(count: 16 + 2 * bestCount, byteCount: 128 * 4)
    features = Ring(count: similarityReach + 2 * bestCount, byteCount: network.featureBytes)
    means = AlignedMemory(byteCount: bestCount * Network.meanCount * 4)
    bands = AlignedMemory(byteCount: 2 * bestCount * SimilarityBand.width * 4)
    colors = AlignedMemory(byteCount: ColorHistogram.bins * 4)
    reset()
  }

  func reset() {
    network.reset()
    similarity.reset()
    histogram.reset()
    (stepped, emitted, pushed) = (0, 0, 0)
  }

  func push(_ frames: UnsafePointer<UInt8>, count: Int, into predictions: inout [Prediction]) throws(ComputeError) {
    guard count > 0 else { return }
    if pushed == 0 { try repeatFrame(frames, leadingCopies, into: &predictions) }
    pushed += count
    try stepAll(frames, count, into: &predictions)
    last = Array(UnsafeBufferPointer(start: frames + (count - 1) * Network.frameBytes, count: Network.frameBytes))
  }

  func finish(into predictions: inout [Prediction]) throws(ComputeError) {
    let copy = last
    while emitted < pushed + leadingCopies, !copy.isEmpty {
      try copy.withUnsafeBufferPointer { (frame) throws(ComputeError) in
        guard let base = frame.baseAddress else { return }
        try repeatFrame(base, bestCount, into: &predictions)
      }
    }
    reset()
  }

  private func repeatFrame(_ frame: UnsafePointer<UInt8>, _ times: Int, into predictions: inout [Prediction]) throws(ComputeError) {
    let copies = AlignedMemory(byteCount: times * Network.frameBytes)
    for index in 0..<times { (copies.base + index * Network.frameBytes).copyMemory(from: frame, byteCount: Network.frameBytes) }
    try stepAll(copies.base.assumingMemoryBound(to: UInt8.self), times, into: &predictions)
  }

  private func stepAll(_ frames: UnsafePointer<UInt8>, _ count: Int, into predictions: inout [Prediction]) throws(ComputeError) {
    var done = 0
    while done < count {
      let next = counts.last { $0 <= count - done } ?? 1
      try step(frames + done * Network.frameBytes, next, into: &predictions)
      done += next
    }
  }

  private func step(_ frames: UnsafePointer<UInt8>, _ count: Int, into predictions: inout [Prediction]) throws(ComputeError) {
    let histogramCounts = colors.base.assumingMemoryBound(to: Float.self)
    for index in 0..<count {
      ColorHistogram.count(frames + index * Network.frameBytes, into: histogramCounts)
      histogram.append(histogramCounts)
    }
    try network.step(frames, count: count, advance: count)
    // The three stacks' means belong to frames 16, 32 and 48 before the step's.
    let newest = stepped + count - 1
    for index in 0..<count {
      firstMeans.put(stepped + index - 16, UnsafeRawPointer(network.means(0) + index * 64))
      secondMeans.put(stepped + index - 32, UnsafeRawPointer(network.means(1) + index * 128))
    }
    let from = max(0, stepped - network.delay)
    let to = newest - network.delay
    stepped += count
    guard to >= from else { return }
    let joined = means.base.assumingMemoryBound(to: Float.self)
    for frame in from...to {
      let row = UnsafeMutableRawPointer(joined + (frame - from) * Network.meanCount)
      let index = frame + network.delay - (stepped - count)
      row.copyMemory(from: firstMeans[frame], byteCount: 64 * 4)
      (row + 64 * 4).copyMemory(from: secondMeans[frame], byteCount: 128 * 4)
      (row + 192 * 4).copyMemory(from: network.means(2) + index * 256, byteCount: 256 * 4)
      features.put(frame, network.features + index * network.featureBytes)
    }
    // Kernels exist for whole steps only: what lies behind is computed along and not used.
    let projected = try network.project(joined, count: count)
    for frame in from...to { similarity.append(projected + (frame - from) * 128) }
    try emit(upTo: to - similarityReach, into: &predictions)
  }

  /// Predictions for the frames that are due, in numbers that kernels exist for.
  private func emit(upTo frame: Int, into predictions: inout [Prediction]) throws(ComputeError) {
    while emitted <= frame {
      let count = counts.last { $0 <= frame - emitted + 1 } ?? 1
      let first = bands.base.assumingMemoryBound(to: Float.self)
      let second = first + bestCount * SimilarityBand.width
      let rows = AlignedMemory(byteCount: count * network.featureBytes)
      for index in 0..<count {
        let frame = emitted + index
        // Only frames that are there however many came at a time.
        let after = min(SimilarityBand.reach, Self.convolutionReach + similarityReach)
        histogram.write(frame, after: after, to: first + index * SimilarityBand.width)
        similarity.write(frame, after: similarityReach, to: second + index * SimilarityBand.width)
        (rows.base + index * network.featureBytes).copyMemory(from: features[frame], byteCount: network.featureBytes)
      }
      logits.removeAll(keepingCapacity: true)
      try network.decide(rows.base, histogram: first, similarity: second, count: count, into: &logits)
      for (index, logit) in logits.enumerated() where emitted + index >= leadingCopies && emitted + index < leadingCopies + pushed {
        predictions.append(Prediction(logit))
      }
      emitted += count
    }
  }
}

/// The last so many entries of a sequence of equal size, found by their number.
final class Ring {
  private let count: Int
  private let byteCount: Int
  private let memory: AlignedMemory

  init(count: Int, byteCount: Int) {
    self.count = max(1, count)
    self.byteCount = byteCount
    memory = AlignedMemory(byteCount: self.count * byteCount)
  }

  /// Entries before number 0 are dropped.
  func put(_ number: Int, _ entry: UnsafeRawPointer) {
    guard number >= 0 else { return }
    (memory.base + number % count * byteCount).copyMemory(from: entry, byteCount: byteCount)
  }

  subscript(_ number: Int) -> UnsafeRawPointer { UnsafeRawPointer(memory.base + max(0, number) % count * byteCount) }
}
