import CGStreamer
import Timing

/// An element with pads of its own, for what no base class of GStreamer fits: several inputs, held ends of stream,
/// changed times.
///
/// Pads come from the description's templates: those that are always there are made with the element, others when asked
/// for (`sink_%u` becomes `sink_0`, `sink_1`, …). Every callback may run on another thread; what they share is the author's
/// to lock, and no lock may be held while pushing. Properties are read and written by the kit; what users read is set with
/// `ElementHandle.publish`.
///
/// ```swift
/// func chain(_ buffer: consuming Buffer, on pad: Pad, _ settings: Settings) throws -> GstFlowReturn {
///   handle.pad("src")?.push(buffer) ?? GST_FLOW_ERROR
/// }
/// func receive(_ event: consuming Event, on pad: Pad, _ settings: Settings) -> Bool { handle.forward(event, from: pad) }
/// ```
public protocol PadElement: Element {
  /// READY→PAUSED, before data flow. An error is posted and stops the state change; `stop` does not run then.
  func start(_ settings: Settings) throws

  /// PAUSED→READY begins: wakes every wait of the element, for data stop only when `chain` and `receive` have returned.
  func interrupt()

  /// PAUSED→READY, after data have stopped; or another part of the state change failed after `start`.
  func stop()

  /// A buffer arrives at a sink pad, on its streaming thread. An error is posted and stops the stream.
  ///
  /// - Returns: what `Pad.push` returned, `GST_FLOW_OK` if the buffer was kept.
  func chain(_ buffer: consuming Buffer, on pad: Pad, _ settings: Settings) throws -> GstFlowReturn

  /// An event arrives at a pad of either direction. Pass on what you do not know with `ElementHandle.forward`. True if
  /// somebody took it.
  func receive(_ event: consuming Event, on pad: Pad, _ settings: Settings) -> Bool

  /// A query arrives: true or false if the element answered, nil for GStreamer's default. Any thread.
  func answer(_ query: Query, on pad: Pad, _ settings: Settings) -> Bool?

  /// A setting was changed, on the thread that did; what waits may have to look again.
  func settingsChanged(_ settings: Settings)

  /// How long buffers are held back at most, in nanoseconds, for the answer to the latency query. Any thread.
  func latency(_ settings: Settings) -> ClockTime

  /// How many video buffers are held back at most, so that upstream's pool can be that much larger. Any thread.
  ///
  /// Asked of elements whose pads have partners (`PadTemplate.partner`): their allocation queries are passed on.
  func heldBuffers(_ settings: Settings) -> UInt32

  /// A pad was asked for.
  func added(_ pad: Pad)

  /// A pad is given back. Data still flow through it: wake what waits there, and end its thread.
  func removed(_ pad: Pad)

  /// It is gone, and nothing flows through it any more.
  func gone(_ pad: Pad)
}

extension PadElement {
  /// Nothing to open.
  public func start(_ settings: Settings) throws {}
  /// Nothing waits.
  public func interrupt() {}
  /// Nothing to close.
  public func stop() {}
  /// GStreamer's default for every query.
  public func answer(_ query: Query, on pad: Pad, _ settings: Settings) -> Bool? { nil }
  /// Nothing: settings come with the next buffer.
  public func settingsChanged(_ settings: Settings) {}
  /// Nothing is held back.
  public func latency(_ settings: Settings) -> ClockTime { 0 }
  /// None.
  public func heldBuffers(_ settings: Settings) -> UInt32 { 0 }
  /// Nothing: the kit has made the pad.
  public func added(_ pad: Pad) {}
  /// Nothing: the kit removes the pad.
  public func removed(_ pad: Pad) {}
  /// Nothing is kept of it.
  public func gone(_ pad: Pad) {}
}

extension ElementHandle {
  /// The pad of this name, if the element has it now.
  public func pad(_ name: String) -> Pad? {
    gst_element_get_static_pad(element, name).map { Pad(taking: $0) }
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
  func interrupt() {}
  func stop() {}
  func chain(_ buffer: consuming Buffer, on pad: Pad) -> GstFlowReturn { GST_FLOW_ERROR }
  func receive(_ event: consuming Event, on pad: Pad) -> Bool { false }
  func answer(_ query: Query, on pad: Pad) -> Bool? { nil }
  var latency: ClockTime { 0 }
  var heldBuffers: UInt32 { 0 }
  func added(_ pad: Pad) {}
  func removed(_ pad: Pad) {}
  func gone(_ pad: Pad) {}

  static let offset = MemoryLayout<GstElement>.size

  static func of(_ element: UnsafeMutableRawPointer?) -> PadElementObject? {
    element.flatMap { ElementClass.object(of: $0, at: offset, as: PadElementObject.self) }
  }

  static func installCallbacks(_ gclass: UnsafeMutableRawPointer) {
    let callbacks = gclass.assumingMemoryBound(to: GstElementClass.self)
    callbacks.pointee.change_state = { element, change in
      guard let element, let object = PadElementObject.of(element) else { return GST_STATE_CHANGE_FAILURE }
      if change == GST_STATE_CHANGE_READY_TO_PAUSED, !object.start() { return GST_STATE_CHANGE_FAILURE }
      if change == GST_STATE_CHANGE_PAUSED_TO_READY { object.interrupt() }
      let parent = g_type_class_peek(gst_element_get_type())?.assumingMemoryBound(to: GstElementClass.self)
      let result = parent?.pointee.change_state?(element, change) ?? GST_STATE_CHANGE_FAILURE
      let notStarted = change == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE
      if change == GST_STATE_CHANGE_PAUSED_TO_READY || notStarted { object.stop() }
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
      let (object, kept) = (PadElementObject.of(element), Pad(borrowing: pad))
      object?.removed(kept)
      gst_pad_set_active(pad, 0)
      gst_element_remove_pad(element, pad)
      object?.gone(kept)
    }
  }

  override func instanceReady() {
    for template in templates where template.presence == .always {
      if let known = registered(template) { _ = addPad(from: known, named: template.name) }
    }
  }

  /// The pad that carries on what arrives at this one, if its template names one and it is there.
  private func partner(of pad: UnsafeMutablePointer<GstPad>) -> Pad? {
    guard let template = pad.pointee.padtemplate else { return nil }
    let name = String(cString: template.pointee.name_template)
    return templates.first { $0.name == name }?.partner.flatMap { handle.pad($0) }
  }

  private static func iteratePartner(
    of pad: UnsafeMutablePointer<GstPad>?, in parent: UnsafeMutablePointer<GstObject>?
  ) -> UnsafeMutablePointer<GstIterator>? {
    guard let pad, let partner = PadElementObject.of(parent)?.partner(of: pad) else {
      // Without an object it iterates over nothing.
      return gst_iterator_new_single(gst_pad_get_type(), nil)
    }
    var value = GValue()
    g_value_init(&value, gst_pad_get_type())
    defer { g_value_unset(&value) }
    g_value_set_object(&value, partner.gst)
    return gst_iterator_new_single(gst_pad_get_type(), &value)
  }

  private func addPad(from template: UnsafeMutablePointer<GstPadTemplate>, named name: String?) -> Pad? {
    let templateName = String(cString: template.pointee.name_template)
    guard let pad = gst_pad_new_from_template(template, name ?? nextName(templateName)) else { return nil }
    let known = templates.first { $0.name == templateName }
    if known?.proxiesCaps == true { pad.pointee.object.flags |= GST_PAD_FLAG_PROXY_CAPS.rawValue }
    if known?.partner != nil {
      gst_pad_set_iterate_internal_links_function_full(
        pad, { pad, parent in PadElementObject.iteratePartner(of: pad, in: parent) }, nil, nil)
    }
    if pad.pointee.direction == GST_PAD_SINK {
      gst_pad_set_chain_function_full(
        pad,
        { pad, parent, buffer in
          guard let pad, let buffer else { return GST_FLOW_ERROR }
          let owned = Buffer(taking: buffer)
          guard let object = PadElementObject.of(parent) else { return GST_FLOW_ERROR }
          return object.chain(owned, on: Pad(borrowing: pad))
        }, nil, nil)
    }
    gst_pad_set_event_function_full(
      pad,
      { pad, parent, event in
        guard let pad, let event else { return 0 }
        let owned = Event(taking: event)
        guard let object = PadElementObject.of(parent) else { return 0 }
        return object.receive(owned, on: Pad(borrowing: pad)) ? 1 : 0
      }, nil, nil)
    gst_pad_set_query_function_full(
      pad,
      { pad, parent, query in
        guard let pad, let query else { return 0 }
        let object = PadElementObject.of(parent)
        if let answered = object?.answer(Query(query), on: Pad(borrowing: pad)) { return answered ? 1 : 0 }
        if query.pointee.type == GST_QUERY_ALLOCATION, let object, let partner = object.partner(of: pad) {
          guard gst_pad_peer_query(partner.gst, query) != 0 else { return 0 }
          raisePools(query, by: object.heldBuffers)
          return 1
        }
        let answered = gst_pad_query_default(pad, parent, query)
        if answered != 0, query.pointee.type == GST_QUERY_LATENCY, pad.pointee.direction == GST_PAD_SRC {
          addLatency(object?.latency ?? 0, to: query)
        }
        return answered
      }, nil, nil)
    // Request pads of a running element must be ready for data.
    if handle.element.pointee.current_state.rawValue > GST_STATE_READY.rawValue { gst_pad_set_active(pad, 1) }
    guard gst_element_add_pad(handle.element, pad) != 0 else {
      gst_object_unref(pad)
      return nil
    }
    return Pad(borrowing: pad)
  }
}

final class PadElementBox<E: PadElement>: PadElementObject {
  private let own: ElementCore<E>

  init(_ core: ElementCore<E>) {
    own = core
    super.init(core, core.handle)
  }

  override var templates: [PadTemplate] { E.description.pads }
  override func start() -> Bool { reporting { try own.element.start(own.checkedSettings()) } != nil }
  override func interrupt() { own.element.interrupt() }
  override func stop() { own.element.stop() }
  override var latency: ClockTime { own.element.latency(own.settings) }
  override var heldBuffers: UInt32 { own.element.heldBuffers(own.settings) }
  override func settingsChanged() { own.element.settingsChanged(own.settings) }
  override func added(_ pad: Pad) { own.element.added(pad) }
  override func removed(_ pad: Pad) { own.element.removed(pad) }
  override func gone(_ pad: Pad) { own.element.gone(pad) }

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

  override func answer(_ query: Query, on pad: Pad) -> Bool? {
    own.element.answer(query, on: pad, own.settings)
  }
}
