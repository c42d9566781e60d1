import CGStreamer
import GStreamerKit
import Synchronization
import Testing
import Timing

/// An element that a test owns, with a bus of its own.
final class Made {
  let element: UnsafeMutablePointer<GstElement>
  let bus: UnsafeMutablePointer<GstBus>

  init(_ factory: String) throws {
    element = try #require(gst_element_factory_make(factory, nil))
    gst_object_ref_sink(element)
    bus = try #require(gst_bus_new())
    gst_element_set_bus(element, bus)
  }

  /// A pipeline as `gst-launch-1.0` reads it.
  init(pipeline: String) throws {
    var error: UnsafeMutablePointer<GError>?
    let parsed = gst_parse_launch(pipeline, &error)
    if let error {
      Issue.record("\(String(cString: error.pointee.message))")
      g_error_free(error)
    }
    element = try #require(parsed)
    gst_object_ref_sink(element)
    bus = try #require(gst_element_get_bus(element))
  }

  deinit {
    gst_element_set_state(element, GST_STATE_NULL)
    gst_bus_set_flushing(bus, 1)
    gst_element_set_bus(element, nil)
    gst_object_unref(bus)
    gst_object_unref(element)
  }

  var gobject: UnsafeMutablePointer<GObject> { UnsafeMutableRawPointer(element).assumingMemoryBound(to: GObject.self) }

  func set(_ name: String, _ value: Value) { value.withGValue { g_object_set_property(gobject, name, $0) } }

  func get(_ name: String) -> Value? {
    var value = GValue()
    g_object_get_property(gobject, name, &value)
    defer { g_value_unset(&value) }
    return Value(&value)
  }

  func specification(_ name: String) throws -> UnsafeMutablePointer<GParamSpec> {
    try #require(
      g_object_class_find_property(
        gobject.pointee.g_type_instance.g_class.withMemoryRebound(to: GObjectClass.self, capacity: 1) { $0 }, name))
  }

  @discardableResult
  func change(to state: GstState) -> GstStateChangeReturn { gst_element_set_state(element, state) }

  /// A child of a pipeline or bin; valid as long as this one.
  func child(_ name: String) throws -> UnsafeMutablePointer<GstElement> {
    let child = try #require(gst_bin_get_by_name(UnsafeMutableRawPointer(element).assumingMemoryBound(to: GstBin.self), name))
    gst_object_unref(child)
    return child
  }

  /// Emits a signal as an application does.
  func emit(_ signal: String, _ arguments: [Value] = [], returning: Value? = nil) -> Value? {
    let type = gobject.pointee.g_type_instance.g_class.pointee.g_type
    var values = [GValue](repeating: GValue(), count: arguments.count + 1)
    g_value_init(&values[0], type)
    g_value_set_object(&values[0], gobject)
    for (index, argument) in arguments.enumerated() {
      argument.withGValue { argument in
        g_value_init(&values[index + 1], argument.pointee.g_type)
        g_value_copy(argument, &values[index + 1])
      }
    }
    defer { for index in values.indices { g_value_unset(&values[index]) } }
    guard let returning else {
      g_signal_emitv(&values, g_signal_lookup(signal, type), 0, nil)
      return nil
    }
    var result = GValue()
    returning.withGValue { _ = g_value_init(&result, $0.pointee.g_type) }
    g_signal_emitv(&values, g_signal_lookup(signal, type), 0, &result)
    defer { g_value_unset(&result) }
    return Value(&result)
  }
}

/// What a bus said, kept.
struct Said: CustomStringConvertible {
  var type: GstMessageType
  var source: String
  /// Of element and application messages.
  var structure: Structure?
  var sequenceNumber: UInt32
  /// Of errors and warnings.
  var domain: GQuark = 0
  var code: Int32 = 0
  var text = ""
  /// Of tables of contents.
  var chapters: [TableOfContents.Chapter] = []

  init(_ message: UnsafeMutablePointer<GstMessage>) {
    type = message.pointee.type
    source =
      message.pointee.src.flatMap { gst_object_get_name($0) }.map { name in
        defer { g_free(name) }
        return String(cString: name)
      } ?? ""
    structure = type == GST_MESSAGE_ELEMENT ? gst_message_get_structure(message).map { Structure($0) } : nil
    sequenceNumber = gst_message_get_seqnum(message)
    if type == GST_MESSAGE_TOC { chapters = Self.chapters(message) }
    guard type == GST_MESSAGE_ERROR || type == GST_MESSAGE_WARNING else { return }
    var error: UnsafeMutablePointer<GError>?
    if type == GST_MESSAGE_ERROR { gst_message_parse_error(message, &error, nil) } else { gst_message_parse_warning(message, &error, nil) }
    if let error {
      (domain, code, text) = (error.pointee.domain, error.pointee.code, String(cString: error.pointee.message))
      g_error_free(error)
    }
  }

  private static func chapters(_ message: UnsafeMutablePointer<GstMessage>) -> [TableOfContents.Chapter] {
    var toc: OpaquePointer?
    gst_message_parse_toc(message, &toc, nil)
    guard let toc else { return [] }
    defer { gst_mini_object_unref(UnsafeMutableRawPointer(toc).assumingMemoryBound(to: GstMiniObject.self)) }
    func entries(_ list: UnsafeMutablePointer<GList>?) -> [OpaquePointer] {
      (0..<g_list_length(list)).compactMap { g_list_nth_data(list, $0).map { OpaquePointer($0) } }
    }
    return entries(gst_toc_get_entries(toc)).flatMap { entries(gst_toc_entry_get_sub_entries($0)) }.map { entry in
      var start: gint64 = 0
      var stop: gint64 = 0
      gst_toc_entry_get_start_stop_times(entry, &start, &stop)
      var title: UnsafeMutablePointer<CChar>?
      if let tags = gst_toc_entry_get_tags(entry) { gst_tag_list_get_string(tags, GST_TAG_TITLE, &title) }
      defer { g_free(title) }
      return TableOfContents.Chapter(title: title.map { String(cString: $0) } ?? "", start: ClockTime(start), end: ClockTime(stop))
    }
  }

  var description: String { "\(type.rawValue) from \(source): \(structure?.name ?? text)" }
}

extension Made {
  /// Everything that is on the bus now.
  func messages() -> [Said] {
    var all: [Said] = []
    while let message = gst_bus_pop(bus) {
      all.append(Said(message))
      gst_message_unref(message)
    }
    return all
  }

  func errors() -> [Said] { messages().filter { $0.type == GST_MESSAGE_ERROR } }

  /// Plays to the end or to an error, at most 20 seconds.
  func play(_ meanwhile: () -> Void = {}) -> [Said] {
    change(to: GST_STATE_PLAYING)
    var all: [Said] = []
    var patience = Deadline(seconds: 20)
    while patience.isAhead {
      meanwhile()
      guard let message = gst_bus_timed_pop(bus, 1_000_000) else { continue }
      let said = Said(message)
      gst_message_unref(message)
      all.append(said)
      if said.type == GST_MESSAGE_EOS || said.type == GST_MESSAGE_ERROR {
        change(to: GST_STATE_NULL)
        return all
      }
    }
    Issue.record("no end within 20 seconds")
    change(to: GST_STATE_NULL)
    return all
  }
}
