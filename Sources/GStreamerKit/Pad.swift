import CGStreamer

/// A buffer that is owned: pushed on, or released when it goes out of scope.
public struct Buffer: ~Copyable {
  private var pointer: UnsafeMutablePointer<GstBuffer>?

  init(taking pointer: UnsafeMutablePointer<GstBuffer>) { self.pointer = pointer }

  deinit { if let pointer { gst_buffer_unref(pointer) } }

  /// For calls of the C API; still owned here.
  public var gst: UnsafeMutablePointer<GstBuffer>? { pointer }
  public var pts: ClockTime? { pointer?.pointee.pts.valid }
  public var duration: ClockTime? { pointer?.pointee.duration.valid }
  /// Bytes.
  public var size: Int { pointer.map { Int(gst_buffer_get_size($0)) } ?? 0 }

  /// Gives the reference away.
  consuming func release() -> UnsafeMutablePointer<GstBuffer>? {
    let taken = pointer
    pointer = nil
    return taken
  }
}

/// An event that is owned: forwarded, kept for later, or released when it goes out of scope.
public struct Event: ~Copyable {
  private var pointer: UnsafeMutablePointer<GstEvent>?

  init(taking pointer: UnsafeMutablePointer<GstEvent>) { self.pointer = pointer }

  deinit { if let pointer { gst_event_unref(pointer) } }

  /// For calls of the C API; still owned here.
  public var gst: UnsafeMutablePointer<GstEvent>? { pointer }
  public var type: GstEventType { pointer?.pointee.type ?? GST_EVENT_UNKNOWN }
  public var isSerialized: Bool { pointer?.pointee.isSerialized ?? false }
  /// The number that derived events and messages keep.
  public var sequenceNumber: UInt32 { pointer?.pointee.seqnum ?? 0 }
  /// The fields of a custom event.
  public var structure: Structure? { pointer.flatMap { gst_event_get_structure($0) }.map { Structure($0) } }

  consuming func release() -> UnsafeMutablePointer<GstEvent>? {
    let taken = pointer
    pointer = nil
    return taken
  }
}

/// A pad of an element of ours. Valid as long as the element has it.
public struct Pad: @unchecked Sendable, Hashable {
  public let gst: UnsafeMutablePointer<GstPad>

  public var name: String {
    gst_object_get_name(UnsafeMutableRawPointer(gst).assumingMemoryBound(to: GstObject.self)).map { name in
      defer { g_free(name) }
      return String(cString: name)
    } ?? ""
  }

  public var isSink: Bool { gst.pointee.direction == GST_PAD_SINK }

  /// Sends a buffer downstream, from a source pad.
  public func push(_ buffer: consuming Buffer) -> GstFlowReturn {
    guard let pointer = buffer.release() else { return GST_FLOW_ERROR }
    return gst_pad_push(gst, pointer)
  }

  /// Sends an event out of this pad, whatever its direction.
  @discardableResult
  public func push(_ event: consuming Event) -> Bool {
    guard let pointer = event.release() else { return false }
    return gst_pad_push_event(gst, pointer) != 0
  }

  @discardableResult
  public func push(_ event: DownstreamEvent) -> Bool {
    event.makeGstEvent().map { gst_pad_push_event(gst, $0) != 0 } ?? false
  }
}
