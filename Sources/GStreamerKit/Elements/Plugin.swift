import CGStreamer

/// The descriptor of a plugin, for the one symbol that GStreamer looks for in `libgstNAME.so`.
///
/// ```swift
/// private let plugin = Plugin(name: "shots", …) { plugin in Plugin.register(ShotDetect.self, in: plugin) ? 1 : 0 }
///
/// @c(gst_plugin_shots_get_desc)
/// public func pluginDescription() -> UnsafePointer<GstPluginDesc>? { plugin.descriptor }
/// ```
public struct Plugin: @unchecked Sendable {
  /// Lives as long as the process.
  public let descriptor: UnsafePointer<GstPluginDesc>

  /// - Parameters:
  ///   - name: `[a-z0-9]+`, the NAME of the file.
  ///   - license: one that GStreamer knows, `MIT/X11`, `LGPL`, …
  ///   - register: registers the elements; runs while the registry scans, so loads nothing. Cannot capture.
  public init(
    name: String, description: String, version: String, license: String, package: String, origin: String,
    register: @convention(c) @escaping (OpaquePointer?) -> gboolean
  ) {
    let text = { (text: String) -> UnsafePointer<CChar>? in UnsafePointer(g_strdup(text)) }
    let memory = UnsafeMutablePointer<GstPluginDesc>.allocate(capacity: 1)
    memory.initialize(
      to: GstPluginDesc(
        major_version: Int32(GST_VERSION_MAJOR), minor_version: Int32(GST_VERSION_MINOR), name: text(name),
        description: text(description), plugin_init: register, version: text(version), license: text(license),
        source: text(package), package: text(package), origin: text(origin), release_datetime: nil,
        _gst_reserved: (nil, nil, nil, nil)))
    descriptor = UnsafePointer(memory)
  }
  /// The file that a plugin was loaded from; nil if GStreamer knows none of this name.
  public static func file(of name: String) -> String? {
    guard let plugin = gst_registry_find_plugin(gst_registry_get(), name) else { return nil }
    defer { gst_object_unref(UnsafeMutableRawPointer(plugin)) }
    return gst_plugin_get_filename(plugin).map { String(cString: $0) }
  }
}
