import CGStreamer
import CGStreamerCheck
import Glibc

/// A pipeline of a plan's elements, on which its steps are performed.
final class Stage {
  typealias ElementPointer = UnsafeMutablePointer<GstElement>

  private let plan: Plan
  private let folder: String
  private let watch: Watch
  private let threads: [StreamingThread]
  private let plant: Plant?
  private let pipeline: ElementPointer
  private var elements: [ElementPointer] = []
  private var streams: [Stream?] = [nil, nil]

  /// - Parameters:
  ///   - folder: for files that elements write.
  ///   - threads: of the two lanes.
  init?(_ plan: Plan, folder: String, watch: Watch, threads: [StreamingThread], plant: Plant?) {
    guard let made = gst_pipeline_new(nil) else { return nil }
    (self.plan, self.folder, self.watch, self.threads, self.plant) = (plan, folder, watch, threads, plant)
    pipeline = made
    gst_object_ref_sink(pipeline)
    for name in plan.chain {
      guard let element = gst_element_factory_make(name, nil) else { return nil }
      gst_bin_add(pipelineBin, element)
      if let last = elements.last { gst_element_link(last, element) }
      elements.append(element)
    }
    if !plan.hasClock { gst_pipeline_use_clock(UnsafeMutableRawPointer(pipeline).assumingMemoryBound(to: GstPipeline.self), nil) }
    guard let source = End("source", isSource: true, plan) else { return nil }
    var sink: End?
    if plan.chain.last != "shotclip" { sink = End("sink", isSource: false, plan) }
    streams[0] = Stream(source, sink)
    link(.video)
  }

  private var pipelineBin: UnsafeMutablePointer<GstBin> { UnsafeMutableRawPointer(pipeline).assumingMemoryBound(to: GstBin.self) }

  // MARK: Pads

  private func firstPad(_ lane: Plan.Lane) -> PadPointer? { stream(lane)?.requested.first?.pad }
  private func stream(_ lane: Plan.Lane) -> Stream? { streams[lane.rawValue] }

  private func link(_ lane: Plan.Lane) {
    guard let stream = stream(lane) else { return }
    if lane == .sound {
      for (_, pad) in stream.requested {
        if pad.pointee.direction == GST_PAD_SINK {
          gst_pad_link(stream.source.pad, pad)
        } else if let sink = stream.sink {
          gst_pad_link(pad, sink.pad)
        }
      }
      return
    }
    if let first = elements.first, let pad = gst_element_get_static_pad(first, plan.chain[0] == "shotclip" ? "video" : "sink") {
      gst_pad_link(stream.source.pad, pad)
      gst_object_unref(pad)
    }
    if let last = elements.last, let sink = stream.sink, let pad = gst_element_get_static_pad(last, "src") {
      gst_pad_link(pad, sink.pad)
      gst_object_unref(pad)
    }
  }

  private func unlink(_ lane: Plan.Lane) {
    guard let stream = stream(lane), let peer = gst_pad_get_peer(stream.source.pad) else { return }
    gst_pad_unlink(stream.source.pad, peer)
    gst_object_unref(peer)
  }

  /// Sound goes through the first element that takes any.
  private func addSound() {
    guard stream(.sound) == nil, let index = plan.chain.firstIndex(where: { ["defade", "sceneextend", "shotclip"].contains($0) }),
      let source = End("sound", isSource: true, plan)
    else { return }
    let isEnd = plan.chain[index] == "shotclip"
    let made = Stream(source, isEnd ? nil : End("heard", isSource: false, plan))
    for name in isEnd ? ["audio"] : ["audio_sink", "audio_src"] {
      if let pad = gst_element_request_pad_simple(elements[index], name) { made.requested.append((elements[index], pad)) }
    }
    streams[1] = made
    link(.sound)
  }

  private func removeSound() {
    guard let stream = stream(.sound) else { return }
    streams[1] = nil
    stream.sink?.setStopped(true)
    for (element, pad) in stream.requested {
      gst_element_release_request_pad(element, pad)
      gst_object_unref(pad)
    }
    stream.source.setStopped(true)
    gst_pad_set_active(stream.source.pad, 0)
    _ = threads[1].rests(within: 60_000)
    stream.source.close()
    stream.sink?.close()
  }

  // MARK: Steps

  func perform() {
    for (index, step) in plan.steps.enumerated() {
      watch.begins("step \(index)") { Plan.short("\(step)") }
      perform(step)
    }
  }

  private func perform(_ step: Plan.Step) {
    switch step {
    case .property(let element, let name, let value):
      guard elements.indices.contains(element) else { return }
      set(name, value, on: elements[element])
    case .state(let element, let state):
      if state <= 2 { setStopped(true) }
      let target = element.flatMap { elements.indices.contains($0) ? elements[$0] : nil } ?? pipeline
      gst_element_set_state(target, GstState(rawValue: UInt32(state)))
      if state > 2 { setStopped(false) }
    case .frame(let lane, let frame): push([frame], lane, asList: false)
    case .frames(let lane, let frames): push(frames, lane, asList: true)
    case .event(let lane, let event): send(event, lane)
    case .upstream(let lane, let event):
      if let sink = stream(lane)?.sink, let event = Making.event(event) { gst_pad_push_event(sink.pad, event) }
    case .query(let lane, let fromDownstream, let query):
      guard let stream = stream(lane), let pad = fromDownstream ? stream.sink?.pad : stream.source.pad, let query = Making.query(query)
      else { return }
      // Serialized ones wait for what flows before them.
      let isSerialized = !fromDownstream && (query.pointee.type == GST_QUERY_ALLOCATION || query.pointee.type == GST_QUERY_DRAIN)
      let ask = {
        _ = gst_pad_peer_query(pad, query); gst_query_unref(query)
      }
      if isSerialized { submit(lane, ask) { gst_query_unref(query) } } else { ask() }
    case .addSound: addSound()
    case .removeSound: removeSound()
    case .signal(let element, let shots, let prompt):
      guard elements.indices.contains(element), plan.chain[element] == "sceneextend" else { return }
      if let shots { cgst_extend(elements[element], shots, prompt) } else { cgst_stop_extension(elements[element]) }
    case .unlink(let lane): unlink(lane)
    case .link(let lane): link(lane)
    case .wait(let milliseconds): g_usleep(gulong(milliseconds * 1000))
    }
  }

  private func setStopped(_ isStopped: Bool) { for stream in streams { stream?.sink?.setStopped(isStopped) } }

  private func set(_ name: String, _ value: String?, on element: ElementPointer) {
    let object = UnsafeMutableRawPointer(element).assumingMemoryBound(to: GObject.self)
    let value = value.map { $0.hasPrefix("@") ? folder + $0.dropFirst() : $0 }
    if let value, cgst_is_string_property(object, name) == 0 { return gst_util_set_object_arg(object, name, value) }
    cgst_set_string_property(object, name, value)
  }

  private func submit(_ lane: Plan.Lane, _ body: @escaping () -> Void, orDrop drop: @escaping () -> Void) {
    threads[lane.rawValue].submit(body, orDrop: drop)
    // It goes on later if it has to wait for another lane, or for time to pass.
    _ = threads[lane.rawValue].rests(within: 10)
  }

  private func push(_ frames: [Plan.Frame], _ lane: Plan.Lane, asList: Bool) {
    guard let stream = stream(lane) else { return }
    let pad = stream.source.pad
    let body = { [plant] in
      let caps = gst_pad_get_current_caps(pad)
      defer { if let caps { gst_caps_unref(caps) } }
      let list = asList ? gst_buffer_list_new() : nil
      for frame in frames {
        guard let buffer = Making.buffer(frame, lane, caps) else { continue }
        plant?.see(buffer)
        if let list { gst_buffer_list_insert(list, -1, buffer) } else { _ = gst_pad_push(pad, buffer) }
      }
      if let list { _ = gst_pad_push_list(pad, list) }
    }
    submit(lane, body) {}
  }

  private func send(_ event: Plan.Event, _ lane: Plan.Lane) {
    guard let stream = stream(lane), let made = Making.event(event) else { return }
    // GStreamer's own queue, of which shotclip has some inside, hangs if a flush ends that has not begun, while it stops.
    let hasQueue = plan.chain.contains { ["queue", "shotclip"].contains($0) }
    if case .flushStop = event, hasQueue || !threads[lane.rawValue].rests(within: 0) { send(.flushStart, lane) }
    plant?.see(event)
    let pad = stream.source.pad
    // What is not serialized comes from another thread.
    let isSerialized = made.pointee.type.rawValue & GST_EVENT_TYPE_SERIALIZED.rawValue != 0
    if isSerialized {
      return submit(lane) {
        _ = gst_pad_push_event(pad, made)
      } orDrop: {
        gst_event_unref(made)
      }
    }
    if case .flushStart = event { threads[lane.rawValue].flush() }
    _ = gst_pad_push_event(pad, made)
    // A flush ends every wait of the streaming thread.
    if case .flushStart = event, gst_pad_is_linked(pad) != 0 { while !threads[lane.rawValue].rests(within: 60_000) {} }
  }

  // MARK: The end

  /// To NULL; nothing is left afterwards. The watch says if that takes too long.
  func strike() {
    watch.begins("to NULL") { "all to NULL at the end" }
    setStopped(true)
    gst_element_set_state(pipeline, GST_STATE_NULL)
    watch.begins("threads") { "a streaming thread, which all in NULL must let go" }
    for thread in threads { while !thread.rests(within: 60_000) {} }
    watch.begins("release") { "giving pads back" }
    if stream(.sound) != nil { removeSound() }
    streams[0]?.source.close()
    streams[0]?.sink?.close()
    streams[0] = nil
    watch.begins("freed") { "freeing the pipeline" }
    gst_object_unref(pipeline)
  }
}
