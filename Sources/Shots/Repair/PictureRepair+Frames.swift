import Pixels
import Timing

/// What becomes of a frame that is decided.
extension PictureRepair {
  mutating func leave(_ held: Held) throws {
    if let start = held.time.runningTime { decided = start.saturating(adding: held.time.duration ?? frameDuration) }
    guard let streamTime = held.time.streamTime, var transition = plan.transition(at: streamTime) else { return leaveClean(held) }
    if !transition.isMeasured {
      widenForwards(transition)
      transition = plan.transition(at: streamTime) ?? transition
    }
    switch mode {
    case .cut: remove(held)
    case .restore where transition.boundary.kind == .fade: try restore(held, transition, streamTime)
    case .hold, .restore: hold(held, isOld: transition.isOld(streamTime))
    }
  }

  // MARK: Extents of fades

  /// Has the newest transition begin where its fade does, as far as it is held. What cannot be read is left as it is: it
  /// is an error later, where it is needed.
  mutating func widenBackwards(_ boundary: Boundary) {
    guard boundary.kind == .fade, let start = plan.transitions.last?.start else { return }
    var frames: [Held] = []
    for item in items.reversed() where frames.count < FadeExtent.most + 3 {
      guard case .frame(let held) = item else { continue }
      if held.time.streamTime.map({ $0 <= start }) == true { frames.append(held) }
    }
    if let widened = clean(of: frames, boundary) { plan.widen(start: widened) }
  }

  /// Has a transition end where its fade does. To be called once it is held whole.
  private mutating func widenForwards(_ transition: TransitionPlan.Transition) {
    var frames: [Held] = []
    for item in items {
      if item.isBarrier || frames.count >= FadeExtent.most + 3 { break }
      if case .frame(let held) = item, let time = held.time.streamTime, time >= transition.end ?? .max { frames.append(held) }
    }
    plan.widen(start: transition.start, end: clean(of: frames, transition.boundary))
  }

  /// Stream time of the first of these frames that is clean, going away from a fade; nil if there is nothing to tell.
  private func clean(of frames: [Held], _ boundary: Boundary) -> ClockTime? {
    guard let color = boundary.color, frames.count > 2 else { return nil }
    let distances = frames.compactMap { try? pictures.look(at: $0.frame).mean }.map { color == .white ? 1 - $0 : $0 }
    return distances.count == frames.count ? frames[FadeExtent.frames(distances)].time.streamTime : nil
  }

  // MARK: Clean frames, and those that are not

  private mutating func leaveClean(_ held: Held) {
    if let pts = held.time.pts, let running = held.time.runningTime { endRemoval(pts: pts, running: running) }
    releasePictures()
    // Held only where it is needed: downstream could not write into it otherwise.
    if mode != .cut, case .frame(let next)? = items.first, plan.transition(at: next.time.streamTime) != nil { clean = held.frame }
    depart(held)
  }

  /// Frames that are being taken out.
  struct Removal {
    var pts, running: ClockTime
    /// Where the last of them ends.
    var ptsEnd, runningEnd: ClockTime
  }

  private mutating func remove(_ held: Held) {
    if let pts = held.time.pts, let running = held.time.runningTime {
      let length = held.time.duration ?? frameDuration
      if removal == nil { removal = Removal(pts: pts, running: running, ptsEnd: pts, runningEnd: running) }
      removal?.ptsEnd = pts.saturating(adding: length)
      removal?.runningEnd = running.saturating(adding: length)
    }
    // The sound up to here is decided, and no further until the picture is back.
    if let removal { decided = removal.running }
    counts.removed &+= 1
  }

  /// The picture is back at these times.
  mutating func endRemoval(pts: ClockTime, running: ClockTime) {
    guard let removal else { return }
    self.removal = nil
    let stretch = RemovedStretch(start: removal.running, end: running)
    ready.append(.removed(stretch))
    removed = removed.saturating(adding: stretch.length)
    shift = shift.saturating(adding: pts.less(removal.pts))
  }

  mutating func releasePictures() { (clean, fade) = (nil, nil) }

  /// The first clean frame that is held.
  private var firstClean: Frame? {
    for item in items {
      if item.isBarrier { return nil }
      if case .frame(let held) = item, plan.transition(at: held.time.streamTime) == nil { return held.frame }
    }
    return nil
  }

  private mutating func hold(_ held: Held, isOld: Bool) { replace(held, isOld ? clean ?? firstClean : firstClean ?? clean) }

  /// - Parameter picture: what is shown instead; nil: nothing is there.
  private mutating func replace(_ held: Held, _ picture: Frame?) {
    if picture != nil { counts.replaced &+= 1 }
    depart(held, picture: picture)
  }

  // MARK: Fades

  private mutating func restore(_ held: Held, _ transition: TransitionPlan.Transition, _ streamTime: ClockTime) throws {
    if fade == nil { try planFade(transition, from: held) }
    guard let run = fade else { return hold(held, isOld: transition.isOld(streamTime)) }
    if let gain = run.gains[held.number] {
      let ahead = held.number == run.firstOfNew ? run.first : nil
      var restored = held
      restored.frame = try ahead ?? pictures.restored(held.frame, gain: gain, color: run.color)
      fade?.shown = restored.frame
      counts.restored &+= 1
      return depart(restored)
    }
    if held.number < run.split { return replace(held, run.shown ?? clean ?? firstClean) }
    // Too faint to be restored: shows the first one of its shot that can be.
    if run.first == nil, let number = run.firstOfNew, let gain = run.gains[number], let source = frame(number) {
      let first = try pictures.restored(source, gain: gain, color: run.color)
      fade?.first = first
    }
    replace(held, fade?.first ?? firstClean ?? clean)
  }

  /// Looks at all frames of a fade; leaves `fade` nil if its end is not there or nothing clean is beside it.
  private mutating func planFade(_ transition: TransitionPlan.Transition, from head: Held) throws {
    guard let clean, let firstClean else { return }
    var frames = [head]
    for case .frame(let held) in items {
      guard plan.transition(at: held.time.streamTime)?.start == transition.start else { break }
      frames.append(held)
    }
    let run = FadeRun<Frame>(
      color: transition.boundary.color, before: try pictures.look(at: clean), after: try pictures.look(at: firstClean),
      frames: try frames.map { ($0.number, try pictures.look(at: $0.frame)) }, maxGain: maxGain)
    fade = run
    if let place = frames.first(where: { $0.number >= run.split })?.time.streamTime { plan.move(start: transition.start, middle: place) }
  }

  private func frame(_ number: UInt64) -> Frame? {
    for case .frame(let held) in items where held.number == number { return held.frame }
    return nil
  }
}
