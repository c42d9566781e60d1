import Shots
import Timing

/// Where what comes of a source belongs: its times are moved where they are off for good.
extension Timeline {
  /// A time stamp and what it means.
  struct Place {
    /// As the source says it.
    var own: ClockTime?
    /// As it leaves.
    var pts: ClockTime?
    /// nil outside of the segment.
    var running: ClockTime?
    var shift = TimeOffset()
    var finding = SourceClock.Finding.right
    var isRight: Bool { finding == .right }
  }

  /// Where a frame belongs.
  mutating func place(picture pts: ClockTime?, now: ClockTime, _ settings: TimelineSettings) -> Place {
    var clock = picture.clock
    defer { picture.clock = clock }
    return place(pts, now: now, picture.shifted, &clock, front: picture.front, settings)
  }

  private func place(
    _ pts: ClockTime?, now: ClockTime, _ segment: Segment, _ clock: inout SourceClock, front: ClockTime, _ settings: TimelineSettings
  ) -> Place {
    func place(_ shift: TimeOffset) -> Place {
      let moved = pts.map { shift.moved($0) }
      return Place(own: pts, pts: moved, running: moved.flatMap { running(of: $0, segment) }, shift: shift)
    }
    let (frame, timeout) = (picture.frameDuration, settings.stallTimeout)
    var found = place(clock.shift)
    guard clock.isDoubted, var running = found.running else { return found }
    // A source that was moved may be back with times that are right.
    let unmoved = place(TimeOffset())
    if clock.shift.amount > 0, let right = unmoved.running, clock.isOff(running, now: now, front: front, frame: frame, timeout: timeout),
      !clock.isOff(right, now: now, front: front, frame: frame, timeout: timeout)
    {
      (found, running, clock.shift) = (unmoved, right, TimeOffset())
    }
    found.finding = clock.look(at: running, now: now, front: front, frame: frame, timeout: timeout)
    return found
  }

  /// Also where it lies behind the segment's end: that can be opened.
  private func running(of pts: ClockTime, _ segment: Segment) -> ClockTime? {
    segment.runningTime(of: pts) ?? segment.opened?.runningTime(of: pts)
  }

  /// Moves a frame, and those that follow, to where the stream has come to.
  mutating func move(_ place: Place, now: ClockTime, _ settings: TimelineSettings) -> Place {
    guard let own = place.own, let running = running(of: own, picture.shifted) else { return place }
    var clock = picture.clock
    defer { picture.clock = clock }
    clock.move(running, now: now, front: picture.front, timeout: settings.stallTimeout)
    return moved(own, picture.shifted, &clock)
  }

  /// Before the segment's begin there is no place: then times stay as they are.
  private func moved(_ own: ClockTime, _ segment: Segment, _ clock: inout SourceClock) -> Place {
    if running(of: clock.shift.moved(own), segment) == nil { clock.shift = TimeOffset() }
    let pts = clock.shift.moved(own)
    return Place(own: own, pts: pts, running: running(of: pts, segment), shift: clock.shift)
  }

  /// A segment for a frame that was moved beyond the end of its own.
  mutating func openSegment(for pts: ClockTime?) -> [Leaving] {
    guard picture.clock.shift.amount > 0, let pts, picture.shifted.runningTime(of: pts) == nil, let open = picture.segment.opened else {
      return []
    }
    picture.segment = open
    return [.segment(picture.shifted, inPlaceOf: nil)]
  }

  /// Where samples belong; nil if they are dropped, since their times are off.
  ///
  /// Sound of a source whose picture was moved is moved with it: they stay together.
  mutating func place(sound pts: ClockTime?, now: ClockTime, _ settings: TimelineSettings) -> Place? {
    let front = sound.front ?? picture.front
    var clock = sound.clock
    defer { sound.clock = clock }
    var found = place(pts, now: now, sound.shifted, &clock, front: front, settings)
    guard found.finding != .right, let own = found.own, let ownRunning = running(of: own, sound.shifted) else { return found }
    let frame = picture.frameDuration
    let shift = picture.clock.shift
    if shift.amount > 0, shift != clock.shift, let running = running(of: shift.moved(own), sound.shifted),
      !clock.isOff(running, now: now, front: front, frame: frame, timeout: settings.stallTimeout)
    {
      clock.shift = shift
      found = moved(own, sound.shifted, &clock)
    } else if found.finding == .offForGood, !picture.clock.isOff {
      clock.move(ownRunning, now: now, front: front, timeout: settings.stallTimeout)
      found = moved(own, sound.shifted, &clock)
    } else if sound.isCovered || (found.running ?? 0) > max(now, front) {
      return nil
    }
    return found
  }
}

extension Timeline {
  /// The running time that the source has for one of downstream's, for what comes now; nil for what it did not send, or sent before its
  /// times were moved as they are.
  public func sourceTime(of running: ClockTime, _ lane: StreamLane) -> ClockTime? {
    switch lane {
    case .video:
      guard case .passing = phase, running >= picture.movedFrom else { return nil }
      return picture.moved.unmoved(running.less(picture.inserted))
    case .sound:
      guard !sound.isWaiting, !sound.isCovered, running >= sound.movedFrom else { return nil }
      return sound.clock.shift.unmoved(running.less(sound.inserted))
    }
  }
}

extension Boundary {
  /// The same at other times.
  mutating func move(by shift: TimeOffset) {
    guard shift.amount > 0 else { return }
    (pts, streamTime) = (pts.map { shift.moved($0) }, streamTime.map { shift.moved($0) })
    (transitionStart, transitionEnd) = (transitionStart.map { shift.moved($0) }, transitionEnd.map { shift.moved($0) })
  }
}
