import CGStreamer
import Timing

/// How a stream's time stamps become running time and stream time.
public struct Segment: StreamSegment, Hashable, @unchecked Sendable {
  /// For calls of the C API.
  public var gst = GstSegment()

  /// One in time, from 0 on, open at its end.
  public init() { gst_segment_init(&gst, GST_FORMAT_TIME) }

  /// One in any format: see ``isTime``.
  public init(_ gst: GstSegment) { self.gst = gst }

  public static func == (one: Segment, other: Segment) -> Bool {
    withUnsafePointer(to: one.gst) { one in withUnsafePointer(to: other.gst) { gst_segment_is_equal(one, $0) != 0 } }
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(gst.start) }

  /// Whether it counts in time.
  public var isTime: Bool { gst.format == GST_FORMAT_TIME }
  /// Whether it plays forwards.
  public var isForward: Bool { gst.rate > 0 }
  /// Time stamp at which it begins.
  public var start: ClockTime { ClockTime(gst.start) }
  /// Time stamp at which it ends; nil while that is open.
  public var stop: ClockTime? { gst.stop.valid }
  /// Running time at its start.
  public var base: ClockTime { ClockTime(gst.base) }

  /// Time since the pipeline began to play; nil outside of the segment, and if it does not count in time.
  public func runningTime(of position: ClockTime) -> ClockTime? {
    guard isTime else { return nil }
    return withUnsafePointer(to: gst) { gst_segment_to_running_time($0, GST_FORMAT_TIME, guint64(position)).valid }
  }

  /// Position in the medium; nil likewise.
  public func streamTime(of position: ClockTime) -> ClockTime? {
    guard isTime else { return nil }
    return withUnsafePointer(to: gst) { gst_segment_to_stream_time($0, GST_FORMAT_TIME, guint64(position)).valid }
  }

  /// The time stamp that has a running time; nil outside of the segment.
  public func position(of running: ClockTime) -> ClockTime? {
    guard isTime else { return nil }
    return withUnsafePointer(to: gst) { gst_segment_position_from_running_time($0, GST_FORMAT_TIME, guint64(running)).valid }
  }

  /// The same with later running times, up to the largest there is.
  public func later(by time: ClockTime) -> Segment {
    var segment = self
    segment.gst.base = guint64(base.saturating(adding: time))
    return segment
  }

  /// The same with earlier running times, as far as its base allows.
  public func earlier(by time: ClockTime) -> Segment {
    var segment = self
    segment.gst.base = guint64(base.less(time))
    return segment
  }

  /// The same without an end; nil if it has none.
  public var opened: Segment? {
    guard gst.stop != .max else { return nil }
    var segment = self
    segment.gst.stop = .max
    segment.gst.duration = .max
    return segment
  }

  /// The same from one time stamp to another.
  public func limited(to range: Range<ClockTime>) -> Segment {
    var segment = self
    (segment.gst.start, segment.gst.stop) = (guint64(range.lowerBound), guint64(range.upperBound))
    segment.gst.position = segment.gst.start
    return segment
  }

  /// Whether times mean the same in both, so that a stream goes on: an update of the stop or position, at most.
  public func continues(_ other: Segment) -> Bool {
    let (one, two) = (gst, other.gst)
    return one.format == two.format && one.rate == two.rate && one.applied_rate == two.applied_rate && one.base == two.base
      && one.offset == two.offset && one.start == two.start && one.time == two.time
  }
}
