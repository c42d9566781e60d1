import CGStreamer
import Timing

/// A question that arrives at a pad, lent for the time of the call.
public struct Query {
  /// For calls of the C API.
  public let gst: UnsafeMutablePointer<GstQuery>

  /// Lent by the caller for as long as this value is used: no reference is taken.
  public init(_ gst: UnsafeMutablePointer<GstQuery>) { self.gst = gst }

  /// Such as `GST_QUERY_LATENCY`.
  public var type: GstQueryType { gst.pointee.type }

  /// Whether it asks how long the stream is, in time.
  public var asksDuration: Bool {
    guard type == GST_QUERY_DURATION else { return false }
    var format = GST_FORMAT_UNDEFINED
    gst_query_parse_duration(gst, &format, nil)
    return format == GST_FORMAT_TIME
  }

  /// Answers it; nil for a stream whose length is not known.
  public func answerDuration(_ duration: ClockTime?) {
    gst_query_set_duration(gst, GST_FORMAT_TIME, duration.map { gint64(clamping: $0) } ?? -1)
  }

  /// Of a LATENCY query that was answered.
  public var latency: Latency {
    var (isLive, low, high) = (gboolean(0), GstClockTime(0), GstClockTime(0))
    gst_query_parse_latency(gst, &isLive, &low, &high)
    return Latency(isLive: isLive != 0, least: low.valid ?? 0, most: high.valid)
  }

  /// Answers it.
  public func answerLatency(_ latency: Latency) {
    gst_query_set_latency(gst, latency.isLive ? 1 : 0, GstClockTime(latency.least), latency.most.orNone)
  }
}

/// How late data come, and how much later they may be.
public struct Latency: Hashable, Sendable {
  /// Whether data come from a live source, which does not wait.
  public var isLive: Bool
  /// How long after their time data come at the earliest.
  public var least: ClockTime
  /// How long they can be held back before anything is lost; nil: for ever.
  public var most: ClockTime?

  /// Nanoseconds; `least` ≤ `most` is not checked.
  public init(isLive: Bool, least: ClockTime, most: ClockTime?) { (self.isLive, self.least, self.most) = (isLive, least, most) }
}
