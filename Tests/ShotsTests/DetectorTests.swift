import Pixels
import Shots
import TestSupport
import Testing

@Suite("Detectors on pictures") struct DetectorTests {
  private static let layout = PictureLayout(format: .gray8, width: 64, height: 48, range: .full)

  /// Black for pattern 2; for 0 and 1 squares of two greys each, scattered differently, so that mean, histogram and
  /// hash all change between any two patterns.
  private static func samples(_ pattern: Int) -> [UInt8] {
    (0..<64 * 48).map { i in
      let square = UInt32(i % 64 / 8 + i / 64 / 8 * 8 + pattern * 101 + 1)
      let isBright = (square &* 2_654_435_761) >> 28 & 1 == 1
      return switch pattern {
      case 0: isBright ? 235 : 20
      case 1: isBright ? 180 : 70
      default: 0
      }
    }
  }

  private static func see(_ detector: inout any Detector, _ pattern: Int, _ frame: Int, _ findings: inout Findings) {
    samples(pattern).withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      let plane = PlaneView(base: base, stride: 64)
      let picture = Picture(layout: layout, planes: (plane, plane, plane))
      detector.see(picture, at: frameTime(frame), into: &findings)
    }
  }

  private static func run(_ settings: DetectorSettings, _ patterns: [Int]) throws -> (any Detector, Findings) {
    var detector = try #require(makeDetector(settings, layout: layout))
    var findings = Findings()
    for (frame, pattern) in patterns.enumerated() { see(&detector, pattern, frame, &findings) }
    detector.finish(into: &findings)
    return (detector, findings)
  }

  @Test("Each detector sees a change of picture and names itself", arguments: DetectorKind.ofPixels)
  func findsACut(_ kind: DetectorKind) throws {
    let patterns =
      kind == .threshold
      ? Array(repeating: 0, count: 30) + Array(repeating: 2, count: 10) + Array(repeating: 1, count: 20)
      : Array(repeating: 0, count: 35) + Array(repeating: 1, count: 25)
    let (detector, findings) = try Self.run(DetectorSettings(kind: kind), patterns)
    #expect(detector.name == kind.rawValue)
    #expect(findings.boundaries.map(\.frame) == [35])
    #expect(findings.boundaries.map(\.detector) == [kind.rawValue])
    #expect(findings.boundaries.map(\.shot) == [2])
    #expect(detector.shot == 2)
    #expect(findings.scores.isEmpty)
  }

  @Test(
    "Statistics have PySceneDetect's column names",
    arguments: [
      (DetectorKind.content, ["content_val", "delta_edges", "delta_hue", "delta_lum", "delta_sat"]),
      (.adaptive, ["adaptive_ratio (w=2)", "content_val", "delta_edges", "delta_hue", "delta_lum", "delta_sat"]),
      (.threshold, ["average_rgb"]), (.histogram, ["hist_diff [bins=128]"]),
      (.hash, ["hash_dist [size=8 lowpass=2]"]),
    ])
  func statisticNames(_ kind: DetectorKind, _ names: [String]) {
    #expect(makeDetector(DetectorSettings(kind: kind), layout: Self.layout)?.statisticNames == names)
  }

  @Test(
    "Statistics come once a frame, in order, from the first frame that has a measurement",
    arguments: DetectorKind.ofPixels)
  func statistics(_ kind: DetectorKind) throws {
    var settings = DetectorSettings(kind: kind)
    settings.statistics = true
    let (detector, findings) = try Self.run(settings, Array(repeating: 0, count: 12) + Array(repeating: 1, count: 8))
    #expect(findings.scores.map(\.time.frame) == Array((kind == .threshold ? 0 : 1)..<20))
    #expect(findings.scores.allSatisfy { $0.values.count == detector.statisticNames.count })
  }

  @Test("The adaptive ratio stands with its own frame and is unknown at both ends")
  func adaptiveStatistics() throws {
    var settings = DetectorSettings(kind: .adaptive)
    settings.statistics = true
    let (_, findings) = try Self.run(settings, Array(repeating: 0, count: 12) + Array(repeating: 1, count: 8))
    let ratios = findings.scores.map { $0.values[0] }
    // Frames 1 and 18, 19 lack neighbours; the change is at 12.
    #expect(ratios.enumerated().filter { $0.element.isNaN }.map { $0.offset + 1 } == [1, 18, 19])
    #expect(ratios.enumerated().filter { $0.element == 255 }.map { $0.offset + 1 } == [12])
    #expect(findings.scores[11].values[1] > 15)
    #expect(findings.scores.filter { $0.values[1] > 0 }.map(\.time.frame) == [12])
  }

  @Test(
    "Weights that sum to zero or are no numbers find nothing",
    arguments: [
      ComponentWeights(hue: 0, saturation: 0, luma: 0, edges: 0),
      ComponentWeights(hue: .nan, saturation: .infinity, luma: 0, edges: -.infinity),
    ])
  func zeroWeights(_ weights: ComponentWeights) throws {
    var settings = DetectorSettings(kind: .content)
    settings.weights = weights
    let (_, findings) = try Self.run(settings, Array(repeating: 0, count: 35) + Array(repeating: 1, count: 25))
    #expect(findings.boundaries.isEmpty)
  }

  @Test("The score is the weighted mean of the components, by the sum of the weights' magnitudes")
  func weightedScore() throws {
    func score(_ weights: ComponentWeights) throws -> Double {
      var settings = DetectorSettings(kind: .content, threshold: 1)
      settings.weights = weights
      settings.minimumShot = 0
      return try #require(try Self.run(settings, [0, 1]).1.boundaries.first).score
    }
    // Grey pictures differ in value only.
    let value = try score(ComponentWeights(hue: 0, saturation: 0, luma: 1))
    #expect(try abs(score(ComponentWeights()) - value / 3) < 1e-9)
    #expect(try abs(score(ComponentWeights(hue: -3, saturation: 0, luma: 1)) - value / 4) < 1e-9)
  }

  @Test("Edges that begin to count in mid-stream cost one frame and no history")
  func edgesLater() throws {
    var settings = DetectorSettings(kind: .content)
    var detector = try #require(makeDetector(settings, layout: Self.layout))
    var findings = Findings()
    for frame in 0..<30 { Self.see(&detector, frame < 20 ? 0 : 1, frame, &findings) }
    settings.weights = ComponentWeights(hue: 0, saturation: 0, luma: 0, edges: 1)
    #expect(!settings.needsNewDetector(after: DetectorSettings(kind: .content)))
    detector.update(settings)
    for frame in 30..<60 { Self.see(&detector, frame < 40 ? 1 : 2, frame, &findings) }
    #expect(findings.boundaries.map(\.frame) == [20, 40])
  }

  @Test(
    "After a reset the next picture is compared with nothing",
    arguments: [DetectorKind.content, .adaptive, .histogram, .hash])
  func reset(_ kind: DetectorKind) throws {
    var settings = DetectorSettings(kind: kind)
    settings.minimumShot = 0
    var detector = try #require(makeDetector(settings, layout: Self.layout))
    detector.shot = 7
    var findings = Findings()
    for frame in 0..<30 { Self.see(&detector, 0, frame, &findings) }
    detector.reset()
    for frame in 30..<60 { Self.see(&detector, 1, frame, &findings) }
    #expect(findings.boundaries.isEmpty)
    for frame in 60..<90 { Self.see(&detector, 0, frame, &findings) }
    #expect(findings.boundaries.map(\.frame) == [60] && findings.boundaries.map(\.shot) == [8])
  }

  @Test("A second finish finds nothing", arguments: DetectorKind.ofPixels)
  func finishTwice(_ kind: DetectorKind) throws {
    var (detector, findings) = try Self.run(
      DetectorSettings(kind: kind), Array(repeating: 0, count: 30) + Array(repeating: 2, count: 30))
    #expect(findings.boundaries.count == 1)
    detector.finish(into: &findings)
    #expect(findings.boundaries.count == 1)
  }

  @Test("The confidence of a score is a half at the threshold, nears one away from it, and is a network's own probability")
  func confidence() {
    for kind in DetectorKind.ofPixels {
      // The score of histogram is 1 at rest.
      let score = { (value: Double) in kind == .histogram ? 1 - value : value }
      let own = DetectorSettings(kind: kind)
      #expect(abs(own.confidence(ofScore: score(kind.defaultThreshold)) - 0.5) < 1e-12)
      #expect(abs(own.confidence(ofScore: score(3 * kind.defaultThreshold)) - 0.75) < 1e-12)
      #expect(abs(own.confidence(ofScore: score(kind.defaultThreshold / 3)) - 0.75) < 1e-12)
      #expect(abs(DetectorSettings(kind: kind, threshold: 0.5).confidence(ofScore: score(0.5)) - 0.5) < 1e-12)
      for score in [0, -1, 1e300, Double.greatestFiniteMagnitude, .infinity, .nan] {
        let confidence = own.confidence(ofScore: score)
        #expect(confidence >= 0.5 && confidence <= 1)
      }
      let any = DetectorSettings(kind: kind, threshold: 0)
      #expect(any.confidence(ofScore: score(0)) == 0.5 && any.confidence(ofScore: score(40)) == 1)
    }
    for kind in [DetectorKind.transnet, .fused] {
      for (score, confidence) in [(0.5, 0.5), (0.93, 0.93), (1, 1), (1.5, 1), (-0.5, 0), (.nan, 0)] {
        #expect(DetectorSettings(kind: kind, threshold: 0.2).confidence(ofScore: score) == confidence)
      }
    }
  }

  @Test("What needs a new detector says so")
  func needsNewDetector() {
    let old = DetectorSettings(kind: .adaptive)
    var new = old
    new.threshold = 5
    new.weights.hue = 2
    new.minimumShot = 1
    new.filter = .suppress
    new.fadeBias = 1
    #expect(!new.needsNewDetector(after: old))
    new.adaptiveWindow = 4
    #expect(new.needsNewDetector(after: old))
    new = old
    new.statistics = true
    #expect(new.needsNewDetector(after: old))
    new = old
    new.kind = .hash
    #expect(new.needsNewDetector(after: old))
  }
}
