/// Keeps cuts at least a minimum duration apart, so that flashes and strobes do not shred a shot.
///
/// Semantics of PySceneDetect 0.7.2's filter of the same name, on times instead of frame counts. Both modes measure
/// from the first frame: nothing is a cut within the minimum duration of the beginning.
public struct FlashFilter {
  /// What becomes of cuts that are closer together than the minimum shot.
  public enum Mode: String, CaseIterable, Hashable, Sendable {
    /// A burst of cuts becomes one, at the last frame of the burst that was above the threshold. Known only when the
    /// minimum duration has passed without another.
    case merge
    /// The first cut counts, the rest of the burst does not.
    case suppress
  }

  /// Only `merge` delays cuts, by the minimum shot.
  public private(set) var mode: Mode
  /// Nanoseconds; 0 lets every cut through.
  public private(set) var minimumShot: UInt64

  /// merge: the last frame above the threshold. suppress: the last cut. At first the first frame.
  private var last: Sighting?
  /// Where the burst that is being merged began.
  private var mergeStart: FrameTime?
  /// Nothing is merged before the first cut.
  private var mayMerge = false

  /// Begins before the first frame, which is never a cut.
  public init(mode: Mode, minimumShot: UInt64) {
    self.mode = mode
    self.minimumShot = minimumShot
  }

  /// Changes mode and duration in mid-stream. A burst that is being merged is given up when merging ends.
  public mutating func update(mode: Mode, minimumShot: UInt64) {
    self.mode = mode
    self.minimumShot = minimumShot
    if mode != .merge || minimumShot == 0 { mergeStart = nil }
  }

  /// Gives up a burst that is being merged; nothing is a cut within the minimum shot of the next frame.
  public mutating func reset() {
    last = nil
    mergeStart = nil
    mayMerge = false
  }

  /// Takes the next frame; returns the frame at which a cut is now certain, this one or an earlier.
  mutating func see(_ sighting: Sighting, isAbove: Bool) -> Sighting? {
    guard let last else {
      self.last = sighting
      return nil
    }
    if minimumShot == 0 {
      guard isAbove else { return nil }
      self.last = sighting
      mayMerge = true
      return sighting
    }
    let isFarEnough = sighting.time.isAtLeast(minimumShot, after: last.time)
    switch mode {
    case .suppress:
      guard isAbove, isFarEnough else { return nil }
      self.last = sighting
      mayMerge = true
      return sighting
    case .merge:
      if isAbove { self.last = sighting }
      if let mergeStart {
        guard isFarEnough, !isAbove, last.time.isAtLeast(minimumShot, after: mergeStart) else { return nil }
        self.mergeStart = nil
        return last
      }
      guard isAbove else { return nil }
      if isFarEnough {
        mayMerge = true
        return sighting
      }
      if mayMerge { mergeStart = sighting.time }
      return nil
    }
  }

  /// The cut that a burst still being merged would have become had quiet frames followed. PySceneDetect loses it.
  mutating func finish() -> Sighting? {
    defer { reset() }
    guard mode == .merge, let last, let mergeStart, last.time.isAtLeast(minimumShot, after: mergeStart) else {
      return nil
    }
    return last
  }
}
