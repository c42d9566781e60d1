import CGStreamer
import GStreamerKit
import Timing

// What is left of the raw forms, until each element is written with the kit's values.

extension GstSegment {
  func runningTime(_ position: GstClockTime) -> ClockTime? { Segment(self).runningTime(of: ClockTime(position)) }
  func continues(_ other: GstSegment) -> Bool { Segment(self).continues(Segment(other)) }
}

extension UnsafeMutablePointer<GstEvent> {
  func replaced(by new: UnsafeMutablePointer<GstEvent>?) -> UnsafeMutablePointer<GstEvent> {
    guard let new else { return self }
    gst_event_set_seqnum(new, gst_event_get_seqnum(self))
    gst_event_unref(self)
    return new
  }
}

extension VideoInfo {
  init?(_ event: UnsafeMutablePointer<GstEvent>) {
    guard let info = Event(borrowing: event).caps?.video else { return nil }
    self = info
  }
}

extension AudioInfo {
  init?(_ event: UnsafeMutablePointer<GstEvent>) {
    guard let info = Event(borrowing: event).caps?.audio else { return nil }
    self = info
  }
}

extension GStreamerKit.KeyUnit {
  init?(_ event: UnsafeMutablePointer<GstEvent>) {
    guard let asked = Event(borrowing: event).keyUnit else { return nil }
    self = asked
  }

  var event: UnsafeMutablePointer<GstEvent>? { Event.keyUnit(self)?.release() }
}

typealias Lane = StreamLane
