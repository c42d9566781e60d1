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

  /// The correlation limit is 1 − threshold, kept inside 0 … 1.
  public init(_ settings: DetectorSettings) {
    jump = JumpRule(detector: DetectorKind.histogram.rawValue, minimumShot: settings.minimumShot, quiet: 1)
    largestCorrelation = Self.largestCorrelation(settings)
  }

  private static func largestCorrelation(_ settings: DetectorSettings) -> Double {
    max(0, min(1, 1 - settings.effectiveThreshold))
  }

  /// None: a frame is decided when it is seen.
  public var lookAhead: LookAhead { .none }
  /// The correlation with the frame before, −1 … 1; 1, that of equal pictures, for the first.
  public var lastScore: Double { jump.lastScore }
  /// Ordinal of the open shot, 1 at first.
  public var shot: UInt64 {
    get { jump.shot }
    set { jump.shot = newValue }
  }

  /// The score is a correlation: the smaller, the likelier a cut. Nil is never one.
  public mutating func see(_ score: Double?, at time: FrameTime, into findings: inout Findings) {
    let largest = largestCorrelation
    jump.see(score, isCut: { $0 <= largest }, at: time, into: &findings)
  }

  /// Finds nothing: no frame is pending.
  public mutating func finish(into findings: inout Findings) { jump.reset() }
  /// The minimum shot counts from the next frame.
  public mutating func reset() { jump.reset() }

  /// Takes threshold and minimum shot.
  public mutating func update(_ settings: DetectorSettings) {
    jump.minimumShot = settings.minimumShot
    largestCorrelation = Self.largestCorrelation(settings)
  }
}

/// Cuts where at least the threshold's share of the bits of neighbouring frames' perceptual hashes differ.
public struct HashRule: ScoreRule {
  private var jump: JumpRule
  private var threshold: Double

  /// Takes threshold and minimum shot; the rest of the settings is for others.
  public init(_ settings: DetectorSettings) {
    jump = JumpRule(detector: DetectorKind.hash.rawValue, minimumShot: settings.minimumShot, quiet: 0)
    threshold = settings.effectiveThreshold
  }

  /// None: a frame is decided when it is seen.
  public var lookAhead: LookAhead { .none }
  /// Share of bits that differ from those of the frame before, 0 … 1; 0 for the first frame.
  public var lastScore: Double { jump.lastScore }
  /// Ordinal of the open shot, 1 at first.
  public var shot: UInt64 {
    get { jump.shot }
    set { jump.shot = newValue }
  }

  /// The score is a share of differing bits: the larger, the likelier a cut. Nil is never one.
  public mutating func see(_ score: Double?, at time: FrameTime, into findings: inout Findings) {
    let threshold = threshold
    jump.see(score, isCut: { $0 >= threshold }, at: time, into: &findings)
  }

  /// Finds nothing: no frame is pending.
  public mutating func finish(into findings: inout Findings) { jump.reset() }
  /// The minimum shot counts from the next frame.
  public mutating func reset() { jump.reset() }

  /// Takes threshold and minimum shot.
  public mutating func update(_ settings: DetectorSettings) {
    jump.minimumShot = settings.minimumShot
    threshold = settings.effectiveThreshold
  }
}
