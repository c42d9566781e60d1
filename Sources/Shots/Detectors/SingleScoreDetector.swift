import Pixels

/// A measurement that is one number a frame.
protocol PictureMeter {
  /// Name of its column in PySceneDetect's statistics file.
  static var statisticName: String { get }
  init(layout: PictureLayout)
  /// `nil` where there is no earlier frame to compare with.
  mutating func measure(_ picture: borrowing Picture) -> Double?
  mutating func reset()
}

/// A detector that decides by one number a frame.
struct SingleScoreDetector<Meter: PictureMeter, Rule: ScoreRule>: Detector {
  let name: String
  private let keepsStatistics: Bool
  private var meter: Meter
  private var rule: Rule

  init(_ settings: DetectorSettings, layout: PictureLayout) {
    name = settings.kind.rawValue
    keepsStatistics = settings.statistics
    meter = Meter(layout: layout)
    rule = Rule(settings)
  }

  var lookAhead: LookAhead { rule.lookAhead }
  var statisticNames: [String] { [Meter.statisticName] }
  var lastScore: Double { rule.lastScore }
  var shot: UInt64 {
    get { rule.shot }
    set { rule.shot = newValue }
  }

  mutating func see(_ picture: borrowing Picture, at time: FrameTime, into findings: inout Findings) {
    let score = meter.measure(picture)
    rule.see(score, at: time, into: &findings)
    if keepsStatistics, let score { findings.scores.append(FrameScore(time: time, values: [score])) }
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
    rule.update(settings)
  }
}

struct MeanLevelMeter: PictureMeter {
  static let statisticName = "average_rgb"
  private var level: MeanLevel

  init(layout: PictureLayout) { level = MeanLevel(layout: layout) }
  mutating func measure(_ picture: borrowing Picture) -> Double? { level.measure(picture) }
  mutating func reset() { level.reset() }
}

struct HistogramMeter: PictureMeter {
  private static let bins = 128
  static let statisticName = "hist_diff [bins=\(bins)]"
  private var histogram: LumaHistogram

  init(layout: PictureLayout) { histogram = LumaHistogram(layout: layout, bins: Self.bins) }
  mutating func measure(_ picture: borrowing Picture) -> Double? { histogram.measure(picture) }
  mutating func reset() { histogram.reset() }
}

struct HashMeter: PictureMeter {
  private static let (size, lowpass) = (8, 2)
  static let statisticName = "hash_dist [size=\(size) lowpass=\(lowpass)]"
  private var hash: PerceptualHash

  init(layout: PictureLayout) { hash = PerceptualHash(layout: layout, size: Self.size, lowpass: Self.lowpass) }
  mutating func measure(_ picture: borrowing Picture) -> Double? { hash.measure(picture) }
  mutating func reset() { hash.reset() }
}
