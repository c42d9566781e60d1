/// How one shot gives way to the next.
public enum BoundaryKind: String, Sendable, CaseIterable {
  case cut, fade, dissolve, wipe
}

/// What a fade goes through.
public enum FadeColor: String, Sendable, CaseIterable {
  case black, white
}

/// What a shot that was generated was made by.
public struct GeneratedShot: Hashable, Sendable {
  /// Name of what made it, such as `diffusion`.
  public var generator: String
  /// Text that it was made from: any script, any characters; empty if there was none.
  public var prompt: String

  /// A prompt that is left out is empty: nobody wrote one.
  public init(generator: String, prompt: String = "") {
    self.generator = generator
    self.prompt = prompt
  }
}

/// A place where one shot ends and another begins.
///
/// The same fields stand in element messages, buffer metadata and JSON Lines. Times are nanoseconds, `nil` where the
/// stream has none.
public struct Boundary: Hashable, Sendable {
  /// `cut` has no frames between two shots; the others last from `transitionStart` to `transitionEnd`.
  public var kind: BoundaryKind
  /// Ordinal of the new shot. The first shot of a stream is 1, so the first boundary opens shot 2.
  public var shot: UInt64
  /// Index of the new shot's first frame since the stream began, from 0.
  public var frame: UInt64
  /// Time stamp of the new shot's first frame.
  public var pts: UInt64?
  /// Of the same frame: time since the pipeline began to play.
  public var runningTime: UInt64?
  /// Of the same frame: position in the medium.
  public var streamTime: UInt64?
  /// Stream time of the last clean frame of the old shot; ``transitionEnd`` where that is earlier, since stream time begins anew
  /// with another film.
  public var transitionStart: UInt64?
  /// Stream time of the first clean frame of the new shot; `nil` for a fade-out that nothing followed.
  public var transitionEnd: UInt64?
  /// What the detector compared with its threshold: larger or smaller than it, as the detector goes.
  public var score: Double
  /// Name of the detector that found it.
  public var detector: String
  /// What a fade goes through, where the detector tells; nil for other kinds.
  public var color: FadeColor?
  /// What made the new shot; nil for one of the source.
  public var generated: GeneratedShot?

  /// Times that are left out are not known. Nothing is checked.
  public init(
    kind: BoundaryKind, shot: UInt64, frame: UInt64, pts: UInt64? = nil, runningTime: UInt64? = nil,
    streamTime: UInt64? = nil, transitionStart: UInt64? = nil, transitionEnd: UInt64? = nil, score: Double,
    detector: String, color: FadeColor? = nil, generated: GeneratedShot? = nil
  ) {
    self.kind = kind
    self.shot = shot
    self.frame = frame
    self.pts = pts
    self.runningTime = runningTime
    self.streamTime = streamTime
    self.transitionStart = transitionStart
    self.transitionEnd = transitionEnd
    self.score = score
    self.detector = detector
    self.color = color
    self.generated = generated
  }
}

/// A frame that may open a shot, with what is known when it is seen.
struct Sighting {
  var time: FrameTime
  /// Stream time of the frame before it.
  var before: UInt64?
  var score: Double
}

/// Numbers the boundaries of one detector.
struct BoundaryMaker {
  let detector: String
  /// Ordinal of the open shot.
  var shot: UInt64 = 1

  /// A cut whose new shot begins at the sighted frame.
  mutating func cut(_ sighting: Sighting) -> Boundary {
    make(.cut, at: sighting.time, from: sighting.before, to: sighting.time.streamTime, score: sighting.score)
  }

  mutating func make(
    _ kind: BoundaryKind, at time: FrameTime, from start: UInt64?, to end: UInt64?, score: Double
  ) -> Boundary {
    shot &+= 1
    // Where another film begins between the two, the old one's times say nothing in the new one's.
    let start = start.map { min($0, end ?? $0) }
    return Boundary(
      kind: kind, shot: shot, frame: time.frame, pts: time.pts, runningTime: time.runningTime,
      streamTime: time.streamTime, transitionStart: start, transitionEnd: end, score: score, detector: detector)
  }
}
