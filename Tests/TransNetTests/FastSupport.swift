import Tensors
import Testing
import TransNet
import TransNetReference

let frameBytes = ReferenceNetwork.bytesPerFrame

/// Read once for all tests.
let weights = Result { () throws(WeightsError) in try TransNetWeights(folder: models) }

/// The stored excerpt: 160 frames with cuts.
let excerpt = FilmCase.stored.first?.frames ?? []

func frames(_ range: Range<Int>) -> [UInt8] { Array(excerpt[range.lowerBound * frameBytes..<range.upperBound * frameBytes]) }

/// A windowing and a precision.
struct Way: Sendable, CustomTestStringConvertible {
  var windowing: Windowing
  var precision: Precision
  var testDescription: String { "\(precision.rawValue), \(windowing)" }

  init(_ windowing: Windowing, _ precision: Precision) {
    self.windowing = windowing
    self.precision = precision
  }

  static func all(_ windowings: [Windowing]) -> [Way] { windowings.flatMap { windowing in usable.map { Way(windowing, $0) } } }

  /// Those that this processor has instructions for; the rest would be emulated, or refused.
  static let usable = Precision.allCases.filter {
    switch $0 {
    case .float32: true
    case .bfloat16: ComputeLibrary.hasBFloat16
    case .int8: ComputeLibrary.hasInt8
    }
  }

  func makePredictor(threads: Int = 1) throws -> any Predictor {
    ComputeLibrary.useOneThread()
    return try weights.get().makePredictor(windowing, precision: precision, threads: threads)
  }
}

extension Predictor {
  func push(_ frames: [UInt8], into predictions: inout [Prediction]) throws(ComputeError) {
    ComputeLibrary.useOneThread()
    try frames.withUnsafeBufferPointer { (frames) throws(ComputeError) in
      if let base = frames.baseAddress { try push(base, count: frames.count / frameBytes, into: &predictions) }
    }
  }

  /// A whole stream, so many frames at a time; all at once if nil.
  func predict(_ frames: [UInt8], chunk: Int? = nil) throws(ComputeError) -> [Prediction] {
    var predictions: [Prediction] = []
    let size = (chunk ?? max(1, frames.count / frameBytes)) * frameBytes
    for begin in stride(from: 0, to: frames.count, by: size) {
      try push(Array(frames[begin..<min(begin + size, frames.count)]), into: &predictions)
    }
    try finish(into: &predictions)
    return predictions
  }
}

/// The frame of the largest probability in each run of those above a half.
func transitions(_ probabilities: [Float]) -> [Int] {
  probabilities.indices.filter { probabilities[$0] > 0.5 }.reduce(into: [[Int]]()) { runs, frame in
    if runs.last?.last == frame - 1 { runs[runs.count - 1].append(frame) } else { runs.append([frame]) }
  }.compactMap { run in run.max { probabilities[$0] < probabilities[$1] } }
}

/// How far apart equal predictions may lie: OpenBLAS rounds a sum by its place in the matrix and by the matrix's size, which
/// depend on how many frames are computed at a time and on how many threads share them. With oneDNN they are the same bit for bit.
let rounding: Float = ComputeLibrary.current == .openBLAS ? 1e-6 : 0

/// Where two streams of predictions differ first, and by how much at most; nil if they are the same.
func difference(_ a: [Prediction], _ b: [Prediction]) -> String? {
  guard a.count == b.count else { return "\(a.count) and \(b.count) predictions" }
  guard let first = a.indices.first(where: { a[$0] != b[$0] }) else { return nil }
  let most = max(largestDifference(a.map(\.oneHot), b.map(\.oneHot)), largestDifference(a.map(\.manyHot), b.map(\.manyHot)))
  if most <= rounding { return nil }
  return "from frame \(first) on, in \(a.indices.count { a[$0] != b[$0] }) of \(a.count) frames, by up to \(most)"
}
