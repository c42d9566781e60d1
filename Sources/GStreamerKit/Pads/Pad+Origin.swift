import CGStreamer

extension Pad {
  /// Where the data that come in here are from; nil if nobody knows, or if it names nothing that can be found again, as an
  /// application's own. Where elements choose among several sources, as `concat` does, it is the one that is chosen now.
  public var peerURI: String? {
    guard let query = gst_query_new_uri() else { return nil }
    defer { gst_query_unref(query) }
    let asked = chosen(from: self, depth: 0) ?? self
    var text: UnsafeMutablePointer<gchar>?
    guard gst_pad_peer_query(asked.gst, query) != 0 else { return nil }
    gst_query_parse_uri(query, &text)
    guard let text else { return nil }
    defer { g_free(text) }
    let uri = String(cString: text)
    return uri.hasSuffix("://") || ["appsrc:", "fd:", "data:"].contains { uri.hasPrefix($0) } ? nil : uri
  }

  /// What tells its stream from others; nil before one has begun.
  public var streamIdentity: String? {
    guard let text = gst_pad_get_stream_id(gst) else { return nil }
    defer { g_free(text) }
    return String(cString: text)
  }

  /// The sink pad that the furthest element upstream of those that choose has chosen; nil if none does. These answer queries for
  /// any of their sources.
  private func chosen(from pad: Pad, depth: Int) -> Pad? {
    guard depth < 100, let peer = gst_pad_get_peer(pad.gst) else { return nil }
    defer { gst_object_unref(peer) }
    if let active = Self.activePad(beside: peer) { return chosen(from: active, depth: depth + 1) ?? active }
    guard let next = Self.onlyPad(behind: peer) else { return nil }
    return chosen(from: next, depth: depth + 1)
  }

  private static func activePad(beside pad: UnsafeMutablePointer<GstPad>) -> Pad? {
    guard let element = gst_pad_get_parent_element(pad) else { return nil }
    defer { gst_object_unref(element) }
    guard let gclass = element.pointee.object.object.g_type_instance.g_class,
      let property = g_object_class_find_property(UnsafeMutableRawPointer(gclass).assumingMemoryBound(to: GObjectClass.self), "active-pad"),
      g_type_is_a(property.pointee.value_type, gst_pad_get_type()) != 0
    else { return nil }
    var value = GValue()
    g_value_init(&value, property.pointee.value_type)
    defer { g_value_unset(&value) }
    g_object_get_property(UnsafeMutableRawPointer(element).assumingMemoryBound(to: GObject.self), "active-pad", &value)
    return g_value_get_object(&value).map { Pad(borrowing: $0.assumingMemoryBound(to: GstPad.self)) }
  }

  /// The pad whose data leave by this one; nil if there are several, or none.
  private static func onlyPad(behind pad: UnsafeMutablePointer<GstPad>) -> Pad? {
    guard let links = gst_pad_iterate_internal_links(pad) else { return nil }
    defer { gst_iterator_free(links) }
    var (value, other) = (GValue(), GValue())
    defer {
      if value.g_type != 0 { g_value_unset(&value) }
      if other.g_type != 0 { g_value_unset(&other) }
    }
    guard gst_iterator_next(links, &value) == GST_ITERATOR_OK, gst_iterator_next(links, &other) == GST_ITERATOR_DONE else { return nil }
    return g_value_get_object(&value).map { Pad(borrowing: $0.assumingMemoryBound(to: GstPad.self)) }
  }
}

/// What users write for a file or anything else that has a URI: a URI as it stands, a path as that of a file. Nil for what is neither.
public func uri(of text: String) -> String? {
  if gst_uri_is_valid(text) != 0 { return text }
  guard let made = gst_filename_to_uri(text, nil) else { return nil }
  defer { g_free(made) }
  return String(cString: made)
}
