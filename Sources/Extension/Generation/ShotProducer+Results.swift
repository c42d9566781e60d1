extension ShotProducer {
  /// What is told of the work, on the producer's thread.
  public struct Report: Sendable {
    /// What the generator is at.
    public enum Part: String, Sendable {
      /// The generator takes in the shots before.
      case context
      case generating
      /// The shot is complete.
      case generated
    }

    /// Progress comes again and again, ``Part/generated`` once a shot.
    public var part: Part
    /// nil for the context.
    public var shot: PlannedShot?
    /// ``ShotGenerator/name``.
    public var generator: String
    /// Of the part, as the generator's `check` told it last; 0 at first.
    public var step: Int
    /// How many the part has.
    public var steps: Int
    /// Pictures of the shot so far; 0 where they are made when they are shown.
    public var pictures: Int
    /// The shot's duration by the time that it took; 0 before it is complete.
    public var realTimeFactor: Double
    /// Nanoseconds that are ready to be shown.
    public var queued: UInt64
  }

  /// A shot that is ready to be shown, at least its beginning.
  public struct Ready: Sendable {
    /// As it was planned; its duration may be nil.
    public var shot: PlannedShot
    /// Nanoseconds.
    public var duration: UInt64
    /// ``ShotGenerator/name``, for marks and lists.
    public var generator: String
  }

  /// What comes after the shot that is shown.
  public enum Next: Sendable {
    case shot(Ready)
    /// It is not ready.
    case late
    /// The plan is.
    case over
    case failed(any Error)
    case cancelled
  }

  /// What there is to show at a time of the open shot.
  public enum Shown: Sendable {
    case picture(GeneratedPicture)
    /// No more pictures will come for this shot.
    case over
    case cancelled
  }
}
