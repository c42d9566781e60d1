import CGStreamer
import Timing

/// A pipeline that an element, or an application, runs for itself.
///
/// ```swift
/// let pipeline = try Pipeline("filesrc name=file ! decodebin ! videoconvert ! appsink name=out sync=false")
/// pipeline.set("file", "location", .string(path))
/// guard let out = pipeline.sink("out"), pipeline.play() else { return }
/// while let sample = out.pull(within: .milliseconds(100)) { … }
/// ```
///
/// It is stopped, and all that belongs to it freed, when this value goes. Used from one thread at a time.
public final class Pipeline {
  private let element: Reference<GstElement>
  private let bus: Reference<GstBus>

  /// Made from text, as `gst-launch-1.0` reads it.
  ///
  /// - Throws: CORE/MISSING_PLUGIN if an element is not installed, LIBRARY/SETTINGS for other text that does not parse.
  public init(_ description: String) throws {
    let made = try parsed(description)
    element = Reference(object: made)
    // One element alone has no bus until it is given one.
    let own = gst_element_get_bus(made) ?? gst_bus_new()
    guard let own else { throw ElementError.core(GST_CORE_ERROR_FAILED, "\"\(description)\" has no bus.") }
    bus = Reference(object: own)
  }

  deinit { stop() }

  // MARK: State

  /// Begins to play; false if an element refuses, of which it tells: see ``error(within:)``.
  public func play() -> Bool { setState(GST_STATE_PLAYING) }

  /// Ends all data flow, and waits for that.
  public func stop() { _ = setState(GST_STATE_NULL) }

  private func setState(_ state: GstState) -> Bool {
    element.pointer.map { gst_element_set_state($0, state) != GST_STATE_CHANGE_FAILURE } ?? false
  }

  /// The error that an element posts, if it does before the stream ends or the time is over.
  ///
  /// - Parameter time: nil waits for one of both.
  public func error(within time: ClockTime?) -> Message? {
    let types = GstMessageType(rawValue: GST_MESSAGE_ERROR.rawValue | GST_MESSAGE_EOS.rawValue)
    guard let message = gst_bus_timed_pop_filtered(bus.pointer, time.orNone, types).map({ Message(taking: $0) }) else { return nil }
    return message.type == GST_MESSAGE_ERROR ? message : nil
  }

  // MARK: Parts

  /// Sets a property of the element of this name. A name that there is not is ignored.
  public func set(_ name: String, _ property: String, _ value: Value) {
    guard let child = child(name)?.pointer else { return }
    value.withGValue { g_object_set_property(UnsafeMutableRawPointer(child).assumingMemoryBound(to: GObject.self), property, $0) }
  }

  /// The `appsrc` of this name; nil if there is none.
  public func source(_ name: String) -> AppSource? { end(name, gst_app_src_get_type()).map { AppSource(Reference(object: $0)) } }

  /// The `appsink` of this name; nil if there is none.
  public func sink(_ name: String) -> AppSink? { end(name, gst_app_sink_get_type()).map { AppSink(Reference(object: $0)) } }

  /// A pad that an element has; nil if there is none of that name.
  public func pad(_ name: String, of child: String) -> Pad? {
    guard let child = self.child(child)?.pointer else { return nil }
    return gst_element_get_static_pad(child, name).map { Pad(taking: $0) }
  }

  /// A pad of an element that another pad can be linked to, which the element makes if it has to; nil if it takes nothing such.
  ///
  /// - Parameter caps: what will flow there, if more is known than the pad tells.
  public func pad(of child: String, compatibleWith pad: Pad, caps: Caps? = nil) -> Pad? {
    guard let child = self.child(child)?.pointer else { return nil }
    return gst_element_get_compatible_pad(child, pad.gst, caps?.gst).map { Pad(taking: $0) }
  }

  private func child(_ name: String) -> Reference<GstElement>? {
    guard let bin = element.pointer, isKind(bin, of: gst_bin_get_type()) else { return nil }
    return gst_bin_get_by_name(UnsafeMutableRawPointer(bin).assumingMemoryBound(to: GstBin.self), name).map { Reference(object: $0) }
  }

  /// The caller owns the result.
  private func end<End>(_ name: String, _ type: GType) -> UnsafeMutablePointer<End>? {
    guard let child = child(name)?.pointer, isKind(child, of: type) else { return nil }
    gst_object_ref(child)
    return UnsafeMutableRawPointer(child).assumingMemoryBound(to: End.self)
  }
}

/// What an `appsrc` hands to its pipeline.
public struct AppSource {
  private let reference: Reference<GstAppSrc>

  init(_ reference: Reference<GstAppSrc>) { self.reference = reference }

  /// What the buffers are that follow.
  public func set(_ caps: Caps) { gst_app_src_set_caps(reference.pointer, caps.gst) }

  /// Bytes that wait to be taken.
  public var level: Int { Int(clamping: gst_app_src_get_current_level_bytes(reference.pointer)) }

  /// Hands a buffer over. With `block=true` it may wait.
  public func push(_ buffer: consuming Buffer) {
    if let buffer = buffer.release() { gst_app_src_push_buffer(reference.pointer, buffer) }
  }

  /// Hands a buffer over with its caps, and with its segment if `handle-segment-change` is true.
  public func push(_ sample: Sample) { if let sample = sample.gst { gst_app_src_push_sample(reference.pointer, sample) } }

  /// Nothing more comes.
  public func end() { gst_app_src_end_of_stream(reference.pointer) }
}

/// What an `appsink` gets from its pipeline.
public struct AppSink {
  private let reference: Reference<GstAppSink>

  init(_ reference: Reference<GstAppSink>) { self.reference = reference }

  /// The next sample; nil if none comes in this time or the stream has ended.
  public func pull(within time: ClockTime) -> Sample? {
    gst_app_sink_try_pull_sample(reference.pointer, GstClockTime(time)).map { Sample(taking: $0) }
  }

  /// Whether there are no more.
  public var hasEnded: Bool { gst_app_sink_is_eos(reference.pointer) != 0 }
}

extension Pad {
  /// Links this source pad to a sink pad; false if they do not fit.
  public func link(to sink: Pad) -> Bool { gst_pad_link(gst, sink.gst) == GST_PAD_LINK_OK }
}

private func isKind(_ element: UnsafeMutablePointer<GstElement>, of type: GType) -> Bool {
  g_type_check_instance_is_a(UnsafeMutableRawPointer(element).assumingMemoryBound(to: GTypeInstance.self), type) != 0
}

/// An element or pipeline from text; the caller owns it.
///
/// - Throws: CORE/MISSING_PLUGIN if an element is not installed, LIBRARY/SETTINGS for other text that does not parse.
func parsed(_ description: String) throws -> UnsafeMutablePointer<GstElement> {
  var error: UnsafeMutablePointer<GError>?
  defer { g_clear_error(&error) }
  guard let made = gst_parse_launch_full(description, nil, GST_PARSE_FLAG_FATAL_ERRORS, &error) else {
    throw ElementError(parsing: description, error)
  }
  gst_object_ref_sink(made)
  return made
}
