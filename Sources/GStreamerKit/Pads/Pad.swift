import CGStreamer
import Timing

/// A pad, which lives as long as any value of it: also when its element has given it back meanwhile.
public struct Pad: @unchecked Sendable, Hashable {
  private let reference: Reference<GstPad>
  /// For calls of the C API that have no Swift form here.
  public let gst: UnsafeMutablePointer<GstPad>

  /// Takes the caller's reference.
  public init(taking gst: UnsafeMutablePointer<GstPad>) {
    reference = Reference(object: gst)
    self.gst = gst
  }

  /// Keeps a pad that the caller lends.
  public init(borrowing gst: UnsafeMutablePointer<GstPad>) {
    gst_object_ref(gst)
    self.init(taking: gst)
  }

  public static func == (one: Pad, other: Pad) -> Bool { one.gst == other.gst }
  public func hash(into hasher: inout Hasher) { hasher.combine(gst) }

  /// Unique in the element. A copy, with a lock: not for every buffer.
  public var name: String {
    gst_object_get_name(UnsafeMutableRawPointer(gst).assumingMemoryBound(to: GstObject.self)).map { name in
      defer { g_free(name) }
      return String(cString: name)
    } ?? ""
  }

  /// The template that it was made from: "sink_%u", say.
  public var templateName: String { gst.pointee.padtemplate.map { String(cString: $0.pointee.name_template) } ?? "" }

  /// Whether data come in here; else they leave.
  public var isSink: Bool { gst.pointee.direction == GST_PAD_SINK }

  /// Whether another pad is at its other end.
  public var isLinked: Bool { gst_pad_is_linked(gst) != 0 }

  // MARK: Asked of the elements on its other side

  /// How long the stream is, nanoseconds; nil if nobody knows.
  public var peerDuration: ClockTime? {
    var duration: gint64 = -1
    guard gst_pad_peer_query_duration(gst, GST_FORMAT_TIME, &duration) != 0 else { return nil }
    return ClockTime(exactly: duration)
  }

  /// How late data come; nil if nobody knows.
  public var peerLatency: Latency? {
    guard let query = gst_query_new_latency() else { return nil }
    defer { gst_query_unref(query) }
    return gst_pad_peer_query(gst, query) != 0 ? Query(query).latency : nil
  }

  /// Hands a query on to the other side. False if nobody answers.
  public func passToPeer(_ query: Query) -> Bool { gst_pad_peer_query(gst, query.gst) != 0 }

  /// What it can be; nil if it cannot tell.
  public var possibleCaps: Caps? { gst_pad_query_caps(gst, nil).map { Caps(taking: $0) } }

  // MARK: Data

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
  public func push(_ event: DownstreamEvent) -> Bool { event.event.map { push($0) } ?? false }

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
