import CGStreamer

/// An element with pads of its own, for what no base class of GStreamer fits: several inputs, held ends of stream,
/// changed times.
///
/// Pads come from the description's templates: those that are always there are made with the element, others when asked
/// for. Every callback may run on another thread; what they share is the author's to lock.
public protocol PadElement: Element {
  /// READY→PAUSED, before data flow. An error stops the state change.
  func start(_ settings: Settings) throws

  /// PAUSED→READY, after data have stopped.
  func stop()

  /// A buffer arrives at a sink pad. An error is posted and stops the stream.
  func chain(_ buffer: consuming Buffer, on pad: Pad, _ settings: Settings) throws -> GstFlowReturn

  /// An event arrives. Pass on what you do not know with `ElementHandle.forward`.
  func receive(_ event: consuming Event, on pad: Pad, _ settings: Settings) -> Bool

  /// How long buffers are held back at most, for the answer to the latency query.
  func latency(_ settings: Settings) -> ClockTime

  /// A pad was asked for, or is given back.
  func added(_ pad: Pad)
  func removed(_ pad: Pad)
}

extension PadElement {
  public func start(_ settings: Settings) throws {}
  public func stop() {}
  public func latency(_ settings: Settings) -> ClockTime { 0 }
  public func added(_ pad: Pad) {}
  public func removed(_ pad: Pad) {}
}

extension ElementHandle {
  /// The pad of this name, if the element has it now.
  public func pad(_ name: String) -> Pad? {
    guard let pad = gst_element_get_static_pad(element, name) else { return nil }
    // The element keeps its pads alive; this reference is not needed.
    gst_object_unref(pad)
    return Pad(gst: pad)
  }

  /// GStreamer's default for an event: on to the pads on the other side.
  @discardableResult
  public func forward(_ event: consuming Event, from pad: Pad) -> Bool {
    guard let pointer = event.release() else { return false }
    return gst_pad_event_default(pad.gst, gstObject, pointer) != 0
  }
}

extension Plugin {
  /// Registers an element; false if its type name or factory name is refused.
  public static func register<E: PadElement>(_ type: E.Type, in plugin: OpaquePointer?) -> Bool {
    ElementClass(type, parent: gst_element_get_type(), callbacks: PadElementObject.installCallbacks) {
      PadElementBox($0)
    }.register(in: plugin)
  }
}

/// The GstElement side of a `PadElement`.
class PadElementObject: ElementObject {
  var templates: [PadTemplate] { [] }
  func start() -> Bool { false }
  func stop() {}
  func chain(_ buffer: consuming Buffer, on pad: Pad) -> GstFlowReturn { GST_FLOW_ERROR }
  func receive(_ event: consuming Event, on pad: Pad) -> Bool { false }
  var latency: ClockTime { 0 }
  func added(_ pad: Pad) {}
  func removed(_ pad: Pad) {}

  static let offset = MemoryLayout<GstElement>.size

  static func of(_ element: UnsafeMutableRawPointer?) -> PadElementObject? {
    element.flatMap { ElementClass.object(of: $0, at: offset, as: PadElementObject.self) }
  }

  static func installCallbacks(_ gclass: UnsafeMutableRawPointer) {
    let callbacks = gclass.assumingMemoryBound(to: GstElementClass.self)
    callbacks.pointee.change_state = { element, change in
      guard let element, let object = PadElementObject.of(element) else { return GST_STATE_CHANGE_FAILURE }
      if change == GST_STATE_CHANGE_READY_TO_PAUSED, !object.start() { return GST_STATE_CHANGE_FAILURE }
      let parent = g_type_class_peek(gst_element_get_type())?.assumingMemoryBound(to: GstElementClass.self)
      let result = parent?.pointee.change_state?(element, change) ?? GST_STATE_CHANGE_FAILURE
      if change == GST_STATE_CHANGE_PAUSED_TO_READY { object.stop() }
      return result
    }
    callbacks.pointee.request_new_pad = { element, template, name, _ in
      guard let element, let template, let object = PadElementObject.of(element) else { return nil }
      let pad = object.addPad(from: template, named: name.map { String(cString: $0) })
      if let pad { object.added(pad) }
      return pad?.gst
    }
    callbacks.pointee.release_pad = { element, pad in
      guard let element, let pad else { return }
      PadElementObject.of(element)?.removed(Pad(gst: pad))
      gst_pad_set_active(pad, 0)
      gst_element_remove_pad(element, pad)
    }
  }

  override func instanceReady() {
    let gclass = UnsafeMutableRawPointer(handle.element.pointee.object.object.g_type_instance.g_class)
      .assumingMemoryBound(to: GstElementClass.self)
    for template in templates where template.presence == .always {
      if let known = gst_element_class_get_pad_template(gclass, template.name) { _ = addPad(from: known, named: template.name) }
    }
  }

  private func addPad(from template: UnsafeMutablePointer<GstPadTemplate>, named name: String?) -> Pad? {
    guard let pad = gst_pad_new_from_template(template, name) else { return nil }
    if pad.pointee.direction == GST_PAD_SINK {
      gst_pad_set_chain_function_full(pad, { pad, parent, buffer in
        guard let pad, let buffer else { return GST_FLOW_ERROR }
        let owned = Buffer(taking: buffer)
        guard let object = PadElementObject.of(parent) else { return GST_FLOW_ERROR }
        return object.chain(owned, on: Pad(gst: pad))
      }, nil, nil)
    }
    gst_pad_set_event_function_full(pad, { pad, parent, event in
      guard let pad, let event else { return 0 }
      let owned = Event(taking: event)
      guard let object = PadElementObject.of(parent) else { return 0 }
      return object.receive(owned, on: Pad(gst: pad)) ? 1 : 0
    }, nil, nil)
    gst_pad_set_query_function_full(pad, { pad, parent, query in
      guard let pad, let query else { return 0 }
      let answered = gst_pad_query_default(pad, parent, query)
      if answered != 0, query.pointee.type == GST_QUERY_LATENCY, pad.pointee.direction == GST_PAD_SRC {
        addLatency(PadElementObject.of(parent)?.latency ?? 0, to: query)
      }
      return answered
    }, nil, nil)
    // Request pads of a running element must be ready for data.
    if handle.element.pointee.current_state.rawValue > GST_STATE_READY.rawValue { gst_pad_set_active(pad, 1) }
    return gst_element_add_pad(handle.element, pad) != 0 ? Pad(gst: pad) : nil
  }
}

final class PadElementBox<E: PadElement>: PadElementObject {
  private let own: ElementCore<E>

  init(_ core: ElementCore<E>) {
    own = core
    super.init(core, core.handle)
  }

  override var templates: [PadTemplate] { E.description.pads }
  override func start() -> Bool { reporting { try own.element.start(own.settings) } != nil }
  override func stop() { own.element.stop() }
  override var latency: ClockTime { own.element.latency(own.settings) }
  override func added(_ pad: Pad) { own.element.added(pad) }
  override func removed(_ pad: Pad) { own.element.removed(pad) }

  override func chain(_ buffer: consuming Buffer, on pad: Pad) -> GstFlowReturn {
    do {
      return try own.element.chain(buffer, on: pad, own.settings)
    } catch {
      handle.post(ElementError(converting: error))
      return GST_FLOW_ERROR
    }
  }

  override func receive(_ event: consuming Event, on pad: Pad) -> Bool {
    own.element.receive(event, on: pad, own.settings)
  }
}
