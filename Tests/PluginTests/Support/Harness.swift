import CGStreamer
import CGStreamerCheck

/// Shots on elements between two pads: what is pushed has come out when the push returns.
final class Harness {
  let gst: UnsafeMutablePointer<GstHarness>
  let element: UnsafeMutablePointer<GstElement>
  let bus: Bus
  /// What comes out; what goes in where nothing comes out.
  let out: Recorder
  private(set) var video: Video?

  /// An element, with properties set before it starts.
  convenience init(_ factory: String = "shotdetect", _ properties: KeyValuePairs<String, String> = [:]) throws {
    try Plugin.require()
    guard let element = gst_element_factory_make(factory, nil) else { throw Failure("no \(factory)") }
    for (name, value) in properties { gst_util_set_object_arg(gobject(element), name, value) }
    // GstHarness ends the process if an element does not start.
    if gst_element_set_state(element, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE {
      gst_element_set_state(element, GST_STATE_NULL)
      gst_object_unref(element)
      throw Failure("\(factory) does not start")
    }
    try self.init(element)
  }

  /// Several elements, as gst-launch-1.0 writes them. They may end in a sink.
  convenience init(launch description: String) throws {
    try Plugin.require()
    guard let bin = gst_parse_bin_from_description(description, 1, nil) else { throw Failure("cannot parse \(description)") }
    try self.init(bin)
  }

  /// An element that is nobody's yet.
  init(_ element: UnsafeMutablePointer<GstElement>) throws {
    gst_object_ref_sink(element)
    self.element = element
    bus = try Bus()
    gst_element_set_bus(element, bus.gst)
    let source = gst_element_get_static_pad(element, "src")
    if let source { gst_object_unref(source) }
    guard let harness = gst_harness_new_with_element(element, "sink", source == nil ? nil : "src") else { throw Failure("no harness") }
    gst = harness
    out = Recorder(harness.pointee.sinkpad ?? harness.pointee.srcpad)
  }

  deinit {
    gst_harness_teardown(gst)
    gst_element_set_bus(element, nil)
    gst_object_unref(element)
  }

  // MARK: Down

  /// Sends caps; a segment from 0 goes along the first time.
  @discardableResult
  func setVideo(_ video: Video) -> Bool {
    let isFirst = self.video == nil
    self.video = video
    guard isFirst else { return push(gst_event_new_caps(video.makeCaps())) }
    gst_harness_set_src_caps(gst, video.makeCaps())
    return true
  }

  /// Begins a stream with a segment of one's own.
  func setVideo(_ video: Video, _ segment: GstSegment) {
    self.video = video
    push(gst_event_new_stream_start("shots"))
    push(gst_event_new_caps(video.makeCaps()))
    setSegment(segment)
  }

  func setSegment(_ segment: GstSegment) {
    var segment = segment
    push(gst_event_new_segment(&segment))
  }

  /// - Parameter event: taken.
  @discardableResult
  func push(_ event: UnsafeMutablePointer<GstEvent>?) -> Bool { gst_harness_push_event(gst, event) != 0 }

  /// - Parameters:
  ///   - buffer: taken.
  ///   - duration: of a frame of the video if not told.
  @discardableResult
  func push(
    _ buffer: UnsafeMutablePointer<GstBuffer>, at pts: UInt64?, duration: UInt64?? = .none, discontinuity: Bool = false
  ) -> GstFlowReturn {
    let rate = video?.rate ?? (25, 1)
    let nominal = rate.0 > 0 ? frameTime(1, rate: (Int(rate.0), Int(rate.1))) : nil
    buffer.pointee.pts = GstClockTime(pts ?? noTime)
    buffer.pointee.duration = GstClockTime((duration ?? nominal) ?? noTime)
    if discontinuity { gst_buffer_set_flags(buffer, GST_BUFFER_FLAG_DISCONT) }
    return gst_harness_push(gst, buffer)
  }

  func flush() {
    push(gst_event_new_flush_start())
    push(gst_event_new_flush_stop(1))
  }

  func end() { push(gst_event_new_eos()) }

  /// The segments that came out.
  var segments: [GstSegment] { out.events.compactMap(\.segment) }

  // MARK: Properties

  func set(_ property: String, _ text: String) { gst_util_set_object_arg(gobject(element), property, text) }
  func number(_ property: String) -> UInt64 { read(property) { UInt64(g_value_get_uint64($0)) } }
  func double(_ property: String) -> Double { read(property) { g_value_get_double($0) } }

  private func read<R>(_ property: String, _ get: (UnsafePointer<GValue>) -> R) -> R {
    var value = GValue()
    g_object_get_property(gobject(element), property, &value)
    defer { g_value_unset(&value) }
    return get(&value)
  }

  // MARK: Latency

  /// Answers latency queries as upstream would; without this it is a live one.
  func setUpstreamLatency(_ low: UInt64, _ high: UInt64, isLive: Bool = true) {
    upstream = (low, high, isLive)
    gst.pointee.srcpad.pointee.querydata = Unmanaged.passUnretained(self).toOpaque()
    gst_pad_set_query_function_full(
      gst.pointee.srcpad,
      { pad, parent, query in
        guard let query, let me = pad?.pointee.querydata else { return 0 }
        guard query.pointee.type == GST_QUERY_LATENCY else { return gst_pad_query_default(pad, parent, query) }
        let latency = Unmanaged<Harness>.fromOpaque(me).takeUnretainedValue().upstream
        gst_query_set_latency(query, latency.2 ? 1 : 0, GstClockTime(latency.0), GstClockTime(latency.1))
        return 1
      }, Unmanaged.passUnretained(self).toOpaque(), nil)
  }

  private var upstream: (UInt64, UInt64, Bool) = (0, noTime, true)

  /// What the element answers downstream.
  func latency() throws -> (low: UInt64, high: UInt64) {
    guard let query = gst_query_new_latency() else { throw Failure("no query") }
    defer { gst_mini_object_unref(UnsafeMutableRawPointer(query).assumingMemoryBound(to: GstMiniObject.self)) }
    guard gst_pad_peer_query(gst.pointee.sinkpad, query) != 0 else { throw Failure("latency query refused") }
    var (live, low, high) = (gboolean(0), GstClockTime(0), GstClockTime(0))
    gst_query_parse_latency(query, &live, &low, &high)
    return (UInt64(low), UInt64(high))
  }
}

func gobject(_ element: UnsafeMutablePointer<GstElement>) -> UnsafeMutablePointer<GObject> {
  UnsafeMutableRawPointer(element).assumingMemoryBound(to: GObject.self)
}

/// A segment in time.
func makeSegment(
  rate: Double = 1, start: UInt64 = 0, stop: UInt64 = noTime, base: UInt64 = 0, time: UInt64 = 0
) -> GstSegment {
  var segment = GstSegment()
  gst_segment_init(&segment, GST_FORMAT_TIME)
  segment.rate = rate
  segment.start = guint64(start)
  segment.stop = guint64(stop)
  segment.base = guint64(base)
  segment.time = guint64(time)
  segment.position = guint64(start)
  return segment
}
