import CGStreamer
import GStreamerKit
import Testing

/// All tests of the kit. GStreamer is one for the process, so they run one after another.
@Suite(.serialized, .noLeaks) struct GStreamerKitTests {
  init() { #expect(Runtime.isReady) }
}

enum Runtime {
  /// GStreamer and the elements of the tests, once a process.
  static let isReady: Bool = {
    gst_init(nil, nil)
    return gst_plugin_register_static(
      GST_VERSION_MAJOR, GST_VERSION_MINOR, "kittests", "Elements of the tests",
      { plugin in
        let all = [
          Plugin.register(Kinds.self, in: plugin), Plugin.register(Holder.self, in: plugin), Plugin.register(Gate.self, in: plugin),
          Plugin.register(Lanes.self, in: plugin),
          Plugin.register(Scaler.self, in: plugin), Plugin.register(Hollow.self, in: plugin), Plugin.register(Chapters.self, in: plugin),
          Plugin.register(Counter.self, in: plugin),
        ]
        return all.contains(false) ? 0 : 1
      }, "1.0", "MIT/X11", "kittests", "kittests", "https://example.org") != 0
  }()
}

/// Under `GST_TRACERS=leaks` no test leaves an object behind that was not there before it.
struct NoLeaks: SuiteTrait, TestTrait, TestScoping {
  var isRecursive: Bool { true }

  func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
    guard Runtime.isReady, let tracer = Self.tracer, !test.isSuite else { return try await function() }
    let before = Self.liveObjects(tracer)
    try await function()
    // The last reference of a streaming thread may be dropped after the state change has returned.
    var left = Self.liveObjects(tracer)
    var patience = Deadline(seconds: 2)
    while left.contains(where: { before[$0.key] == nil }), patience.isAhead { left = Self.liveObjects(tracer) }
    for (address, text) in left where before[address] == nil { Issue.record("leaked: \(text)") }
  }

  /// The leaks tracer, if the environment asks for it. Kept for the life of the process.
  private nonisolated(unsafe) static let tracer: UnsafeMutablePointer<GObject>? = {
    let tracers = gst_tracing_get_active_tracers()
    defer { g_list_free(tracers) }
    var node = tracers
    while let current = node {
      node = current.pointee.next
      guard let object = current.pointee.data?.assumingMemoryBound(to: GObject.self) else { continue }
      if String(cString: g_type_name(object.pointee.g_type_instance.g_class.pointee.g_type)) == "GstLeaksTracer" { return object }
    }
    return nil
  }()

  private static func liveObjects(_ tracer: UnsafeMutablePointer<GObject>) -> [UnsafeMutableRawPointer: String] {
    var instance = GValue()
    g_value_init(&instance, tracer.pointee.g_type_instance.g_class.pointee.g_type)
    g_value_set_object(&instance, tracer)
    var result = GValue()
    g_value_init(&result, gst_structure_get_type())
    g_signal_emitv(&instance, g_signal_lookup("get-live-objects", instance.g_type), 0, &result)
    defer { g_value_unset(&instance) }
    // The result is never freed: GStreamer 1.22 puts the objects in without references of its own and would drop ours.
    guard let structure = g_value_get_boxed(&result).map({ $0.assumingMemoryBound(to: GstStructure.self) }),
      let list = gst_structure_get_value(structure, "live-objects-list")
    else { return [:] }
    var found: [UnsafeMutableRawPointer: String] = [:]
    for index in 0..<gst_value_list_get_size(list) {
      guard let item = gst_value_list_get_value(list, index), let entry = g_value_get_boxed(item),
        let value = gst_structure_get_value(entry.assumingMemoryBound(to: GstStructure.self), "object"),
        let address = g_value_peek_pointer(value)
      else { continue }
      let text = g_strdup_value_contents(value)
      found[address] = "\(String(cString: g_type_name(value.pointee.g_type))) \(text.map { String(cString: $0) } ?? "")"
      g_free(text)
    }
    return found
  }
}

extension Trait where Self == NoLeaks {
  static var noLeaks: NoLeaks { NoLeaks() }
}

/// The end of a wait, on the monotonic clock.
struct Deadline {
  private let end: gint64

  init(seconds: Int) { end = g_get_monotonic_time() + gint64(seconds) * 1_000_000 }

  var isAhead: Bool {
    mutating get {
      g_thread_yield()
      return g_get_monotonic_time() < end
    }
  }
}
