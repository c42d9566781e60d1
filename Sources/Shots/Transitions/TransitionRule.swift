/// Who decides that there is a boundary.
public enum TransitionDetection: String, Sendable {
  /// TransNetV2: a run of its `one_hot` output over the threshold.
  case transnet
  /// The combiner of all cues: the largest of its output within two frames, over the threshold.
  case fused

  /// The threshold it was tuned with.
  public var threshold: Double { self == .fused ? 0.6 : 0.5 }
}

/// Finds cuts, fades, dissolves and wipes with their intervals, from 48×27 thumbnails and TransNetV2's two outputs.
///
/// ```swift
/// var rule = TransitionRule(.fused, model: model)
/// rule.see(thumbnail: rgb, at: time, into: &findings)      // every frame
/// rule.see(oneHot: 0.1, manyHot: 0.2, into: &findings)     // every frame too, in order, whenever it is known
/// ```
///
/// Thumbnails may run ahead of the network's outputs; what is found depends only on the values, and on the frames' times:
/// `fused` judges frames that are far apart by themselves. A boundary at frame t is
/// found once thumbnail t + 50 and the outputs for t + 23 are there. `Boundary.frame` is the first frame of the new shot,
/// in a gradual transition its middle; `transitionStart` and `transitionEnd` are the last clean frame of the old shot and
/// the first clean one of the new. Both halves of a fade, and whatever else lies inside a reported interval, are one
/// boundary. Cost: 0.08 ms a frame of one core of a Zen 5, no allocation; memory: 0.7 MB, and 260 bytes for each frame
/// that thumbnails run ahead of the outputs.
public struct TransitionRule {
  /// A boundary is the largest within so many frames.
  static let peak = 2
  /// Frames from the end of a boundary in which there is no other.
  static let apart = 4
  /// What TransNetV2 calls a boundary.
  static let sure = 0.5
  /// Frames that an interval reaches to each side.
  static let longest = 48
  /// A stream is taken to have stood still for so many frames before its first and after its last one: what the combiner
  /// reaches. Rows count from the first of these.
  static let padding = TransitionModel.reach
  /// So near to the first or to the last frame the combiner has seen too little, and TransNetV2's own cuts stand.
  static let edge = TransitionModel.reach / 2
  /// Thumbnails that must have come after a frame before it is decided: the cues' reach, the network's, the peak's.
  public static let thumbnailsAhead = TransitionCues.reach + TransitionModel.reach + peak
  /// The same of the network's outputs; row t has those of frame t - 1.
  public static let outputsAhead = TransitionModel.reach + peak - 1

  /// Which numbers decide; the combiner tells kind and interval in both.
  public let detection: TransitionDetection
  /// 0…1. For `fused`, 0.3 of it is enough where TransNetV2 says the same, and half-way from it to 1 is needed for a wipe
  /// that TransNetV2 does not see.
  public var threshold: Double
  /// Nanoseconds between the first frames of two shots.
  public var minimumShot: UInt64
  /// What was last compared with the threshold.
  public private(set) var lastScore: Double = 0

  private let statistics: Bool
  private var maker: BoundaryMaker
  private var history = ThumbnailHistory()
  private var meter = CueMeter()
  private var network: TransitionNetwork
  private var distant = DistantFrames()
  /// By frame, or by row. Rows of pixel cues wait for the network's outputs, and these for the rows.
  private var times = Timeline<FrameTime>()
  private var pixelRows = CueRows()
  private var probabilities = Timeline<TransitionProbabilities>()
  private var outputs = Timeline<TransitionOutput>()
  /// The rows whose outputs have not come yet; only kept for statistics.
  private var rows = Timeline<[Float]>()
  private var rowCount = 0
  private var row: [Float] = []
  /// By row.
  private var steps = Timeline<TransitionStep>()
  private var runs = TransitionRuns()
  /// TransNetV2's boundaries of the frames that are not decided.
  private var ofNetwork: [TransitionFinding] = []
  /// Frames of the stream, once they are known.
  private var total: Int?
  private var pause = FadePause()
  /// First clean frame after the last boundary, and when its shot began.
  private var lastEnd: Int?
  private var lastBegin: FrameTime?

  /// - Parameters:
  ///   - threshold: nil for ``TransitionDetection/threshold``, with which it was tuned.
  ///   - minimumShot: nanoseconds.
  ///   - statistics: whether each frame's ``statisticNames`` are handed out.
  public init(
    _ detection: TransitionDetection, model: TransitionModel, threshold: Double? = nil, minimumShot: UInt64 = 0, statistics: Bool = false
  ) {
    self.detection = detection
    self.threshold = threshold ?? detection.threshold
    self.minimumShot = minimumShot
    self.statistics = statistics
    maker = BoundaryMaker(detector: detection.rawValue)
    network = TransitionNetwork(model)
    row.reserveCapacity(TransitionCues.names.count)
  }

  /// The cues' names, then what was made of them.
  public static var statisticNames: [String] { TransitionCues.names + ["boundary", "inside"] }

  /// Ordinal of the open shot, 1 at first.
  public var shot: UInt64 {
    get { maker.shot }
    set { maker.shot = newValue }
  }

  /// Takes the next frame's thumbnail: RGB [27, 48, 3]. One of another size is ignored.
  public mutating func see(thumbnail: UnsafeBufferPointer<UInt8>, at time: FrameTime, into findings: inout Findings) {
    guard thumbnail.count == TransitionCues.samples else { return }
    if history.count == 0 { for _ in 0..<Self.padding { append(thumbnail) } }
    append(thumbnail)
    let facts = history.facts[ThumbnailHistory.slot(history.count - 1)]
    pause.append(level: facts.mean, deviation: facts.variance.squareRoot())
    distant.append(facts, at: time)
    times.append(time)
    advance(into: &findings)
  }

  /// Takes the network's outputs for the next frame that has none yet, 0…1; what is not a number counts as 0.
  public mutating func see(oneHot: Float, manyHot: Float, into findings: inout Findings) {
    probabilities.append(TransitionProbabilities(one: oneHot, many: manyHot))
    advance(into: &findings)
  }

  /// Decides on the frames that wait for what is not coming, then is as after ``reset()``. The network's outputs should be
  /// complete; missing ones count as the last.
  public mutating func finish(into findings: inout Findings) {
    let count = times.end
    while probabilities.end < count {
      probabilities.append(probabilities[probabilities.end - 1] ?? TransitionProbabilities(one: 0, many: 0))
    }
    total = count
    if count > 0 {
      let last = history.newest
      last.withUnsafeBufferPointer { last in
        for _ in 0..<TransitionCues.reach + Self.padding { append(last) }
      }
      for _ in 0..<Self.padding { probabilities.append(TransitionProbabilities(one: 0, many: 0)) }
      advance(into: &findings)
      if detection == .fused {
        for frame in max(0, count - Self.peak)..<count { decide(frame, upTo: count - 1, into: &findings) }
      }
    }
    if let way = pause.finish() { emit(way, into: &findings) }
    reset()
  }

  /// Forgets every earlier frame, but keeps ``shot``.
  public mutating func reset() {
    history.removeAll()
    meter.removeAll()
    network.removeAll()
    distant.removeAll()
    times.removeAll()
    pixelRows.removeAll()
    probabilities.removeAll()
    outputs.removeAll()
    rows.removeAll()
    rowCount = 0
    steps.removeAll()
    runs = TransitionRuns()
    ofNetwork.removeAll()
    total = nil
    pause.removeAll()
    lastEnd = nil
    lastBegin = nil
  }

  /// Takes a thumbnail, of the stream or beside it, and measures the row that it completes.
  private mutating func append(_ thumbnail: UnsafeBufferPointer<UInt8>) {
    history.append(thumbnail)
    let row = history.count - 1 - TransitionCues.reach
    if row >= 0 { pixelRows.append { meter.measure(row, history, into: &$0) } }
  }

  /// Joins the rows of which both halves are there.
  private mutating func advance(into findings: inout Findings) {
    while rowCount < pixelRows.end {
      var one = 0.0, many = 0.0
      let frame = rowCount - Self.padding
      if frame > 0 {
        guard let known = probabilities[frame - 1] else { return }
        (one, many) = (known.one, known.many)
      }
      row.removeAll(keepingCapacity: true)
      row.append(Float(one))
      row.append(Float(many))
      row.append(TransitionProbabilities.logarithm(one))
      row.append(TransitionProbabilities.logarithm(many))
      pixelRows.takeFirst(into: &row)
      if statistics { rows.append(row) }
      steps.append(TransitionStep(row))
      rowCount += 1
      push(into: &findings)
    }
  }

  /// Gives the network the row once and decides what its answer allows to.
  private mutating func push(into findings: inout Findings) {
    guard let output = network.push(row) else { return }
    let frame = outputs.end
    outputs.append(output)
    if statistics, let cues = rows[frame + Self.padding], let time = times[frame] {
      findings.scores.append(FrameScore(time: time, values: cues.map(Double.init) + [output.boundary, output.inside]))
      rows.drop(before: frame + Self.padding + 1)
    }
    if output.inside >= 0.5, output.kind != .cut, !isDistant(frame), let time = times[frame] {
      findings.transitions.append(TransitionFrame(frame: time.frame, kind: output.kind, progress: output.progress))
    }
    let one = probabilities[frame]?.one ?? 0, sure = detection == .fused ? Self.sure : threshold
    let run = runs.see(frame, isOver: one > sure, probabilities[frame - 1]?.one ?? 0, output)
    switch detection {
    case .fused:
      if let run { ofNetwork.append(run) }
      lastScore = distant.score(frame) ?? output.boundary
      if frame >= Self.peak { decide(frame - Self.peak, upTo: frame, into: &findings) }
    case .transnet:
      lastScore = one
      if let run { report(run, into: &findings) }
    }
    if let way = pause.expire(frame - Self.peak) { emit(way, into: &findings) }
    pause.drop(before: frame - 2 * Self.longest)
    distant.drop(before: frame - 2 * Self.longest)
    outputs.drop(before: frame - 2 * Self.peak)
    steps.drop(before: frame + Self.padding - 2 * Self.peak)
    probabilities.drop(before: frame - 3 * Self.peak)
    times.drop(before: frame - 2 * Self.longest)
  }

  /// Whether the combiner has its largest value at `frame`; `newest`: the last frame it has spoken of.
  private mutating func decide(_ frame: Int, upTo newest: Int, into findings: inout Findings) {
    if !ofNetwork.isEmpty { ofNetwork.removeAll { $0.frame < frame - Self.peak } }
    if let score = distant.score(frame), score >= threshold {
      return report(TransitionFinding(frame: frame, start: frame - 1, end: frame, kind: .cut, score: score), into: &findings)
    }
    guard frame > 0, !isDistant(frame) else { return }
    if let cut = ofNetwork.first(where: { abs($0.frame - frame) <= Self.peak && stands($0) }) {
      guard cut.frame == frame else { return }
      return report(TransitionFinding(frame: frame, start: frame - 1, end: frame, kind: .cut, score: cut.score), into: &findings)
    }
    guard let output = outputs[frame], output.boundary >= 0.3 * threshold else { return }
    var start = 0.0, end = 0.0, near = 0.0, one = 0.0
    for other in max(0, frame - Self.peak)...min(newest, frame + Self.peak) {
      guard let there = outputs[other] else { continue }
      // Of equal ones the first.
      one = max(one, probabilities[other - 1]?.one ?? 0)
      if there.boundary > output.boundary || (other < frame && there.boundary == output.boundary) { return }
      guard 2 * there.boundary >= output.boundary else { continue }
      start += Double(other) - there.since
      end += Double(other) + there.until
      near += 1
    }
    guard output.boundary >= needed(for: output.kind, seconded: one > Self.sure) else { return }
    var found = TransitionFinding(frame: frame, start: frame - 1, end: frame, kind: output.kind, score: output.boundary)
    if found.kind != .cut { found.extend(from: start / near, to: end / near, around: frame) }
    report(found, into: &findings)
  }

  /// Whether a boundary of TransNetV2 is a cut that needs no word of the combiner.
  private func stands(_ found: TransitionFinding) -> Bool {
    let isAtEdge = found.frame <= Self.edge || total.map { $0 - found.frame <= Self.edge } ?? false
    return isAtEdge && found.score >= 0.3 * threshold && steps[found.frame + Self.padding]?.isCut == true
  }

  /// Whether neither the network nor the combiner has anything to say at `frame`.
  private func isDistant(_ frame: Int) -> Bool { detection == .fused && distant.surround(frame, within: Self.peak) }

  /// What the combiner must say: little where TransNetV2 says the same, much for a wipe that only the combiner sees.
  private func needed(for kind: BoundaryKind, seconded: Bool) -> Double {
    if seconded { return 0.3 * threshold }
    return kind == .wipe ? (1 + threshold) / 2 : threshold
  }

  private mutating func report(_ found: TransitionFinding, into findings: inout Findings) {
    let (first, second) = pause.join(found)
    if let first { emit(first, into: &findings) }
    if let second { emit(second, into: &findings) }
  }

  private mutating func emit(_ found: TransitionFinding, into findings: inout Findings) {
    guard let time = times[found.frame] else { return }
    let apart = detection == .fused && distant.score(found.frame) != nil ? 1 : Self.apart
    if let lastEnd, found.frame < lastEnd + apart { return }
    if let lastBegin, !time.isAtLeast(minimumShot, after: lastBegin) { return }
    let end = min(found.end, times.end - 1), start = max(found.start, lastEnd ?? 0, times.start)
    lastEnd = end
    lastBegin = time
    var boundary = maker.make(found.kind, at: time, from: times[start]?.streamTime, to: times[end]?.streamTime, score: found.score)
    if found.kind == .fade { boundary.color = pause.color(from: start, to: end) }
    findings.boundaries.append(boundary)
  }
}
