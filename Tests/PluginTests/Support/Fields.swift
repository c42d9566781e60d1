import CGStreamer

/// A field of a structure with its type.
enum Field: Hashable {
  case uint64(UInt64), double(Double), string(String), bool(Bool), int(Int32), strings([String])
  /// A type that no field of ours has.
  case other(String)

  init(_ value: UnsafePointer<GValue>) {
    switch String(cString: g_type_name(value.pointee.g_type)) {
    case "guint64": self = .uint64(UInt64(g_value_get_uint64(value)))
    case "gdouble": self = .double(g_value_get_double(value))
    case "gchararray": self = .string(g_value_get_string(value).map { String(cString: $0) } ?? "")
    case "gboolean": self = .bool(g_value_get_boolean(value) != 0)
    case "gint": self = .int(g_value_get_int(value))
    case "GstValueArray":
      self = .strings(
        (0..<gst_value_array_get_size(value)).compactMap { index in
          gst_value_array_get_value(value, index).flatMap { g_value_get_string($0) }.map { String(cString: $0) }
        })
    case let type: self = .other(type)
    }
  }
}

/// A structure: of a message, an event or metadata.
struct Fields: Hashable {
  var name: String
  var order: [String] = []
  var values: [String: Field] = [:]

  init(_ structure: UnsafePointer<GstStructure>) {
    name = String(cString: gst_structure_get_name(structure))
    for index in 0..<UInt32(max(0, gst_structure_n_fields(structure))) {
      guard let field = gst_structure_nth_field_name(structure, index), let value = gst_structure_get_value(structure, field) else {
        continue
      }
      order.append(String(cString: field))
      values[String(cString: field)] = Field(value)
    }
  }

  subscript(_ field: String) -> Field? { values[field] }

  func number(_ field: String) -> UInt64? { if case .uint64(let value) = values[field] { value } else { nil } }
  func double(_ field: String) -> Double? { if case .double(let value) = values[field] { value } else { nil } }
  func text(_ field: String) -> String? { if case .string(let value) = values[field] { value } else { nil } }

  /// Every custom metadata of this name on a buffer.
  static func metadata(_ name: String, of buffer: UnsafeMutablePointer<GstBuffer>) -> [Fields] {
    guard let info = gst_meta_get_info(name) else { return [] }
    var state: UnsafeMutableRawPointer?
    var found: [Fields] = []
    while let meta = gst_buffer_iterate_meta_filtered(buffer, &state, info.pointee.api) {
      let custom = UnsafeMutableRawPointer(meta).assumingMemoryBound(to: GstCustomMeta.self)
      if let structure = gst_custom_meta_get_structure(custom) { found.append(Fields(structure)) }
    }
    return found
  }
}

/// A chapter of a table of contents.
struct Chapter: Hashable {
  var title: String?
  var start: Int64
  var end: Int64

  /// The chapters of the first edition.
  static func all(in toc: OpaquePointer) -> [Chapter] {
    var chapters: [Chapter] = []
    var edition = gst_toc_get_entries(toc)
    while let list = edition {
      var entry = gst_toc_entry_get_sub_entries(OpaquePointer(list.pointee.data))
      while let item = entry {
        var start: gint64 = -1
        var end: gint64 = -1
        gst_toc_entry_get_start_stop_times(OpaquePointer(item.pointee.data), &start, &end)
        chapters.append(Chapter(title: title(OpaquePointer(item.pointee.data)), start: Int64(start), end: Int64(end)))
        entry = item.pointee.next
      }
      edition = list.pointee.next
    }
    return chapters
  }

  private static func title(_ entry: OpaquePointer?) -> String? {
    var text: UnsafeMutablePointer<CChar>?
    guard let tags = gst_toc_entry_get_tags(entry), gst_tag_list_get_string(tags, GST_TAG_TITLE, &text) != 0, let text else { return nil }
    defer { g_free(text) }
    return String(cString: text)
  }
}
