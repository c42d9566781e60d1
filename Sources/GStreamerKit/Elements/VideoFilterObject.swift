import CGStreamer
import Timing

/// The GstBaseTransform side of a `PassthroughVideoFilter`: what its C callbacks call.
class VideoFilterObject: ElementObject {
  func start() -> Bool { false }
  func stop() -> Bool { true }
  func setCaps(_ caps: UnsafeMutablePointer<GstCaps>) -> Bool { false }
  func sinkEvent(_ event: UnsafeMutablePointer<GstEvent>) -> Bool { false }
  func sourceEvent(_ event: UnsafeMutablePointer<GstEvent>) -> Bool { false }
  func ingest(_ buffer: UnsafeMutablePointer<GstBuffer>) -> GstFlowReturn { GST_FLOW_ERROR }
  /// The next buffer that may leave, if any; events before it are pushed.
  func nextToLeave() -> UnsafeMutablePointer<GstBuffer>? { nil }
  /// Whether nobody downstream takes the caps of what would leave next.
  var areCapsRefused = false
  /// Everything that is held leaves.
  func drain() {}
  var latency: ClockTime { 0 }
  /// How many buffers may be held at the same time, beyond the one in hand.
  var heldBuffers: UInt32 { 0 }

  static let offset = MemoryLayout<GstBaseTransform>.size

  var transform: UnsafeMutablePointer<GstBaseTransform> {
    UnsafeMutableRawPointer(handle.element).assumingMemoryBound(to: GstBaseTransform.self)
  }

  static var parentClass: UnsafeMutablePointer<GstBaseTransformClass>? {
    g_type_class_peek(gst_base_transform_get_type()).map { $0.assumingMemoryBound(to: GstBaseTransformClass.self) }
  }

  static func of(_ transform: UnsafeMutablePointer<GstBaseTransform>?) -> VideoFilterObject? {
    transform.flatMap { ElementClass.object(of: UnsafeMutableRawPointer($0), at: offset, as: VideoFilterObject.self) }
  }

  /// Passthrough for good, and no QoS: what is seen must not depend on load.
  override func instanceReady() {
    gst_base_transform_set_passthrough(transform, 1)
    gst_base_transform_set_qos_enabled(transform, 0)
  }

  static func installCallbacks(_ gclass: UnsafeMutableRawPointer) {
    let callbacks = gclass.assumingMemoryBound(to: GstBaseTransformClass.self)
    callbacks.pointee.passthrough_on_same_caps = 1
    callbacks.pointee.start = { VideoFilterObject.of($0)?.start() == true ? 1 : 0 }
    callbacks.pointee.stop = { VideoFilterObject.of($0)?.stop() == true ? 1 : 0 }
    callbacks.pointee.set_caps = { transform, caps, _ in
      guard let caps else { return 0 }
      return VideoFilterObject.of(transform)?.setCaps(caps) == true ? 1 : 0
    }
    callbacks.pointee.sink_event = { transform, event in
      guard let event else { return 0 }
      return VideoFilterObject.of(transform)?.sinkEvent(event) == true ? 1 : 0
    }
    callbacks.pointee.src_event = { transform, event in
      guard let event else { return 0 }
      return VideoFilterObject.of(transform)?.sourceEvent(event) == true ? 1 : 0
    }
    callbacks.pointee.generate_output = { transform, output in
      guard let transform, let output, let filter = VideoFilterObject.of(transform) else { return GST_FLOW_ERROR }
      output.pointee = nil
      if let buffer = transform.pointee.queued_buf {
        transform.pointee.queued_buf = nil
        let flow = filter.ingest(buffer)
        guard flow == GST_FLOW_OK else { return flow }
      }
      output.pointee = filter.nextToLeave()
      return output.pointee == nil && filter.areCapsRefused ? GST_FLOW_NOT_NEGOTIATED : GST_FLOW_OK
    }
    callbacks.pointee.query = { transform, direction, query in
      guard let query else { return 0 }
      // Upstream wants its buffers back. The query is serialized: nothing flows meanwhile.
      if direction == GST_PAD_SINK, query.pointee.type == GST_QUERY_DRAIN { VideoFilterObject.of(transform)?.drain() }
      let answered = VideoFilterObject.parentClass?.pointee.query?(transform, direction, query) ?? 0
      if answered != 0, direction == GST_PAD_SRC, query.pointee.type == GST_QUERY_LATENCY, let filter = VideoFilterObject.of(transform) {
        addLatency(filter.latency, to: query)
      }
      return answered
    }
    callbacks.pointee.propose_allocation = { transform, decided, query in
      let answered = VideoFilterObject.parentClass?.pointee.propose_allocation?(transform, decided, query) ?? 0
      if answered != 0, let query, let filter = VideoFilterObject.of(transform) { raisePools(query, by: filter.heldBuffers) }
      return answered
    }
  }
}

func addLatency(_ own: ClockTime, to query: UnsafeMutablePointer<GstQuery>) {
  guard own > 0 else { return }
  var live: gboolean = 0
  var low: GstClockTime = 0
  var high: GstClockTime = 0
  gst_query_parse_latency(query, &live, &low, &high)
  let sum = { (time: GstClockTime) -> GstClockTime in
    let (sum, overflow) = time.addingReportingOverflow(GstClockTime(own))
    return time == .none ? time : overflow ? .none - 1 : min(sum, .none - 1)
  }
  gst_query_set_latency(query, live, sum(low), sum(high))
}

/// Buffers that are held back are missing in the pool: asks for that many more, so that upstream does not starve.
func raisePools(_ query: UnsafeMutablePointer<GstQuery>, by count: UInt32) {
  guard count > 0 else { return }
  for index in 0..<gst_query_get_n_allocation_pools(query) {
    var pool: UnsafeMutablePointer<GstBufferPool>?
    var size: UInt32 = 0
    var low: UInt32 = 0
    var high: UInt32 = 0
    gst_query_parse_nth_allocation_pool(query, index, &pool, &size, &low, &high)
    let raise = { (limit: UInt32) -> UInt32 in
      let (sum, overflow) = limit.addingReportingOverflow(count)
      return overflow ? .max : sum
    }
    gst_query_set_nth_allocation_pool(query, index, pool, size, raise(low), high == 0 ? 0 : raise(high))
    if let pool { gst_object_unref(pool) }
  }
}
