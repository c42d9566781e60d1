import Shots
import TestSupport
import Testing
import Timing

/// Frame scores with the cuts that PySceneDetect 0.7.2 finds in them: a whole film and many random sequences, at nine
/// frame rates (Tests/tools/make_detector_fixtures.py).
struct ReferenceCase: Sendable, CustomTestStringConvertible {
  var name = ""
  var settings = DetectorSettings()
  var rate = FrameRate.fallback
  var scale = 1.0
  var units: [Int?] = []
  var cuts: [UInt64] = []
  var pending: [UInt64] = []

  var testDescription: String { name }
  var scores: [Double?] { units.map { $0.map { Double($0) / scale } } }

  static let all: [ReferenceCase] = {
    var cases: [ReferenceCase] = []
    for line in fixture("detectors.txt").split("\n") {
      let words = line.split(separator: " ")
      guard let first = words.first, var last = first == "case" ? ReferenceCase() : cases.popLast() else { continue }
      switch first {
      case "case": last.read(words)
      case "scores": last.units = words.dropFirst().flatMap(repeated)
      case "scores-of": last.units = cases.first { $0.name == words[1] }?.units ?? []
      case "cuts": last.cuts = words.dropFirst().compactMap { UInt64($0) }
      default: last.pending = words.dropFirst().compactMap { UInt64($0) }
      }
      cases.append(last)
    }
    return cases
  }()

  private static func repeated(_ word: Substring) -> [Int?] {
    let parts = word.split(separator: "x")
    return Array(repeating: Int(parts[0]), count: parts.count > 1 ? Int(parts[1]) ?? 0 : 1)
  }

  private mutating func read(_ words: [Substring]) {
    name = String(words[1])
    for word in words.dropFirst(2) {
      let parts = word.split(separator: "=")
      let value = String(parts[1])
      switch parts[0] {
      case "detector": settings.kind = DetectorKind(rawValue: value) ?? .content
      case "rate":
        let ratio = value.split(separator: "/").compactMap { Int($0) }
        rate = FrameRate(ratio[0], ratio[1]) ?? .fallback
      case "min": settings.minimumShot = (UInt64(value) ?? 0) * 1_000_000
      case "filter": settings.filter = FlashFilter.Mode(rawValue: value) ?? .merge
      case "window": settings.adaptiveWindow = Int(value) ?? 0
      case "bias": settings.fadeBias = Double(value) ?? .nan
      case "dark": settings.minimumDark = (UInt64(value) ?? 0) * 1_000_000
      default: scale = Double(value) ?? 0
      }
    }
  }

  func found(finishing: Bool) -> [Boundary] {
    switch settings.kind {
    case .content: boundaries(ContentRule(settings), scores, rate: rate, finishing: finishing)
    case .adaptive: boundaries(AdaptiveRule(settings), scores, rate: rate, finishing: finishing)
    case .threshold: boundaries(ThresholdRule(settings), scores, rate: rate, finishing: finishing)
    case .histogram: boundaries(HistogramRule(settings), scores, rate: rate, finishing: finishing)
    case .hash: boundaries(HashRule(settings), scores, rate: rate, finishing: finishing)
    case .transnet, .fused: []
    }
  }
}

@Suite("PySceneDetect's cuts") struct ReferenceTests {
  @Test("The reference holds the film and random sequences for every detector")
  func referenceIsWhole() {
    for kind in DetectorKind.ofPixels {
      let cases = ReferenceCase.all.filter { $0.settings.kind == kind }
      #expect(cases.count == (kind == .content ? 73 : 25))
      #expect(cases.first { $0.name == "film-\(kind.rawValue)" }?.units.count == 14315)
      #expect(cases.reduce(0) { $0 + $1.cuts.count } > 50)
    }
    #expect(ReferenceCase.all.filter { !$0.pending.isEmpty }.count >= 5)
  }

  @Test("Every detector finds exactly PySceneDetect's cuts", arguments: ReferenceCase.all)
  func cutsAreEqual(_ reference: ReferenceCase) {
    // A boundary needs a shot before it; PySceneDetect makes an empty one when a stream begins in the dark.
    let expected = reference.cuts.filter { $0 > 0 } + reference.pending
    let found = reference.found(finishing: true)
    #expect(found.map(\.frame) == expected)
    #expect(found.map(\.shot) == (0..<UInt64(found.count)).map { $0 + 2 })
  }

  @Test("Timestamps off by up to a quarter of a millisecond change no cut", arguments: ReferenceCase.all)
  func roundedTimestamps(_ reference: ReferenceCase) {
    var rule = AnyRule(reference.settings)
    var findings = Findings()
    for (frame, score) in reference.scores.enumerated() {
      var time = frameTime(frame, rate: reference.rate)
      let jitter: [UInt64] = [0, 1, 250_000, 100_000, 33]
      time.elapsed += jitter[frame % jitter.count]
      rule.see(score, time, &findings)
    }
    rule.finish(&findings)
    #expect(findings.boundaries.map(\.frame) == reference.cuts.filter { $0 > 0 } + reference.pending)
  }

  @Test("A boundary is found no later than the look-ahead says", arguments: ReferenceCase.all)
  func lookAheadHolds(_ reference: ReferenceCase) {
    guard reference.settings.kind != .threshold else { return }
    var rule = AnyRule(reference.settings)
    var findings = Findings()
    var previous: FrameTime?
    for (frame, score) in reference.scores.enumerated() {
      let time = frameTime(frame, rate: reference.rate)
      rule.see(score, time, &findings)
      for boundary in findings.boundaries {
        // Undecided before this frame came.
        let own = frameTime(Int(boundary.frame), rate: reference.rate)
        if let previous { #expect(!rule.lookAhead.isDecided(own, newest: previous) || boundary.frame > previous.frame) }
      }
      findings.removeAll()
      previous = time
    }
  }
}

/// The rule of whatever detector the settings name.
struct AnyRule {
  private var rule: any ScoreRule

  init(_ settings: DetectorSettings) {
    switch settings.kind {
    case .content: rule = ContentRule(settings)
    case .adaptive: rule = AdaptiveRule(settings)
    case .threshold: rule = ThresholdRule(settings)
    case .histogram: rule = HistogramRule(settings)
    // Those of a network have no such rule.
    case .hash, .transnet, .fused: rule = HashRule(settings)
    }
  }

  var lookAhead: LookAhead { rule.lookAhead }
  mutating func see(_ score: Double?, _ time: FrameTime, _ findings: inout Findings) {
    rule.see(score, at: time, into: &findings)
  }
  mutating func finish(_ findings: inout Findings) { rule.finish(into: &findings) }
}
