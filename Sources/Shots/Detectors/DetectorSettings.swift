import Pixels

/// How boundaries are found. Its text is the `detector` field of boundaries, and what users write.
public enum DetectorKind: String, CaseIterable, Hashable, Sendable {
  case content, adaptive, threshold, histogram, hash
  /// Detectors that need a neural network.
  case transnet, fused

  /// Those that look at pixels alone.
  public static let ofPixels: [DetectorKind] = [.content, .adaptive, .threshold, .histogram, .hash]

  /// PySceneDetect 0.7.2's default, or TransNetV2's, in the unit of the detector's score.
  public var defaultThreshold: Double {
    switch self {
    case .content: 27
    case .adaptive: 3
    case .threshold: 12
    case .histogram: 0.20
    case .hash: 0.35
    case .transnet: TransitionDetection.transnet.threshold
    case .fused: TransitionDetection.fused.threshold
    }
  }
}

/// How much each mean absolute difference counts in the score Σ w·c / Σ |w|.
///
/// Weights that are not finite count as 0. With all weights 0 the score is 0: nothing is compared, nothing is found.
public struct ComponentWeights: Hashable, Sendable {
  /// Of hue, whose differences are 0 … 179, not circular.
  public var hue: Double
  /// Of HSV's saturation, whose differences are 0 … 255.
  public var saturation: Double
  /// Of HSV's value, which PySceneDetect calls luma: the largest of R, G and B; differences 0 … 255.
  public var luma: Double
  /// Of the share of pixels, 0 … 255, where one picture has an edge and the other none. Costly: 0 leaves edges out.
  public var edges: Double

  /// PySceneDetect's defaults; below 0 is allowed, a weight counts in Σ |w| by its size.
  public init(hue: Double = 1, saturation: Double = 1, luma: Double = 1, edges: Double = 0) {
    self.hue = hue
    self.saturation = saturation
    self.luma = luma
    self.edges = edges
  }

  var needsEdges: Bool { edges.isFinite && edges != 0 }

  func score(of difference: ComponentDifference) -> Double {
    func finite(_ weight: Double) -> Double { weight.isFinite ? weight : 0 }
    let (h, s, v, e) = (finite(hue), finite(saturation), finite(luma), finite(edges))
    let sum = abs(h) + abs(s) + abs(v) + abs(e)
    guard sum > 0, sum.isFinite else { return 0 }
    return (difference.hue * h + difference.saturation * s + difference.value * v + difference.edges * e) / sum
  }
}

/// All that can be set of a detector.
public struct DetectorSettings: Hashable, Sendable {
  /// Which detector; the settings that belong to others are ignored.
  public var kind: DetectorKind
  /// `nil`: ``DetectorKind/defaultThreshold``.
  ///
  /// - content: weighted mean absolute difference of H (0…179), S and V (0…255), from which a frame is a cut.
  /// - adaptive: ratio of that score to its neighbours' mean, at most 255.
  /// - threshold: mean of all R, G, B samples (0…255, fractions dropped) under which the picture is dark.
  /// - histogram: 1 − correlation (0…1) from which a frame is a cut.
  /// - hash: share of differing bits (0…1) from which a frame is a cut.
  /// - transnet, fused: probability (0…1) that a frame is a boundary.
  public var threshold: Double?
  /// For content and adaptive.
  public var weights = ComponentWeights()
  /// Shortest shot in nanoseconds.
  public var minimumShot: UInt64 = 600_000_000
  /// For content: what happens to cuts closer together than `minimumShot`.
  public var filter = FlashFilter.Mode.merge
  /// For adaptive: neighbours on each side, 1…1000.
  public var adaptiveWindow = 2
  /// For adaptive: content score that a cut must reach besides the ratio.
  public var minimumContent: Double = 15
  /// For threshold: where in the dark between two shots the boundary lies: −1 at the fade-out, 0 in the middle, 1 at
  /// the fade-in.
  public var fadeBias: Double = 0
  /// For threshold: a dark shorter than this (nanoseconds) is no fade. PySceneDetect's library has 0, its command line
  /// 0.1 s.
  public var minimumDark: UInt64 = 0
  /// For transnet, fused: frames after a frame that the network sees before it judges it, 1…99.
  public var lookAheadFrames = 50
  /// Whether every frame's measurements are handed out. Edges are then measured whatever their weight.
  public var statistics = false

  /// Everything else has its default: PySceneDetect's, where that has one.
  public init(kind: DetectorKind = .content, threshold: Double? = nil) {
    self.kind = kind
    self.threshold = threshold
  }

  /// How sure a boundary of this score is, from 0 to 1, comparable between detectors.
  ///
  /// The networks' score is that already: a probability. For the others it is score / (score + threshold), ½ at the threshold
  /// and ⅔ at twice the threshold; of a score below the threshold, as in the dark, threshold / (score + threshold). The score
  /// of histogram is the correlation: what counts is how far that lies from 1.
  public func confidence(ofScore score: Double) -> Double {
    switch kind {
    case .transnet, .fused: score > 0 ? min(score, 1) : 0
    case .content, .adaptive, .threshold, .hash: Self.confidence(effectiveThreshold, score)
    case .histogram: Self.confidence(effectiveThreshold, 1 - score)
    }
  }

  private static func confidence(_ threshold: Double, _ value: Double) -> Double {
    let (low, high) = (max(0, min(value, threshold)), max(value, threshold))
    guard high > 0, high.isFinite, low.isFinite else { return 0.5 }
    // Not high / (low + high), which overflows.
    return 1 / (1 + low / high)
  }

  package var effectiveThreshold: Double { threshold ?? kind.defaultThreshold }
  var effectiveWindow: Int { min(max(adaptiveWindow, 1), 1000) }

  /// How far a detector with these settings looks beyond a frame.
  ///
  /// A merged cut of content lies at the last frame of its burst, which is known only after the minimum shot duration.
  public var lookAhead: LookAhead {
    switch kind {
    case .content: filter == .merge ? LookAhead(duration: minimumShot) : .none
    case .adaptive: LookAhead(frames: effectiveWindow)
    case .threshold, .histogram, .hash: .none
    case .transnet, .fused: Self.networkLookAhead(lookAheadFrames)
    }
  }

  /// How far a network detector looks beyond a frame whose network looks so many frames ahead.
  package static func networkLookAhead(_ frames: Int) -> LookAhead {
    LookAhead(frames: max(frames + TransitionRule.outputsAhead, TransitionRule.thumbnailsAhead))
  }

  /// Whether a detector that was made with `other` cannot take these settings by ``Detector/update(_:)``.
  public func needsNewDetector(after other: DetectorSettings) -> Bool {
    kind != other.kind || statistics != other.statistics
      || (kind == .adaptive && effectiveWindow != other.effectiveWindow)
  }
}

/// A detector for pictures of `layout`, as if no frame had been seen yet; nil for the kinds that need a network, which are
/// made with it.
public func makeDetector(_ settings: DetectorSettings, layout: PictureLayout) -> (any Detector)? {
  switch settings.kind {
  case .content: ContentDetector(settings, layout: layout)
  case .adaptive: AdaptiveDetector(settings, layout: layout)
  case .threshold: SingleScoreDetector<MeanLevelMeter, ThresholdRule>(settings, layout: layout)
  case .histogram: SingleScoreDetector<HistogramMeter, HistogramRule>(settings, layout: layout)
  case .hash: SingleScoreDetector<HashMeter, HashRule>(settings, layout: layout)
  case .transnet, .fused: nil
  }
}
