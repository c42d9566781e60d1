import CGStreamer

/// What can be set on an element, and to what.
struct ElementProperties {
  var name: String
  private var values: [String?]

  /// A name and a value, in GStreamer's notation.
  func draw(_ dice: inout Dice) -> (String, String?) { (name, dice.one(of: values)) }

  nonisolated(unsafe) private static var known: [String: [ElementProperties]] = [:]

  /// Those of a factory; used from one thread.
  static func of(_ factory: String) -> [ElementProperties] {
    if let list = known[factory] { return list }
    var list: [ElementProperties] = []
    if factory != "queue", factory != "videoconvert", let element = gst_element_factory_make(factory, nil) {
      gst_object_ref_sink(element)
      defer { gst_object_unref(element) }
      let gclass = UnsafeMutableRawPointer(element).assumingMemoryBound(to: GTypeInstance.self).pointee.g_class
      var count: UInt32 = 0
      let specs = g_object_class_list_properties(UnsafeMutableRawPointer(gclass!).assumingMemoryBound(to: GObjectClass.self), &count)
      defer { g_free(specs) }
      for index in 0..<Int(count) {
        guard let spec = specs?[index], spec.pointee.flags.rawValue & G_PARAM_WRITABLE.rawValue != 0 else { continue }
        let name = String(cString: spec.pointee.name)
        guard !["name", "parent", "message-forward", "async-handling", "qos"].contains(name) else { continue }
        let values = texts[name] ?? self.values(spec)
        if !values.isEmpty { list.append(ElementProperties(name: name, values: values)) }
      }
    }
    list.sort { $0.name < $1.name }
    known[factory] = list
    return list
  }

  /// "@" is the worker's own folder.
  private static let files: [String?] = [nil, "", "@/list", "@/no/such/folder", "@", "/dev/full", "@/é {shot} %d"]
  private static let encoders: [String?] = [
    nil, "", "x264enc speed-preset=ultrafast", "identity", "no-such-element", "!", "x264enc ! fakesink", "vp8enc deadline=1",
  ]
  private static let texts: [String: [String?]] = [
    "location": ["@/list%05d.mkv", "@/l{time}.mp4", "@/no/such/%d.mp4", "", "@", "/dev/full", "@/{shot}", "@/x%s%n.ts"],
    "statistics-location": files, "manifest-location": files, "prompt-location": files, "lora-location": files,
    "model": [nil, "", "@/no-model", "@"], "model-location": [nil, nil, nil, "@/no-model", ""],
    "encoder": encoders, "audio-encoder": [nil, "avenc_aac", "opusenc", "identity", "!"],
    "muxer": [nil, nil, "matroskamux", "identity", "mp4mux", ""],
    "captioner": [nil, "true", "false", "no-such-program", "'", "echo a"],
    "prompts": ["<>", "<\"A rabbit\">", "<\"\", \"[0-9s] x\", \"<shot> y\">", "<\"a\",\"b\",\"c\">"],
    // The first, since others need a model or seconds to begin.
    "generator": ["rephotograph", "rephotograph", "auto", "diffusion"],
    "detector": [
      "content", "adaptive", "threshold", "histogram", "hash", "content", "adaptive", "threshold", "histogram", "hash", "transnet", "fused",
    ],
    "frame-rate": ["0/1", "25/1", "30000/1001", "2147483647/1", "1/2147483647", "50000/2369"],
    "threads": ["0", "1", "2"], "shots": ["0", "1", "2", "-1"],
    "trigger": ["eos", "stall", "cut", "eos+stall+cut", "0"], "kinds": ["0", "fade", "fade+dissolve+wipe"],
  ]

  private static func values(_ spec: UnsafeMutablePointer<GParamSpec>) -> [String?] {
    let raw = UnsafeMutableRawPointer(spec)
    func edges<T: FixedWidthInteger>(_ low: T, _ high: T, _ initial: T) -> [String?] {
      let near: [T] = [low, high, initial, low &+ 1, high &- 1, 1, 2, 50, 100]
      return near.filter { $0 >= low && $0 <= high }.map { "\($0)" }
    }
    switch g_type_fundamental(spec.pointee.value_type) {
    case GType(5 << 2): return ["true", "false"]
    case GType(6 << 2):
      let one = raw.assumingMemoryBound(to: GParamSpecInt.self).pointee
      return edges(one.minimum, one.maximum, one.default_value)
    case GType(7 << 2):
      let one = raw.assumingMemoryBound(to: GParamSpecUInt.self).pointee
      return edges(one.minimum, one.maximum, one.default_value)
    case GType(10 << 2):
      let one = raw.assumingMemoryBound(to: GParamSpecInt64.self).pointee
      return edges(Int64(one.minimum), Int64(one.maximum), Int64(one.default_value))
    case GType(11 << 2):
      let one = raw.assumingMemoryBound(to: GParamSpecUInt64.self).pointee
      return edges(UInt64(one.minimum), UInt64(one.maximum), UInt64(one.default_value)) + ["40000000", "400000000"]
    case GType(15 << 2):
      let one = raw.assumingMemoryBound(to: GParamSpecDouble.self).pointee
      return [one.minimum, one.maximum, one.default_value, 0, 1, 0.5].filter { $0 >= one.minimum && $0 <= one.maximum }.map { "\($0)" }
    case GType(12 << 2):
      let gclass = raw.assumingMemoryBound(to: GParamSpecEnum.self).pointee.enum_class
      guard let gclass, let values = gclass.pointee.values else { return [] }
      return (0..<Int(gclass.pointee.n_values)).map { String(cString: values[$0].value_nick) }
    case GType(16 << 2): return [nil, "", "text", "a {shot} 100% \\ \"quoted\" \u{e9}", String(repeating: "x", count: 5000)]
    default: return []
    }
  }
}
