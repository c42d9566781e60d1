import Timing

/// An extension that goes on.
public struct ExtensionRun: Hashable, Sendable {
  /// Where its shots lie.
  public enum Kind: Hashable, Sendable {
    /// Behind the end of the source.
    case tail
    /// In place of the source's frames; `untilBack`: until they come again.
    case cover(untilBack: Bool)
    /// Between two of the source's frames, which are later then.
    case insert
  }

  /// How far it is.
  enum Stage: Hashable, Sendable {
    /// The generator has no plan yet; what was asked for meanwhile is added to it.
    case starting(more: AskedShots?)
    case showing
    /// Its last frame was shown: nothing can be added to it.
    case leaving
  }

  /// May become a tail when the source ends meanwhile.
  public internal(set) var kind: Kind
  /// Running time at which it began.
  public let start: ClockTime
  /// It follows shots behind which the source has not come back yet.
  var isBeforeReturn = false
  /// Ends with the shot that is shown.
  var isToEnd: Bool
  var stage = Stage.starting(more: nil)
  /// Running time at which it ends, once the sound has gone on or ended there; it gets neither longer nor shorter then.
  var settledEnd: ClockTime?
  /// Running time at which the source goes on.
  var sourceReturn: ClockTime?

  init(kind: Kind, start: ClockTime, isToEnd: Bool) { (self.kind, self.start, self.isToEnd) = (kind, start, isToEnd) }

  /// Whether shots can still be added to it.
  var canGrow: Bool { !isToEnd && stage != .leaving && settledEnd == nil }
}
