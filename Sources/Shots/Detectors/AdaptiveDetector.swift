import Pixels

/// Cuts where a frame's content score stands out from its neighbours'.
///
/// With w neighbours on each side, ratio = score ÷ mean of the 2·w neighbours' scores, at most 255. A mean below 1e-5
/// gives 255 if the score reaches the minimum, else 0. A frame is a cut if both ratio and score reach their thresholds
/// and the shot is long enough. The first and the last w frames of a stream have too few neighbours and are never cuts.
public struct AdaptiveRule: ScoreRule {
  static let largestRatio: Double = 255

  private var maker = BoundaryMaker(detector: DetectorKind.adaptive.rawValue)
  private var threshold: Double
  private var minimumContent: Double
  private var minimumShot: UInt64
  /// The last 2·w + 1 frames, a ring whose oldest is at `oldest` once it is full. The score is the content score.
  private var ring: [Sighting] = []
  private var oldest = 0
  private let window: Int
  private var before: UInt64?
  private var lastCut: FrameTime?
  /// The ratio last compared, 0 … 255; 0 while there are too few frames.
  public private(set) var lastScore: Double = 0
  /// The ratio of the frame w before the newest; nil while there are too few frames.
  public private(set) var lastRatio: Double?

  /// The window is that of the settings now, 1 … 1000: ``update(_:)`` does not change it.
  public init(_ settings: DetectorSettings) {
    window = settings.effectiveWindow
    threshold = settings.effectiveThreshold
    minimumContent = settings.minimumContent
    minimumShot = settings.minimumShot
    ring.reserveCapacity(2 * window + 1)
  }

  /// Ordinal of the open shot, 1 at first.
  public var shot: UInt64 {
    get { maker.shot }
    set { maker.shot = newValue }
  }

  /// A window of frames: the later neighbours.
  public var lookAhead: LookAhead { LookAhead(frames: window) }

  /// Decides on the frame a window before this one. A score that is nil counts as 0.
  public mutating func see(_ score: Double?, at time: FrameTime, into findings: inout Findings) {
    let sighting = Sighting(time: time, before: before, score: score ?? 0)
    before = time.streamTime
    let lastCut = self.lastCut ?? time
    self.lastCut = lastCut
    let size = 2 * window + 1
    if ring.count < size {
      ring.append(sighting)
    } else {
      ring[oldest] = sighting
      oldest = (oldest + 1) % size
    }
    guard ring.count == size else { return }

    var sum: Double = 0
    for i in 0..<size where i != window { sum += ring[(oldest + i) % size].score }
    let mean = sum / Double(2 * window)
    var target = ring[(oldest + window) % size]
    let content = target.score
    let ratio =
      if abs(mean) >= 0.00001 {
        min(content / mean, Self.largestRatio)
      } else {
        content >= minimumContent ? Self.largestRatio : 0
      }
    lastRatio = ratio
    lastScore = ratio
    guard ratio >= threshold, content >= minimumContent, target.time.isAtLeast(minimumShot, after: lastCut) else {
      return
    }
    self.lastCut = target.time
    target.score = ratio
    findings.boundaries.append(maker.cut(target))
  }

  /// Finds nothing: the last frames have too few neighbours.
  public mutating func finish(into findings: inout Findings) {
    reset()
  }

  /// Neighbours come anew, so the next cut lies a window behind the next frame at the earliest.
  public mutating func reset() {
    ring.removeAll(keepingCapacity: true)
    oldest = 0
    before = nil
    lastCut = nil
    lastScore = 0
    lastRatio = nil
  }

  /// Takes threshold, minimum content and minimum shot; neighbours stay.
  public mutating func update(_ settings: DetectorSettings) {
    threshold = settings.effectiveThreshold
    minimumContent = settings.minimumContent
    minimumShot = settings.minimumShot
  }
}

/// Fast cuts that stand out from the motion around them.
struct AdaptiveDetector: Detector {
  private var meter: ContentMeter
  private var rule: AdaptiveRule
  /// With statistics: the newest frames, whose ratio is not known yet. The first of a stream has no values.
  private var pending: [FrameScore?] = []
  private let window: Int

  init(_ settings: DetectorSettings, layout: PictureLayout) {
    meter = ContentMeter(settings, layout: layout)
    rule = AdaptiveRule(settings)
    window = settings.effectiveWindow
  }

  var name: String { DetectorKind.adaptive.rawValue }
  var lookAhead: LookAhead { rule.lookAhead }
  var statisticNames: [String] { ["adaptive_ratio (w=\(window))"] + ContentMeter.statisticNames }
  var lastScore: Double { rule.lastScore }
  var shot: UInt64 {
    get { rule.shot }
    set { rule.shot = newValue }
  }

  mutating func see(_ picture: borrowing Picture, at time: FrameTime, into findings: inout Findings) {
    let reading = meter.measure(picture)
    rule.see(reading?.score, at: time, into: &findings)
    guard meter.keepsStatistics else { return }
    pending.append(reading.map { FrameScore(time: time, values: [.nan] + $0.statistics) })
    guard pending.count > window, var score = pending.removeFirst() else { return }
    score.values[0] = rule.lastRatio ?? .nan
    findings.scores.append(score)
  }

  mutating func finish(into findings: inout Findings) {
    rule.finish(into: &findings)
    findings.scores.append(contentsOf: pending.compactMap(\.self))
    meter.reset()
    pending.removeAll()
  }

  mutating func reset() {
    meter.reset()
    rule.reset()
    pending.removeAll()
  }

  mutating func update(_ settings: DetectorSettings) {
    meter.update(settings)
    rule.update(settings)
  }
}
