import CGStreamer
import Synchronization

/// An element that is made of others.
///
/// ```swift
/// func build(_ bin: Bin, _ settings: Settings) throws {
///   let convert = try bin.add("videoconvert"), scale = try bin.add("videoscale")
///   try bin.link(convert, scale)
///   try bin.expose(convert, "sink", as: "sink")
///   try bin.expose(scale, "src", as: "src")
/// }
/// ```
public protocol BinElement: Element {
  /// NULL→READY, once: adds the children, links them and exposes their pads. An error is posted and stops the state
  /// change; the children are removed, and the next attempt builds again.
  func build(_ bin: Bin, _ settings: Settings) throws

  /// READY→PAUSED, before data flow. An error is posted and stops the state change; `stop` does not run then.
  func start(_ settings: Settings) throws

  /// PAUSED→READY begins, or READY→NULL where PAUSED was never reached: wakes every wait of the element, for data stop only
  /// when what waits has returned. Once for each `start`.
  func interrupt()

  /// PAUSED→READY or READY→NULL, after data have stopped; or another part of the state change failed after `start`. Once for
  /// each `start`.
  func stop()

  /// A pad was asked for: adds the children behind it and exposes theirs under its name. Runs after `build`, also for
  /// pads that were there before. An error is posted and refuses the pad, or the bin if it is being built.
  func added(_ pad: Pad, to bin: Bin, _ settings: Settings) throws

  /// A pad is given back. Data may still flow through it until this returns.
  func removed(_ pad: Pad, from bin: Bin)

  /// A property was set after the bin was built: sets those of the children. On the thread that set it.
  func settingsChanged(_ settings: Settings, in bin: Bin)

  /// A child posts a message. True if it ends here. Any thread.
  func intercept(_ message: Message) -> Bool
}

extension BinElement {
  /// Nothing to open.
  public func start(_ settings: Settings) throws {}
  /// Nothing waits.
  public func interrupt() {}
  /// Nothing to close.
  public func stop() {}
  /// Nothing: for bins without pads that are made when asked for.
  public func added(_ pad: Pad, to bin: Bin, _ settings: Settings) throws {}
  /// Nothing, likewise.
  public func removed(_ pad: Pad, from bin: Bin) {}
  /// Nothing: settings count when the bin is built.
  public func settingsChanged(_ settings: Settings, in bin: Bin) {}
  /// Every message of a child goes on to the application.
  public func intercept(_ message: Message) -> Bool { false }
}

/// The inside of a `BinElement`.
public struct Bin: Sendable {
  /// The bin itself.
  public let handle: ElementHandle

  /// What is inside of a `BinElement` that has been built.
  public init(handle: ElementHandle) { self.handle = handle }

  private var gst: UnsafeMutablePointer<GstBin> { UnsafeMutableRawPointer(handle.element).assumingMemoryBound(to: GstBin.self) }

  /// Makes a child. The bin owns it.
  ///
  /// - Throws: CORE/MISSING_PLUGIN naming the element.
  public func add(_ factory: String, name: String? = nil) throws -> ElementHandle {
    guard let child = gst_element_factory_make(factory, name) else {
      throw ElementError.core(GST_CORE_ERROR_MISSING_PLUGIN, "The element \"\(factory)\" is not installed.")
    }
    guard gst_bin_add(gst, child) != 0 else {
      throw ElementError.core(GST_CORE_ERROR_FAILED, "The element \"\(factory)\" cannot be added.")
    }
    return ElementHandle(element: child)
  }

  /// Makes a child of several elements from text, as `gst-launch-1.0` does: "x264enc bitrate=4000 ! h264parse". What is
  /// not linked at either end becomes its `sink` and its `src`.
  ///
  /// - Throws: CORE/MISSING_PLUGIN if an element is not installed, LIBRARY/SETTINGS for other text that does not parse.
  public func add(description: String, name: String? = nil) throws -> ElementHandle {
    var error: UnsafeMutablePointer<GError>?
    defer { g_clear_error(&error) }
    let flags = GST_PARSE_FLAG_FATAL_ERRORS
    guard let child = gst_parse_bin_from_description_full(description, 1, nil, flags, &error) else {
      throw ElementError(parsing: description, error)
    }
    if let name { gst_object_set_name(UnsafeMutableRawPointer(child).assumingMemoryBound(to: GstObject.self), name) }
    guard gst_bin_add(gst, child) != 0 else {
      throw ElementError.core(GST_CORE_ERROR_FAILED, "\"\(description)\" cannot be added.")
    }
    return ElementHandle(element: child)
  }

  /// Removes a child with its links, and stops it.
  public func remove(_ child: ElementHandle) {
    gst_object_ref(child.element)
    // A bin that is on its way to a state takes its children along, this one too until it is out.
    gst_element_set_locked_state(child.element, 1)
    gst_element_set_state(child.element, GST_STATE_NULL)
    gst_bin_remove(gst, child.element)
    gst_object_unref(child.element)
  }

  /// The child of this name, which `add` was given.
  public func child(_ name: String) -> ElementHandle? {
    guard let child = gst_bin_get_by_name(gst, name) else { return nil }
    // The bin keeps its children alive; this reference is not needed.
    gst_object_unref(child)
    return ElementHandle(element: child)
  }

  /// Sets a property of a child from text, as `gst-launch-1.0` does. A name or text that the child does not know is
  /// ignored.
  public func set(_ child: ElementHandle, _ property: String, _ text: String) {
    gst_util_set_object_arg(child.gobject, property, text)
  }

  /// Links two children by any pads that fit.
  ///
  /// - Throws: CORE/PAD if there are none.
  public func link(_ from: ElementHandle, _ to: ElementHandle) throws {
    guard gst_element_link(from.element, to.element) != 0 else {
      throw ElementError.core(GST_CORE_ERROR_PAD, "Two elements inside cannot be linked.")
    }
  }

  /// Makes a child's pad the bin's own, under a name of the bin's templates.
  ///
  /// - Throws: CORE/PAD if the child has no such pad, or it does not fit.
  public func expose(_ child: ElementHandle, _ pad: String, as name: String) throws {
    guard let target = gst_element_get_static_pad(child.element, pad) else {
      throw ElementError.core(GST_CORE_ERROR_PAD, "An element inside has no pad \"\(pad)\".")
    }
    defer { gst_object_unref(target) }
    // A ghost pad made before, without a target, is kept: it may be linked already.
    if let ghost = gst_element_get_static_pad(handle.element, name) {
      defer { gst_object_unref(ghost) }
      guard gst_ghost_pad_set_target(UnsafeMutableRawPointer(ghost).assumingMemoryBound(to: GstGhostPad.self), target) != 0 else {
        throw ElementError.core(GST_CORE_ERROR_PAD, "The pad \"\(name)\" does not fit.")
      }
      return
    }
    guard let ghost = gst_ghost_pad_new(name, target) else {
      throw ElementError.core(GST_CORE_ERROR_PAD, "The pad \"\(name)\" cannot be made.")
    }
    guard gst_element_add_pad(handle.element, ghost) != 0 else {
      gst_object_unref(ghost)
      throw ElementError.core(GST_CORE_ERROR_PAD, "The pad \"\(name)\" cannot be added.")
    }
  }

  /// Brings children that were added later to the bin's state.
  func startChildren() { gst_bin_sync_children_states(gst) }

  /// Removes every child, with its links.
  func clear() {
    while let child = gst.pointee.children?.pointee.data.map({ $0.assumingMemoryBound(to: GstElement.self) }) {
      // The bin's reference goes with the removal; the child must be stopped before its last one does.
      gst_object_ref(child)
      let removed = gst_bin_remove(gst, child) != 0
      gst_element_set_state(child, GST_STATE_NULL)
      gst_object_unref(child)
      if !removed { return }
    }
  }
}

extension Plugin {
  /// Registers a bin; false if its type name or factory name is refused.
  public static func register<E: BinElement>(_ type: E.Type, in plugin: OpaquePointer?) -> Bool {
    ElementClass(type, parent: gst_bin_get_type(), callbacks: BinElementObject.installCallbacks) {
      BinElementBox($0)
    }.register(in: plugin)
  }
}

/// The GstBin side of a `BinElement`.
class BinElementObject: ElementObject {
  var templates: [PadTemplate] { [] }
  func build() -> Bool { false }
  func start() -> Bool { false }
  func interrupt() {}
  func stop() {}
  /// False if the pad is refused.
  func added(_ pad: Pad) -> Bool { false }
  func removed(_ pad: Pad) {}
  func intercept(_ message: Message) -> Bool { false }

  /// What a run has come to: 0 none, 1 started, 2 interrupted.
  private let run = Atomic(0)

  fileprivate final func beginRun() -> Bool {
    guard start() else { return false }
    run.store(1, ordering: .releasing)
    return true
  }

  fileprivate final func interruptRun() {
    if run.compareExchange(expected: 1, desired: 2, ordering: .acquiringAndReleasing).exchanged { interrupt() }
  }

  fileprivate final func endRun() {
    interruptRun()
    if run.exchange(0, ordering: .acquiringAndReleasing) == 2 { stop() }
  }

  static let offset = MemoryLayout<GstBin>.size

  static func of(_ bin: UnsafeMutableRawPointer?) -> BinElementObject? {
    bin.flatMap { ElementClass.object(of: $0, at: offset, as: BinElementObject.self) }
  }

  private static var parentClass: UnsafeMutablePointer<GstBinClass>? {
    g_type_class_peek(gst_bin_get_type())?.assumingMemoryBound(to: GstBinClass.self)
  }

  static func installCallbacks(_ gclass: UnsafeMutableRawPointer) {
    let callbacks = gclass.assumingMemoryBound(to: GstElementClass.self)
    callbacks.pointee.change_state = { element, change in
      guard let element, let object = BinElementObject.of(element) else { return GST_STATE_CHANGE_FAILURE }
      // A bin whose preroll has failed is taken from READY to NULL, or set to READY again, with children that still run.
      let stops = [GST_STATE_CHANGE_PAUSED_TO_READY, GST_STATE_CHANGE_READY_TO_NULL, GST_STATE_CHANGE_READY_TO_READY].contains(change)
      if change == GST_STATE_CHANGE_NULL_TO_READY, !object.build() { return GST_STATE_CHANGE_FAILURE }
      if change == GST_STATE_CHANGE_READY_TO_PAUSED {
        object.endRun()
        guard object.beginRun() else { return GST_STATE_CHANGE_FAILURE }
      }
      if stops { object.interruptRun() }
      let result = BinElementObject.parentClass?.pointee.parent_class.change_state?(element, change) ?? GST_STATE_CHANGE_FAILURE
      if stops || (change == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE) { object.endRun() }
      return result
    }
    callbacks.pointee.request_new_pad = { element, template, name, _ in
      guard let element, let template, let object = BinElementObject.of(element) else { return nil }
      return object.addPad(from: template, named: name.map { String(cString: $0) })?.gst
    }
    callbacks.pointee.release_pad = { element, pad in
      guard let element, let pad else { return }
      BinElementObject.of(element)?.removed(Pad(borrowing: pad))
      gst_pad_set_active(pad, 0)
      gst_element_remove_pad(element, pad)
    }
    gclass.assumingMemoryBound(to: GstBinClass.self).pointee.handle_message = { bin, message in
      guard let bin, let message else { return }
      if BinElementObject.of(bin)?.intercept(Message(borrowing: message)) == true {
        gst_message_unref(message)
      } else {
        BinElementObject.parentClass?.pointee.handle_message?(bin, message)
      }
    }
  }

  /// Pads that are always there exist before the children do, so that applications can link them.
  override func instanceReady() {
    for template in templates where template.presence == .always {
      guard let known = registered(template), let pad = gst_ghost_pad_new_no_target_from_template(template.name, known) else { continue }
      if gst_element_add_pad(handle.element, pad) == 0 { gst_object_unref(pad) }
    }
  }
}

extension BinElementObject {
  /// A pad that was asked for. nil if there is one of that name, or the element refuses it.
  fileprivate func addPad(from template: UnsafeMutablePointer<GstPadTemplate>, named name: String?) -> Pad? {
    let name = name ?? nextName(String(cString: template.pointee.name_template))
    guard handle.pad(name) == nil, let ghost = gst_ghost_pad_new_no_target_from_template(name, template) else { return nil }
    if handle.element.pointee.current_state.rawValue > GST_STATE_READY.rawValue { gst_pad_set_active(ghost, 1) }
    guard gst_element_add_pad(handle.element, ghost) != 0 else {
      gst_object_unref(ghost)
      return nil
    }
    let pad = Pad(borrowing: ghost)
    if added(pad) { return pad }
    gst_element_remove_pad(handle.element, ghost)
    return nil
  }
}

final class BinElementBox<E: BinElement>: BinElementObject {
  private let own: ElementCore<E>
  /// Written under the element's state lock, read by whoever sets a property.
  private let built = Atomic(false)
  /// Pads that were asked for and not given back.
  private let requested = Mutex<[Pad]>([])

  init(_ core: ElementCore<E>) {
    own = core
    super.init(core, core.handle)
  }

  override var templates: [PadTemplate] { E.description.pads }

  override func build() -> Bool {
    if built.load(ordering: .acquiring) { return true }
    let bin = Bin(handle: handle)
    let succeeded: Void? = reporting {
      let settings = own.settings
      try own.element.build(bin, settings)
      for pad in requested.withLock({ $0 }) { try own.element.added(pad, to: bin, settings) }
    }
    guard succeeded != nil else {
      bin.clear()
      return false
    }
    built.store(true, ordering: .releasing)
    return true
  }

  override func start() -> Bool { reporting { try own.element.start(own.checkedSettings()) } != nil }
  override func interrupt() { own.element.interrupt() }
  override func stop() { own.element.stop() }

  override func added(_ pad: Pad) -> Bool {
    if built.load(ordering: .acquiring) {
      let bin = Bin(handle: handle)
      guard reporting({ try own.element.added(pad, to: bin, own.settings) }) != nil else { return false }
      bin.startChildren()
    }
    requested.withLock { $0.append(pad) }
    return true
  }

  override func removed(_ pad: Pad) {
    requested.withLock { $0.removeAll { $0 == pad } }
    if built.load(ordering: .acquiring) { own.element.removed(pad, from: Bin(handle: handle)) }
  }

  override func settingsChanged() {
    if built.load(ordering: .acquiring) { own.element.settingsChanged(own.settings, in: Bin(handle: handle)) }
  }

  override func intercept(_ message: Message) -> Bool { own.element.intercept(message) }
}
