import Timing

/// How the times of a live source lie beside the clock.
///
/// While a source's frames fail to come, others are shown in their place. When it is back its times may be right, as those of a camera
/// whose cable was out; or behind for a while, and then come in a burst, as over a network; or off for good, from 0 on after a restart, or
/// late by as long as it was away. The last are found by waiting, and moved to where the stream has come to.
struct SourceClock: Hashable, Sendable {
  /// What its times turn out to be.
  enum Finding {
    case right
    /// They may come right yet.
    case off
    /// Not so within the timeout.
    case offForGood
  }

  /// By how much its times are moved.
  var shift = TimeOffset()
  /// How late its data came before they failed to.
  private var lag: ClockTime = 0
  /// Whether others were in their place since.
  private(set) var isDoubted = false
  /// Running time by the clock at which the first came whose time was off.
  private var offSince: ClockTime?

  /// What comes is off, and may come right yet.
  var isOff: Bool { offSince != nil }

  /// Others are put in the place of its data.
  mutating func doubt() { (isDoubted, offSince) = (true, nil) }

  /// Data come: what is to be thought of their time.
  ///
  /// - Parameters:
  ///   - running: their running time, moved by what is known.
  ///   - now: running time by the clock.
  ///   - front: running time at which what left ends; it goes with the clock while others are shown.
  ///   - frame: how long a frame lasts.
  mutating func look(at running: ClockTime, now: ClockTime, front: ClockTime, frame: ClockTime, timeout: ClockTime) -> Finding {
    guard isDoubted else { return .right }
    guard isOff(running, now: now, front: front, frame: frame, timeout: timeout) else {
      offSince = nil
      return .right
    }
    let since = offSince ?? now
    offSince = since
    return now.less(since) >= timeout ? .offForGood : .off
  }

  /// Whether a running time is not what data have that come now.
  func isOff(_ running: ClockTime, now: ClockTime, front: ClockTime, frame: ClockTime, timeout: ClockTime) -> Bool {
    // Later than before the stall by more than networks are uneven; or ahead by more than anything waits for.
    let usual = min(lag, timeout).saturating(adding: min(timeout / 2, Self.mostUneven)).saturating(adding: frame).saturating(adding: frame)
    return now.less(running) > usual || front.less(running) > timeout || running.less(max(now, front)) > timeout
  }

  private static var mostUneven: ClockTime { 250_000_000 }

  /// Moves times so that a running time, as the source says it, becomes one that fits the clock and does not lie before `front`.
  mutating func move(_ own: ClockTime, now: ClockTime, front: ClockTime, timeout: ClockTime) {
    shift = TimeOffset(from: own, to: max(front, now.less(min(lag, timeout))))
  }

  /// Data pass.
  mutating func pass(at running: ClockTime, now: ClockTime, isRight: Bool) {
    if isRight { (isDoubted, offSince) = (false, nil) }
    if !isDoubted { lag = now.less(running) }
  }
}
