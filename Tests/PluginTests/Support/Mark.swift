import CGStreamer

/// A boundary as shotdetect marks it, at 25 frames a second; stream time is the number of a frame times 40 ms.
struct Mark {
  var kind = "fade"
  /// The frame that carries it.
  var frame: Int
  /// Last clean frame of the old shot, first of the new one; none: nothing followed.
  var start: Int
  var end: Int?
  var shot: UInt64 = 2
  var color: String?
  /// Of a generated shot.
  var prompt: String?

  func add(to buffer: UnsafeMutablePointer<GstBuffer>, offset: UInt64 = 0) {
    let name = "GstShotBoundaryMeta"
    if gst_meta_get_info(name) == nil {
      var tags: [UnsafePointer<CChar>?] = [nil]
      gst_meta_register_custom(name, &tags, nil, nil, nil)
    }
    guard let meta = gst_buffer_add_custom_meta(buffer, name), let fields = gst_custom_meta_get_structure(meta) else { return }
    write(into: fields, offset)
  }

  func write(into fields: UnsafeMutablePointer<GstStructure>, _ offset: UInt64 = 0) {
    func set(_ field: String, _ type: GType, _ store: (UnsafeMutablePointer<GValue>) -> Void) {
      var value = GValue()
      g_value_init(&value, type)
      store(&value)
      gst_structure_set_value(fields, field, &value)
      g_value_unset(&value)
    }
    func set(_ field: String, _ number: UInt64) { set(field, GType(11 << 2)) { g_value_set_uint64($0, guint64(number)) } }
    func set(_ field: String, _ text: String) { set(field, GType(16 << 2)) { g_value_set_string($0, text) } }
    set("kind", kind)
    set("shot", shot)
    set("frame", UInt64(frame))
    set("pts", frameTime(frame) + offset)
    set("running-time", frameTime(frame) + offset)
    set("stream-time", frameTime(frame) + offset)
    set("transition-start", frameTime(start) + offset)
    set("transition-end", end.map { frameTime($0) + offset } ?? noTime)
    set("score", GType(15 << 2)) { g_value_set_double($0, 0.9) }
    set("detector", "fused")
    if let color { set("color", color) }
    if let prompt {
      set("generated", GType(5 << 2)) { g_value_set_boolean($0, 1) }
      set("generator", "diffusion")
      set("prompt", prompt)
    }
  }
}
