import CGStreamer
import GStreamerKit
import Shots
import Timing

/// What becomes of a frame that is decided.
extension VideoRepair {
  mutating func leave(_ frame: Frame) throws {
    if let start = frame.time.runningTime { decided = start &+ (frame.time.duration ?? frameDuration) }
    guard let streamTime = frame.time.streamTime, var transition = plan.transition(at: streamTime) else { return leaveClean(frame) }
    if !transition.isMeasured {
      widenForwards(transition)
      transition = plan.transition(at: streamTime) ?? transition
    }
    switch mode {
    case .cut: remove(frame)
    case .restore where transition.boundary.kind == .fade: try restore(frame, transition, streamTime)
    case .hold, .restore: hold(frame, isOld: transition.isOld(streamTime))
    }
  }

  // MARK: Extents of fades

  /// Has the newest transition begin where its fade does, as far as it is held. What cannot be read is left as it is: it
  /// is an error later, where it is needed.
  mutating func widenBackwards(_ boundary: Boundary) {
    guard boundary.kind == .fade, let start = plan.transitions.last?.start else { return }
    var frames: [Frame] = []
    for item in items.reversed() where frames.count < FadeExtent.most + 3 {
      guard case .frame(let frame) = item else { continue }
      if frame.time.streamTime.map({ $0 <= start }) == true { frames.append(frame) }
    }
    if let widened = clean(of: frames, boundary) { plan.widen(start: widened) }
  }

  /// Has a transition end where its fade does. To be called once it is held whole.
  mutating func widenForwards(_ transition: TransitionPlan.Transition) {
    var frames: [Frame] = []
    search: for item in items where frames.count < FadeExtent.most + 3 {
      switch item {
      case .barrier, .event(_, true): break search
      case .event: continue
      case .frame(let frame): if let time = frame.time.streamTime, time >= transition.end ?? .max { frames.append(frame) }
      }
    }
    plan.widen(start: transition.start, end: clean(of: frames, transition.boundary))
  }

  /// Stream time of the first of these frames that is clean, going away from a fade; nil if there is nothing to tell.
  private func clean(of frames: [Frame], _ boundary: Boundary) -> ClockTime? {
    guard let color = boundary.color, frames.count > 2, let info, let repair = try? FadeRepair(info, maxGain: maxGain) else { return nil }
    let distances = frames.compactMap { try? repair.look(at: $0.buffer).mean }.map { color == .white ? 1 - $0 : $0 }
    return distances.count == frames.count ? frames[FadeExtent.frames(distances)].time.streamTime : nil
  }

  // MARK: Clean frames, and those that are not

  mutating func leaveClean(_ frame: Frame) {
    if let pts = frame.time.pts, let running = frame.time.runningTime { endRemoval(pts: pts, running: running) }
    releasePictures()
    // Held only where it is needed: downstream could not write into it otherwise.
    if case .frame(let next)? = items.first, plan.transition(at: next.time.streamTime) != nil { clean = gst_buffer_ref(frame.buffer) }
    depart(frame.buffer, frame)
  }

  mutating func remove(_ frame: Frame) {
    if let pts = frame.time.pts, let running = frame.time.runningTime {
      let length = frame.time.duration ?? frameDuration
      if removal == nil { removal = Removal(pts: pts, running: running, ptsEnd: pts, runningEnd: running) }
      removal?.ptsEnd = pts &+ length
      removal?.runningEnd = running &+ length
    }
    // The sound up to here is decided, and no further until the picture is back.
    if let removal { decided = removal.running }
    readings.removed &+= 1
    gst_buffer_unref(frame.buffer)
  }

  mutating func endRemoval(pts: ClockTime, running: ClockTime) {
    guard let removal else { return }
    self.removal = nil
    stretches.append(RemovedStretch(start: removal.running, end: running))
    removed &+= running - min(running, removal.running)
    shift &+= pts - min(pts, removal.pts)
  }

  mutating func releasePictures() {
    if let clean { gst_buffer_unref(clean) }
    clean = nil
    fade?.release()
    fade = nil
  }

  /// The first clean frame that is held.
  var firstClean: UnsafeMutablePointer<GstBuffer>? {
    for item in items {
      switch item {
      case .barrier, .event(_, true): return nil
      case .event: continue
      case .frame(let frame): if plan.transition(at: frame.time.streamTime) == nil { return frame.buffer }
      }
    }
    return nil
  }

  mutating func hold(_ frame: Frame, isOld: Bool) { replace(frame, isOld ? clean ?? firstClean : firstClean ?? clean) }

  /// - Parameter picture: what is shown instead; nil: nothing is there.
  mutating func replace(_ frame: Frame, _ picture: UnsafeMutablePointer<GstBuffer>?) {
    guard let picture, let made = cgst_buffer_with_picture(frame.buffer, picture) else { return depart(frame.buffer, frame) }
    Marks.transition.removeAll(from: made)
    gst_buffer_unref(frame.buffer)
    readings.replaced &+= 1
    depart(made, frame)
  }

  // MARK: Fades

  mutating func restore(_ frame: Frame, _ transition: TransitionPlan.Transition, _ streamTime: ClockTime) throws {
    if fade == nil { try planFade(transition, from: frame) }
    guard let run = fade else { return hold(frame, isOld: transition.isOld(streamTime)) }
    if let gain = run.gains[frame.number] {
      let made = try run.ahead(frame.number) ?? run.restored(frame.buffer, gain)
      fade?.show(made)
      gst_buffer_unref(frame.buffer)
      readings.restored &+= 1
      return depart(made, frame)
    }
    if frame.number < run.split { return replace(frame, run.shown ?? clean ?? firstClean) }
    // Too faint to be restored: shows the first one of its shot that can be.
    if run.first == nil, let number = run.firstOfNew, let gain = run.gains[number], let source = held(number) {
      fade?.first = try run.restored(source, gain)
    }
    replace(frame, fade?.first ?? firstClean ?? clean)
  }

  /// Looks at all frames of a fade; leaves `fade` nil if its end is not there or nothing clean is beside it.
  mutating func planFade(_ transition: TransitionPlan.Transition, from head: Frame) throws {
    guard let info = leavingInfo, let clean, let firstClean else { return }
    var frames = [head]
    for case .frame(let frame) in items {
      guard plan.transition(at: frame.time.streamTime)?.start == transition.start else { break }
      frames.append(frame)
    }
    let run = try FadeRun(
      FadeRepair(info, maxGain: maxGain), maxGain: maxGain, color: transition.boundary.color, before: clean, after: firstClean,
      frames: frames.map { ($0.number, $0.buffer) })
    fade = run
    if let place = frames.first(where: { $0.number >= run.split })?.time.streamTime { plan.move(start: transition.start, middle: place) }
  }

  func held(_ number: UInt64) -> UnsafeMutablePointer<GstBuffer>? {
    for case .frame(let frame) in items where frame.number == number { return frame.buffer }
    return nil
  }
}
