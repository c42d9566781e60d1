import Timing

/// What users set of a ``Timeline``. It may change at any time.
public struct TimelineSettings: Hashable, Sendable {
  /// When the stream is extended.
  public enum Trigger: String, CaseIterable, Hashable, Sendable {
    /// The end of the stream.
    case eos
    /// No frame of a live source for a while.
    case stall
    /// The next boundary that is marked, once.
    case cut
  }

  /// Sound of an extension.
  public enum Sound: String, CaseIterable, Hashable, Sendable {
    case silence
    /// The last shot's again and again.
    case loop
    /// None but gap events.
    case gap
  }

  /// Any of them; without one the stream is extended when asked to.
  public var triggers: Set<Trigger>
  /// Nanoseconds without a frame after which a live source has stalled.
  public var stallTimeout: ClockTime
  /// How many follow; without end if negative.
  public var shots: Int
  /// What is heard of an extension.
  public var sound: Sound

  /// The defaults are the element's.
  public init(triggers: Set<Trigger> = [.eos], stallTimeout: ClockTime = .milliseconds(1000), shots: Int = -1, sound: Sound = .silence) {
    (self.triggers, self.stallTimeout, self.shots, self.sound) = (triggers, stallTimeout, shots, sound)
  }
}

/// What a ``Timeline`` asks of the shots that are made.
public protocol ShotSupply {
  /// What comes behind the shot that is shown: nanoseconds that are ready, and whether that is all.
  var following: (ready: ClockTime, isAll: Bool) { get }

  /// Nanoseconds of as few of the shots behind the one that is shown as last so long; of all that are ready if those do not.
  func following(lasting duration: ClockTime) -> ClockTime
}
