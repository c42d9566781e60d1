import CGStreamer
import CGStreamerCheck

/// A stream into a `sceneextend` and what comes out of it.
///
/// Pictures move, and those of one shot look nothing like another's.
final class SceneStream {
  let harness: Harness
  let video: Video
  private(set) var clock: TestClock?
  private var kept: [Int: UnsafeMutablePointer<GstBuffer>] = [:]

  /// - Parameters:
  ///   - properties: `generator` is rephotograph if they do not say it.
  ///   - isLive: what upstream answers latency queries; then the system's clock runs, and is at 0 now.
  ///   - isTimed: live, a frame late, and nothing moves the clock but `clock`, a ``TestClock``.
  init(_ properties: KeyValuePairs<String, String> = [:], video: Video? = nil, isLive: Bool = false, isTimed: Bool = false) throws {
    self.video = try video ?? Video("I420", 96, 64)
    guard let element = gst_element_factory_make("sceneextend", nil) else { throw Failure("no sceneextend") }
    gst_util_set_object_arg(gobject(element), "generator", "rephotograph")
    for (name, value) in properties { gst_util_set_object_arg(gobject(element), name, value) }
    if gst_element_set_state(element, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE {
      gst_element_set_state(element, GST_STATE_NULL)
      gst_object_unref(element)
      throw Failure("sceneextend does not start")
    }
    harness = try Harness(element)
    harness.setUpstreamLatency(isTimed ? 40 * millisecond : 0, noTime, isLive: isLive || isTimed)
    if isTimed { clock = try TestClock(of: harness) }
    guard isLive else { return }
    gst_harness_use_systemclock(harness.gst)
    guard let clock = gst_element_get_clock(element) else { throw Failure("no clock") }
    gst_element_set_base_time(element, gst_clock_get_time(clock))
    gst_object_unref(clock)
  }

  deinit { for (_, buffer) in kept { gst_buffer_unref(buffer) } }

  var out: Recorder { harness.out }
  var bus: Bus { harness.bus }
  /// Start of a frame at the video's rate.
  func time(_ number: Int) -> UInt64 {
    video.rate.0 > 0 ? frameTime(number, rate: (Int(video.rate.0), Int(video.rate.1))) : frameTime(number)
  }

  /// A frame of a shot, owned by the caller.
  func picture(_ number: Int, shot: Int = 0) throws -> UnsafeMutablePointer<GstBuffer> {
    let (phase, width) = (number % 8, max(1, video.width))
    let key = shot * 8 + phase
    if kept[key] == nil {
      let color = Pictures.blocks(video, 30 + 90 * (shot % 2)...110 + 120 * (shot % 2), seed: UInt32(shot * 977 + 1))
      kept[key] = try video.picture { x, y in color((x + phase * width / 48) % width, y) }
    }
    guard let buffer = kept[key], let copy = gst_buffer_copy_deep(buffer) else { throw Failure("no picture") }
    return copy
  }

  /// Pushes frames; new shots begin at `cuts`, marked.
  func play(_ numbers: Range<Int>, cuts: [Int] = [], before: (Int) throws -> Void = { _ in }) throws {
    if harness.video == nil { harness.setVideo(video) }
    for number in numbers {
      try before(number)
      let shot = cuts.count { $0 <= number }
      let buffer = try picture(number, shot: shot)
      if cuts.contains(number) { Mark(kind: "cut", frame: number, start: number - 1, end: number, shot: UInt64(shot + 1)).add(to: buffer) }
      let flow = harness.push(buffer, at: time(number))
      guard flow == GST_FLOW_OK else { throw Failure("frame \(number): flow \(flow.rawValue), \(bus.errors)") }
    }
  }

  /// Ends the source and waits until the end has come out.
  @discardableResult
  func end(within limit: Double = 60) -> Bool {
    harness.end()
    return waitForEnd(within: limit)
  }

  func waitForEnd(within limit: Double = 60) -> Bool { eventually(within: limit) { out.events.last?.name == "eos" } }

  /// The `extend` signal.
  func extend(_ shots: Int32, _ prompt: String? = nil) -> Bool { emitExtend(harness.element, shots, prompt) }
  func stopExtension() { emit(harness.element, "stop-extension") }

  /// Checksums of all frames that came out and were not pulled before.
  func pullChecksums() -> [UInt64] {
    var sums: [UInt64] = []
    while let buffer = gst_harness_try_pull(harness.gst) {
      sums.append(checksum(buffer))
      gst_buffer_unref(buffer)
    }
    return sums
  }

  /// Marks of generated shots, and the numbers of their frames.
  var generated: [(frame: Int, mark: Fields)] {
    out.frames.enumerated().compactMap { number, frame in
      frame.boundaries.first { $0["generated"] == .bool(true) }.map { (number, $0) }
    }
  }

  /// The largest difference between a frame's time and the end of the one before.
  var jump: UInt64 {
    let frames = out.frames
    return zip(frames, frames.dropFirst()).map { before, after in
      let end = before.pts &+ before.duration
      return max(end, after.pts) - min(end, after.pts)
    }.max() ?? 0
  }

  func duration() -> Int64? {
    var duration: gint64 = -1
    return gst_pad_peer_query_duration(harness.gst.pointee.sinkpad, GST_FORMAT_TIME, &duration) != 0 ? Int64(duration) : nil
  }

  /// What upstream answers duration queries.
  func setUpstreamDuration(_ duration: UInt64) {
    gst_pad_add_probe(
      harness.gst.pointee.srcpad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM,
      { _, info, data in
        guard let query = info.flatMap({ gst_pad_probe_info_get_query($0) }), query.pointee.type == GST_QUERY_DURATION else {
          return GST_PAD_PROBE_OK
        }
        gst_query_set_duration(query, GST_FORMAT_TIME, gint64(Int(bitPattern: data)))
        return GST_PAD_PROBE_HANDLED
      }, UnsafeMutableRawPointer(bitPattern: Int(duration)), nil)
  }
}

/// Calls an action signal without arguments.
func emit(_ element: UnsafeMutablePointer<GstElement>, _ signal: String) {
  var values = [GValue()]
  g_value_init(&values[0], gst_element_get_type())
  g_value_set_object(&values[0], element)
  let type = UnsafeMutableRawPointer(element).assumingMemoryBound(to: GTypeInstance.self).pointee.g_class.pointee.g_type
  g_signal_emitv(&values, g_signal_lookup(signal, type), 0, nil)
  g_value_unset(&values[0])
}

/// Calls a sceneextend's action signal `extend`.
func emitExtend(_ element: UnsafeMutablePointer<GstElement>, _ shots: Int32, _ prompt: String?) -> Bool {
  var values = [GValue(), GValue(), GValue()]
  g_value_init(&values[0], gst_element_get_type())
  g_value_set_object(&values[0], element)
  g_value_init(&values[1], GType(6 << 2))
  g_value_set_int(&values[1], shots)
  g_value_init(&values[2], GType(16 << 2))
  g_value_set_string(&values[2], prompt)
  var result = GValue()
  g_value_init(&result, GType(5 << 2))
  let type = UnsafeMutableRawPointer(element).assumingMemoryBound(to: GTypeInstance.self).pointee.g_class.pointee.g_type
  g_signal_emitv(&values, g_signal_lookup("extend", type), 0, &result)
  defer {
    for index in values.indices { g_value_unset(&values[index]) }
    g_value_unset(&result)
  }
  return g_value_get_boolean(&result) != 0
}

extension Bus {
  /// Fields of all `scene-extension` messages.
  var extensions: [Fields] { all(.element).compactMap(\.fields).filter { $0.name == "scene-extension" } }
}
