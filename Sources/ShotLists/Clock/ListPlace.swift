import Timing

/// A film that is listed. A stream may have several, one after the other.
public struct ListMedium: Hashable, Sendable {
  /// From 1 on, as they come.
  public var number: Int
  /// Where it lies; nil if nobody knows.
  public var uri: String?
  /// What its timecodes begin with; nil for 0 at 0.
  public var timecode: StartTimecode?

  /// Nothing is checked.
  public init(number: Int, uri: String? = nil, timecode: StartTimecode? = nil) {
    (self.number, self.uri, self.timecode) = (number, uri, timecode)
  }
}

/// A timecode, and the time at which it stands.
public struct StartTimecode: Hashable, Sendable {
  /// The label.
  public var timecode: Timecode
  /// Frames a second that it counts.
  public var rate: FrameRate
  /// Nanoseconds since the first frame of the film.
  public var time: ClockTime

  /// By default the label of the very first frame.
  public init(_ timecode: Timecode, rate: FrameRate, at time: ClockTime = 0) {
    (self.timecode, self.rate, self.time) = (timecode, rate, time)
  }

  /// The frame that the label of `time` stands for where `rate` is counted.
  func frame(at time: ClockTime, rate: FrameRate) -> UInt64 {
    let (frame, before) = (rate.frame(at: time), rate.frame(at: self.time))
    let start = timecode.counted(at: rate, from: self.rate).frame(at: rate)
    return frame >= before ? start.saturating(adding: frame - before) : start.less(before - frame)
  }
}

/// A place in a film.
public struct SourceTime: Hashable, Sendable {
  /// Which film.
  public var medium: ListMedium
  /// Nanoseconds since its first frame.
  public var time: ClockTime

  /// Nothing is checked.
  public init(_ medium: ListMedium, _ time: ClockTime) { (self.medium, self.time) = (medium, time) }
}

/// Where a frame lies in a list.
public struct ListPlace: Hashable, Sendable {
  /// Index of the frame, from 0 at the list's first.
  public var frame: UInt64
  /// Nanoseconds in the list: of its first film since that one's first frame, and running on through those that follow.
  public var time: ClockTime
  /// Where the frame lies in its own film.
  public var source: SourceTime

  /// Nothing is checked.
  public init(frame: UInt64, time: ClockTime, source: SourceTime) { (self.frame, self.time, self.source) = (frame, time, source) }
}
