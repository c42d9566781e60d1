import CGStreamer
import GStreamerKit
import Shots

/// What `shotdetect` and its siblings send each other, besides buffers.
enum Marks {
  /// The first buffer of a new shot carries this, with the fields of a boundary.
  static let boundary = Metadata("GstShotBoundaryMeta")
  /// A buffer inside a gradual transition carries this: `kind`, and `progress` from 0 to 1.
  static let transition = Metadata("GstShotTransitionMeta")
  /// A frame's measurements, on request: `frame`, `stream-time`, `columns`, `value-0`, `value-1`, …
  static let score = Metadata("GstShotScoreMeta")
  /// Upstream event by which an element asks for marks; `statistics` asks for measurements too.
  static let request = "shot-marks-request"

  /// Nobody upstream gives marks.
  ///
  /// - Parameter consequence: what that means, and what to do.
  static func unanswered(_ consequence: String) -> ElementError {
    .stream(GST_STREAM_ERROR_FAILED, "No shotdetect with attach-meta=true upstream answers: \(consequence)")
  }
}

extension Boundary {
  static let structureName = "shot-boundary"

  /// Flat and kebab-case; a time that is not known is GST_CLOCK_TIME_NONE.
  var structure: Structure {
    func time(_ time: UInt64?) -> Value { .uint64(time ?? .max) }
    var structure = Structure(
      Self.structureName,
      [
        ("kind", .string(kind.rawValue)), ("shot", .uint64(shot)), ("frame", .uint64(frame)), ("pts", time(pts)),
        ("running-time", time(runningTime)), ("stream-time", time(streamTime)),
        ("transition-start", time(transitionStart)), ("transition-end", time(transitionEnd)), ("score", .double(score)),
        ("detector", .string(detector)),
      ])
    if let color { structure.fields.append(Structure.Field(name: "color", value: .string(color.rawValue))) }
    if let generated {
      structure.fields += [
        Structure.Field(name: "generated", value: .bool(true)), Structure.Field(name: "generator", value: .string(generated.generator)),
        Structure.Field(name: "prompt", value: .string(generated.prompt)),
      ]
    }
    return structure
  }

  /// nil if a field is missing or of another type.
  init?(_ structure: Structure) {
    func time(_ field: String) -> UInt64? { structure[field]?.uint64.flatMap { $0 == .max ? nil : $0 } }
    guard let kind = structure["kind"]?.string.flatMap({ BoundaryKind(rawValue: $0) }), let shot = structure["shot"]?.uint64,
      let frame = structure["frame"]?.uint64, let score = structure["score"]?.double, let detector = structure["detector"]?.string
    else { return nil }
    self.init(
      kind: kind, shot: shot, frame: frame, pts: time("pts"), runningTime: time("running-time"), streamTime: time("stream-time"),
      transitionStart: time("transition-start"), transitionEnd: time("transition-end"), score: score, detector: detector,
      color: structure["color"]?.string.flatMap { FadeColor(rawValue: $0) },
      generated: structure["generated"]?.bool == true
        ? GeneratedShot(generator: structure["generator"]?.string ?? "", prompt: structure["prompt"]?.string ?? "") : nil)
  }
}

extension TransitionFrame {
  var structure: Structure {
    Structure("shot-transition", [("kind", .string(kind.rawValue)), ("progress", .double(progress))])
  }
}

extension FrameScore {
  func structure(columns: [String]) -> Structure {
    var structure = Structure(
      "shot-score",
      [("frame", .uint64(time.frame)), ("stream-time", .uint64(time.streamTime ?? .max)), ("columns", .strings(columns))])
    structure.fields += values.enumerated().map { Structure.Field(name: "value-\($0.offset)", value: .double($0.element)) }
    return structure
  }

  /// The measurements and the names of their columns; nil if a field is missing.
  static func parse(_ structure: Structure) -> (score: FrameScore, columns: [String])? {
    guard let frame = structure["frame"]?.uint64, let columns = structure["columns"]?.strings else { return nil }
    let values = columns.indices.compactMap { structure["value-\($0)"]?.double }
    guard values.count == columns.count else { return nil }
    let streamTime = structure["stream-time"]?.uint64.flatMap { $0 == .max ? nil : $0 }
    return (FrameScore(time: FrameTime(frame: frame, elapsed: 0, streamTime: streamTime), values: values), columns)
  }
}
