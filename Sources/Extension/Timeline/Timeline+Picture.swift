import Shots
import Timing

/// The source's frames.
extension Timeline {
  /// What becomes of a frame.
  public enum PictureArrival: Sendable {
    case passes(PassingFrame)
    case dropped
    /// The stream had to end before.
    case ended
  }

  /// What leaves with a frame.
  public struct PassingFrame: Sendable {
    /// Nanoseconds that go on with the stream.
    public var time: ClockTime
    /// Before it.
    public var departures: [Leaving] = []
    /// In the place of the one that it may carry.
    public var boundary: Boundary?
    /// The source is back after generated shots.
    public var isReturn = false
    /// By how much its times are moved.
    public var shift: TimeOffset
    /// They are moved from here on: the source was back with times that are off for good.
    public var isFirstMoved = false
  }

  /// A boundary of the source comes, before which shots may be wanted.
  ///
  /// - Returns: whether an extension is to begin with it.
  public mutating func meetBoundary(_ settings: TimelineSettings) -> Bool {
    guard case .passing = phase, picture.frames > 0, isForward else { return false }
    let waits = if case .atNextCut = request { true } else { false }
    guard waits || (settings.triggers.contains(.cut) && !hasCut) else { return false }
    hasCut = true
    request = .due(request.asked ?? AskedShots(shots: settings.shots < 0 ? 1 : nil, prompts: nil))
    return true
  }

  /// A frame comes; nil if it has to wait.
  ///
  /// - Parameters:
  ///   - pts, duration: as it says.
  ///   - marked: the boundary that it carries, if any.
  ///   - now: running time by the clock.
  ///   - keep: what is kept of it, if it passes.
  public mutating func arrive(
    pts: ClockTime?, duration: ClockTime?, marked: Boundary?, now: ClockTime, _ settings: TimelineSettings, keep: () -> Kept?
  ) -> PictureArrival? {
    if holdsEnd(of: .video) || isPictureOver { return .ended }
    picture.arrival = now
    if let run {
      guard case .cover(let untilBack) = run.kind else { return nil }
      guard untilBack else { return drop(marked) }
      return comeBack(pts, marked, now: now, settings)
    }
    let isReturning = if case .returning = phase { true } else { false }
    var place = place(picture: pts, now: now, settings)
    let isMoved = place.finding == .offForGood
    if isMoved {
      place = move(place, now: now, settings)
    } else if let running = place.running {
      if isReturning, isCovered(running) { return drop(marked) }
      // Sinks would wait for it.
      if place.finding == .off, running > max(now, picture.front) { return drop(marked) }
    }
    // The extension begins with the next frame.
    if case .due = request, picture.frames > 0 { return nil }
    picture.isStallCovered = false
    if let running = place.running { picture.clock.pass(at: running, now: now, isRight: isMoved || place.finding == .right) }
    var passing = pass(place, duration, marked, isReturn: isReturning, keep())
    passing.isFirstMoved = isMoved && place.shift.amount > 0
    return .passes(passing)
  }

  /// Generated frames have been shown for more than half of it.
  private func isCovered(_ running: ClockTime) -> Bool { running.saturating(adding: picture.frameDuration / 2) < picture.front }

  /// A frame of a source that had stalled. What was covered is over; the rest goes on as soon as the generated frames have come so
  /// far. A source without times goes on where they have come to, and so does one whose times are off for good.
  private mutating func comeBack(_ pts: ClockTime?, _ marked: Boundary?, now: ClockTime, _ settings: TimelineSettings) -> PictureArrival? {
    let place = place(picture: pts, now: now, settings)
    let front = picture.front
    guard let running = place.running else {
      run?.sourceReturn = front
      return nil
    }
    switch place.finding {
    case .right:
      // Frames that come as they are made are never ahead of generated ones: the source is back when it is near them.
      run?.sourceReturn = running
      return isCovered(running) ? drop(marked) : nil
    case .off: return drop(marked)
    case .offForGood:
      // It waits for the extension's end.
      run?.sourceReturn = front
      return nil
    }
  }

  /// Shots that upstream counts are counted with their frames gone too.
  private mutating func drop(_ marked: Boundary?) -> PictureArrival {
    picture.isRecounted = true
    if let marked { (picture.droppedMark, picture.sourceShot) = (marked, marked.shot) }
    return .dropped
  }

  private mutating func pass(
    _ place: Place, _ duration: ClockTime?, _ marked: Boundary?, isReturn: Bool, _ kept: Kept?
  ) -> PassingFrame {
    let (pts, running) = (place.pts, place.running)
    let start = running ?? picture.front
    var passing = PassingFrame(time: start, shift: place.shift)
    passing.departures = takePending(.video) + openSegment(for: pts)
    let stream = pts.flatMap { picture.shifted.streamTime(of: $0) }
    if isReturn || place.shift != picture.moved { (picture.movedFrom, picture.moved) = (start, place.shift) }
    if isReturn {
      phase = .passing
      passing.isReturn = true
      picture.shot &+= 1
      picture.sourceShot = marked?.shot ?? picture.sourceShot
      passing.boundary = Boundary(
        kind: .cut, shot: picture.shot, frame: picture.frames, pts: pts, runningTime: running, streamTime: stream,
        transitionStart: nil, transitionEnd: stream, score: 1, detector: detector)
      // Encoders tell running times by the segment before: behind a new one they take the next frame.
      let isMoved = passing.departures.contains { $0.isSegment }
      passing.departures.append(.keyUnit(pts: pts, streamTime: stream, runningTime: isMoved ? nil : running))
      picture.shotStart = start
    } else if var moved = marked ?? picture.droppedMark {
      moved.move(by: place.shift)
      if marked == nil { (moved.pts, moved.streamTime) = (pts, stream) }
      // Shots that upstream does not count come on top.
      let number = marked == nil ? picture.shot &+ 1 : moved.shot &+ (picture.shot &- picture.sourceShot)
      picture.sourceShot = moved.shot
      moved.shot = number
      moved.frame = picture.isRecounted ? picture.frames : moved.frame
      moved.runningTime = running
      picture.shot = moved.shot
      if picture.isRecounted { passing.boundary = moved }
      picture.shotStart = start
    }
    picture.droppedMark = nil
    let next = (pts ?? picture.continuation).saturating(adding: duration ?? picture.frameDuration)
    picture.next = next
    if let end = picture.shifted.runningTime(of: next) { picture.front = max(picture.front, end) }
    picture.frames &+= 1
    picture.kept = kept
    return passing
  }

  /// Downstream has taken the last frame; while it takes its time none can come.
  ///
  /// - Parameter now: running time by the clock.
  public mutating func tookFrame(now: ClockTime) { picture.arrival = now }
}
