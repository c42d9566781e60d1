import CGStreamer
import Timing

extension GstSegment {
  /// Running time of a position; nil outside of the segment, and if it does not count in time.
  public func runningTime(_ position: GstClockTime) -> ClockTime? {
    guard format == GST_FORMAT_TIME else { return nil }
    return withUnsafePointer(to: self) { gst_segment_to_running_time($0, GST_FORMAT_TIME, position).valid }
  }

  /// Whether times mean the same in both, so that a stream goes on: an update of the stop or position, at most.
  public func continues(_ other: GstSegment) -> Bool {
    format == other.format && rate == other.rate && applied_rate == other.applied_rate && base == other.base && offset == other.offset
      && start == other.start && time == other.time
  }
}

extension UnsafeMutablePointer<GstEvent> {
  /// Another event in the place of this one, which is released; it keeps the sequence number. This one if there is none.
  public func replaced(by new: UnsafeMutablePointer<GstEvent>?) -> UnsafeMutablePointer<GstEvent> {
    guard let new else { return self }
    gst_event_set_seqnum(new, gst_event_get_seqnum(self))
    gst_event_unref(self)
    return new
  }
}

extension VideoInfo {
  /// Of a CAPS event; nil if they are not raw video.
  public init?(_ event: UnsafeMutablePointer<GstEvent>) {
    var caps: UnsafeMutablePointer<GstCaps>?
    gst_event_parse_caps(event, &caps)
    guard let caps else { return nil }
    self.init(caps: caps)
  }
}

extension AudioInfo {
  /// Of a CAPS event; nil if they are not raw audio that can be read.
  public init?(_ event: UnsafeMutablePointer<GstEvent>) {
    var caps: UnsafeMutablePointer<GstCaps>?
    gst_event_parse_caps(event, &caps)
    guard let caps else { return nil }
    self.init(caps: caps)
  }
}
