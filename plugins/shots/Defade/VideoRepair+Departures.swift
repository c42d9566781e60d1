import CGStreamer
import GStreamerKit
import Shots
import Timing

/// What leaves, with its times and marks as the output has them.
extension VideoRepair {
  /// - Parameter buffer: taken; shown at the frame's time.
  mutating func depart(_ buffer: UnsafeMutablePointer<GstBuffer>, _ frame: Frame) {
    var buffer = buffer
    if shift > 0 {
      buffer = cgst_buffer_make_writable(buffer)
      if let pts = frame.time.pts { buffer.pointee.pts = GstClockTime(pts - min(pts, shift)) }
      if let dts = buffer.pointee.dts.valid { buffer.pointee.dts = GstClockTime(dts - min(dts, shift)) }
    }
    if frame.isMarked, removed > 0 {
      let told = Marks.boundary.all(on: buffer).compactMap { Boundary($0) }
      Marks.boundary.removeAll(from: buffer)
      for boundary in told { Marks.boundary.add(moved(boundary).structure, to: buffer) }
    }
    if let streamTime = frame.time.streamTime {
      for due in plan.leave(at: streamTime, atEnd: mode == .cut) { buffer = mark(due, on: buffer, frame, streamTime) }
      lastStreamTime = streamTime
      lastShown = streamTime - min(streamTime, shift)
    }
    ready.append(.buffer(buffer))
  }

  /// Tells the cut that takes a transition's place, on the first frame after it.
  mutating func mark(
    _ transition: TransitionPlan.Transition, on buffer: UnsafeMutablePointer<GstBuffer>, _ frame: Frame, _ streamTime: ClockTime
  ) -> UnsafeMutablePointer<GstBuffer> {
    var cut = transition.boundary
    cut.kind = .cut
    cut.color = nil
    cut.frame = UInt64(clamping: Int64(clamping: frame.number) &+ countedBefore)
    (cut.pts, cut.runningTime, cut.streamTime) = (frame.time.pts, frame.time.runningTime, streamTime)
    cut.transitionEnd = streamTime
    cut = moved(cut)
    cut.transitionStart = lastShown
    if transition.forcesKeyUnit {
      let asked = KeyUnit(pts: cut.pts, streamTime: cut.streamTime, runningTime: cut.runningTime)
      if let event = asked.event { ready.append(.event(event)) }
    }
    let marked: UnsafeMutablePointer<GstBuffer> = cgst_buffer_make_writable(buffer)
    Marks.boundary.add(cut.structure, to: marked)
    return marked
  }

  /// A boundary as the output has it.
  func moved(_ boundary: Boundary) -> Boundary {
    func earlier(_ time: ClockTime?, _ by: ClockTime) -> ClockTime? { time.map { $0 - min($0, by) } }
    var moved = boundary
    moved.frame = boundary.frame - min(boundary.frame, readings.removed)
    moved.pts = earlier(boundary.pts, shift)
    moved.runningTime = earlier(boundary.runningTime, removed)
    moved.streamTime = earlier(boundary.streamTime, shift)
    moved.transitionStart = earlier(boundary.transitionStart, shift)
    moved.transitionEnd = earlier(boundary.transitionEnd, shift)
    return moved
  }

  /// - Parameter event: taken.
  mutating func leave(_ event: UnsafeMutablePointer<GstEvent>, isBarrier: Bool) {
    var event = event
    if isBarrier {
      // Nothing behind a barrier belongs to a transition before it.
      if event.pointee.type == GST_EVENT_EOS, let removal {
        stretches.append(RemovedStretch(start: removal.running, end: nil))
        self.removal = nil
      } else if let removal {
        endRemoval(pts: removal.ptsEnd, running: removal.runningEnd)
      }
      releasePictures()
      plan.removeAll()
    }
    switch event.pointee.type {
    case GST_EVENT_SEGMENT:
      var new = GstSegment()
      gst_event_copy_segment(event, &new)
      let old = leaving
      leaving = new
      guard removed > 0, !new.continues(old) else { break }
      // Time stamps begin anew, running time does not.
      let folded = min(ClockTime(new.base), removed)
      new.base -= guint64(folded)
      shift = removed - folded
      event = event.replaced(by: gst_event_new_segment(&new))
    case GST_EVENT_CAPS: leavingInfo = VideoInfo(event) ?? leavingInfo
    case GST_EVENT_GAP:
      var (start, duration) = (GstClockTime(0), GstClockTime(0))
      gst_event_parse_gap(event, &start, &duration)
      if shift > 0, let time = start.valid {
        event = event.replaced(by: gst_event_new_gap(GstClockTime(time - min(time, shift)), duration))
      }
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      if removed > 0, var asked = KeyUnit(event) {
        asked.pts = asked.pts.map { $0 - min($0, shift) }
        asked.streamTime = asked.streamTime.map { $0 - min($0, shift) }
        asked.runningTime = asked.runningTime.map { $0 - min($0, removed) }
        if let new = asked.event { event = event.replaced(by: new) }
      }
    case GST_EVENT_EOS:
      decided = .max
    default: break
    }
    ready.append(.event(event))
  }
}
