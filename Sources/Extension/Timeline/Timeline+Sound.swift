import Timing

/// The sound beside the picture.
extension Timeline {
  /// What becomes of samples.
  public enum SoundArrival: Sendable {
    case passes(PassingSound)
    case dropped
    /// The stream had to end before.
    case ended
  }

  /// How samples leave.
  public struct PassingSound: Sendable {
    /// What leaves before them.
    public var departures: [Leaving]
    /// How many of the first were made already.
    public var skipped = 0
    /// By how much their times are moved.
    public var shift: TimeOffset
    /// They are moved from here on: the source was back with times that are off for good.
    public var isFirstMoved = false
  }

  /// Samples come; nil if they have to wait.
  ///
  /// - Parameters:
  ///   - pts, duration: as they say.
  ///   - size: bytes.
  ///   - now: running time by the clock.
  ///   - last: the last so many bytes of them.
  public mutating func arriveSound(
    pts: ClockTime?, duration: ClockTime?, size: Int, now: ClockTime, _ settings: TimelineSettings, last: (Int) -> [UInt8]
  ) -> SoundArrival? {
    if holdsEnd(of: .sound) || isSoundOver { return .ended }
    var skipped = 0
    let before = sound.clock.shift
    guard let place = place(sound: pts, now: now, settings) else { return .dropped }
    if let running = place.running {
      if let insertion = insertions.first, running >= insertion.start {
        // Inserted shots have sound of their own; this comes after it.
        if sound.insertion == nil { sound.insertion = sound.front ?? running }
        sound.isWaiting = true
        return nil
      }
      if let run, run.kind == .cover(untilBack: false), running >= run.start { return .dropped }
      if sound.isCovered, let front = sound.front, let format = sound.format {
        if running < front { skipped = Int(clamping: format.samples(in: front - running)) }
        if skipped >= size / format.bytesPerFrame {
          // It is back: no more is made in its place, and it goes on there.
          sound.arrival = now
          return .dropped
        }
        sound.uncover()
      }
      sound.clock.pass(at: running, now: now, isRight: place.isRight)
    }
    // A flush of the picture may have taken what it waited for.
    (sound.isWaiting, sound.insertion) = (false, nil)
    (sound.arrival, sound.generatedEnd, generated) = (now, nil, nil)
    let most = sound.kept(for: settings.sound)
    if most > 0, let width = sound.format?.bytesPerFrame {
      let taken = min(size / width * width, most)
      if taken > 0 { sound.remember(last(taken), most: most) }
    }
    if let pts = place.pts {
      let length = duration ?? sound.format.map { $0.time(of: Int64(size / $0.bytesPerFrame)) } ?? 0
      sound.next = pts.saturating(adding: length)
    }
    let shift = sound.clock.shift
    if shift != before { sound.movedFrom = place.running ?? sound.movedFrom }
    return .passes(
      PassingSound(departures: takePending(.sound), skipped: skipped, shift: shift, isFirstMoved: shift != before && shift.amount > 0))
  }

  /// One piece of generated sound.
  public enum SoundPiece: Sendable {
    case leaves(Leaving)
    /// So many samples from this time stamp on. `after`: what the stream ended with, where they begin to follow it.
    case samples(Int, at: ClockTime, after: [UInt8]?)
    /// There are no samples from this time stamp on.
    case gap(ClockTime, duration: ClockTime)
    /// Nothing leaves, but what waits may go on: others have to look again.
    case lookAgain
  }

  /// Up to where sound may go.
  private struct Limit {
    /// Running time.
    var end: ClockTime
    /// That is all of it.
    var isWhole = false
    /// How much later the sound is than the shots that it is for; nil where it is for none.
    var late: ClockTime?
  }

  /// The next piece of generated sound; nil if there is none now.
  ///
  /// - Parameter supply: what is known of the shots that follow; nil if nothing is generated.
  public mutating func nextSound(_ settings: TimelineSettings, _ supply: (any ShotSupply)?) -> SoundPiece? {
    guard !isSoundOver else { return nil }
    // Before a stream has begun there is nothing to go on with.
    guard sound.isBegun else { return endSound() }
    if !holdsEnd(of: .sound), let start = sound.insertion, let insertion = insertions.first,
      finishInsertedSound(insertion, at: start, settings, supply)
    {
      return .lookAgain
    }
    guard let limit = soundLimit(settings, supply) else { return nil }
    // A segment that is closed would cut generated sound off.
    if let open = sound.segment.opened {
      sound.segment = open
      return .leaves(.segment(sound.shifted, inPlaceOf: nil))
    }
    let start = sound.next ?? sound.segment.start
    let front = sound.shifted.runningTime(of: start) ?? 0
    guard front < limit.end else { return limit.isWhole ? endSound() : nil }
    let left = limit.end - front
    guard settings.sound != .gap, let format = sound.format else {
      // Without samples, or a format for them.
      let duration = min(left, picture.frameDuration)
      sound.next = start.saturating(adding: duration)
      sound.generatedEnd = limit.late.flatMap { late in sound.front.map { $0.less(late) } }
      return .gap(start, duration: duration)
    }
    // Short enough that a muxer always finds some behind the picture that it waits for.
    let most = max(1, Int(clamping: format.samples(in: min(picture.frameDuration / 2, 20_000_000))))
    let count = min(most, Int(clamping: format.samples(in: left)))
    guard count > 0 else { return limit.isWhole ? endSound() : nil }
    let isFirst = generated == nil
    if isFirst { keepLastShot(format) }
    let run = generated ?? (start, 0)
    generated = (run.start, run.count &+ Int64(count))
    sound.next = run.start.saturating(adding: format.time(of: run.count &+ Int64(count)))
    sound.generatedEnd = limit.late.flatMap { late in sound.front.map { $0.less(late) } }
    return .samples(count, at: start, after: isFirst ? sound.recent : nil)
  }

  private mutating func soundLimit(_ settings: TimelineSettings, _ supply: (any ShotSupply)?) -> Limit? {
    let frame = picture.frameDuration
    if holdsEnd(of: .sound) {
      if isPictureOver { return Limit(end: picture.front, isWhole: true) }
      // What was shown when it came is over, and the source goes on without sound.
      if run == nil, !settings.triggers.contains(.eos), !holdsEnd(of: .video) { return Limit(end: 0, isWhole: true) }
      if isLastRun(settings) {
        let reach = reach(settings, supply)
        return Limit(
          end: max(reach.known, picture.front.saturating(adding: reach.isAll ? 0 : frame)), isWhole: reach.isAll, late: 0)
      }
      if case .cover? = run?.kind { return Limit(end: picture.front.saturating(adding: frame)) }
      // The source, or what follows its end, goes on behind what is inserted.
      return Limit(end: picture.front.saturating(adding: isLast ? frame : Self.mostAhead))
    }
    if let start = sound.insertion, let insertion = insertions.first {
      return Limit(
        end: start.saturating(adding: length(of: insertion, reach(settings, supply).known)), late: start.less(insertion.start))
    }
    // Of a stall the sound's own counts: it may go on when the picture does not.
    if case .cover(let untilBack)? = run?.kind,
      !untilBack || picture.departure >= sound.arrival.saturating(adding: settings.stallTimeout)
    {
      sound.cover()
      return Limit(end: picture.front.saturating(adding: frame))
    }
    return nil
  }

  /// How long inserted shots are, as far as that is known.
  private func length(of insertion: Insertion, _ known: ClockTime) -> ClockTime {
    insertion.length ?? known.less(insertion.start)
  }

  /// Whether inserted shots have all of their sound: then what waited goes on, later by that.
  private mutating func finishInsertedSound(
    _ insertion: Insertion, at start: ClockTime, _ settings: TimelineSettings, _ supply: (any ShotSupply)?
  ) -> Bool {
    let reach = reach(settings, supply)
    let length = length(of: insertion, reach.known)
    guard insertion.length != nil || reach.isAll, (sound.front ?? start) >= start.saturating(adding: length) else { return false }
    if insertion.length == nil { run?.settledEnd = insertion.start.saturating(adding: length) }
    sound.movedFrom = sound.front ?? start
    sound.inserted = sound.inserted.saturating(adding: length)
    insertions.removeFirst()
    (sound.insertion, sound.isWaiting) = (nil, false)
    waiting[StreamLane.sound.rawValue].pending.insert(.segment(sound.shifted, inPlaceOf: nil), at: 0)
    // The times that follow are the source's again.
    sound.next = sound.next.map { $0.less(length) }
    generated = nil
    return true
  }

  /// How far the picture will go for certain, half a second beyond what it has shown at most, in running time; and whether that is
  /// all of it.
  ///
  /// Muxers take some of each stream in turns and wait for it, mp4mux a quarter of a second: sound that waited for the picture
  /// frame by frame would wait for ever. For the same reason it ends when the picture's end is known, not when it is there.
  private func reach(_ settings: TimelineSettings, _ supply: (any ShotSupply)?) -> (known: ClockTime, isAll: Bool) {
    let most = picture.front.saturating(adding: Self.mostAhead)
    // Generated shots will follow what passes.
    guard let run else { return (settings.shots == 0 ? picture.front : most, false) }
    guard let planned = picture.planned, let supply else { return (picture.front, false) }
    var following = supply.following
    if run.isToEnd {
      // Into which shot it has gone already, that one is shown too.
      let beyond = (sound.generatedEnd ?? 0).less(planned.saturating(adding: picture.frameDuration))
      following = (supply.following(lasting: beyond), true)
    }
    let end = max(planned.saturating(adding: following.ready), picture.front)
    // Where the source goes on, its sound has to be in its place to the frame; durations of shots that are to come are not.
    let isExact = following.ready == 0 || run.kind == .tail
    return (min(end, most), isExact && following.isAll && end <= most)
  }

  /// By how much sound runs ahead of the picture at most.
  private static var mostAhead: ClockTime { 500_000_000 }

  /// Whether nothing follows the shots that are shown, or are to be.
  private func isLastRun(_ settings: TimelineSettings) -> Bool {
    guard let run else { return true }
    return run.kind == .tail || (!settings.triggers.contains(.eos) && (holdsEnd(of: .video) || run.kind == .insert))
  }

  /// The end of the stream, when it is time for it.
  private mutating func endSound() -> SoundPiece? {
    guard let end = takeEnd(.sound) else { return nil }
    isSoundOver = true
    let settled = sound.generatedEnd ?? picture.front
    run?.settledEnd = settled
    return .leaves(end)
  }

  /// The end of sound that downstream takes no more of.
  public mutating func takeRefusedSoundEnd() -> Leaving? {
    guard let end = takeEnd(.sound) else { return nil }
    isSoundOver = true
    return end
  }

  /// A loop is of the last shot's sound, unless that is hardly any.
  private mutating func keepLastShot(_ format: SoundFormat) {
    guard let front = sound.front, front > picture.shotStart else { return }
    let samples = min(
      max(format.samples(in: front - picture.shotStart), format.samples(in: 1_000_000_000)), format.samples(in: 10_000_000_000))
    let bytes = Int(clamping: samples) &* format.bytesPerFrame
    let extra = sound.recent.count - bytes
    if extra > 0 { sound.recent.removeFirst(extra) }
  }
}
