/// The last shots of a stream as clips of one length and rate: what a scene model sees of the video before.
///
/// Frames are offered with their times; one is taken wherever the model's rate wants one. A shot's clip is its end: what a
/// shot that follows has to fit to, perhaps with its last picture in full size. What is kept does not depend on how long shots are.
///
/// ```swift
/// var window = ContextWindow<[UInt8]>(shots: 2, frames: 8, rate: (8, 1))
/// if isMarked { window.cut() }
/// if window.wants(pts) { window.add(small(picture)) }
/// for clip in window.clips { model.append(clip.frames) }
/// ```
///
/// - A shot of fewer frames than a clip is played slower: its frames are repeated evenly.
/// - While there are fewer shots than wanted, the oldest gives several clips, one after the other, as far as it reaches:
///   a stream without marks is one shot, seen in equal windows.
public struct ContextWindow<Frame> {
  /// Clips at most.
  public let shots: Int
  /// Of a clip.
  public let frames: Int
  private let rate: (numerator: Int, denominator: Int)
  /// Ends of shots, the oldest first; the last one still goes on.
  private var parts = [ContextClip<Frame>()]
  /// Nanoseconds, from which on a frame is wanted; nil for the next one.
  private var due: UInt64?

  /// - Parameters:
  ///   - shots: at least 1.
  ///   - frames: at least 1.
  ///   - rate: frames a second, a fraction of numbers above 0.
  public init(shots: Int, frames: Int, rate: (numerator: Int, denominator: Int)) {
    self.shots = max(1, shots)
    self.frames = max(1, frames)
    self.rate = (max(1, rate.numerator), max(1, rate.denominator))
  }

  /// A new shot begins with the next frame, whose time is wanted in any case.
  public mutating func cut() {
    due = nil
    guard parts.last?.frames.isEmpty == false else { return }
    parts.append(ContextClip())
    trim()
  }

  /// Whether the frame of this time is to be added, which then has to be done.
  ///
  /// - Parameter time: nanoseconds; a time before the last one is a stream that began anew.
  public mutating func wants(_ time: UInt64) -> Bool {
    let interval = UInt64(1_000_000_000).multipliedReportingOverflow(by: UInt64(rate.denominator)).partialValue / UInt64(rate.numerator)
    func later(_ time: UInt64) -> UInt64 { time > .max - interval ? .max : time + interval }
    guard let due else {
      self.due = later(time)
      return true
    }
    let isBackwards = due > 2 &* interval && time < due - 2 &* interval
    // Half an interval early is as near as late.
    guard isBackwards || time >= due - min(due, interval / 2) else { return false }
    // On the grid as long as frames come in time: rounding does not add up.
    self.due = isBackwards || time > later(due) ? later(time) : later(due)
    return true
  }

  /// - Parameter end: the same in full size, in place of that of the frame before; nil where it is not known.
  public mutating func add(_ frame: Frame, end: ShotEnd? = nil) {
    parts[parts.count - 1].frames.append(frame)
    parts[parts.count - 1].end = end
    trim()
  }

  /// What is kept in full size is of no use any more: its colours are not those of what follows.
  public mutating func removeEnds() { for index in parts.indices { parts[index].end = nil } }

  /// As if nothing had been seen: after a flush.
  public mutating func removeAll() {
    parts = [ContextClip()]
    due = nil
  }

  /// Frames that are kept.
  public var count: Int { parts.reduce(0) { $0 + $1.frames.count } }

  /// Up to ``shots`` clips of ``frames`` frames each, the oldest first; none before the first frame.
  public var clips: [ContextClip<Frame>] {
    var clips: [ContextClip<Frame>] = []
    for part in parts.reversed() where !part.frames.isEmpty {
      var end = part.frames.count
      repeat {
        let first = max(0, end - frames)
        // Of several clips the last one ends as the shot does.
        let picture = end == part.frames.count ? part.end : nil
        clips.insert(ContextClip(frames: stretched(part.frames[first..<end]), end: picture), at: 0)
        end = first
        // Only of the oldest more than one clip is kept; only whole ones are added.
      } while end >= frames && clips.count < shots
    }
    return Array(clips.suffix(shots))
  }

  /// As many frames as a clip has, repeated evenly where they are fewer.
  private func stretched(_ part: ArraySlice<Frame>) -> [Frame] {
    (0..<frames).map { part[part.startIndex + $0 * part.count / frames] }
  }

  private mutating func trim() {
    // The one that goes on may still be empty: as many before it as there may be clips.
    while parts.count > shots + (parts.last?.frames.isEmpty == true ? 1 : 0) { parts.removeFirst() }
    for index in parts.indices {
      let needed = frames * (index == 0 ? shots : 1)
      if parts[index].frames.count > needed { parts[index].frames.removeFirst(parts[index].frames.count - needed) }
    }
  }
}

extension ContextWindow: Sendable where Frame: Sendable {}

/// The end of a shot, as a model sees it.
public struct ContextClip<Frame> {
  /// At a model's rate.
  public var frames: [Frame]
  /// The last picture in full size; nil where that is not known.
  public var end: ShotEnd?

  /// Of any number of frames; ``ContextWindow/clips`` has as many in each.
  public init(frames: [Frame] = [], end: ShotEnd? = nil) { (self.frames, self.end) = (frames, end) }
}

extension ContextClip: Sendable where Frame: Sendable {}
