import CGStreamer
import Timing

/// Something that travels along a stream, between its buffers or past them.
public struct Event: MiniObject, @unchecked Sendable {
  private var reference: Reference<GstEvent>

  /// Takes the caller's reference: of `gst_event_new_eos()`, say.
  public init(taking pointer: UnsafeMutablePointer<GstEvent>) { reference = Reference(miniObject: pointer) }

  private init?(made pointer: UnsafeMutablePointer<GstEvent>?) {
    guard let pointer else { return nil }
    self.init(taking: pointer)
  }

  /// For calls of the C API; still owned here.
  public var gst: UnsafeMutablePointer<GstEvent>? { reference.pointer }

  /// Gives a reference away, to a call of the C API that takes it.
  public consuming func release() -> UnsafeMutablePointer<GstEvent>? { giveAway(&reference) }

  /// Such as `GST_EVENT_EOS`.
  public var type: GstEventType { gst?.pointee.type ?? GST_EVENT_UNKNOWN }
  /// "caps", say.
  public var typeName: String { String(cString: gst_event_type_get_name(type)) }
  /// Whether it keeps its place among the buffers.
  public var isSerialized: Bool { gst?.pointee.isSerialized ?? false }
  /// Whether it stays with a pad, for who joins the stream later.
  public var isSticky: Bool { gst?.pointee.isSticky ?? false }
  /// The number that derived events and messages keep.
  public var sequenceNumber: UInt32 { gst?.pointee.seqnum ?? 0 }

  /// Another event in the place of this one: it gets the sequence number. This one if there is none.
  public func replaced(by new: Event?) -> Event {
    guard let new, let made = new.gst else { return self }
    gst_event_set_seqnum(made, sequenceNumber)
    return new
  }

  // MARK: What it says

  /// The fields of a custom event.
  public var structure: Structure? { gst.flatMap { gst_event_get_structure($0) }.map { Structure($0) } }

  /// Of a CAPS event.
  public var caps: Caps? {
    guard let gst, type == GST_EVENT_CAPS else { return nil }
    var caps: UnsafeMutablePointer<GstCaps>?
    gst_event_parse_caps(gst, &caps)
    return caps.map { Caps(borrowing: $0) }
  }

  /// Of a SEGMENT event.
  public var segment: Segment? {
    guard let gst, type == GST_EVENT_SEGMENT else { return nil }
    var segment = GstSegment()
    gst_event_copy_segment(gst, &segment)
    return Segment(segment)
  }

  /// Of a GAP event: the time stamp from which on there are no data, and for how long if that is known.
  public var gap: (start: ClockTime, duration: ClockTime?)? {
    guard let gst, type == GST_EVENT_GAP else { return nil }
    var (start, duration) = (GstClockTime(0), GstClockTime(0))
    gst_event_parse_gap(gst, &start, &duration)
    return start.valid.map { ($0, duration.valid) }
  }

  /// Of a report from downstream on how it keeps up (QOS): the running time of the frame that it is about.
  public var reportTime: ClockTime? {
    guard let gst, type == GST_EVENT_QOS else { return nil }
    var time = GstClockTime(0)
    gst_event_parse_qos(gst, nil, nil, nil, &time)
    return time.valid
  }

  /// The same report on a frame that upstream knows by another running time.
  public func report(at time: ClockTime) -> Event {
    guard let gst, type == GST_EVENT_QOS else { return self }
    var (type, proportion, difference) = (GST_QOS_TYPE_UNDERFLOW, 0.0, GstClockTimeDiff(0))
    gst_event_parse_qos(gst, &type, &proportion, &difference, nil)
    return replaced(by: Event(made: gst_event_new_qos(type, proportion, difference, GstClockTime(time))))
  }

  /// Of a request for a key frame that travels downstream.
  public var keyUnit: KeyUnit? { gst.flatMap { KeyUnit($0) } }

  // MARK: New ones

  /// The end of a stream.
  public static var endOfStream: Event? { Event(made: gst_event_new_eos()) }

  /// How time stamps are to be read from here on.
  public static func segment(_ segment: Segment) -> Event? {
    withUnsafePointer(to: segment.gst) { Event(made: gst_event_new_segment($0)) }
  }

  /// There are no data from this time stamp on, for so long.
  public static func gap(_ start: ClockTime, duration: ClockTime?) -> Event? {
    Event(made: gst_event_new_gap(GstClockTime(start), duration.orNone))
  }

  /// An encoder makes the first frame at or after a running time a key frame.
  public static func keyUnit(_ asked: KeyUnit) -> Event? {
    Event(
      made: gst_video_event_new_downstream_force_key_unit(
        asked.pts.orNone, asked.streamTime.orNone, asked.runningTime.orNone, asked.allHeaders ? 1 : 0, asked.count))
  }

  /// Facts for elements downstream that no buffer carries.
  public static func custom(_ fields: Structure) -> Event? {
    Event(made: fields.makeGstStructure().flatMap { gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, $0) })
  }

  /// Facts, or a question, for elements upstream.
  public static func upstream(_ fields: Structure) -> Event? {
    Event(made: fields.makeGstStructure().flatMap { gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, $0) })
  }

  /// Chapters for muxers and players.
  static func tableOfContents(_ toc: TableOfContents) -> Event? { toc.withGstToc { Event(made: gst_event_new_toc($0, 0)) } ?? nil }
}

extension GstEvent {
  /// GST_EVENT_IS_STICKY, a macro in C.
  var isSticky: Bool { type.rawValue & UInt32(GST_EVENT_TYPE_STICKY.rawValue) != 0 }
  /// GST_EVENT_IS_SERIALIZED, a macro in C.
  var isSerialized: Bool { type.rawValue & UInt32(GST_EVENT_TYPE_SERIALIZED.rawValue) != 0 }
}
