import CGStreamer
import Timing

extension GstClockTime {
  /// GST_CLOCK_TIME_NONE, a macro in C.
  static let none = GstClockTime.max

  /// nil for GST_CLOCK_TIME_NONE.
  public var valid: ClockTime? { self == .none ? nil : ClockTime(self) }
}

extension Optional where Wrapped == ClockTime {
  /// GST_CLOCK_TIME_NONE for nil.
  var orNone: GstClockTime { map { GstClockTime($0) } ?? .none }
}

extension BufferTime {
  /// Times outside of the segment are nil; so are running and stream time if the segment does not count in time.
  public init(_ buffer: UnsafeMutablePointer<GstBuffer>, in segment: UnsafePointer<GstSegment>) {
    self.init(pts: buffer.pointee.pts.valid, duration: buffer.pointee.duration.valid)
    guard let pts, segment.pointee.format == GST_FORMAT_TIME else { return }
    let start = GstClockTime(pts)
    let end = duration.map { start.addingReportingOverflow(GstClockTime($0)) }.map { $0.overflow ? .none : $0.partialValue } ?? start
    isShown = gst_segment_clip(segment, GST_FORMAT_TIME, start, end, nil, nil) != 0
    runningTime = gst_segment_to_running_time(segment, GST_FORMAT_TIME, start).valid
    streamTime = gst_segment_to_stream_time(segment, GST_FORMAT_TIME, start).valid
  }
}

extension SegmentPlace {
  /// From 0 on at the usual speed for one that does not count in time.
  init(_ segment: GstSegment) {
    self.init()
    guard segment.format == GST_FORMAT_TIME else { return }
    time = segment.time.valid ?? 0
    let speed = abs(segment.rate * segment.applied_rate)
    if speed > 0, speed.isFinite { self.speed = speed }
  }
}
