import CGStreamer
import Timing

/// No settings, or no readings.
public struct Nothing: Sendable {
  /// All are alike.
  public init() {}
}

/// A value with defaults.
public protocol Defaultable: Sendable {
  /// The value that properties show before users set them.
  init()
}

extension Nothing: Defaultable {}

/// What every element has: a description, a property table, signals.
///
/// Conform to one of the protocols that refine it, which say how data flows: `PassthroughVideoFilter`, `PadElement`,
/// `BinElement`. GStreamerKit then does registration, GObject properties, locking, mapping and error conversion.
///
/// - `Settings`: what users set. A value, guarded by its own lock, copied out once a buffer.
/// - `Readings`: what users read while the element runs (counters, last values). Guarded by a lock of its own.
public protocol Element: AnyObject, Sendable {
  /// What users set: its defaults are the properties'.
  associatedtype Settings: Defaultable = Nothing
  /// What users read: its defaults are shown before the element runs.
  associatedtype Readings: Defaultable = Nothing

  /// Read once, when the plugin is loaded.
  static var description: ElementDescription { get }
  /// A row for each property besides those of its base class. Read once, when the plugin is loaded.
  static var properties: [Property<Self>] { get }
  /// Those that the element emits, or runs when an application emits them. Read once, then too.
  static var signals: [Signal<Self>] { get }

  /// Runs when the GObject is made; do no work here.
  init(_ handle: ElementHandle)
}

extension Element {
  /// None.
  public static var properties: [Property<Self>] { [] }
  /// None.
  public static var signals: [Signal<Self>] { [] }
}

/// The GObject side of an element: posts messages, emits signals, finds pads.
///
/// It does not keep the GObject alive: it is valid as long as the element it was given to.
public struct ElementHandle: @unchecked Sendable {
  let element: UnsafeMutablePointer<GstElement>

  /// For calls of the C API that have no Swift form here.
  public var gstElement: UnsafeMutablePointer<GstElement> { element }

  var gobject: UnsafeMutablePointer<GObject> { UnsafeMutableRawPointer(element).assumingMemoryBound(to: GObject.self) }
  var gstObject: UnsafeMutablePointer<GstObject> { UnsafeMutableRawPointer(element).assumingMemoryBound(to: GstObject.self) }

  /// A value that keeps the element alive, for a thread that tells of its work.
  public var kept: KeptElement { KeptElement(self) }

  /// Posts an element message with these fields on the bus.
  public func post(_ message: Structure) {
    guard let structure = message.makeGstStructure() else { return }
    gst_element_post_message(element, gst_message_new_element(gstObject, structure))
  }

  /// Posts an error: the pipeline stops.
  public func post(_ error: ElementError) { post(error, as: GST_MESSAGE_ERROR) }

  /// Posts a warning: the pipeline goes on.
  public func postWarning(_ warning: ElementError) { post(warning, as: GST_MESSAGE_WARNING) }

  private func post(_ error: ElementError, as type: GstMessageType) {
    let (domain, code) = error.domainAndCode
    // gst_element_message_full takes ownership of both texts.
    gst_element_message_full(
      element, type, domain, code, g_strdup(error.text), error.debug.flatMap { g_strdup($0) }, "GStreamerKit", "post", 0)
  }

  /// How far a piece of work is that takes long, as tools show it.
  public enum Progress: Sendable {
    case start, going, complete, cancelled, failed
  }

  /// Posts a progress message.
  ///
  /// - Parameters:
  ///   - code: names the work, kebab-case.
  ///   - text: for people.
  public func post(_ progress: Progress, of code: String, _ text: String) {
    let type =
      switch progress {
      case .start: GST_PROGRESS_TYPE_START
      case .going: GST_PROGRESS_TYPE_CONTINUE
      case .complete: GST_PROGRESS_TYPE_COMPLETE
      case .cancelled: GST_PROGRESS_TYPE_CANCELED
      case .failed: GST_PROGRESS_TYPE_ERROR
      }
    gst_element_post_message(element, gst_message_new_progress(gstObject, type, code, text))
  }

  /// Tells the pipeline that queries for the duration have another answer now.
  public func postDurationChanged() {
    gst_element_post_message(element, gst_message_new_duration_changed(gstObject))
  }

  /// Tells the pipeline to ask for latencies again. A `PassthroughVideoFilter` need not: it is done when `latency` changes.
  public func postLatencyChanged() {
    gst_element_post_message(element, gst_message_new_latency(gstObject))
  }

  /// Whether data come from a live source, as the elements before this one say.
  public var isSourceLive: Bool { source?.isLive ?? false }

  /// How long after their time data come from a live source at the earliest, as the elements before this one say; 0 if they do
  /// not know.
  public var sourceLatency: ClockTime { source?.least ?? 0 }

  private var source: Latency? { pad("sink")?.peerLatency }

  /// The settings now, for threads that an element starts itself; callbacks are given theirs.
  ///
  /// nil while the element is made, and if the handle belongs to another one.
  public func settings<E: Element>(of type: E.Type) -> E.Settings? { core(type)?.settings }

  /// What users read as properties now, as it was published last.
  public func readings<E: Element>(of type: E.Type) -> E.Readings? { core(type)?.readings }

  /// Publishes what users read as properties. A `PassthroughVideoFilter` has `Output.readings` for that.
  public func publish<E: Element>(_ readings: E.Readings, of type: E.Type) { core(type)?.readings = readings }

  private func core<E: Element>(_ type: E.Type) -> ElementCore<E>? {
    ElementClass.object(of: UnsafeMutableRawPointer(element))?.core as? ElementCore<E>
  }

  /// Posts the table of contents for applications.
  public func post(_ toc: TableOfContents) {
    toc.withGstToc { _ = gst_element_post_message(element, gst_message_new_toc(gstObject, $0, 1)) }
  }

  /// Emits a signal of the element's table. Returns its result, if it has one.
  @discardableResult
  public func emit(_ signal: String, _ arguments: [Value] = []) -> Value? {
    emitSignal(signal, arguments, on: gobject)
  }
}

/// An element that lives as long as this does.
public final class KeptElement: Sendable {
  /// Valid as long as this object.
  public let handle: ElementHandle

  fileprivate init(_ handle: ElementHandle) {
    self.handle = handle
    gst_object_ref(handle.element)
  }

  deinit { gst_object_unref(handle.element) }
}
