/// The beginning of a shot, known while the shot still runs.
public struct ShotOpening: Hashable, Sendable {
  /// 1 for the first shot of the list.
  public var ordinal: UInt64
  /// Index of its first frame since the stream began, from 0.
  public var firstFrame: UInt64
  /// Nanoseconds, stream time where there is one.
  public var start: UInt64
  /// What opened it; `nil` for the first shot of a stream.
  public var boundary: Boundary?

  public init(ordinal: UInt64, firstFrame: UInt64, start: UInt64, boundary: Boundary? = nil) {
    self.ordinal = ordinal
    self.firstFrame = firstFrame
    self.start = start
    self.boundary = boundary
  }
}

/// A whole shot: frames `opening.firstFrame ..< endFrame`, times `opening.start ..< end`.
public struct Shot: Hashable, Sendable {
  public var opening: ShotOpening
  public var endFrame: UInt64
  /// Nanoseconds, not before the start.
  public var end: UInt64

  public init(opening: ShotOpening, endFrame: UInt64, end: UInt64) {
    self.opening = opening
    self.endFrame = max(endFrame, opening.firstFrame)
    self.end = max(end, opening.start)
  }

  public var ordinal: UInt64 { opening.ordinal }
  public var firstFrame: UInt64 { opening.firstFrame }
  public var start: UInt64 { opening.start }
  public var frames: UInt64 { endFrame - firstFrame }
  public var duration: UInt64 { end - start }
}

/// Makes shots of boundaries: a shot is complete when the next boundary, or the end of the stream, is known.
public struct ShotTracker: Hashable, Sendable {
  /// For streams without timestamps, whose times are frame numbers at this rate.
  private let rate: FrameRate
  public private(set) var open: ShotOpening?

  public init(rate: FrameRate = .fallback) {
    self.rate = rate
  }

  /// The first frame of the stream. Ignored when a shot is open.
  public mutating func begin(at time: FrameTime) {
    guard open == nil else { return }
    open = ShotOpening(ordinal: 1, firstFrame: time.frame, start: time.streamTime ?? time.pts ?? time.elapsed)
  }

  /// Opens the shot after `boundary` and returns the one before it. A boundary that is not after the beginning of the
  /// open shot is ignored. Without ``begin(at:)`` the stream counts as begun at frame 0, time 0.
  public mutating func see(_ boundary: Boundary) -> Shot? {
    let before = open ?? ShotOpening(ordinal: 1, firstFrame: 0, start: 0)
    guard boundary.frame > before.firstFrame else { return nil }
    let start = boundary.streamTime ?? boundary.pts ?? rate.nanoseconds(of: boundary.frame)
    open = ShotOpening(ordinal: before.ordinal + 1, firstFrame: boundary.frame, start: start, boundary: boundary)
    return Shot(opening: before, endFrame: boundary.frame, end: start)
  }

  /// Ends the stream: `endFrame` is the number of frames, `end` where the last one ends (nanoseconds, same clock as the
  /// frames' stream time; `nil` if unknown: by the frame rate). Returns the last shot unless it is empty.
  public mutating func finish(endFrame: UInt64, end: UInt64?) -> Shot? {
    guard let last = open, endFrame > last.firstFrame else { return nil }
    open = nil
    let (guess, overflow) = last.start.addingReportingOverflow(rate.nanoseconds(of: endFrame - last.firstFrame))
    return Shot(opening: last, endFrame: endFrame, end: end ?? (overflow ? .max : guess))
  }
}
