import CGStreamer

/// What passes a pad, lent to a watcher.
public enum Passing {
  case buffer(UnsafeMutablePointer<GstBuffer>)
  /// Downstream, serialized or not; FLUSH_START and FLUSH_STOP too.
  case event(UnsafeMutablePointer<GstEvent>)
  /// What a watcher sets instead so that what came goes no further. It is released then; keep a reference of your own.
  case dropped
}

extension Pad {
  /// Calls `body` for every buffer and downstream event before they pass, on the thread that brings them.
  ///
  /// For pads of children, whose elements are somebody else's. It lasts as long as the pad, and keeps what it captures
  /// alive as long. `body` may wait, and then what comes after waits with it; FLUSH_START comes on another thread
  /// meanwhile. It may put something else of the same kind in its place: what that takes of references to the old and
  /// the new is as with `gst_buffer_make_writable`. Buffer lists are not seen.
  public func watch(_ body: @escaping @Sendable (inout Passing) -> Void) {
    let type = GST_PAD_PROBE_TYPE_BUFFER.rawValue | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM.rawValue | GST_PAD_PROBE_TYPE_EVENT_FLUSH.rawValue
    gst_pad_add_probe(
      gst, GstPadProbeType(rawValue: type),
      { _, info, watcher in
        guard let info, let watcher, let data = info.pointee.data else { return GST_PAD_PROBE_OK }
        let body = Unmanaged<Watcher>.fromOpaque(watcher).takeUnretainedValue().body
        let isBuffer = info.pointee.type.rawValue & GST_PAD_PROBE_TYPE_BUFFER.rawValue != 0
        var passing =
          isBuffer ? Passing.buffer(data.assumingMemoryBound(to: GstBuffer.self)) : .event(data.assumingMemoryBound(to: GstEvent.self))
        body(&passing)
        switch passing {
        case .buffer(let buffer): info.pointee.data = UnsafeMutableRawPointer(buffer)
        case .event(let event): info.pointee.data = UnsafeMutableRawPointer(event)
        case .dropped: return GST_PAD_PROBE_DROP
        }
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

private final class Watcher {
  let body: @Sendable (inout Passing) -> Void
  init(_ body: @escaping @Sendable (inout Passing) -> Void) { self.body = body }
}
