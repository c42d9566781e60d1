import Pixels

/// Cuts where the content score reaches a threshold, kept apart by a ``FlashFilter``.
public struct ContentRule: ScoreRule {
  private var maker = BoundaryMaker(detector: DetectorKind.content.rawValue)
  private var filter: FlashFilter
  private var threshold: Double
  /// Stream time of the frame before; nil also before the first frame.
  private var before: UInt64?
  /// The content score last compared, in the unit of its threshold; 0 for the first frame.
  public private(set) var lastScore: Double = 0
  /// The minimum shot where cuts are merged, else none.
  public private(set) var lookAhead: LookAhead

  /// Takes threshold, minimum shot and filter; weights are for who measures the score.
  public init(_ settings: DetectorSettings) {
    filter = FlashFilter(mode: settings.filter, minimumShot: settings.minimumShot)
    threshold = settings.effectiveThreshold
    lookAhead = settings.lookAhead
  }

  /// Ordinal of the open shot, 1 at first.
  public var shot: UInt64 {
    get { maker.shot }
    set { maker.shot = newValue }
  }

  /// A score that is nil counts as 0. The cut of a burst that is merged is found later, at its own frame.
  public mutating func see(_ score: Double?, at time: FrameTime, into findings: inout Findings) {
    lastScore = score ?? 0
    let sighting = Sighting(time: time, before: before, score: lastScore)
    before = time.streamTime
    if let cut = filter.see(sighting, isAbove: lastScore >= threshold) {
      findings.boundaries.append(maker.cut(cut))
    }
  }

  /// Hands out the cut of a burst that the end of the stream interrupts, then is as after ``reset()``.
  public mutating func finish(into findings: inout Findings) {
    if let cut = filter.finish() { findings.boundaries.append(maker.cut(cut)) }
    reset()
  }

  /// Gives up a burst that is being merged; the minimum shot counts from the next frame.
  public mutating func reset() {
    filter.reset()
    before = nil
    lastScore = 0
  }

  /// A burst that is being merged goes on, unless merging ends.
  public mutating func update(_ settings: DetectorSettings) {
    filter.update(mode: settings.filter, minimumShot: settings.minimumShot)
    threshold = settings.effectiveThreshold
    lookAhead = settings.lookAhead
  }
}

/// Fast cuts from changes of colour and brightness between neighbouring frames.
///
/// The score is Σ w·c / Σ |w| over the mean absolute differences c of hue, saturation, value and edges: PySceneDetect's
/// `content_val`, and with w_edges = 0 the weighted HSV difference by which TAV (arXiv 2507.18046, section 3) finds
/// scene transitions.
struct ContentDetector: Detector {
  private var meter: ContentMeter
  private var rule: ContentRule

  init(_ settings: DetectorSettings, layout: PictureLayout) {
    meter = ContentMeter(settings, layout: layout)
    rule = ContentRule(settings)
  }

  var name: String { DetectorKind.content.rawValue }
  var lookAhead: LookAhead { rule.lookAhead }
  var statisticNames: [String] { ContentMeter.statisticNames }
  var lastScore: Double { rule.lastScore }
  var shot: UInt64 {
    get { rule.shot }
    set { rule.shot = newValue }
  }

  mutating func see(_ picture: borrowing Picture, at time: FrameTime, into findings: inout Findings) {
    let reading = meter.measure(picture)
    rule.see(reading?.score, at: time, into: &findings)
    if meter.keepsStatistics, let reading {
      findings.scores.append(FrameScore(time: time, values: reading.statistics))
    }
  }

  mutating func finish(into findings: inout Findings) {
    rule.finish(into: &findings)
    meter.reset()
  }

  mutating func reset() {
    meter.reset()
    rule.reset()
  }

  mutating func update(_ settings: DetectorSettings) {
    meter.update(settings)
    rule.update(settings)
  }
}
