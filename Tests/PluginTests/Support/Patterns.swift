import CGStreamer
import Synchronization

/// Changes the pattern of a videotestsrc while it plays, on its own thread: from another one the source may free the
/// picture that it is drawing (GStreamer 1.22).
final class Patterns: Sendable {
  private let next = Mutex<String?>(nil)

  init(of source: UnsafeMutablePointer<GstElement>) throws {
    guard let pad = gst_element_get_static_pad(source, "src") else { throw Failure("no source") }
    defer { gst_object_unref(pad) }
    gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BUFFER,
      { pad, _, me in
        guard let me, let pattern = Unmanaged<Patterns>.fromOpaque(me).takeUnretainedValue().next.withLock({ $0.take() }) else {
          return GST_PAD_PROBE_OK
        }
        if let source = gst_pad_get_parent_element(pad) {
          gst_util_set_object_arg(gobject(source), "pattern", pattern)
          gst_object_unref(source)
        }
        return GST_PAD_PROBE_OK
      }, Unmanaged.passRetained(self).toOpaque(), { if let me = $0 { Unmanaged<Patterns>.fromOpaque(me).release() } })
  }

  func change(to pattern: String) { next.withLock { $0 = pattern } }
}
