import CGStreamer
import Glibc
import Testing

/// Everything here uses the plugin as an application does. One at a time: some of it measures time.
@Suite(.serialized) struct Shots {}

/// The built plugin, loaded once.
enum Plugin {
  /// Folder of the package, without a slash at its end.
  static let root: String = {
    let parts = #filePath.split(separator: "/").dropLast(4)
    return "/" + parts.joined(separator: "/")
  }()

  /// The plugin's file, and its folder for programs that look for it themselves.
  static let file = getenv("GST_SHOTS_PLUGIN").map { String(cString: $0) } ?? root + "/.build/release/libgstshots.so"
  static let folder = String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)])

  /// Why the plugin could not be loaded; nil if it was.
  static let failure: String? = {
    gst_init(nil, nil)
    var error: UnsafeMutablePointer<GError>?
    guard let plugin = gst_plugin_load_file(file, &error) else {
      defer { g_clear_error(&error) }
      return error.map { "\(file): " + String(cString: $0.pointee.message) } ?? file
    }
    gst_object_unref(UnsafeMutableRawPointer(plugin))
    return nil
  }()

  static func require() throws {
    if let failure { throw Failure(failure) }
  }
}

struct Failure: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

/// Nanoseconds.
let second: UInt64 = 1_000_000_000
let millisecond: UInt64 = 1_000_000

/// GST_CLOCK_TIME_NONE.
let noTime = UInt64.max

/// Start of frame `index`, as GStreamer's elements round it.
func frameTime(_ index: Int, rate: (Int, Int) = (25, 1)) -> UInt64 {
  UInt64(gst_util_uint64_scale(guint64(index), guint64(second) * guint64(rate.1), guint64(rate.0)))
}

/// Now, on a clock that only goes forward, in nanoseconds.
func monotonic() -> UInt64 { UInt64(max(0, g_get_monotonic_time())) * 1000 }

/// Tries again every few milliseconds until `condition` holds; false if it does not within `limit` seconds.
func eventually(within limit: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
  let end = monotonic() + UInt64(limit * 1e9)
  while true {
    if try condition() { return true }
    if monotonic() > end { return false }
    g_usleep(2000)
  }
}
