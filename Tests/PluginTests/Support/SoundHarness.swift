import CGStreamer
import CGStreamerCheck
import Synchronization

/// The sound beside a `Harness`: pads `audio_sink` and `audio_src` of the same element. What is pushed comes out later, on
/// a thread of the element's.
final class SoundHarness {
  let gst: UnsafeMutablePointer<GstHarness>
  private let rate: Int
  private let format: String

  init(beside video: Harness, format: String = "S16LE", rate: Int = 48_000, channels: Int = 1) throws {
    guard let harness = gst_harness_new_with_element(video.element, "audio_sink", "audio_src") else { throw Failure("no harness") }
    gst = harness
    (self.rate, self.format) = (rate, format)
    gst_harness_set_src_caps_str(harness, "audio/x-raw,format=\(format),rate=\(rate),channels=\(channels),layout=interleaved")
  }

  deinit { gst_harness_teardown(gst) }

  /// Pushes 16-bit samples of one channel that belong to this position.
  @discardableResult
  func push(_ samples: [Int16], at position: Int) -> GstFlowReturn {
    guard let buffer = gst_buffer_new_allocate(nil, gsize(samples.count * 2), nil) else { return GST_FLOW_ERROR }
    gst_buffer_fill(buffer, 0, samples, gsize(samples.count * 2))
    buffer.pointee.pts = gst_util_uint64_scale(guint64(position), 1_000_000_000, guint64(rate))
    buffer.pointee.duration = gst_util_uint64_scale(guint64(samples.count), 1_000_000_000, guint64(rate))
    return gst_harness_push(gst, buffer)
  }

  func end() { gst_harness_push_event(gst, gst_event_new_eos()) }

  /// Everything that has come out, once `isEnough` says so of the number of samples; and the largest difference, in
  /// nanoseconds, between a buffer's time and the end of the one before.
  func pull(within limit: Double = 10, _ isEnough: (Int) -> Bool) -> (samples: [Int16], jump: Int64) {
    var samples: [Int16] = []
    var jump: Int64 = 0
    var expected: Int64?
    _ = eventually(within: limit) {
      while let buffer = gst_harness_try_pull(gst) {
        let pts = Int64(clamping: UInt64(buffer.pointee.pts))
        if let expected { jump = max(jump, abs(pts - expected)) }
        var bytes = [Int16](repeating: 0, count: Int(gst_buffer_get_size(buffer)) / 2)
        gst_buffer_extract(buffer, 0, &bytes, gsize(bytes.count * 2))
        samples += bytes
        expected = pts + Int64(bytes.count) * 1_000_000_000 / Int64(rate)
        gst_buffer_unref(buffer)
      }
      return isEnough(samples.count)
    }
    return (samples, jump)
  }
}
