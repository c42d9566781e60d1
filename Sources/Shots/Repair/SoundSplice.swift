/// Cuts stretches out of a stream of sound, to the sample, with a crossfade at each joint.
///
/// Positions are samples of the input, counted from running time 0. Of a stretch from `start` to `end` the samples from
/// `start - half` to `start + half` (old) are mixed into those from `end - half` to `end + half` (new), and everything
/// between the two is dropped: what comes after moves up by exactly `end - start`.
///
/// ```swift
/// splice.cut(from: 48_000, to: 96_000)
/// switch splice.step(at: position, count: n, upTo: decided) { … }
/// ```
public struct SoundSplice {
  /// What becomes of the next samples.
  public enum Step: Hashable, Sendable {
    /// So many go on as they are, earlier by ``SoundSplice/removed``.
    case pass(Int)
    /// So many belong to the crossfade's old side, from this sample of it on.
    case old(Int, at: Int)
    /// So many go.
    case drop(Int)
    /// So many belong to the crossfade's new side, from this sample of it on.
    case new(Int, at: Int)
    /// The crossfade is over: it is put out, then ``SoundSplice/finishJoint()``.
    case joint
    /// Nothing is known of them yet.
    case wait
  }

  /// One stretch.
  public struct Stretch: Hashable, Sendable {
    /// The sample in the middle of the crossfade's old side.
    public var start: Int64
    /// `.max` for what lasts until the stream ends.
    public var end: Int64
    /// Half of the crossfade.
    public var half: Int64

    /// Samples of the crossfade.
    public var fade: Int { Int(2 * half) }
  }

  /// Half of a crossfade where stretches are long enough.
  public let half: Int64
  /// Those that are not over yet, in order; the first one is next.
  public private(set) var stretches: [Stretch] = []
  /// Samples removed before the next one that passes.
  public private(set) var removed: Int64 = 0

  /// - Parameters:
  ///   - half: samples, at least 0.
  ///   - removed: samples removed before the first one.
  public init(half: Int64, removed: Int64 = 0) {
    self.half = max(0, half)
    self.removed = removed
  }

  /// Removes a stretch behind all others. Ignored if it is empty or begins before the last one ended.
  public mutating func cut(from start: Int64, to end: Int64) {
    guard start < end, start >= stretches.last?.end ?? .min else { return }
    stretches.append(Stretch(start: start, end: end, half: min(half, (end - start) / 2)))
  }

  /// What to do with up to `count` samples from `position` on, of which those before `decided` will not be cut any more
  /// but as ``cut(from:to:)`` has said. Never a step of no samples.
  public func step(at position: Int64, count: Int, upTo decided: Int64) -> Step {
    func some(until limit: Int64) -> Int { Int(min(Int64(count), limit - position)) }
    guard let next = stretches.first else {
      let limit = decided - half
      return position < limit ? .pass(some(until: limit)) : .wait
    }
    if position < next.start - next.half { return .pass(some(until: next.start - next.half)) }
    if position < next.start + next.half { return .old(some(until: next.start + next.half), at: Int(position - next.start + next.half)) }
    guard next.end < .max else { return .drop(count) }
    if position < next.end - next.half { return .drop(some(until: next.end - next.half)) }
    if position < next.end + next.half { return .new(some(until: next.end + next.half), at: Int(position - next.end + next.half)) }
    return .joint
  }

  /// The first stretch is over: what comes next moves up by its length.
  public mutating func finishJoint() {
    guard let done = stretches.first else { return }
    stretches.removeFirst()
    if done.end < .max { removed += done.end - done.start }
  }
}

/// Mixes the two sides of a joint, linearly: the first sample is nearly all old, the last nearly all new.
///
/// - Parameter old, new: [samples, channels], of the same count, which is a multiple of `channels`.
public func crossfade(_ old: [Double], _ new: [Double], channels: Int) -> [Double] {
  let samples = min(old.count, new.count) / max(1, channels)
  var mixed = [Double](repeating: 0, count: samples * max(1, channels))
  for sample in 0..<samples {
    let share = (Double(sample) + 0.5) / Double(samples)
    for index in sample * channels..<(sample + 1) * channels { mixed[index] = old[index] * (1 - share) + new[index] * share }
  }
  return mixed
}
