import CGStreamer

/// A pipeline as gst-launch-1.0 writes it.
final class Pipeline {
  let gst: UnsafeMutablePointer<GstElement>
  let bus: Bus

  init(_ description: String) throws {
    try Plugin.require()
    var error: UnsafeMutablePointer<GError>?
    defer { g_clear_error(&error) }
    guard let element = gst_parse_launch(description, &error), error == nil, let bus = gst_element_get_bus(element) else {
      throw Failure("cannot parse \(description)" + (error.map { ": " + String(cString: $0.pointee.message) } ?? ""))
    }
    gst_object_ref_sink(element)
    gst = element
    self.bus = try Bus(bus)
  }

  deinit {
    gst_element_set_state(gst, GST_STATE_NULL)
    gst_object_unref(gst)
  }

  /// An element by its name; lives as long as the pipeline.
  func element(_ name: String) throws -> UnsafeMutablePointer<GstElement> {
    let bin = UnsafeMutableRawPointer(gst).assumingMemoryBound(to: GstBin.self)
    guard let element = gst_bin_get_by_name(bin, name) else { throw Failure("no element \(name)") }
    gst_object_unref(element)
    return element
  }

  /// A property of an element that counts.
  func number(_ name: String, _ property: String) throws -> UInt64 {
    var value = GValue()
    g_object_get_property(gobject(try element(name)), property, &value)
    defer { g_value_unset(&value) }
    return UInt64(g_value_get_uint64(&value))
  }

  func watch(_ name: String, _ pad: String) throws -> Recorder {
    guard let pad = gst_element_get_static_pad(try element(name), pad) else { throw Failure("\(name) has no pad \(pad)") }
    defer { gst_object_unref(pad) }
    return Recorder(pad)
  }

  /// True if the change was made or is on its way.
  @discardableResult
  func setState(_ state: GstState) -> Bool {
    guard gst_element_set_state(gst, state) != GST_STATE_CHANGE_FAILURE else { return false }
    return gst_element_get_state(gst, nil, nil, GstClockTime(20 * second)) != GST_STATE_CHANGE_FAILURE
  }

  /// Plays until the end or an error, and stops.
  func run(within limit: Double = 120) throws {
    gst_element_set_state(gst, GST_STATE_PLAYING)
    let ended = eventually(within: limit) { bus.all.contains { $0.kind == .endOfStream || $0.kind == .error } }
    gst_element_set_state(gst, GST_STATE_NULL)
    if !ended { throw Failure("no end within \(limit) s") }
  }
}
