import CGStreamer
import GStreamerKit
import Pixels
import Shots

/// A fade that is being undone, from the last clean frame before it to the first after it.
///
/// The shots change where the picture is faintest. Frames of which too little is left are not in `gains`: their neighbours
/// are shown instead.
struct FadeRun {
  private let repair: FadeRepair
  private let color: FadeColor
  /// What is left of the frames that can be restored, by number.
  let gains: [UInt64: Double]
  /// The first frame that belongs to the new shot.
  let split: UInt64
  /// The first of the new shot that can be restored.
  let firstOfNew: UInt64?
  /// The last restored picture of the old shot.
  private(set) var shown: UnsafeMutablePointer<GstBuffer>?
  /// `firstOfNew`, restored before its time. Owned here.
  var first: UnsafeMutablePointer<GstBuffer>?

  /// - Parameters:
  ///   - color: what the fade goes through; nil: told from the pictures.
  ///   - frames: all of it with their numbers, at least one.
  /// - Throws: what mapping a frame throws.
  init(
    _ repair: FadeRepair, maxGain: Double, color: FadeColor?, before: UnsafeMutablePointer<GstBuffer>,
    after: UnsafeMutablePointer<GstBuffer>, frames: [(number: UInt64, buffer: UnsafeMutablePointer<GstBuffer>)]
  ) throws {
    self.repair = repair
    let (old, new) = (try repair.look(at: before), try repair.look(at: after))
    let looks = try frames.map { try repair.look(at: $0.buffer) }
    let means = looks.map(\.mean)
    let (darkest, brightest) = (means.min() ?? 0, means.max() ?? 0)
    self.color = color ?? (min(old.mean, new.mean) - darkest >= brightest - max(old.mean, new.mean) ? .black : .white)
    let level: FadeLevel = self.color == .white ? .white : .black
    let turn = Self.turn(means, toBrightest: self.color == .white)
    let leaving = FadeLook.gains(of: Array(looks[..<turn]), reference: old, level: level)
    let coming = FadeLook.gains(of: looks[turn...].reversed(), reference: new, level: level).reversed()
    var gains: [UInt64: Double] = [:]
    for (frame, gain) in zip(frames, leaving + coming) where gain * maxGain >= 1 { gains[frame.number] = gain }
    self.gains = gains
    let split = frames[turn].number
    self.split = split
    firstOfNew = frames.first { $0.number >= split && gains[$0.number] != nil }?.number
  }

  /// Where the picture is faintest; of a pause the middle.
  private static func turn(_ means: [Double], toBrightest: Bool) -> Int {
    let distances = toBrightest ? means.map { 1 - $0 } : means
    // Within a level of 8 bits nothing is seen.
    let limit = (distances.min() ?? 0) + 1.0 / 255
    let faint = distances.indices.filter { distances[$0] <= limit }
    return faint[faint.count / 2]
  }

  /// A frame with its fade undone, and no longer marked; owned by the caller.
  func restored(_ buffer: UnsafeMutablePointer<GstBuffer>, _ gain: Double) throws -> UnsafeMutablePointer<GstBuffer> {
    let made = try repair.restored(buffer, gain: gain, color: color)
    Marks.transition.removeAll(from: made)
    return made
  }

  /// The picture of a frame that was restored before its time; owned by the caller.
  func ahead(_ number: UInt64) -> UnsafeMutablePointer<GstBuffer>? {
    number == firstOfNew ? first.flatMap { gst_buffer_ref($0) } : nil
  }

  /// Keeps a restored picture for what follows it in its shot.
  mutating func show(_ picture: UnsafeMutablePointer<GstBuffer>) {
    let kept = gst_buffer_ref(picture)
    if let shown { gst_buffer_unref(shown) }
    shown = kept
  }

  func release() {
    if let shown { gst_buffer_unref(shown) }
    if let first { gst_buffer_unref(first) }
  }
}
