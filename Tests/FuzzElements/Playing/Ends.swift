import CGStreamer

typealias PadPointer = UnsafeMutablePointer<GstPad>

/// The pads before and behind the elements: what an application's sources and sinks are.
final class End: @unchecked Sendable {
  let pad: PadPointer
  let answers: Plan.Answers
  let taking: Plan.Taking
  private let gate = Gate()
  private var isFlushing = false
  /// As a sink below PAUSED: flushes that are still on their way do not undo it.
  private var isStopped = false
  private var taken = 0

  init?(_ name: String, isSource: Bool, _ plan: Plan) {
    guard let pad = gst_pad_new(name, isSource ? GST_PAD_SRC : GST_PAD_SINK) else { return nil }
    gst_object_ref_sink(pad)
    self.pad = pad
    (answers, taking) = (plan.answers, plan.taking)
    gst_pad_set_element_private(pad, Unmanaged.passUnretained(self).toOpaque())
    gst_pad_set_query_function_full(
      pad, { pad, parent, query in End.of(pad)?.answer(query!) ?? gst_pad_query_default(pad, parent, query) }, nil, nil)
    gst_pad_set_event_function_full(
      pad,
      { pad, _, event in
        switch event!.pointee.type {
        case GST_EVENT_FLUSH_START: End.of(pad)?.setFlushing(true)
        case GST_EVENT_FLUSH_STOP: End.of(pad)?.setFlushing(false)
        default: break
        }
        gst_event_unref(event)
        return 1
      }, nil, nil)
    if !isSource {
      gst_pad_set_chain_function_full(
        pad,
        { pad, _, buffer in
          gst_buffer_unref(buffer)
          return End.of(pad)?.take() ?? GST_FLOW_ERROR
        }, nil, nil)
    }
    gst_pad_set_active(pad, 1)
  }

  /// Nothing may flow any more.
  func close() {
    setStopped(true)
    gst_pad_set_active(pad, 0)
    if let peer = gst_pad_get_peer(pad) {
      if pad.pointee.direction == GST_PAD_SRC { gst_pad_unlink(pad, peer) } else { gst_pad_unlink(peer, pad) }
      gst_object_unref(peer)
    }
    gst_object_unref(pad)
  }

  private static func of(_ pad: PadPointer?) -> End? {
    gst_pad_get_element_private(pad).map { Unmanaged<End>.fromOpaque($0).takeUnretainedValue() }
  }

  private func setFlushing(_ isFlushing: Bool) { gate.change { self.isFlushing = isFlushing } }

  func setStopped(_ isStopped: Bool) { gate.change { self.isStopped = isStopped } }

  private func take() -> GstFlowReturn {
    let count = gate.change {
      taken += 1
      return taken
    }
    switch taking {
    case .all: if count > 60 { g_usleep(1000) }
    case .slowly: g_usleep(1000)
    case .untilStopped: if count > 2 { _ = gate.wait { isFlushing || isStopped } }
    case .refusing(let after, let flow): if count > after { return GstFlowReturn(rawValue: flow) } else if count > 60 { g_usleep(1000) }
    }
    return gate.change { isFlushing || isStopped } ? GST_FLOW_FLUSHING : GST_FLOW_OK
  }

  /// nil for what any pad would answer.
  private func answer(_ query: UnsafeMutablePointer<GstQuery>) -> gboolean? {
    switch query.pointee.type {
    case GST_QUERY_LATENCY:
      gst_query_set_latency(query, answers.isLive ? 1 : 0, GstClockTime(answers.latency.least), GstClockTime(answers.latency.most))
      return 1
    case GST_QUERY_DURATION:
      var format = GST_FORMAT_TIME
      gst_query_parse_duration(query, &format, nil)
      gst_query_set_duration(query, format, gint64(answers.duration))
      return 1
    case GST_QUERY_SEEKING:
      var format = GST_FORMAT_TIME
      gst_query_parse_seeking(query, &format, nil, nil, nil)
      gst_query_set_seeking(query, format, answers.isSeekable ? 1 : 0, 0, gint64(answers.duration))
      return 1
    // What the elements accept is asked of them.
    case GST_QUERY_CAPS:
      guard let any = gst_caps_new_any() else { return 0 }
      gst_query_set_caps_result(query, any)
      gst_caps_unref(any)
      return 1
    case GST_QUERY_ACCEPT_CAPS:
      gst_query_set_accept_caps_result(query, 1)
      return 1
    case GST_QUERY_ALLOCATION: return 0
    default: return nil
    }
  }
}

/// What a stream consists of at one side: where it comes in, where it leaves, and the thread that brings it.
final class Stream: @unchecked Sendable {
  let source: End
  let sink: End?
  /// The pads of elements that were asked for.
  var requested: [(element: UnsafeMutablePointer<GstElement>, pad: PadPointer)] = []

  init(_ source: End, _ sink: End?) { (self.source, self.sink) = (source, sink) }
}
