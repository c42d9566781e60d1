import CGStreamer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// GStreamer's analytics library, as far as it is used here.
///
/// It is opened while the program runs, not linked: GStreamer has it from 1.24 on, one plugin file serves older and newer
/// releases, and a build needs none of its headers, with which Debian installs those of OpenCV.
struct AnalyticsLibrary: Sendable {
  /// nil where GStreamer has none.
  static let shared = AnalyticsLibrary()

  let find: CGstAnalyticsOfBuffer
  let make: CGstAnalyticsOfBuffer
  let addClass: CGstAnalyticsAddClass
  let addObject: CGstAnalyticsAddObject
  let relate: CGstAnalyticsRelate

  /// GST_ANALYTICS_REL_TYPE_RELATE_TO.
  static let relatesTo: UInt32 = 1 << 3

  private init?() {
    // Never closed: metadata that it has registered stay on buffers.
    guard let library = dlopen("libgstanalytics-1.0.so.0", RTLD_NOW | RTLD_LOCAL) else { return nil }
    guard let find = dlsym(library, "gst_buffer_get_analytics_relation_meta"),
      let make = dlsym(library, "gst_buffer_add_analytics_relation_meta"),
      let addClass = dlsym(library, "gst_analytics_relation_meta_add_one_cls_mtd"),
      let addObject = dlsym(library, "gst_analytics_relation_meta_add_od_mtd"),
      let relate = dlsym(library, "gst_analytics_relation_meta_set_relation")
    else { return nil }
    self.find = unsafeBitCast(find, to: CGstAnalyticsOfBuffer.self)
    self.make = unsafeBitCast(make, to: CGstAnalyticsOfBuffer.self)
    self.addClass = unsafeBitCast(addClass, to: CGstAnalyticsAddClass.self)
    self.addObject = unsafeBitCast(addObject, to: CGstAnalyticsAddObject.self)
    self.relate = unsafeBitCast(relate, to: CGstAnalyticsRelate.self)
  }
}
