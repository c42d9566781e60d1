/// Judges steps between frames that are so far apart in time that what lies between is not known: slides, time lapse, gaps.
///
/// The network and the combiner read motion from frame to frame, at some 12 to 60 frames a second. A frame that stands for
/// half a second and longer is judged by itself, as `content` does it, by how far its colours are from the frame before.
struct DistantFrames {
  /// Nanoseconds from one frame to the next from which they are far apart (less ``FrameTime/slack``).
  static let distance: UInt64 = 500_000_000
  /// Mean difference of hue, saturation and value that scores as much as the default threshold.
  ///
  /// `content` finds a cut from 27 on, in pictures of 256 pixels whose samples are single pixels. Those of a thumbnail are
  /// means, in which fine detail is lost: of 210 pairs of frames of a film, in and across shots, all that `content` takes for
  /// cuts differ by 20 and more here, by 0.95 of what they differ by there on average.
  static let enough = 20.0

  /// nil where a frame follows the one before it closely.
  private var scores = Timeline<Double?>()
  private var last: FrameTime?

  /// `facts`: what the next frame changed.
  mutating func append(_ facts: ThumbnailFacts, at time: FrameTime) {
    defer { last = time }
    guard let last, time.isAtLeast(Self.distance, after: last) else { return scores.append(nil) }
    scores.append(Self.score(Double(facts.hue + facts.saturation + facts.value) / Double(3 * TransitionCues.pixels)))
  }

  mutating func drop(before frame: Int) { scores.drop(before: frame) }

  mutating func removeAll() {
    scores.removeAll()
    last = nil
  }

  /// How likely the frame opens a shot, 0…1; nil where the frame before it is near.
  func score(_ frame: Int) -> Double? { scores[frame] ?? nil }

  /// Whether most of the steps up to `reach` frames from this one are far.
  func surround(_ frame: Int, within reach: Int) -> Bool {
    var far = 0, near = 0
    for other in max(1, frame - reach)...max(1, frame + reach) {
      guard let score = scores[other] else { continue }
      if score == nil { near += 1 } else { far += 1 }
    }
    return far > near
  }

  /// `difference` and ``enough`` as odds of 1 : 1 would meet at ½; here they meet at the detector's default threshold.
  static func score(_ difference: Double) -> Double {
    let threshold = TransitionDetection.fused.threshold
    let odds = difference / enough * threshold / (1 - threshold)
    return odds / (1 + odds)
  }
}
