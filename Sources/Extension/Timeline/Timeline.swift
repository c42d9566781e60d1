import Shots
import Timing

/// What becomes of a stream that generated shots follow, cover or are put into: what passes, what waits, what is dropped, when an
/// extension begins, how long its sound is, and what ends when.
///
/// It takes arrivals and says what is to leave; whoever has it moves the buffers. It knows neither threads nor clocks: where a
/// decision depends on the time, that is handed in, in running time. Frames that pass keep their times, but for shots that were
/// inserted, by which running times are later.
///
/// - `Event`: an event of the stream, kept in its place.
/// - `Kept`: what is kept of the frame that passed last, for whoever goes on from it.
///
/// Not thread-safe. Times are nanoseconds.
public struct Timeline<Event: Sendable, Kept: Sendable, Segment: StreamSegment>: Sendable {
  /// What this stream's events and segments leave as.
  public typealias Leaving = Departure<Event, Segment>

  /// Where the picture's stream is.
  enum Phase: Sendable {
    /// The source's frames pass.
    case passing
    /// An extension has the stream.
    case extending(ExtensionRun)
    /// An extension is over, and the source's next frame that is not covered goes on.
    case returning
    /// Everything has left.
    case ended
  }

  /// What of a lane waits.
  struct Waiting: Sendable {
    /// Serialized events that came while others have the stream.
    var pending: [Leaving] = []
    /// The end of the stream, held back.
    var end: Leaving?
  }

  /// Shots between two frames of the source, for the sound.
  struct Insertion: Sendable {
    /// Running time at which they begin, with those before them counted.
    var start: ClockTime
    /// nil while they go on.
    var length: ClockTime?
  }

  /// By name of whom boundaries are told that are not the source's.
  let detector: String
  var phase = Phase.passing
  var request = ExtensionRequest.none
  /// The boundary that `cut` waits for has come.
  var hasCut = false
  /// What follows the end, or would, is to be no more than the shot that is shown.
  var isLast = false
  /// The picture's stream as it left.
  public internal(set) var picture = PictureLine<Kept, Segment>()
  /// The sound's stream as it left.
  public internal(set) var sound = SoundLine<Segment>()
  /// The picture's segment that downstream has, while an extension goes on: another one may have come.
  var extended = Segment()
  var waiting = [Waiting(), Waiting()]
  /// The sound's end has left.
  var isSoundOver = false
  /// Inserted shots that the sound has not come to.
  var insertions: [Insertion] = []
  /// Generated sound, while it goes on: where it began and how many samples there are.
  var generated: (start: ClockTime, count: Int64)?

  /// - Parameter detector: what boundaries are told by that an extension makes.
  public init(detector: String) { self.detector = detector }

  /// The extension that goes on.
  public internal(set) var run: ExtensionRun? {
    get { if case .extending(let run) = phase { run } else { nil } }
    set { if let newValue { phase = .extending(newValue) } }
  }

  /// The picture's stream is over and everything of it has left.
  public var isPictureOver: Bool { if case .ended = phase { true } else { false } }

  /// Whether the end of a lane is held back.
  public func holdsEnd(of lane: StreamLane) -> Bool { waiting[lane.rawValue].end != nil }

  /// Whether everything of a lane has left: what follows is another stream.
  public func isOver(_ lane: StreamLane) -> Bool { lane == .video ? isPictureOver : isSoundOver }

  /// Nothing can follow the frames of a stream that plays backwards.
  public var isForward: Bool { picture.segment.isForward }

  /// Forgets what came, after a flush or before another stream; the caps and the segment are known still.
  public mutating func reset(_ lane: StreamLane) {
    waiting[lane.rawValue] = Waiting()
    switch lane {
    case .video:
      let (rate, segment, hasCaps) = (picture.rate, picture.segment, picture.hasCaps)
      picture = PictureLine()
      (picture.rate, picture.segment, picture.hasCaps) = (rate, segment, hasCaps)
      (phase, request, hasCut, isLast) = (.passing, .none, false, false)
      insertions.removeAll()
    case .sound:
      let (format, segment) = (sound.format, sound.segment)
      sound = SoundLine()
      (sound.format, sound.segment) = (format, segment)
      generated = nil
      isSoundOver = false
    }
  }

  /// What came while others had the stream.
  mutating func takePending(_ lane: StreamLane) -> [Leaving] {
    defer { waiting[lane.rawValue].pending.removeAll() }
    return waiting[lane.rawValue].pending
  }

  mutating func takeEnd(_ lane: StreamLane) -> Leaving? {
    defer { waiting[lane.rawValue].end = nil }
    return waiting[lane.rawValue].end
  }

  // MARK: Events

  /// What becomes of a serialized event.
  public enum Received: Sendable {
    /// These leave at once.
    case leaves([Leaving])
    /// It waits until the stream goes on.
    case waits
    /// An end of stream is held back: there may be something to show now.
    case endsHeld
    /// It is of no use any more: the stream had to end before.
    case dropped
  }

  /// A serialized event comes.
  ///
  /// - Parameters:
  ///   - takesMore: whether downstream still takes what is sent on this lane.
  ///   - hasVideo: whether there is a picture that the sound could be beside.
  public mutating func receive(
    _ event: Event, _ kind: StreamEvent<Segment>, _ lane: StreamLane, _ settings: TimelineSettings, takesMore: Bool, hasVideo: Bool
  ) -> Received {
    var leaving = Leaving.event(event)
    switch kind {
    case .streamStart:
      // What follows an end has times of its own.
      if isOver(lane) { reset(lane) }
    case .segment(let segment):
      if lane == .video {
        // Times that mean something else are not to be moved as those before.
        if !segment.continues(picture.segment) { picture.clock.shift = TimeOffset() }
        (picture.segment, picture.isBegun) = (segment, true)
        picture.next = nil
        leaving = .segment(picture.shifted, inPlaceOf: event)
      } else {
        if !segment.continues(sound.segment) { sound.clock.shift = TimeOffset() }
        (sound.segment, sound.isBegun) = (segment, true)
        (sound.next, generated) = (nil, nil)
        leaving = .segment(sound.shifted, inPlaceOf: event)
      }
    case .videoCaps(let rate, let isKnown):
      if isKnown { (picture.rate, picture.hasCaps) = (rate, true) }
      picture.kept = nil
    case .soundCaps(let format):
      sound.format = format
      sound.recent.removeAll()
      generated = nil
    case .gap(let end):
      let shift = lane == .video ? picture.clock.shift : sound.clock.shift
      if shift.amount > 0 { leaving = .moved(event, by: shift) }
      if lane == .sound, let end { (sound.next, generated) = (shift.moved(end), nil) }
    case .endOfStream where holdsEnd(of: lane) || isOver(lane): return .dropped
    case .endOfStream where settings.triggers.contains(.eos) && isForward && takesMore && (lane == .video || hasVideo):
      waiting[lane.rawValue].end = leaving
      // The source will not be back.
      if lane == .video, run?.kind == .cover(untilBack: true) { run?.kind = .tail }
      return .endsHeld
    case .endOfStream where lane == .video:
      // Whatever goes on ends here.
      run?.isToEnd = true
      if run != nil {
        waiting[lane.rawValue].end = leaving
        return .waits
      }
      phase = .ended
    case .endOfStream where run != nil && takesMore && hasVideo:
      // What is shown has its sound to its end.
      waiting[lane.rawValue].end = leaving
      return .endsHeld
    case .endOfStream: isSoundOver = true
    case .other: break
    }
    // What nobody takes need not wait for what nobody makes.
    if lane == .video ? run != nil : sound.isWaiting && takesMore {
      waiting[lane.rawValue].pending.append(leaving)
      return .waits
    }
    return .leaves(takePending(lane) + [leaving])
  }

  /// Another stream follows: what the one before is extended by comes to its end first, with the shot that is shown.
  public mutating func endWithShownShot() {
    guard holdsEnd(of: .video) else { return }
    isLast = true
    run?.isToEnd = true
  }

  /// The stream ends though its source does not.
  public mutating func endEarly() {
    run?.kind = .tail
    for lane in StreamLane.allCases where !holdsEnd(of: lane) && (lane == .video || sound.format != nil && !isSoundOver) {
      waiting[lane.rawValue].end = .endOfStream
    }
  }

  // MARK: Asked for

  /// What becomes of shots that an application asks for.
  public enum Answer: Hashable, Sendable {
    /// Nothing comes behind the last shot of a stream, or of one that plays backwards.
    case refused
    /// The extension that goes on gets them, behind what its plan has.
    case goesOn(AskedShots)
    /// The extension that begins just now gets them.
    case goesOnLater
    /// They begin as soon as they can.
    case taken
  }

  /// An application asks for shots.
  public mutating func ask(_ shots: Int, prompts: [String]?, _ settings: TimelineSettings) -> Answer {
    guard !isPictureOver, isForward else { return .refused }
    if let run, run.canGrow {
      // The extension that runs goes on for longer. The sound must not find its end before that.
      guard case .starting(let more) = run.stage else { return .goesOn(AskedShots(shots: shots, prompts: prompts)) }
      self.run?.stage = .starting(more: AskedShots(shots: shots, prompts: prompts, after: more))
      return .goesOnLater
    }
    if run?.kind == .tail { return .refused }
    let asked = AskedShots(shots: shots, prompts: prompts, after: request.asked)
    let waitsForCut = if case .atNextCut = request { true } else { settings.triggers.contains(.cut) }
    request = waitsForCut ? .atNextCut(asked) : .due(asked)
    return .taken
  }

  /// The extension ends with the shot that is shown, and none that was asked for begins.
  public mutating func stopExtension() {
    if run != nil { run?.isToEnd = true } else { request = .none }
    // What follows an end that has come already is not to begin.
    if holdsEnd(of: .video) { isLast = true }
  }
}
