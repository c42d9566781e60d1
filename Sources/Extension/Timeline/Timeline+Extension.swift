import Shots
import Timing

/// When an extension begins, what of it is shown, and what follows it.
extension Timeline {
  /// What an extension needs to know of the stream before it.
  public struct Beginning: Sendable {
    /// As it begins.
    public let run: ExtensionRun
    /// The stream as it left.
    public let picture: PictureLine<Kept, Segment>
    /// nil for what is set.
    public let asked: AskedShots?
    /// What leaves before it.
    public let departures: [Leaving]
  }

  /// Whether there is something to show, now or as soon as the source's frame that is pushed has left.
  ///
  /// - Parameter stalledAt: running time by the clock, if somebody watches for stalls; else nil.
  public func hasReason(isLive: Bool, stalledAt now: ClockTime?, _ settings: TimelineSettings) -> Bool {
    reason(isLive: isLive, stalledAt: now, settings) != nil
  }

  private func reason(isLive: Bool, stalledAt now: ClockTime?, _ settings: TimelineSettings) -> ExtensionRun.Kind? {
    guard !isPictureOver else { return nil }
    // What was asked for before the end comes before what follows the end.
    if case .due = request, picture.frames > 0, isForward { return isLive ? .cover(untilBack: false) : .insert }
    if holdsEnd(of: .video) { return .tail }
    guard let now, let time = stallTime(settings), now >= time else { return nil }
    return .cover(untilBack: true)
  }

  /// Running time by the clock at which the source will have stalled if no frame comes before; nil if that is not to be covered.
  public func stallTime(_ settings: TimelineSettings) -> ClockTime? {
    guard picture.frames > 0, isForward, !picture.isStallCovered else { return nil }
    return picture.arrival.map { $0.saturating(adding: settings.stallTimeout) }
  }

  /// The clock of stalls runs while the stream plays.
  public mutating func watchStalls(isPlaying: Bool, now: ClockTime) {
    if !isPlaying { picture.arrival = nil } else if picture.arrival == nil { picture.arrival = now }
  }

  /// Begins an extension if there is a reason for one. The source's frames wait, or are dropped, from here on.
  ///
  /// - Parameters:
  ///   - isLive: whether what is asked for covers the source's frames, which come at their time, or is put between them.
  ///   - hasSound: whether there is sound to be moved with the picture.
  public mutating func begin(isLive: Bool, hasSound: Bool, stalledAt now: ClockTime?, _ settings: TimelineSettings) -> Beginning? {
    guard run == nil, let kind = reason(isLive: isLive, stalledAt: now, settings) else { return nil }
    let waits = if case .atNextCut = request { true } else { false }
    let asked = waits ? nil : request.asked
    if !waits { request = .none }
    var run = ExtensionRun(kind: kind, start: picture.front, isToEnd: isLast)
    if case .returning = phase { run.isBeforeReturn = true }
    if case .cover = kind { picture.clock.doubt() }
    if kind == .insert, hasSound { insertions.append(Insertion(start: run.start)) }
    if kind == .cover(untilBack: true) { picture.isStallCovered = true }
    phase = .extending(run)
    extended = picture.shifted
    return Beginning(run: run, picture: picture, asked: asked, departures: takePending(.video))
  }

  /// The generator has its plan: what was asked for since the extension began is added to it.
  public mutating func beginShowing() -> AskedShots? {
    guard case .starting(let more)? = run?.stage else { return nil }
    run?.stage = .showing
    return more
  }

  /// Whether the extension ends with the shot that is shown.
  public var isToEnd: Bool { run?.isToEnd ?? true }

  /// Generated sound is beyond the picture, in a shot that is ready: that one is shown too.
  public var isSoundAhead: Bool {
    (run?.settledEnd ?? sound.generatedEnd).map { $0 > picture.front.saturating(adding: picture.frameDuration) } ?? false
  }

  /// Ends what can be added to the extension, or not, in one step with looking whether there is more to show.
  public mutating func leave(if isOver: Bool) -> Bool {
    if isOver { run?.stage = .leaving }
    return isOver
  }

  /// Generated frames are shown without an end of the segment, which would cut them off. nil if it has none.
  public mutating func openSegment() -> Segment? {
    guard let open = extended.opened else { return nil }
    extended = open
    // One that has come meanwhile is that of the source's frames, and stays as it is.
    if !waiting[StreamLane.video.rawValue].pending.contains(where: \.isSegment) {
      picture.segment = picture.segment.opened ?? picture.segment
    }
    return open
  }

  /// A generated shot is shown up to this running time; nil where that is open.
  public mutating func plan(until end: ClockTime?) { picture.planned = end }

  /// Whether the source goes on with, or before, a frame at this running time.
  public func isSourceBack(at running: ClockTime, duration: ClockTime) -> Bool {
    run?.sourceReturn.map { $0 <= running.saturating(adding: duration / 2) } ?? false
  }

  /// A generated frame leaves.
  ///
  /// - Parameters:
  ///   - next: time stamp at which it ends.
  ///   - end: the same in running time.
  ///   - now: running time by the clock; 0 where nobody asks it.
  ///   - shot: ordinal of the shot that begins with it; nil for the others.
  public mutating func show(until next: ClockTime, runningTime end: ClockTime, now: ClockTime, beginning shot: UInt64?) {
    picture.next = next
    picture.front = max(picture.front, end)
    picture.frames &+= 1
    picture.departure = now
    picture.isRecounted = true
    if let shot { picture.shot = shot }
  }

  /// Whether downstream takes frames.
  public enum Downstream: Sendable { case takes, refuses, flushes }

  /// The extension is over: the source has the stream again, or the end is sent.
  ///
  /// - Parameter downstream: whether it takes more. One that refuses frames still has to know of the end.
  /// - Returns: what leaves; nothing if the source goes on.
  public mutating func finish(_ beginning: Beginning, downstream: Downstream, _ settings: TimelineSettings) -> [Leaving] {
    guard let run else { return [] }
    if run.kind == .insert { finishInsertion(run, after: beginning.picture.next) }
    phase = picture.front > run.start || run.isBeforeReturn ? .returning : .passing
    // What was inserted just before the end is not the last word.
    guard downstream != .flushes, !settings.triggers.contains(.eos) || run.kind == .tail || downstream == .refuses,
      let end = takeEnd(.video)
    else { return [] }
    phase = .ended
    return takePending(.video) + [end]
  }

  /// What follows inserted shots is later by them.
  ///
  /// - Parameter next: time stamp at which the source's frames ended before them.
  private mutating func finishInsertion(_ run: ExtensionRun, after next: ClockTime?) {
    let length = picture.front.less(run.start)
    if let last = insertions.indices.last, insertions[last].length == nil { insertions[last].length = length }
    guard length > 0 else { return }
    picture.inserted = picture.inserted.saturating(adding: length)
    let lane = StreamLane.video.rawValue
    let isNew = waiting[lane].pending.contains { $0.isSegment }
    // A segment that came meanwhile was moved by the insertions before.
    waiting[lane].pending = waiting[lane].pending.map { departure in
      guard case .segment(let segment, let event) = departure else { return departure }
      return .segment(segment.later(by: length), inPlaceOf: event)
    }
    // Times go on where the source's have stopped.
    picture.next = isNew ? nil : next
    if !isNew { waiting[lane].pending.insert(.segment(picture.shifted, inPlaceOf: nil), at: 0) }
  }
}
