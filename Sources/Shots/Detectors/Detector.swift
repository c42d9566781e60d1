import Pixels
import Timing

/// How far a detector looks beyond a frame before it knows whether a boundary lies there.
///
/// A frame's fate is decided once `newest.frame - frame >= frames` and `newest.elapsed - frame.elapsed >= duration` (less
/// ``FrameTime/slack``).
/// The threshold detector has none and yet reports late: how long a dark lasts has no bound.
public struct LookAhead: Hashable, Sendable {
  /// Frames after a frame, 0 for none.
  public var frames: Int
  /// Nanoseconds.
  public var duration: UInt64

  /// Both bounds hold: the later one decides.
  public init(frames: Int = 0, duration: UInt64 = 0) {
    self.frames = frames
    self.duration = duration
  }

  /// Each frame is decided when it is seen.
  public static let none = LookAhead()

  /// Whether nothing seen after `newest` can put a boundary at `frame`.
  public func isDecided(_ frame: FrameTime, newest: FrameTime) -> Bool {
    newest.frame.less(frame.frame) >= UInt64(max(0, frames)) && newest.isAtLeast(duration, after: frame)
  }

  /// How many frames of `interval` nanoseconds (at least 1) pass until a frame's fate is decided.
  public func frames(every interval: UInt64) -> UInt64 {
    let interval = max(1, interval)
    let span = duration.less(FrameTime.slack)
    return max(UInt64(max(0, frames)), span / interval + (span % interval == 0 ? 0 : 1))
  }
}

/// What was measured of one frame.
public struct FrameScore: Hashable, Sendable {
  /// Which frame it was.
  public var time: FrameTime
  /// In the order of ``Detector/statisticNames``; NaN for what is not known of this frame.
  public var values: [Double]

  /// As many values as the detector has names: nothing is checked.
  public init(time: FrameTime, values: [Double]) {
    self.time = time
    self.values = values
  }
}

/// A frame inside a gradual transition.
public struct TransitionFrame: Hashable, Sendable {
  /// Its index since the stream began.
  public var frame: UInt64
  /// What the transition looks like at this frame; its boundary may be of another kind. Never a cut.
  public var kind: BoundaryKind
  /// How far the transition has come: 0 is the last clean frame of the old shot, 1 the first of the new.
  public var progress: Double

  /// Nothing is checked; progress is 0 … 1.
  public init(frame: UInt64, kind: BoundaryKind, progress: Double) {
    self.frame = frame
    self.kind = kind
    self.progress = progress
  }
}

/// Where detectors put what they find; kept by the caller and emptied after each frame, so that nothing is allocated
/// while nothing is found.
public struct Findings {
  /// In stream order; times are those of the frame each is at, not of the one that it was found at.
  public var boundaries: [Boundary] = []
  /// Filled by detectors that see transitions while they last; each frame is there before it is decided (`LookAhead`).
  public var transitions: [TransitionFrame] = []
  /// Filled only by a detector that was made with `statistics`.
  public var scores: [FrameScore] = []

  /// Empty, with room for as many boundaries as a frame may bring at once.
  public init() {
    boundaries.reserveCapacity(4)
  }

  /// Empties both lists and keeps their storage.
  public mutating func removeAll() {
    boundaries.removeAll(keepingCapacity: true)
    transitions.removeAll(keepingCapacity: true)
    scores.removeAll(keepingCapacity: true)
  }
}

/// Finds the shot boundaries of a stream, one frame at a time.
///
/// ```swift
/// guard var detector = makeDetector(DetectorSettings(kind: .content), layout: layout) else { … }
/// var findings = Findings()
/// detector.see(picture, at: time, into: &findings)
/// for boundary in findings.boundaries { … }
/// findings.removeAll()
/// ```
///
/// Boundaries come in stream order, each once; one that is known late (see ``lookAhead``) carries the true times of the
/// frame it belongs to. Frames come in order, `FrameTime.elapsed` never decreases. No detector allocates for a frame at
/// which it finds nothing, unless statistics are kept.
public protocol Detector {
  /// `"content"`, `"adaptive"`, …: the `detector` field of its boundaries.
  var name: String { get }
  /// How many frames, and how much time, must follow a frame before a boundary there is known.
  var lookAhead: LookAhead { get }
  /// The columns of ``FrameScore``, named and ordered as in PySceneDetect's statistics file.
  var statisticNames: [String] { get }
  /// What was last compared with the threshold.
  var lastScore: Double { get }
  /// Number of the first frame at which a boundary may still be found; nil if there is none.
  var undecidedFrom: UInt64? { get }
  /// Whether ``undecidedFrom`` says which frames are decided, and not ``lookAhead``.
  var tellsUndecided: Bool { get }
  /// Frames that it never saw, since there was no time for them.
  var skipped: UInt64 { get }
  /// Why it finds nothing any more.
  var failure: (any Error)? { get }
  /// Ordinal of the open shot, 1 at first. An owner that replaces a detector in mid-stream carries it over.
  var shot: UInt64 { get set }

  /// Takes the next frame, of any layout: one of another size or format is compared with the frame before all the same.
  mutating func see(_ picture: borrowing Picture, at time: FrameTime, into findings: inout Findings)
  /// Hands out what is pending at the end of the stream, then is as after ``reset()``: a second call finds nothing.
  mutating func finish(into findings: inout Findings)
  /// Forgets every earlier frame (after a flush or a discontinuity) and what is pending, but keeps ``shot``. The next
  /// frame counts as the first: it opens no shot, and the minimum shot duration is measured from it.
  ///
  /// An owner that wants a pending boundary before a discontinuity calls ``finish(into:)`` instead.
  mutating func reset()
  /// Takes threshold, weights, minimum shot, filter and fade bias from `settings` and keeps all history. The rest of
  /// the settings is ignored: see ``DetectorSettings/needsNewDetector(after:)``.
  mutating func update(_ settings: DetectorSettings)
}

extension Detector {
  /// Not told: ``lookAhead`` says it.
  public var undecidedFrom: UInt64? { nil }
  /// No: ``lookAhead`` holds.
  public var tellsUndecided: Bool { false }
  /// None: it sees each frame in the call.
  public var skipped: UInt64 { 0 }
  /// None: what looks at pixels alone cannot fail.
  public var failure: (any Error)? { nil }
}

/// The half of a detector that decides, from one number a frame, without pictures.
///
/// The number is `nil` where there was no earlier frame to compare with.
public protocol ScoreRule {
  /// How far beyond a frame it looks; ``DetectorSettings/lookAhead`` of its settings.
  var lookAhead: LookAhead { get }
  /// What was last compared with the threshold.
  var lastScore: Double { get }
  /// Ordinal of the open shot, 1 at first; ``reset()`` keeps it.
  var shot: UInt64 { get set }
  /// As if no frame had been seen yet.
  init(_ settings: DetectorSettings)
  /// Takes the next frame's number and adds the boundaries that are known with it.
  mutating func see(_ score: Double?, at time: FrameTime, into findings: inout Findings)
  /// Hands out what is pending at the end of the stream, then is as after ``reset()``.
  mutating func finish(into findings: inout Findings)
  /// Forgets every earlier frame, so that the next counts as the first; ``shot`` stays.
  mutating func reset()
  /// Takes what can change in mid-stream and keeps all history, as ``Detector/update(_:)`` does.
  mutating func update(_ settings: DetectorSettings)
}
