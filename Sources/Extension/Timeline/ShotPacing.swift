import Timing

/// Which frames a generated shot is shown in, and what of it each shows.
///
/// Shots last as long as they are planned to, to the frame over all of them: of 12.5 frames they have 13 and 12 in turns.
public struct ShotPacing: Sendable {
  /// When frames are shown, from the first one of the extension on.
  public let times: FrameTimes
  /// Frames shown so far.
  public private(set) var frame: UInt64 = 0
  /// The first frame of the shot that is shown, and how fast it plays.
  private var first: UInt64 = 0
  private var speed = 1.0
  /// Nanoseconds that are still to be shown of the whole shots so far; below 0 for too many.
  private var debt: Int64 = 0

  /// - Parameter times: those of the frames behind the source's last one.
  public init(_ times: FrameTimes) { self.times = times }

  /// A shot begins with the next frame.
  ///
  /// - Parameters:
  ///   - duration: nanoseconds at full speed.
  ///   - speed: above 0: slower below 1.
  /// - Returns: how many frames it has, at least one.
  public mutating func begin(lasting duration: ClockTime, speed: Double = 1) -> UInt64 {
    (first, self.speed) = (frame, speed)
    let slowed = ClockTime(exactly: (Double(duration) / speed).rounded(.towardZero)) ?? .max
    let wanted = Int64(clamping: slowed) &+ debt
    let count = times.count(in: ClockTime(max(0, wanted)))
    debt = wanted &- Int64(clamping: times.time(of: count) &- times.start)
    return count
  }

  /// Nanoseconds of the shot that have gone by when the next frame is shown.
  public var elapsed: ClockTime {
    ClockTime(Double(times.time(of: frame) &- times.time(of: first)) * speed)
  }

  /// Time stamp of the next frame, and how long it lasts.
  public var next: (pts: ClockTime, duration: ClockTime) { (times.time(of: frame), times.duration(of: frame)) }

  /// Time stamp at which so many frames end, counted from the next one on.
  public func end(after count: UInt64) -> ClockTime { times.time(of: frame &+ count) }

  /// The next frame was shown.
  public mutating func advance() { frame &+= 1 }
}
