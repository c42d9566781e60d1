import CGStreamer
import Clips
import GStreamerKit
import Pixels

/// The frames of a clip that is complete, decoded as BGR one after the other.
struct ClipFrames {
  /// Mean absolute difference above which a frame is nothing like the one before: TAV's check.
  private static let jump = 50.0

  /// A decoded frame, kept.
  struct Frame {
    var buffer: Buffer
    var caps: Caps
  }

  let path: String

  /// Whether some frame is nothing like the one before it.
  ///
  /// - Throws: STREAM/DECODE if the clip cannot be read.
  func hasJump() throws -> Bool {
    var before: Frame?
    var found = false
    try forEach { frame, _ in
      found = try before.map { try Self.difference($0, frame) > Self.jump } ?? false
      before = frame
      return !found
    }
    return found
  }

  /// The first and the last frame of each scene. A scene in which no frame begins is nil.
  ///
  /// - Throws: STREAM/DECODE if the clip cannot be read.
  func ends(of scenes: [FinishedClip.Scene]) throws -> [(first: Frame, last: Frame)?] {
    var found: [(first: Frame, last: Frame)?] = scenes.map { _ in nil }
    let end = scenes.map(\.upperBound).max() ?? 0
    try forEach { frame, time in
      for (index, scene) in scenes.enumerated() where scene.contains(time) { found[index] = (found[index]?.first ?? frame, frame) }
      return time < end
    }
    return found
  }

  /// Calls `body` with each frame and when it is shown, until it returns false.
  private func forEach(_ body: (Frame, UInt64) throws -> Bool) throws {
    let description = """
      filesrc name=file ! decodebin caps="video/x-raw(ANY)" expose-all-streams=false ! videoconvert ! video/x-raw,format=BGR ! \
      appsink name=out sync=false max-buffers=4
      """
    var error: UnsafeMutablePointer<GError>?
    defer { g_clear_error(&error) }
    guard let pipeline = gst_parse_launch_full(description, nil, GST_PARSE_FLAG_FATAL_ERRORS, &error) else {
      throw ElementError(parsing: description, error)
    }
    gst_object_ref_sink(pipeline)
    defer {
      gst_element_set_state(pipeline, GST_STATE_NULL)
      gst_object_unref(pipeline)
    }
    let bin = UnsafeMutableRawPointer(pipeline).assumingMemoryBound(to: GstBin.self)
    guard let file = gst_bin_get_by_name(bin, "file") else { return }
    defer { gst_object_unref(file) }
    guard let out = gst_bin_get_by_name(bin, "out") else { return }
    defer { gst_object_unref(out) }
    Value.string(path).withGValue {
      g_object_set_property(UnsafeMutableRawPointer(file).assumingMemoryBound(to: GObject.self), "location", $0)
    }
    gst_element_set_state(pipeline, GST_STATE_PLAYING)
    let sink = UnsafeMutableRawPointer(out).assumingMemoryBound(to: GstAppSink.self)
    while true {
      guard let sample = gst_app_sink_try_pull_sample(sink, 100_000_000) else {
        if let error = failure(of: pipeline) { throw error }
        if gst_app_sink_is_eos(sink) != 0 { return }
        continue
      }
      defer { gst_sample_unref(sample) }
      guard let buffer = gst_sample_get_buffer(sample), let caps = gst_sample_get_caps(sample) else { continue }
      let time = gst_segment_to_stream_time(gst_sample_get_segment(sample), GST_FORMAT_TIME, buffer.pointee.pts)
      guard try body(Frame(buffer: Buffer(borrowing: buffer), caps: Caps(borrowing: caps)), time == .max ? 0 : UInt64(time)) else { return }
    }
  }

  private func failure(of pipeline: UnsafeMutablePointer<GstElement>) -> ElementError? {
    guard let bus = gst_element_get_bus(pipeline) else { return nil }
    defer { gst_object_unref(bus) }
    guard let message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR) else { return nil }
    defer { gst_message_unref(message) }
    let error = ElementError(message, path: path)
    return ElementError(.stream(GST_STREAM_ERROR_DECODE), "\"\(path)\" cannot be read back: \(error.text)", debug: error.debug)
  }

  private static func difference(_ one: Frame, _ other: Frame) throws -> Double {
    guard let info = one.caps.video else { return 0 }
    return try one.buffer.withFrame(info) { a in
      try other.buffer.withFrame(info) { b -> Double in
        guard let x = a.plane(0), let y = b.plane(0) else { return 0 }
        return meanDifference(x.base, stride: x.stride, y.base, stride: y.stride, width: x.rowBytes, rows: min(x.rows, y.rows))
      }
    }
  }
}
