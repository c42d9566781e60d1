import Pixels

/// What only who has the pictures can do.
public protocol FadePictures<Frame> {
  /// What the stream's frames are to ``PictureRepair``.
  associatedtype Frame

  /// What a frame looks like.
  func look(at frame: Frame) throws -> FadeLook

  /// A copy of a frame with its fade undone, no longer in a transition.
  ///
  /// - Parameters:
  ///   - gain: 0 … 1, what is left of the picture.
  ///   - color: what it fades to or from.
  func restored(_ frame: Frame, gain: Double, color: FadeColor) throws -> Frame
}

/// A fade that is being undone, from the last clean frame before it to the first after it.
///
/// The shots change where the picture is faintest. Frames of which too little is left are not in `gains`: their neighbours
/// are shown instead.
struct FadeRun<Frame> {
  let color: FadeColor
  /// What is left of the frames that can be restored, by number.
  let gains: [UInt64: Double]
  /// The first frame that belongs to the new shot.
  let split: UInt64
  /// The first of the new shot that can be restored.
  let firstOfNew: UInt64?
  /// The last restored picture.
  var shown: Frame?
  /// `firstOfNew`, restored before its time.
  var first: Frame?

  /// - Parameters:
  ///   - color: what the fade goes through; nil: told from the pictures.
  ///   - before, after: the clean frames beside it.
  ///   - frames: all of it with their numbers, at least one.
  ///   - maxGain: by which a picture is amplified at most.
  init(color: FadeColor?, before: FadeLook, after: FadeLook, frames: [(number: UInt64, look: FadeLook)], maxGain: Double) {
    let looks = frames.map(\.look)
    let means = looks.map(\.mean)
    let (darkest, brightest) = (means.min() ?? 0, means.max() ?? 0)
    let isBlack = min(before.mean, after.mean) - darkest >= brightest - max(before.mean, after.mean)
    self.color = color ?? (isBlack ? .black : .white)
    let level: FadeLevel = self.color == .white ? .white : .black
    let turn = Self.turn(means, toBrightest: self.color == .white)
    let leaving = FadeLook.gains(of: Array(looks[..<turn]), reference: before, level: level)
    let coming = FadeLook.gains(of: looks[turn...].reversed(), reference: after, level: level).reversed()
    var gains: [UInt64: Double] = [:]
    for (frame, gain) in zip(frames, leaving + coming) where gain * maxGain >= 1 { gains[frame.number] = gain }
    let split = frames.indices.contains(turn) ? frames[turn].number : 0
    (self.gains, self.split) = (gains, split)
    firstOfNew = frames.first { $0.number >= split && gains[$0.number] != nil }?.number
  }

  /// Where the picture is faintest; of a pause the middle.
  private static func turn(_ means: [Double], toBrightest: Bool) -> Int {
    let distances = toBrightest ? means.map { 1 - $0 } : means
    // Within a level of 8 bits nothing is seen.
    let limit = (distances.min() ?? 0) + 1.0 / 255
    let faint = distances.indices.filter { distances[$0] <= limit }
    return faint.isEmpty ? 0 : faint[faint.count / 2]
  }
}
