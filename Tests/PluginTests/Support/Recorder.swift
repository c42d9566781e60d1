import CGStreamer
import Synchronization

/// Writes down what passes a pad, in order.
final class Recorder: Sendable {
  struct Frame {
    var address: UInt
    /// Address of the first memory.
    var memory: UInt
    /// Whether nobody else holds it, so that whoever comes next may change it.
    var isWritable: Bool
    var pts: UInt64
    var duration: UInt64
    var isDelta: Bool
    var isGap: Bool
    var boundaries: [Fields]
    var scores: [Fields]
    var analysis: Analysis
    /// When it came.
    var arrival: UInt64
  }

  struct KeyUnit: Hashable {
    var pts, streamTime, runningTime: UInt64
    var allHeaders: Bool
  }

  struct Event: @unchecked Sendable {
    /// As GStreamer names it: "segment", "eos", "custom-downstream".
    var name: String
    var fields: Fields?
    var keyUnit: KeyUnit?
    var chapters: [Chapter]
    var sequenceNumber: UInt32
    /// Of a segment.
    var segment: GstSegment?
    /// When a gap begins.
    var gap: UInt64?
  }

  enum Item {
    case frame(Frame), event(Event)
  }

  private let recorded = Mutex<[Item]>([])

  /// Watches a pad for as long as the pad lives.
  init(_ pad: UnsafeMutablePointer<GstPad>) {
    let type = GST_PAD_PROBE_TYPE_BUFFER.rawValue | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM.rawValue
    gst_pad_add_probe(
      pad, GstPadProbeType(rawValue: type),
      { _, info, me in
        guard let info, let me, let data = info.pointee.data else { return GST_PAD_PROBE_OK }
        let recorder = Unmanaged<Recorder>.fromOpaque(me).takeUnretainedValue()
        let item =
          if info.pointee.type.rawValue & GST_PAD_PROBE_TYPE_BUFFER.rawValue != 0 {
            Item.frame(Frame(data.assumingMemoryBound(to: GstBuffer.self)))
          } else {
            Item.event(Event(data.assumingMemoryBound(to: GstEvent.self)))
          }
        recorder.recorded.withLock { $0.append(item) }
        return GST_PAD_PROBE_OK
      }, Unmanaged.passRetained(self).toOpaque(), { me in if let me { Unmanaged<Recorder>.fromOpaque(me).release() } })
  }

  /// A copy of its own: what reference counts order between threads, the thread sanitizer does not see.
  var items: [Item] { recorded.withLock { $0.map { $0 } } }
  func clear() { recorded.withLock { $0.removeAll() } }

  var frames: [Frame] { items.compactMap { if case .frame(let frame) = $0 { frame } else { nil } } }
  var frameCount: Int {
    recorded.withLock { $0.count { if case .frame = $0 { true } else { false } } }
  }
  var events: [Event] { items.compactMap { if case .event(let event) = $0 { event } else { nil } } }
  /// Positions, among the buffers, of those that carry a boundary.
  var marked: [Int] { frames.indices.filter { !frames[$0].boundaries.isEmpty } }

  /// A short word for each item: the number of a buffer, the name of an event.
  var story: [String] {
    var number = -1
    return items.map { item in
      switch item {
      case .frame:
        number += 1
        return "\(number)"
      case .event(let event): return event.fields.map { event.name == "custom-downstream" ? $0.name : event.name } ?? event.name
      }
    }
  }
}

extension Recorder.Frame {
  init(_ buffer: UnsafeMutablePointer<GstBuffer>) {
    address = UInt(bitPattern: buffer)
    memory = UInt(bitPattern: gst_buffer_peek_memory(buffer, 0))
    isWritable = gst_mini_object_is_writable(&buffer.pointee.mini_object) != 0
    pts = UInt64(buffer.pointee.pts)
    duration = UInt64(buffer.pointee.duration)
    isGap = gst_buffer_has_flags(buffer, GST_BUFFER_FLAG_GAP) != 0
    isDelta = gst_buffer_has_flags(buffer, GST_BUFFER_FLAG_DELTA_UNIT) != 0
    boundaries = Fields.metadata("GstShotBoundaryMeta", of: buffer)
    scores = Fields.metadata("GstShotScoreMeta", of: buffer)
    analysis = Analysis(buffer)
    arrival = monotonic()
  }
}

extension Recorder.Event {
  init(_ event: UnsafeMutablePointer<GstEvent>) {
    name = String(cString: gst_event_type_get_name(event.pointee.type))
    fields = gst_event_get_structure(event).map { Fields($0) }
    sequenceNumber = event.pointee.seqnum
    chapters = []
    if event.pointee.type == GST_EVENT_TOC {
      var toc: OpaquePointer?
      gst_event_parse_toc(event, &toc, nil)
      if let toc {
        chapters = Chapter.all(in: toc)
        gst_mini_object_unref(UnsafeMutableRawPointer(toc).assumingMemoryBound(to: GstMiniObject.self))
      }
    }
    if event.pointee.type == GST_EVENT_SEGMENT {
      var copy = GstSegment()
      gst_event_copy_segment(event, &copy)
      segment = copy
    }
    if event.pointee.type == GST_EVENT_GAP {
      var (start, duration) = (GstClockTime(0), GstClockTime(0))
      gst_event_parse_gap(event, &start, &duration)
      gap = UInt64(start)
    }
    if gst_video_event_is_force_key_unit(event) != 0 {
      var (pts, stream, running, headers, count) = (GstClockTime(0), GstClockTime(0), GstClockTime(0), gboolean(0), UInt32(0))
      gst_video_event_parse_downstream_force_key_unit(event, &pts, &stream, &running, &headers, &count)
      keyUnit = Recorder.KeyUnit(
        pts: UInt64(pts), streamTime: UInt64(stream), runningTime: UInt64(running), allHeaders: headers != 0)
    }
  }
}
