import DequeModule
import Timing

/// Where frames lie in their stream, and which of them may still turn out to begin a shot.
public struct FrameClock: Sendable {
  /// For streams that do not tell their rate, a bound on the time between frames: 10 frames a second.
  public static let assumedFrameDuration = ClockTime.milliseconds(100)

  private var elapsed: ClockTime = 0
  private var lastRunningTime: ClockTime?
  private var lastDuration: ClockTime = 0
  private var undecided = Deque<FrameTime>()

  /// Before the first frame, which lies at 0.
  public init() {}

  /// Where the next frame lies. `elapsed` follows running time, and nominal durations where that is missing or jumps back.
  ///
  /// - Parameters:
  ///   - index: of the frame, from 0.
  ///   - frameDuration: of the stream's rate; nil if it has none.
  public mutating func advance(_ time: BufferTime, index: UInt64, frameDuration: ClockTime?) -> FrameTime {
    if index > 0 {
      if let now = time.runningTime, let last = lastRunningTime, now >= last {
        elapsed = elapsed.saturating(adding: now - last)
      } else {
        elapsed = elapsed.saturating(adding: lastDuration)
      }
    }
    lastRunningTime = time.runningTime
    lastDuration = time.duration ?? frameDuration ?? Self.assumedFrameDuration
    return FrameTime(frame: index, elapsed: elapsed, pts: time.pts, runningTime: time.runningTime, streamTime: time.streamTime)
  }

  /// What comes does not continue what came before.
  public mutating func interrupt() {
    lastRunningTime = nil
    undecided.removeAll()
  }

  /// The first frame at which a boundary may still be found, for detectors that do not say it.
  public mutating func firstUndecided(newest: FrameTime, _ lookAhead: LookAhead) -> UInt64 {
    undecided.append(newest)
    while let first = undecided.first, lookAhead.isDecided(first, newest: newest) { undecided.removeFirst() }
    return undecided.first?.frame ?? newest.frame &+ 1
  }
}
