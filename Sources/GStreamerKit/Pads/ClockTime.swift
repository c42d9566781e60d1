import CGStreamer

/// Nanoseconds, as GStreamer counts them. "No time" is nil, never a magic number.
public typealias ClockTime = UInt64

extension ClockTime {
  /// Wraps around after 584 years.
  public static func milliseconds(_ count: UInt64) -> ClockTime { count.multipliedReportingOverflow(by: 1_000_000).partialValue }
}

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

/// When a buffer is shown, in the four ways that GStreamer tells time.
public struct BufferTime: Sendable, Hashable {
  /// The buffer's own timestamp.
  public var pts: ClockTime?
  /// How long it is shown, if it says so.
  public var duration: ClockTime?
  /// Time since the pipeline started to play; what clocks, encoders and live sinks use.
  public var runningTime: ClockTime?
  /// Position in the medium; what a user sees in a player and what containers store.
  public var streamTime: ClockTime?
  /// Whether any of the buffer lies in its segment, so that it will be shown.
  public var isShown: Bool

  /// Times outside of the segment are nil; so are running and stream time if the segment does not count in time.
  public init(_ buffer: UnsafeMutablePointer<GstBuffer>, in segment: UnsafePointer<GstSegment>) {
    pts = buffer.pointee.pts.valid
    duration = buffer.pointee.duration.valid
    guard let pts, segment.pointee.format == GST_FORMAT_TIME else {
      isShown = true
      return
    }
    let start = GstClockTime(pts)
    let end = duration.map { start.addingReportingOverflow(GstClockTime($0)) }.map { $0.overflow ? .none : $0.partialValue } ?? start
    isShown = gst_segment_clip(segment, GST_FORMAT_TIME, start, end, nil, nil) != 0
    runningTime = gst_segment_to_running_time(segment, GST_FORMAT_TIME, start).valid
    streamTime = gst_segment_to_stream_time(segment, GST_FORMAT_TIME, start).valid
  }
}
