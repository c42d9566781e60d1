import CGStreamer
import CGStreamerCheck
import GStreamerKit
import Synchronization
import Testing

/// An element between two test pads, fed by hand with 4×2 grey frames of 40 ms, and a log of what leaves it.
final class Rig {
  static let caps = "video/x-raw,format=GRAY8,width=4,height=2,framerate=25/1"

  let made: Made
  let harness: UnsafeMutablePointer<GstHarness>
  private let log = Log()

  init(_ factory: String, sink: String? = "sink", caps: String? = Rig.caps, _ settings: [(String, Value)] = []) throws {
    made = try Made(factory)
    for (name, value) in settings { made.set(name, value) }
    harness = try #require(gst_harness_new_with_element(made.element, sink, "src"))
    let pad = try #require(gst_element_get_static_pad(made.element, "src"))
    log.watch(pad)
    gst_object_unref(pad)
    if let caps { gst_harness_set_src_caps_str(harness, caps) }
  }

  deinit { gst_harness_teardown(harness) }

  static func frame(_ index: Int, level: UInt8 = 0, size: Int = 8) throws -> UnsafeMutablePointer<GstBuffer> {
    let buffer = try #require(gst_buffer_new_allocate(nil, gsize(size), nil))
    gst_buffer_memset(buffer, 0, level, gsize(size))
    buffer.pointee.pts = GstClockTime(index) * 40_000_000
    buffer.pointee.duration = 40_000_000
    return buffer
  }

  @discardableResult
  func push(_ index: Int, level: UInt8 = 0, size: Int = 8) throws -> GstFlowReturn {
    gst_harness_push(harness, try Self.frame(index, level: level, size: size))
  }

  @discardableResult
  func push(_ event: UnsafeMutablePointer<GstEvent>?) -> Bool { gst_harness_push_event(harness, event) != 0 }

  /// Pulls what has left, as frame numbers.
  func pulled() -> [Int] {
    var all: [Int] = []
    while let buffer = gst_harness_try_pull(harness) {
      all.append(Int(buffer.pointee.pts / 40_000_000))
      gst_buffer_unref(buffer)
    }
    return all
  }

  /// What has left so far in order: "0" for frame 0, "mark" for a custom event of that name, else "eos", "gap", ….
  var left: [String] { log.entries.map(\.text) }
  var sequenceNumbers: [(text: String, sequenceNumber: UInt32)] { log.entries.map { ($0.text, $0.sequenceNumber) } }

  static func mark(_ name: String) -> UnsafeMutablePointer<GstEvent>? {
    gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, Structure(name).makeGstStructure())
  }
}

/// Frames and events in the order in which they pass a pad.
final class Log: Sendable {
  struct Entry: Sendable {
    var text: String
    var sequenceNumber: UInt32
  }

  private let kept = Mutex<[Entry]>([])

  var entries: [Entry] { kept.withLock { $0 } }

  func watch(_ pad: UnsafeMutablePointer<GstPad>) {
    let types = GstPadProbeType(rawValue: GST_PAD_PROBE_TYPE_BUFFER.rawValue | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM.rawValue)
    gst_pad_add_probe(
      pad, types,
      { _, info, log in
        if let info, let log, let data = info.pointee.data { Unmanaged<Log>.fromOpaque(log).takeUnretainedValue().note(info, data) }
        return GST_PAD_PROBE_OK
      }, Unmanaged.passRetained(self).toOpaque(), { if let log = $0 { Unmanaged<Log>.fromOpaque(log).release() } })
  }

  private func note(_ info: UnsafeMutablePointer<GstPadProbeInfo>, _ data: UnsafeMutableRawPointer) {
    let entry: Entry
    if info.pointee.type.rawValue & GST_PAD_PROBE_TYPE_BUFFER.rawValue != 0 {
      let buffer = data.assumingMemoryBound(to: GstBuffer.self)
      entry = Entry(text: "\(buffer.pointee.pts / 40_000_000)", sequenceNumber: 0)
    } else {
      let event = data.assumingMemoryBound(to: GstEvent.self)
      let custom = event.pointee.type == GST_EVENT_CUSTOM_DOWNSTREAM ? gst_event_get_structure(event).map { Structure($0).name } : nil
      entry = Entry(text: custom ?? String(cString: gst_event_type_get_name(event.pointee.type)), sequenceNumber: event.pointee.seqnum)
    }
    kept.withLock { $0.append(entry) }
  }
}

/// Counts how many of what it watches are gone.
final class Funeral: Sendable {
  private let count = Atomic(0)

  var attended: Int { count.load(ordering: .sequentiallyConsistent) }

  private var opaque: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

  func watch(_ buffer: UnsafeMutablePointer<GstBuffer>) {
    gst_mini_object_weak_ref(
      UnsafeMutableRawPointer(buffer).assumingMemoryBound(to: GstMiniObject.self), { funeral, _ in Funeral.attend(funeral) }, opaque)
  }

  func watch(_ object: UnsafeMutablePointer<GObject>) {
    g_object_weak_ref(object, { funeral, _ in Funeral.attend(funeral) }, opaque)
  }

  private static func attend(_ funeral: UnsafeMutableRawPointer?) {
    guard let funeral else { return }
    Unmanaged<Funeral>.fromOpaque(funeral).takeUnretainedValue().count.add(1, ordering: .sequentiallyConsistent)
  }
}
