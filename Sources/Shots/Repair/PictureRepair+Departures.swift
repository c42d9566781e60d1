import Timing

/// What leaves, with its times and marks as the output has them.
extension PictureRepair {
  /// - Parameter picture: what it shows; nil: its own.
  mutating func depart(_ held: Held, picture: Frame? = nil) {
    let isMoved = removed > 0 && !held.boundaries.isEmpty
    let left = isMoved ? held.boundaries.map { moved($0) } : held.boundaries
    var cuts: [Boundary] = []
    if let streamTime = held.time.streamTime {
      for due in plan.leave(at: streamTime, atEnd: mode == .cut) {
        let cut = cut(of: due, on: held, streamTime)
        if due.forcesKeyUnit { ready.append(.keyUnit(cut)) }
        cuts.append(cut)
      }
      note(left: streamTime)
    }
    let isMarked = isMoved || held.isStripped || !cuts.isEmpty
    ready.append(.frame(Departure(frame: held.frame, picture: picture, earlier: shift, boundaries: isMarked ? left + cuts : nil)))
  }

  /// The cut that takes a transition's place, on the first frame after it.
  private func cut(of transition: TransitionPlan.Transition, on held: Held, _ streamTime: ClockTime) -> Boundary {
    var cut = transition.boundary
    cut.kind = .cut
    cut.color = nil
    cut.frame = UInt64(clamping: Int64(clamping: held.number).addingReportingOverflow(countedBefore).partialValue)
    (cut.pts, cut.runningTime, cut.streamTime) = (held.time.pts, held.time.runningTime, streamTime)
    cut.transitionEnd = streamTime
    cut = moved(cut)
    cut.transitionStart = lastShown
    return cut
  }

  /// A boundary as the output has it.
  private func moved(_ boundary: Boundary) -> Boundary {
    var moved = boundary
    moved.frame = boundary.frame - min(boundary.frame, counts.removed)
    moved.pts = boundary.pts?.less(shift)
    moved.runningTime = boundary.runningTime?.less(removed)
    moved.streamTime = boundary.streamTime?.less(shift)
    moved.transitionStart = boundary.transitionStart?.less(shift)
    moved.transitionEnd = boundary.transitionEnd?.less(shift)
    return moved
  }

  mutating func leave(_ event: Event, _ meaning: PictureEvent) {
    if meaning.isBarrier {
      // Nothing behind a barrier belongs to a transition before it.
      if let removal {
        if meaning == .endOfStream {
          ready.append(.removed(RemovedStretch(start: removal.running, end: nil)))
          self.removal = nil
        } else {
          endRemoval(pts: removal.ptsEnd, running: removal.runningEnd)
        }
      }
      releasePictures()
      plan.removeAll()
    }
    switch meaning {
    case .segment(let base, _, let continues):
      // Time stamps begin anew, running time does not.
      let folded = continues ? 0 : min(base, removed)
      if !continues { shift = removed - folded }
      ready.append(.segment(event, earlier: folded))
    case .gap, .keyUnit: ready.append(.event(event, earlier: TimeShift(stamps: shift, running: removed)))
    case .caps, .endOfStream, .segmentDone, .other:
      if meaning == .endOfStream { decided = .max }
      ready.append(.event(event, earlier: TimeShift()))
    }
  }
}
