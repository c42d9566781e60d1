import CGStreamer

/// A counted reference to a buffer or caps that threads share and nobody writes.
final class Held<Object>: @unchecked Sendable {
  let gst: UnsafeMutablePointer<Object>

  init(_ gst: UnsafeMutablePointer<Object>) {
    self.gst = gst
    gst_mini_object_ref(UnsafeMutableRawPointer(gst).assumingMemoryBound(to: GstMiniObject.self))
  }

  deinit { gst_mini_object_unref(UnsafeMutableRawPointer(gst).assumingMemoryBound(to: GstMiniObject.self)) }
}
