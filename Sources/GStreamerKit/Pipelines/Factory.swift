import CGStreamer

/// What elements are installed, and what they take.
public enum Factory {
  /// Whether there is an element of this name.
  public static func isInstalled(_ name: String) -> Bool {
    guard let factory = gst_element_factory_find(name) else { return false }
    gst_object_unref(UnsafeMutableRawPointer(factory))
    return true
  }

  /// What an element takes at any of its sink pads, by its templates.
  ///
  /// - Parameter description: the element with its properties, as `gst-launch-1.0` reads it.
  /// - Throws: CORE/MISSING_PLUGIN if it is not installed, LIBRARY/SETTINGS for other text that does not parse.
  public static func sinkCaps(of description: String) throws -> Caps? {
    let element = try parsed(description)
    defer { gst_object_unref(element) }
    guard var caps = gst_caps_new_empty() else { return nil }
    var list = gst_element_get_pad_template_list(element)
    while let item = list {
      if let template = item.pointee.data?.assumingMemoryBound(to: GstPadTemplate.self), template.pointee.direction == GST_PAD_SINK,
        let more = gst_pad_template_get_caps(template)
      {
        caps = gst_caps_merge(caps, more)
      }
      list = item.pointee.next
    }
    return Caps(taking: caps)
  }
}
