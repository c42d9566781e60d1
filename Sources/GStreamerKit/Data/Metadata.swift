import CGStreamer

/// Custom metadata of buffers: a structure under a registered name.
///
/// It is copied with the buffer through every element that keeps metadata without tags (all converters, scalers and
/// encoders of GStreamer do). Registering costs a lookup: keep the value, `static let`.
public struct Metadata: Sendable {
  /// As GStreamer knows it; also the name of every structure that `all` gives.
  public let name: String
  /// What GStreamer tells it from others by; looked up once, since every buffer is asked for it.
  private let api: GType?

  /// Registers the name in this process, if nobody has done so. Letters and digits, `GstShotBoundaryMeta`.
  public init(_ name: String) {
    self.name = name
    if gst_meta_get_info(name) == nil {
      var tags: [UnsafePointer<CChar>?] = [nil]
      _ = gst_meta_register_custom(name, &tags, nil, nil, nil)
    }
    api = gst_meta_get_info(name)?.pointee.api
  }

  /// Adds to a buffer whose metadata is writable: that nobody else holds (`gst_buffer_make_writable`).
  public func add(_ fields: Structure, to buffer: UnsafeMutablePointer<GstBuffer>) {
    guard let meta = gst_buffer_add_custom_meta(buffer, name), let structure = gst_custom_meta_get_structure(meta) else { return }
    fields.write(into: structure)
  }

  /// Removes every occurrence from a buffer whose metadata is writable.
  public func removeAll(from buffer: UnsafeMutablePointer<GstBuffer>) {
    guard var api else { return }
    gst_buffer_foreach_meta(
      buffer,
      { _, meta, api in
        if let api = api?.assumingMemoryBound(to: GType.self), let one = meta?.pointee, one.pointee.info.pointee.api == api.pointee {
          meta?.pointee = nil
        }
        return 1
      }, &api)
  }

  /// Whether a buffer carries any.
  public func isOn(_ buffer: UnsafeMutablePointer<GstBuffer>) -> Bool {
    guard let api else { return false }
    return gst_buffer_get_meta(buffer, api) != nil
  }

  /// Every occurrence on a buffer, in the order in which they were added.
  public func all(on buffer: UnsafeMutablePointer<GstBuffer>) -> [Structure] {
    guard let api else { return [] }
    var state: UnsafeMutableRawPointer?
    var found: [Structure] = []
    while let meta = gst_buffer_iterate_meta_filtered(buffer, &state, api) {
      let custom = UnsafeMutableRawPointer(meta).assumingMemoryBound(to: GstCustomMeta.self)
      if let structure = gst_custom_meta_get_structure(custom) { found.append(Structure(structure)) }
    }
    return found
  }
}
