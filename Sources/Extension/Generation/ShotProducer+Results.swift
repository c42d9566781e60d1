extension ShotProducer {
  /// What is told of the work, on the producer's thread.
  public struct Report: Sendable {
    public enum Part: String, Sendable {
      /// The generator takes in the shots before.
      case context
      case generating
      /// The shot is complete.
      case generated
    }

    public var part: Part
    /// nil for the context.
    public var shot: PlannedShot?
    public var generator: String
    public var step: Int
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
    public var shot: PlannedShot
    /// Nanoseconds.
    public var duration: UInt64
    public var generator: String
  }

  public enum Next: Sendable {
    case shot(Ready)
    /// It is not ready.
    case late
    /// The plan is.
    case over
    case failed(any Error)
    case cancelled
  }

  public enum Shown: Sendable {
    case picture(GeneratedPicture)
    /// No more pictures will come for this shot.
    case over
    case cancelled
  }
}
