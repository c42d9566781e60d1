import Shots
import Timing

/// The picture's stream as it left.
public struct PictureLine<Kept: Sendable, Segment: StreamSegment>: Sendable {
  /// As upstream sent it.
  var segment = Segment()
  /// It has come, since the stream began or was flushed: before that nothing can leave.
  public internal(set) var isBegun = false
  /// Frames a second; nil if that is not known.
  public internal(set) var rate: FrameRate?
  /// Whether its caps are known.
  public internal(set) var hasCaps = false
  /// Time stamp at which the last frame ended.
  public internal(set) var next: ClockTime?
  /// Frames that left.
  public internal(set) var frames: UInt64 = 0
  /// Ordinal of the shot that goes on.
  public internal(set) var shot: UInt64 = 1
  /// What upstream counts it as.
  var sourceShot: UInt64 = 1
  /// Shots or frames are no longer as upstream counts them.
  var isRecounted = false
  /// Of a frame that was dropped.
  var droppedMark: Boundary?
  /// Of the frame that passed last.
  public internal(set) var kept: Kept?
  /// Running time at which the shot began.
  var shotStart: ClockTime = 0
  /// Running time at which what left ends.
  public internal(set) var front: ClockTime = 0
  /// Running time at which the generated shot that is shown ends; nil where that is open.
  var planned: ClockTime?
  /// By how much inserted shots have moved running times.
  var inserted: ClockTime = 0
  /// Running time by the clock when the last frame came; nil if it has not played since.
  var arrival: ClockTime?
  /// Likewise when the last generated one left.
  var departure: ClockTime = 0
  /// Running time from which on the source's times are moved as they are now, and by how much within the segment.
  var movedFrom: ClockTime = 0
  var moved = TimeOffset()
  /// What is known of the source's times.
  var clock = SourceClock()
  /// The stall that goes on was covered: once is enough, until a frame comes.
  var isStallCovered = false

  init() {}

  /// Nanoseconds; of the usual rate where none is known.
  public var frameDuration: ClockTime { rate?.nanoseconds(of: 1) ?? FrameTimes.usual.time(of: 1) }

  /// The segment that downstream has.
  public var shifted: Segment { segment.later(by: inserted) }

  /// Where a frame goes on that follows what left, in time stamps.
  public var continuation: ClockTime { next ?? segment.start }
}
