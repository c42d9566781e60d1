import Timing

/// Boundaries in the dark between a fade-out and a fade-in.
///
/// The picture is dark while its mean level is below the threshold (fractions of which are dropped). When it gets light
/// again the boundary is placed at fade-out + round((fade-in − fade-out)·(1 + bias)/2) frames, halves to even; it is
/// reported then, late by design, with the times of the frame it lies at. A stream that ends in the dark gets a
/// boundary at the fade-out. Semantics of PySceneDetect 0.7.2's detector with `add_final_scene`, with two differences:
/// the bias is −1…1 everywhere (its command line takes −100…100 and hands that on unscaled), and a stream that begins
/// in the dark cannot get a boundary at its very first frame.
public struct ThresholdRule: ScoreRule {
  private enum Phase {
    case unseen
    case light
    /// Since the fade-out; `before` is the stream time of the last light frame.
    case dark(since: FrameTime, before: UInt64?, score: Double)
  }

  private var maker = BoundaryMaker(detector: DetectorKind.threshold.rawValue)
  private var threshold: Double
  private var minimumShot: UInt64
  private var minimumDark: UInt64
  private var bias: Double
  private var phase = Phase.unseen
  private var log = FadeLog()
  private var first: FrameTime?
  private var newest: FrameTime?
  /// Nanoseconds between the two newest frames.
  private var interval: UInt64 = 0
  /// The last fade-in that gave a boundary, or the first frame.
  private var lastCut: FrameTime?
  /// Mean level of the newest frame, 0 … 255; 0 before the first.
  public private(set) var lastScore: Double = 0

  /// A bias beyond −1 … 1 is moved there; one that is no number counts as 0.
  public init(_ settings: DetectorSettings) {
    (threshold, bias) = Self.limits(settings)
    minimumShot = settings.minimumShot
    minimumDark = settings.minimumDark
  }

  private static func limits(_ settings: DetectorSettings) -> (threshold: Double, bias: Double) {
    let bias = settings.fadeBias
    return (settings.effectiveThreshold.rounded(.towardZero), bias.isFinite ? min(max(bias, -1), 1) : 0)
  }

  /// Ordinal of the open shot, 1 at first.
  public var shot: UInt64 {
    get { maker.shot }
    set { maker.shot = newValue }
  }

  /// None, and yet boundaries come late: nobody knows how long a dark lasts.
  public var lookAhead: LookAhead { .none }

  /// The score is the picture's mean level. Frames without one are not seen: neither dark nor light.
  public mutating func see(_ score: Double?, at time: FrameTime, into findings: inout Findings) {
    guard let level = score else { return }
    let previous = newest
    newest = time
    interval = time.elapsed.less(previous?.elapsed ?? time.elapsed)
    lastScore = level
    let isDark = level < threshold
    switch phase {
    case .unseen:
      first = time
      lastCut = time
      if isDark { enterDark(at: time, before: nil, level) } else { phase = .light }
    case .light:
      if isDark { enterDark(at: time, before: previous?.streamTime, level) }
    case .dark(let fadeOut, let before, _):
      log.append(time)
      if isDark { return }
      phase = .light
      guard let lastCut, time.isAtLeast(minimumShot, after: lastCut), time.isAtLeast(minimumDark, after: fadeOut)
      else { return }
      self.lastCut = time
      let place = log.time(at: fadeOut.frame + Self.offset(of: time.frame.less(fadeOut.frame), bias: bias))
      if place.frame == first?.frame { return }
      findings.boundaries.append(maker.make(.fade, at: place, from: before, to: time.streamTime, score: level))
    }
  }

  private mutating func enterDark(at time: FrameTime, before: UInt64?, _ level: Double) {
    phase = .dark(since: time, before: before, score: level)
    log.start(at: time)
  }

  /// Frames from the fade-out to the boundary of a dark that lasts `frames`.
  static func offset(of frames: UInt64, bias: Double) -> UInt64 {
    let offset = (Double(frames) * (1 + bias) / 2).rounded(.toNearestOrEven)
    return min(frames, UInt64(exactly: offset) ?? frames)
  }

  /// In the dark, puts a boundary at the fade-out if shot and dark are long enough; then is as after ``reset()``.
  public mutating func finish(into findings: inout Findings) {
    if case .dark(let fadeOut, let before, let score) = phase, let newest, let lastCut,
      newest.isAtLeast(minimumShot, after: lastCut), newest.isAtLeast(minimumDark.less(interval), after: fadeOut),
      fadeOut.frame != first?.frame
    {
      findings.boundaries.append(maker.make(.fade, at: fadeOut, from: before, to: nil, score: score))
    }
    reset()
  }

  /// A dark that goes on counts as one with which the stream begins.
  public mutating func reset() {
    phase = .unseen
    first = nil
    newest = nil
    interval = 0
    lastCut = nil
    lastScore = 0
  }

  /// Takes threshold, bias and both minima. A dark that has begun ends by the new threshold.
  public mutating func update(_ settings: DetectorSettings) {
    (threshold, bias) = Self.limits(settings)
    minimumShot = settings.minimumShot
    minimumDark = settings.minimumDark
  }
}
