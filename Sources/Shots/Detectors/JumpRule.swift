/// Cuts where a score passes a threshold at least the minimum shot after the cut before (or the first frame).
struct JumpRule {
  private var maker: BoundaryMaker
  private var before: UInt64?
  private var lastCut: FrameTime?
  var minimumShot: UInt64
  private(set) var lastScore: Double
  /// What two equal pictures score.
  private let quiet: Double

  init(detector: String, minimumShot: UInt64, quiet: Double) {
    maker = BoundaryMaker(detector: detector)
    self.minimumShot = minimumShot
    self.quiet = quiet
    lastScore = quiet
  }

  var shot: UInt64 {
    get { maker.shot }
    set { maker.shot = newValue }
  }

  mutating func see(_ score: Double?, isCut: (Double) -> Bool, at time: FrameTime, into findings: inout Findings) {
    let before = before
    self.before = time.streamTime
    lastScore = score ?? quiet
    let lastCut = self.lastCut ?? time
    self.lastCut = lastCut
    guard let score, isCut(score), time.isAtLeast(minimumShot, after: lastCut) else { return }
    self.lastCut = time
    findings.boundaries.append(maker.cut(Sighting(time: time, before: before, score: score)))
  }

  mutating func reset() {
    before = nil
    lastCut = nil
    lastScore = quiet
  }
}

/// Cuts where the luma histograms of neighbouring frames correlate by no more than 1 − threshold.
public struct HistogramRule: ScoreRule {
  private var jump: JumpRule
  private var largestCorrelation: Double

  public init(_ settings: DetectorSettings) {
    jump = JumpRule(detector: DetectorKind.histogram.rawValue, minimumShot: settings.minimumShot, quiet: 1)
    largestCorrelation = Self.largestCorrelation(settings)
  }

  private static func largestCorrelation(_ settings: DetectorSettings) -> Double {
    max(0, min(1, 1 - settings.effectiveThreshold))
  }

  public var lookAhead: LookAhead { .none }
  public var lastScore: Double { jump.lastScore }
  public var shot: UInt64 {
    get { jump.shot }
    set { jump.shot = newValue }
  }

  public mutating func see(_ score: Double?, at time: FrameTime, into findings: inout Findings) {
    let largest = largestCorrelation
    jump.see(score, isCut: { $0 <= largest }, at: time, into: &findings)
  }

  public mutating func finish(into findings: inout Findings) { jump.reset() }
  public mutating func reset() { jump.reset() }

  public mutating func update(_ settings: DetectorSettings) {
    jump.minimumShot = settings.minimumShot
    largestCorrelation = Self.largestCorrelation(settings)
  }
}

/// Cuts where at least the threshold's share of the bits of neighbouring frames' perceptual hashes differ.
public struct HashRule: ScoreRule {
  private var jump: JumpRule
  private var threshold: Double

  public init(_ settings: DetectorSettings) {
    jump = JumpRule(detector: DetectorKind.hash.rawValue, minimumShot: settings.minimumShot, quiet: 0)
    threshold = settings.effectiveThreshold
  }

  public var lookAhead: LookAhead { .none }
  public var lastScore: Double { jump.lastScore }
  public var shot: UInt64 {
    get { jump.shot }
    set { jump.shot = newValue }
  }

  public mutating func see(_ score: Double?, at time: FrameTime, into findings: inout Findings) {
    let threshold = threshold
    jump.see(score, isCut: { $0 >= threshold }, at: time, into: &findings)
  }

  public mutating func finish(into findings: inout Findings) { jump.reset() }
  public mutating func reset() { jump.reset() }

  public mutating func update(_ settings: DetectorSettings) {
    jump.minimumShot = settings.minimumShot
    threshold = settings.effectiveThreshold
  }
}
