import CGStreamer
import Timing

/// A buffer that is owned: pushed on, or released when it goes out of scope.
///
/// Memory is shared with others who hold the buffer: write only into one that you made, or through `gst_buffer_make_writable`.
public struct Buffer: ~Copyable, @unchecked Sendable {
  private var pointer: UnsafeMutablePointer<GstBuffer>?

  /// Takes the caller's reference.
  public init(taking pointer: UnsafeMutablePointer<GstBuffer>) { self.pointer = pointer }

  deinit { if let pointer { gst_buffer_unref(pointer) } }

  /// For calls of the C API; still owned here.
  public var gst: UnsafeMutablePointer<GstBuffer>? { pointer }
  /// Presentation time in the segment's time, nanoseconds.
  public var pts: ClockTime? { pointer?.pointee.pts.valid }
  /// Nanoseconds.
  public var duration: ClockTime? { pointer?.pointee.duration.valid }
  /// Bytes.
  public var size: Int { pointer.map { Int(gst_buffer_get_size($0)) } ?? 0 }

  /// Gives the reference away, to a call of the C API that takes it.
  public consuming func release() -> UnsafeMutablePointer<GstBuffer>? {
    let taken = pointer
    pointer = nil
    return taken
  }
}

/// An event that is owned: forwarded, kept for later, or released when it goes out of scope.
///
/// To keep one under a lock: `var end: Event? = consume event`, then `held.withLock { $0.end = end.take() }`.
public struct Event: ~Copyable, @unchecked Sendable {
  private var pointer: UnsafeMutablePointer<GstEvent>?

  /// Takes the caller's reference: of `gst_event_new_eos()`, say.
  public init(taking pointer: UnsafeMutablePointer<GstEvent>) { self.pointer = pointer }

  deinit { if let pointer { gst_event_unref(pointer) } }

  /// For calls of the C API; still owned here.
  public var gst: UnsafeMutablePointer<GstEvent>? { pointer }
  /// Such as `GST_EVENT_EOS`.
  public var type: GstEventType { pointer?.pointee.type ?? GST_EVENT_UNKNOWN }
  /// Whether it keeps its place among the buffers.
  public var isSerialized: Bool { pointer?.pointee.isSerialized ?? false }
  /// The number that derived events and messages keep.
  public var sequenceNumber: UInt32 { pointer?.pointee.seqnum ?? 0 }
  /// The fields of a custom event.
  public var structure: Structure? { pointer.flatMap { gst_event_get_structure($0) }.map { Structure($0) } }

  /// Gives the reference away, to a call of the C API that takes it.
  public consuming func release() -> UnsafeMutablePointer<GstEvent>? {
    let taken = pointer
    pointer = nil
    return taken
  }
}

/// A pad of an element of ours. Valid as long as the element has it.
public struct Pad: @unchecked Sendable, Hashable {
  /// For calls of the C API that have no Swift form here.
  public let gst: UnsafeMutablePointer<GstPad>

  public init(gst: UnsafeMutablePointer<GstPad>) { self.gst = gst }

  /// Unique in the element. A copy, with a lock: not for every buffer.
  public var name: String {
    gst_object_get_name(UnsafeMutableRawPointer(gst).assumingMemoryBound(to: GstObject.self)).map { name in
      defer { g_free(name) }
      return String(cString: name)
    } ?? ""
  }

  public var isSink: Bool { gst.pointee.direction == GST_PAD_SINK }

  /// Sends a buffer downstream, from a source pad. Blocks as long as downstream does: hold no lock.
  ///
  /// - Returns: `GST_FLOW_OK`, or why nothing more should come (`GST_FLOW_FLUSHING`, `GST_FLOW_EOS`, an error).
  public func push(_ buffer: consuming Buffer) -> GstFlowReturn {
    guard let pointer = buffer.release() else { return GST_FLOW_ERROR }
    return gst_pad_push(gst, pointer)
  }

  /// Sends an event out of this pad, whatever its direction. False if nobody took it.
  @discardableResult
  public func push(_ event: consuming Event) -> Bool {
    guard let pointer = event.release() else { return false }
    return gst_pad_push_event(gst, pointer) != 0
  }

  /// Sends an event downstream, from a source pad. False if nobody took it.
  @discardableResult
  public func push(_ event: DownstreamEvent) -> Bool {
    event.makeGstEvent().map { gst_pad_push_event(gst, $0) != 0 } ?? false
  }

  // MARK: Tasks

  /// Runs `body` again and again on a thread of the pad's, until it is paused or stopped; resumes it if it was paused.
  ///
  /// For elements that decouple what comes from what leaves. `body` pushes from this pad, holds no lock while it does,
  /// and calls `pauseTask` when a push fails. False if the thread cannot be had.
  @discardableResult
  public func startTask(_ body: @escaping @Sendable () -> Void) -> Bool {
    let box = Unmanaged.passRetained(TaskBody(body)).toOpaque()
    return gst_pad_start_task(
      gst, { box in if let box { Unmanaged<TaskBody>.fromOpaque(box).takeUnretainedValue().run() } }, box,
      { box in if let box { Unmanaged<TaskBody>.fromOpaque(box).release() } }) != 0
  }

  /// Pauses the task; outside of it, waits until its body returns: wake it first. True if there is a task.
  @discardableResult
  public func pauseTask() -> Bool { gst_pad_pause_task(gst) != 0 }

  /// Ends the task's thread and waits for it: wake it first. Not from the task.
  public func stopTask() { gst_pad_stop_task(gst) }

  private final class TaskBody: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
