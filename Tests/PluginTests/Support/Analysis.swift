import CGStreamer
import Glibc

/// What GStreamer's analytics metadata say of a buffer; empty where GStreamer is older than they are (1.24).
struct Analysis: Hashable {
  struct Finding: Hashable {
    var label: String
    var confidence: Float
  }

  struct Object: Hashable {
    var finding: Finding
    var x, y, width, height: Int32
    /// Labels of the classifications that are related to it.
    var classes: [String]
  }

  /// How many metadata there are; readers look at the first.
  var metas = 0
  var classes: [Finding] = []
  var objects: [Object] = []

  static var isAvailable: Bool { library != nil }

  init(_ buffer: UnsafeMutablePointer<GstBuffer>) {
    guard let library = Self.library else { return }
    metas = Int(gst_buffer_get_n_meta(buffer, library.api))
    guard let meta = library.find(buffer) else { return }
    var entry = CGstAnalyticsEntry()
    var state: UnsafeMutableRawPointer?
    while library.next(meta, &state, library.classType, &entry) != 0 { classes += library.findings(&entry) }
    state = nil
    while library.next(meta, &state, library.objectType, &entry) != 0 {
      var (x, y, width, height, level) = (Int32(0), Int32(0), Int32(0), Int32(0), Float(0))
      _ = library.location(&entry, &x, &y, &width, &height, &level)
      var related = CGstAnalyticsEntry()
      var next: UnsafeMutableRawPointer?
      var labels: [String] = []
      // 8: GST_ANALYTICS_REL_TYPE_RELATE_TO.
      while library.related(meta, entry.id, 8, library.classType, &next, &related) != 0 {
        labels += library.findings(&related).map(\.label)
      }
      let finding = Finding(label: library.text(library.objectLabel(&entry)), confidence: level)
      objects.append(Object(finding: finding, x: x, y: y, width: width, height: height, classes: labels))
    }
  }

  /// As an element before ours would leave it: the picture is, with 0.75, a `label`.
  static func add(_ label: String, to buffer: UnsafeMutablePointer<GstBuffer>) {
    guard let library else { return }
    var entry = CGstAnalyticsEntry()
    _ = library.addClass(library.make(buffer), 0.75, g_quark_from_string(label), &entry)
  }

  private static let library = Library()
}

extension Analysis {
  /// The functions that read. Declared here, since the headers may not be installed.
  private struct Library: @unchecked Sendable {
    typealias Entry = UnsafeMutableRawPointer
    typealias State = UnsafeMutablePointer<UnsafeMutableRawPointer?>
    typealias Number = UnsafeMutablePointer<Int32>

    let api: GType
    let classType, objectType: UInt
    let find, make: CGstAnalyticsOfBuffer
    let addClass: CGstAnalyticsAddClass
    let next: @convention(c) (UnsafeMutableRawPointer, State, UInt, Entry) -> gboolean
    let related: @convention(c) (UnsafeMutableRawPointer, UInt32, UInt32, UInt, State, Entry) -> gboolean
    let classCount: @convention(c) (Entry) -> Int
    let classLabel: @convention(c) (Entry, Int) -> GQuark
    let classLevel: @convention(c) (Entry, Int) -> Float
    let objectLabel: @convention(c) (Entry) -> GQuark
    let location: @convention(c) (Entry, Number, Number, Number, Number, UnsafeMutablePointer<Float>) -> gboolean

    init?() {
      // Tests are asked whether they are enabled before any of them runs.
      gst_init(nil, nil)
      guard let library = dlopen("libgstanalytics-1.0.so.0", RTLD_NOW) else { return nil }
      func symbol<F>(_ name: String, _ type: F.Type = F.self) -> F {
        guard let found = dlsym(library, name) else { fatalError("libgstanalytics has no \(name)") }
        return unsafeBitCast(found, to: type)
      }
      api = symbol("gst_analytics_relation_meta_api_get_type", (@convention(c) () -> GType).self)()
      classType = symbol("gst_analytics_cls_mtd_get_mtd_type", (@convention(c) () -> UInt).self)()
      objectType = symbol("gst_analytics_od_mtd_get_mtd_type", (@convention(c) () -> UInt).self)()
      find = symbol("gst_buffer_get_analytics_relation_meta")
      make = symbol("gst_buffer_add_analytics_relation_meta")
      addClass = symbol("gst_analytics_relation_meta_add_one_cls_mtd")
      next = symbol("gst_analytics_relation_meta_iterate")
      related = symbol("gst_analytics_relation_meta_get_direct_related")
      classCount = symbol("gst_analytics_cls_mtd_get_length")
      classLabel = symbol("gst_analytics_cls_mtd_get_quark")
      classLevel = symbol("gst_analytics_cls_mtd_get_level")
      objectLabel = symbol("gst_analytics_od_mtd_get_obj_type")
      location = symbol("gst_analytics_od_mtd_get_location")
    }

    func text(_ quark: GQuark) -> String { g_quark_to_string(quark).map { String(cString: $0) } ?? "" }

    func findings(_ entry: Entry) -> [Finding] {
      (0..<classCount(entry)).map { Finding(label: text(classLabel(entry, $0)), confidence: classLevel(entry, $0)) }
    }
  }
}
