import Glibc
import Shots
import TestSupport
import Testing

/// What the originals in training/fused make of the film that ``TransitionFilm`` draws: see make_transition_fixtures.py.
struct TransitionFixture {
  var probabilities: [(one: Float, many: Float)] = []
  var rows: [Int: [Double]] = [:]
  var outputs: [Int: [Double]] = [:]
  var found: [String: [Transition]] = [:]

  static let shared = TransitionFixture()

  init() {
    for line in fixture("transitions.txt").split(separator: "\n") {
      let words = line.split(separator: " ")
      let values = words.dropFirst().compactMap { Double($0) }
      switch words[0] {
      case "p": probabilities.append((Float(values[1]), Float(values[2])))
      case "row": rows[Int(values[0])] = Array(values.dropFirst())
      case "out": outputs[Int(values[0])] = Array(values.dropFirst())
      default:
        found[String(words[0]), default: []].append(
          Transition(kind: String(words[3]), frame: Int(words[4]) ?? -1, start: Int(words[1]) ?? -1, end: Int(words[2]) ?? -1))
      }
    }
  }
}

/// A boundary by frame numbers.
struct Transition: Hashable {
  var kind: String
  var frame: Int
  var start: Int
  var end: Int
}

/// The weights in models/fused, read plainly: the file is ours, so nothing is checked.
func shippedModel() throws -> TransitionModel {
  let folder = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
  let file = bytes(of: "/\(folder)/models/fused/model.safetensors")
  let size = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
  let head = String(decoding: file[8..<8 + size], as: UTF8.self)
  return try TransitionModel { name, _ in
    let entry = head.split(separator: "\"\(name)\":", maxSplits: 1)[1]
    let offsets = entry.split(separator: "\"data_offsets\":[", maxSplits: 1)[1].prefix { $0 != "]" }.split(separator: ",").compactMap {
      Int($0)
    }
    return stride(from: 8 + size + offsets[0], to: 8 + size + offsets[1], by: 4).map { at in
      Float(bitPattern: file[at..<at + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) })
    }
  }
}

/// A thumbnail and the network's outputs for each frame; times at 25 frames a second.
struct Watching {
  var rule: TransitionRule
  var findings = Findings()

  mutating func thumbnail(_ pixels: [UInt8], _ frame: Int) {
    pixels.withUnsafeBufferPointer { rule.see(thumbnail: $0, at: frameTime(frame, rate: rate(25)), into: &findings) }
  }

  mutating func outputs(_ p: (one: Float, many: Float)) { rule.see(oneHot: p.one, manyHot: p.many, into: &findings) }

  /// `late`: how many frames the network's outputs come after their thumbnails.
  mutating func watch(_ film: [[UInt8]], _ p: [(one: Float, many: Float)], late: Int = 0) {
    for frame in film.indices {
      thumbnail(film[frame], frame)
      if frame >= late { outputs(p[frame - late]) }
    }
    for frame in max(0, film.count - late)..<film.count { outputs(p[frame]) }
    rule.finish(into: &findings)
  }

  var transitions: [Transition] {
    findings.boundaries.map { b in
      func frame(_ time: UInt64?) -> Int { Int((time ?? 0) / 40_000_000) }
      return Transition(kind: b.kind.rawValue, frame: Int(b.frame), start: frame(b.transitionStart), end: frame(b.transitionEnd))
    }
  }
}

@Suite struct TransitionTests {
  static let film = (0..<420).map(TransitionFilm.frame)
  let fixture = TransitionFixture.shared

  func watching(_ detection: TransitionDetection, statistics: Bool = false) throws -> Watching {
    Watching(rule: TransitionRule(detection, model: try shippedModel(), statistics: statistics))
  }

  @Test("every cue of every stored row equals the original's to 1e-4")
  func cues() throws {
    var watching = try watching(.fused, statistics: true)
    watching.watch(Self.film, fixture.probabilities)
    let names = TransitionRule.statisticNames
    #expect(watching.findings.scores.count == Self.film.count)
    #expect(fixture.rows.count > 30)
    for (frame, row) in fixture.rows {
      let score = watching.findings.scores[frame]
      #expect(score.time.frame == UInt64(frame))
      for (i, value) in row.enumerated() where abs(score.values[i] - value) > 1e-4 {
        Issue.record("\(names[i]) of frame \(frame): \(score.values[i]) instead of \(value)")
      }
    }
  }

  @Test("the combiner says what the original says, to 1e-3")
  func outputs() throws {
    var watching = try watching(.fused, statistics: true)
    watching.watch(Self.film, fixture.probabilities)
    for (frame, raw) in fixture.outputs {
      let values = watching.findings.scores[frame].values.suffix(2)
      for (i, value) in values.enumerated() { #expect(abs(value - 1 / (1 + exp(-raw[i]))) < 1e-3, "frame \(frame)") }
    }
  }

  @Test("boundaries, kinds and intervals are the original's", arguments: [TransitionDetection.fused, .transnet])
  func decisions(_ detection: TransitionDetection) throws {
    var watching = try watching(detection)
    watching.watch(Self.film, fixture.probabilities)
    let expected = try #require(fixture.found[detection.rawValue])
    #expect(watching.transitions == expected)
  }

  @Test("every kind is found where it was drawn, and neither flash nor shake is a boundary")
  func kinds() throws {
    var watching = try watching(.fused)
    watching.watch(Self.film, fixture.probabilities)
    #expect(watching.transitions.map(\.kind) == ["cut", "dissolve", "wipe", "fade", "cut"])
    for (found, drawn) in zip(watching.transitions, [59...60, 110...130, 200...220, 260...290, 379...380]) {
      #expect(drawn.contains(found.frame))
      #expect(abs(found.start - drawn.lowerBound) <= 3 && abs(found.end - drawn.upperBound) <= 3, "\(found)")
    }
  }

  @Test("with a high threshold only what TransNetV2 sees too is left")
  func seconded() throws {
    var watching = Watching(rule: TransitionRule(.fused, model: try shippedModel(), threshold: 0.99))
    watching.watch(Self.film, fixture.probabilities)
    #expect(watching.transitions.map(\.kind) == ["cut", "dissolve", "cut"])
  }

  @Test("the two halves of a fade, which TransNetV2 may see as two boundaries, are one")
  func halves() throws {
    var watching = try watching(.transnet), p = fixture.probabilities
    for frame in 255..<295 { p[frame].one = frame == 270 || frame == 283 ? 0.9 : 0 }
    watching.watch(Self.film, p)
    let fades = watching.transitions.filter { (250..<300).contains($0.frame) }
    #expect(fades.map(\.kind) == ["fade"])
    #expect(fades.first?.frame == 271)
  }

  @Test("how late the network's outputs come does not change what is found", arguments: [0, 25, 50, 200])
  func lateness(_ late: Int) throws {
    var (prompt, watching) = (try watching(.fused), try watching(.fused))
    prompt.watch(Self.film, fixture.probabilities)
    watching.watch(Self.film, fixture.probabilities, late: late)
    #expect(watching.findings.boundaries == prompt.findings.boundaries)
  }

  @Test("a boundary is known at its frame plus the look-ahead, not later", arguments: [TransitionDetection.fused, .transnet])
  func lookAhead(_ detection: TransitionDetection) throws {
    var watching = try watching(detection)
    var seen = 0
    for frame in Self.film.indices {
      watching.thumbnail(Self.film[frame], frame)
      let known = TransitionRule.thumbnailsAhead - TransitionRule.outputsAhead
      if frame >= known { watching.outputs(fixture.probabilities[frame - known]) }
      for boundary in watching.findings.boundaries[seen...] { #expect(frame <= Int(boundary.frame) + TransitionRule.thumbnailsAhead) }
      seen = watching.findings.boundaries.count
    }
    #expect(TransitionRule.thumbnailsAhead == 50)
    #expect(TransitionRule.outputsAhead == 23)
    #expect(seen > 3)
  }

  @Test("a second stream after reset or finish is as the first, and shots are counted on")
  func again() throws {
    var watching = try watching(.fused)
    watching.watch(Self.film, fixture.probabilities)
    let first = watching.transitions
    for frame in 0..<100 { watching.thumbnail(Self.film[frame], frame) }
    watching.rule.reset()
    watching.findings.removeAll()
    watching.watch(Self.film, fixture.probabilities)
    #expect(watching.transitions == first)
    #expect(watching.findings.boundaries.first?.shot == UInt64(first.count + 2))
  }

  @Test("streams without frames, of one frame, and outputs that are not numbers give no boundary", arguments: [0, 1, 2, 30, 120])
  func little(_ frames: Int) throws {
    for detection in [TransitionDetection.fused, .transnet] {
      var watching = try watching(detection)
      let still = Array(repeating: Self.film[0], count: frames)
      watching.watch(still, Array(repeating: (.nan, -.infinity), count: frames))
      #expect(watching.findings.boundaries.isEmpty)
    }
  }

  @Test("a thumbnail of another size is ignored")
  func wrongSize() throws {
    var watching = try watching(.fused)
    watching.thumbnail([1, 2, 3], 0)
    watching.watch(Self.film, fixture.probabilities)
    #expect(watching.transitions == fixture.found["fused"])
  }

  @Test("weights of a wrong size or that are not finite are refused by name")
  func badWeights() {
    #expect(throws: TransitionModelError.wrongCount(tensor: "mean", expected: 53, found: 2)) { try TransitionModel { _, _ in [1, 2] } }
    #expect(throws: TransitionModelError.notFinite(tensor: "layers.2.bias")) {
      try TransitionModel { name, shape in [Float](repeating: name == "layers.2.bias" ? .nan : 0, count: shape.reduce(1, *)) }
    }
  }

  @Test("two boundaries are at least the minimum shot apart")
  func minimumShot() throws {
    var watching = Watching(rule: TransitionRule(.fused, model: try shippedModel(), minimumShot: 3_000_000_000))
    watching.watch(Self.film, fixture.probabilities)
    let frames = watching.transitions.map(\.frame)
    #expect(frames.count > 1)
    for (a, b) in zip(frames, frames.dropFirst()) { #expect(b - a >= 75) }
  }
}
