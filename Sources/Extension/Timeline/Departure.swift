import Timing

/// What leaves besides frames and samples, in order.
public enum Departure<Event: Sendable, Segment: StreamSegment>: Sendable {
  /// As it came.
  case event(Event)
  /// With its time stamps moved.
  case moved(Event, by: TimeOffset)
  /// How time stamps are to be read from here on; in the place of an event, if one said so.
  case segment(Segment, inPlaceOf: Event?)
  /// An encoder is to make the next frame a key frame.
  case keyUnit(pts: ClockTime?, streamTime: ClockTime?, runningTime: ClockTime?)
  /// The end of a stream whose source has not ended.
  case endOfStream

  var isSegment: Bool { if case .segment = self { true } else { false } }
}

/// What a serialized event says, as far as it matters to a ``Timeline``.
public enum StreamEvent<Segment: StreamSegment>: Sendable {
  case streamStart
  case segment(Segment)
  /// Frames a second, a fraction; nil where the caps do not say it. `isKnown` is false for caps that are not read.
  case videoCaps(rate: FrameRate?, isKnown: Bool)
  /// nil if they are not read.
  case soundCaps(SoundFormat?)
  /// No data up to this time stamp; nil where that is not said.
  case gap(until: ClockTime?)
  case endOfStream
  case other
}

/// Raw sound.
public struct SoundFormat: Hashable, Sendable {
  /// Samples a second.
  public var rate: Int
  /// At least 1; samples of all of them lie side by side.
  public var channels: Int
  /// Of one sample of every channel.
  public var bytesPerFrame: Int

  /// - Parameters: all above 0.
  public init(rate: Int, channels: Int, bytesPerFrame: Int) {
    (self.rate, self.channels, self.bytesPerFrame) = (max(1, rate), max(1, channels), max(1, bytesPerFrame))
  }

  /// The sample that is heard at a time, rounded; at most so many that numbers stay far from their limits.
  public func samples(in time: ClockTime) -> Int64 {
    Int64(clamping: min(scaled(time, by: UInt64(rate), over: 1_000_000_000), UInt64(Int64.max / 4)))
  }

  /// Nanoseconds of so many samples, rounded; of less than none 0.
  public func time(of samples: Int64) -> ClockTime {
    samples > 0 ? scaled(UInt64(samples), by: 1_000_000_000, over: UInt64(rate)) : 0
  }
}
