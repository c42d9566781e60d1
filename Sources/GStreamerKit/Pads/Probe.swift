import CGStreamer

/// What passes a pad.
public enum Passing {
  case buffer(Buffer)
  /// Downstream, serialized or not; FLUSH_START and FLUSH_STOP too.
  case event(Event)
  /// What a watcher sets instead so that what came goes no further.
  case dropped
}

extension Pad {
  /// Calls `body` for every buffer and downstream event before they pass, on the thread that brings them.
  ///
  /// For pads of children, whose elements are somebody else's. It lasts as long as the pad, and keeps what it captures
  /// alive as long. `body` may wait, and then what comes after waits with it; FLUSH_START comes on another thread
  /// meanwhile. It may put something else of the same kind in its place. Of a list of buffers each is seen.
  public func watch(_ body: @escaping @Sendable (inout Passing) -> Void) {
    let type =
      GST_PAD_PROBE_TYPE_BUFFER.rawValue | GST_PAD_PROBE_TYPE_BUFFER_LIST.rawValue | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM.rawValue
      | GST_PAD_PROBE_TYPE_EVENT_FLUSH.rawValue
    gst_pad_add_probe(
      gst, GstPadProbeType(rawValue: type),
      { _, info, watcher in
        guard let info, let watcher, let data = info.pointee.data else { return GST_PAD_PROBE_OK }
        let body = Unmanaged<Watcher>.fromOpaque(watcher).takeUnretainedValue().body
        if info.pointee.type.rawValue & GST_PAD_PROBE_TYPE_BUFFER_LIST.rawValue != 0 {
          info.pointee.data = watchEach(of: OpaquePointer(data), body).map { UnsafeMutableRawPointer($0) }
          return info.pointee.data == nil ? GST_PAD_PROBE_HANDLED : GST_PAD_PROBE_OK
        }
        // The probe's reference goes to the value, and what is left of it back to the probe.
        let isBuffer = info.pointee.type.rawValue & GST_PAD_PROBE_TYPE_BUFFER.rawValue != 0
        var passing =
          isBuffer
          ? Passing.buffer(Buffer(taking: data.assumingMemoryBound(to: GstBuffer.self)))
          : .event(Event(taking: data.assumingMemoryBound(to: GstEvent.self)))
        body(&passing)
        info.pointee.data = passing.release()
        // What has no data any more is gone for GStreamer too.
        if info.pointee.data == nil { return GST_PAD_PROBE_HANDLED }
        return GST_PAD_PROBE_OK
      }, Unmanaged.passRetained(Watcher(body)).toOpaque(),
      { watcher in if let watcher { Unmanaged<Watcher>.fromOpaque(watcher).release() } })
  }

  /// Hands an event to a sink pad as its peer would. False if nobody took it.
  @discardableResult
  public func send(_ event: consuming Event) -> Bool {
    guard let pointer = event.release() else { return false }
    return gst_pad_send_event(gst, pointer) != 0
  }
}

extension Passing {
  /// What passes, for whoever changes it: nothing passes until something is put in its place.
  public mutating func take() -> Passing {
    let taken = self
    self = .dropped
    return taken
  }

  fileprivate consuming func release() -> UnsafeMutableRawPointer? {
    switch consume self {
    case .buffer(let buffer): buffer.release().map { UnsafeMutableRawPointer($0) }
    case .event(let event): event.release().map { UnsafeMutableRawPointer($0) }
    case .dropped: nil
    }
  }
}

/// Shows each buffer of a list that is taken; nil if nothing of it passes.
private func watchEach(of list: OpaquePointer, _ body: (inout Passing) -> Void) -> OpaquePointer? {
  defer { gst_mini_object_unref(UnsafeMutableRawPointer(list).assumingMemoryBound(to: GstMiniObject.self)) }
  guard let made = gst_buffer_list_new() else { return nil }
  for index in 0..<gst_buffer_list_length(list) {
    guard let buffer = gst_buffer_list_get(list, index) else { continue }
    var passing = Passing.buffer(Buffer(borrowing: buffer))
    body(&passing)
    if let left = passing.release() { gst_buffer_list_insert(made, -1, left.assumingMemoryBound(to: GstBuffer.self)) }
  }
  if gst_buffer_list_length(made) > 0 { return made }
  gst_mini_object_unref(UnsafeMutableRawPointer(made).assumingMemoryBound(to: GstMiniObject.self))
  return nil
}

private final class Watcher {
  let body: @Sendable (inout Passing) -> Void
  init(_ body: @escaping @Sendable (inout Passing) -> Void) { self.body = body }
}
