import CGStreamer

/// What passes a pad, borrowed for as long as a watcher looks at it.
public enum Passing {
  case buffer(UnsafeMutablePointer<GstBuffer>)
  /// Downstream, serialized or not; FLUSH_START and FLUSH_STOP too.
  case event(UnsafeMutablePointer<GstEvent>)
}

extension Pad {
  /// Calls `body` for every buffer and downstream event before they pass, on the thread that brings them.
  ///
  /// For pads of children, whose elements are somebody else's. It lasts as long as the pad, and keeps what it captures
  /// alive as long. `body` may wait, and then what comes after waits with it; FLUSH_START comes on another thread
  /// meanwhile. Buffer lists are not seen.
  public func watch(_ body: @escaping @Sendable (Passing) -> Void) {
    let type = GST_PAD_PROBE_TYPE_BUFFER.rawValue | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM.rawValue | GST_PAD_PROBE_TYPE_EVENT_FLUSH.rawValue
    gst_pad_add_probe(
      gst, GstPadProbeType(rawValue: type),
      { _, info, watcher in
        guard let info, let watcher, let data = info.pointee.data else { return GST_PAD_PROBE_OK }
        let body = Unmanaged<Watcher>.fromOpaque(watcher).takeUnretainedValue().body
        if info.pointee.type.rawValue & GST_PAD_PROBE_TYPE_BUFFER.rawValue != 0 {
          body(.buffer(data.assumingMemoryBound(to: GstBuffer.self)))
        } else {
          body(.event(data.assumingMemoryBound(to: GstEvent.self)))
        }
        return GST_PAD_PROBE_OK
      }, Unmanaged.passRetained(Watcher(body)).toOpaque(),
      { watcher in if let watcher { Unmanaged<Watcher>.fromOpaque(watcher).release() } })
  }

  /// Hands an event to a sink pad as its peer would.
  @discardableResult
  public func send(_ event: DownstreamEvent) -> Bool {
    event.makeGstEvent().map { gst_pad_send_event(gst, $0) != 0 } ?? false
  }
}

private final class Watcher {
  let body: @Sendable (Passing) -> Void
  init(_ body: @escaping @Sendable (Passing) -> Void) { self.body = body }
}
