import Timing

/// The sound's stream as it left.
public struct SoundLine<Segment: StreamSegment>: Sendable {
  /// As upstream sent it.
  var segment = Segment()
  /// It has come: before that nothing can leave.
  var isBegun = false
  /// nil until its caps are known.
  public internal(set) var format: SoundFormat?
  /// Time stamp at which the last sample ended.
  var next: ClockTime?
  /// The last bytes, up to ten seconds.
  var recent: [UInt8] = []
  var inserted: ClockTime = 0
  /// Running time by the clock when the last buffer came.
  var arrival: ClockTime = 0
  /// Running time up to which shots have their sound, while it is generated for them.
  var generatedEnd: ClockTime?
  /// A buffer waits until inserted shots have their sound.
  var isWaiting = false
  /// Running time at which the sound of inserted shots begins.
  var insertion: ClockTime?
  /// What was generated is in the place of what comes.
  private(set) var isCovered = false
  /// Running time from which on the source's times are moved as they are now.
  var movedFrom: ClockTime = 0
  /// What is known of the source's times.
  var clock = SourceClock()

  init() {}

  /// The segment that downstream has.
  var shifted: Segment { segment.later(by: inserted) }

  /// Running time at which it ends.
  var front: ClockTime? { next.flatMap { shifted.runningTime(of: $0) } }

  /// Generated sound is put in the place of what does not come.
  mutating func cover() {
    if !isCovered { clock.doubt() }
    isCovered = true
  }

  /// What comes goes on.
  mutating func uncover() { isCovered = false }

  /// Seconds that a loop is made of at most.
  static var longestLoop: Double { 10 }

  /// How much of the end is kept, in bytes; 0 if none is needed.
  func kept(for sound: TimelineSettings.Sound) -> Int {
    guard sound != .gap, let format else { return 0 }
    let seconds = sound == .loop ? Self.longestLoop : SoundContinuation.fade
    return Int(Double(format.rate) * seconds) * format.bytesPerFrame
  }

  /// Keeps the end of what passes.
  mutating func remember(_ bytes: [UInt8], most: Int) {
    recent += bytes
    // Seldom, so that the rest need not be moved for each buffer.
    if recent.count > 2 * most { recent.removeFirst(recent.count - most) }
  }
}
