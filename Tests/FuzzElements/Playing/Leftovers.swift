import CGStreamer
import Glibc

/// Counts objects of GStreamer as they come and go, by type: hooks of the kind that its tracers have.
///
/// The tracer `leaks` would tell which they are, but takes references for that, while threads of elements give back theirs.
private final class LivingObjects: @unchecked Sendable {
  static let shared = LivingObjects()
  private var lock = pthread_mutex_t()
  private var counts: [GType: Int] = [:]

  private typealias Hook = @convention(c) (UnsafeMutableRawPointer?, GstClockTime, UnsafeMutableRawPointer?) -> Void

  private init() {
    pthread_mutex_init(&lock, nil)
    var query = GTypeQuery()
    g_type_query(gst_tracer_get_type(), &query)
    let type = g_type_register_static_simple(
      gst_tracer_get_type(), "FuzzTracer", query.class_size, nil, query.instance_size, nil, GTypeFlags(rawValue: 0))
    guard let object = g_object_new_with_properties(type, 0, nil, nil) else { return }
    let tracer = UnsafeMutableRawPointer(object).assumingMemoryBound(to: GstTracer.self)
    let hooks: [(String, Hook)] = [
      ("mini-object-created", { _, _, object in LivingObjects.shared.count(LivingObjects.mini(object), 1) }),
      ("mini-object-destroyed", { _, _, object in LivingObjects.shared.count(LivingObjects.mini(object), -1) }),
      ("object-created", { _, _, object in LivingObjects.shared.count(LivingObjects.type(object), 1) }),
      ("object-destroyed", { _, _, object in LivingObjects.shared.count(LivingObjects.type(object), -1) }),
    ]
    for (detail, hook) in hooks { gst_tracing_register_hook(tracer, detail, unsafeBitCast(hook, to: GCallback.self)) }
  }

  private static func mini(_ object: UnsafeMutableRawPointer?) -> GType {
    object?.assumingMemoryBound(to: GstMiniObject.self).pointee.type ?? 0
  }

  private static func type(_ object: UnsafeMutableRawPointer?) -> GType {
    object?.assumingMemoryBound(to: GTypeInstance.self).pointee.g_class.pointee.g_type ?? 0
  }

  private func count(_ type: GType, _ change: Int) {
    pthread_mutex_lock(&lock)
    counts[type, default: 0] += change
    pthread_mutex_unlock(&lock)
  }

  var all: [GType: Int] {
    pthread_mutex_lock(&lock)
    defer { pthread_mutex_unlock(&lock) }
    return counts
  }
}

/// What a sequence can leave behind: objects of GStreamer by type, threads, open files.
struct Leftovers {
  private var counts: [String: Int] = [:]

  /// As it is now. Objects are counted from the first call on.
  static func now() -> Leftovers {
    var made = Leftovers()
    made.counts["threads"] = entries("/proc/self/task")
    made.counts["open files"] = entries("/proc/self/fd")
    for (type, count) in LivingObjects.shared.all { made.counts[g_type_name(type).map { String(cString: $0) } ?? "?"] = count }
    return made
  }

  private static func entries(_ path: String) -> Int {
    guard let folder = opendir(path) else { return 0 }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    return count
  }

  /// What there is more of than there was, and how much.
  func more(than before: Leftovers) -> [String: Int] {
    var more: [String: Int] = [:]
    for (name, count) in counts where count > before.counts[name, default: 0] { more[name] = count - before.counts[name, default: 0] }
    return more
  }
}
