/// A way to play some frames of a shot without end.
public struct Loop: Hashable, Sendable {
  /// In which order frames come.
  public enum Order: Hashable, Sendable {
    /// One frame.
    case still
    /// Forward; the first `crossfade` frames of each round are mixed with those that follow the last one.
    case forward(crossfade: Int)
    /// Forward and backward; neither end is shown twice.
    case backAndForth
  }

  /// What is shown at one time: a frame, with a part of another one mixed in.
  public struct Moment: Hashable, Sendable {
    /// Index of one of the shot's frames.
    public var frame: Int
    /// Index of what is mixed in; the same where nothing is.
    public var other: Int
    /// Of `other`, in 256ths, 0 … 255.
    public var share: Int
  }

  /// `still` where the frames are too few, or do not move.
  public let order: Order
  /// Indices of a shot's frames: all that are shown lie between them, both included.
  public let first, last: Int

  init(still frame: Int) { (order, first, last) = (.still, frame, frame) }

  init(backAndForth first: Int, _ last: Int) {
    (order, self.first, self.last) = last > first ? (.backAndForth, first, last) : (.still, first, first)
  }

  /// - Parameter crossfade: less than half of the frames.
  init(forward first: Int, _ last: Int, crossfade: Int) {
    (order, self.first, self.last) = (.forward(crossfade: min(max(crossfade, 0), max(0, (last - first) / 2))), first, max(first, last))
  }

  /// Frames after which it repeats itself.
  public var period: Int {
    switch order {
    case .still: 1
    case .forward(let crossfade): last - first + 1 - crossfade
    case .backAndForth: 2 * (last - first)
    }
  }

  /// Neighbouring frames that it shows before it comes to a seam or turns.
  var pass: Int {
    switch order {
    case .still, .backAndForth: last - first + 1
    case .forward: period
    }
  }

  /// What is shown at a time, in frames since the loop began, at least 0.
  public func moment(at time: Int) -> Moment {
    let phase = max(0, time) % period
    switch order {
    case .still: return Moment(frame: first, other: first, share: 0)
    case .backAndForth:
      let frame = phase <= last - first ? first + phase : last - (phase - (last - first))
      return Moment(frame: frame, other: frame, share: 0)
    case .forward(let crossfade):
      guard time >= period, phase < crossfade else { return Moment(frame: first + phase, other: first + phase, share: 0) }
      // The first one is nearly all the frame that goes on from the last one shown.
      return Moment(frame: first + phase, other: first + period + phase, share: 256 - 256 * (phase + 1) / (crossfade + 1))
    }
  }
}
