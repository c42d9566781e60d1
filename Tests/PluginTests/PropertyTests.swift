import CGStreamer
import Testing

extension Shots {
  @Suite("Properties") struct PropertyTests {
    struct Row: CustomTestStringConvertible {
      var element: String
      var name: String
      var type: String
      /// As gst_value_serialize writes it.
      var initial: String
      var range: ClosedRange<Double>?
      /// The state up to which it may be changed; nil if it may only be read.
      var changeable: String?
      var testDescription: String { "\(element) \(name)" }

      init(_ element: String, _ name: String, _ type: String, _ initial: String, _ range: ClosedRange<Double>?, _ changeable: String?) {
        (self.element, self.name, self.type, self.initial, self.range, self.changeable) = (element, name, type, initial, range, changeable)
      }
    }

    private static let longest = Double(UInt64.max)

    static let rows =
      [
        Row("shotdetect", "detector", "GstShotDetectDetector", "content", nil, "ready"),
        Row("shotdetect", "threshold", "gdouble", "-1", -1...255, "playing"),
        Row("shotdetect", "weight-hue", "gdouble", "1", -1000...1000, "playing"),
        Row("shotdetect", "weight-saturation", "gdouble", "1", -1000...1000, "playing"),
        Row("shotdetect", "weight-luma", "gdouble", "1", -1000...1000, "playing"),
        Row("shotdetect", "weight-edges", "gdouble", "0", -1000...1000, "playing"),
        Row("shotdetect", "min-shot-duration", "guint64", "18446744073709551615", 0...longest, "playing"),
        Row("shotdetect", "filter", "GstShotDetectFilter", "merge", nil, "ready"),
        Row("shotdetect", "adaptive-window", "guint", "2", 1...1000, "ready"),
        Row("shotdetect", "fade-bias", "gdouble", "0", -1...1, "playing"),
        Row("shotdetect", "look-ahead", "guint", "50", 1...99, "ready"),
        Row("shotdetect", "windowing", "GstShotDetectWindowing", "streaming", nil, "ready"),
        Row("shotdetect", "precision", "GstShotDetectPrecision", "auto", nil, "ready"),
        Row("shotdetect", "threads", "guint", "0", 0...4, "ready"),
        Row("shotdetect", "when-late", "GstShotDetectWhenLate", "wait", nil, "ready"),
        Row("shotdetect", "model-location", "gchararray", "NULL", nil, "ready"),
        Row("shotdetect", "align", "gboolean", "false", nil, "ready"),
        Row("shotdetect", "post-messages", "gboolean", "true", nil, "playing"),
        Row("shotdetect", "attach-meta", "gboolean", "true", nil, "playing"),
        Row("shotdetect", "force-key-units", "gboolean", "false", nil, "playing"),
        Row("shotdetect", "post-toc", "gboolean", "false", nil, "ready"),
        Row("shotdetect", "shots", "guint64", "0", 0...longest, nil),
        Row("shotdetect", "frames", "guint64", "0", 0...longest, nil),
        Row("shotdetect", "frames-skipped", "guint64", "0", 0...longest, nil),
        Row("shotdetect", "last-score", "gdouble", "0", -1_000_000...1_000_000, nil),
        Row("shotlog", "location", "gchararray", "NULL", nil, "ready"),
        Row("shotlog", "format", "GstShotLogFormat", "csv", nil, "ready"),
        Row("shotlog", "title", "gchararray", "NULL", nil, "ready"),
        Row("shotlog", "source", "gchararray", "NULL", nil, "ready"),
        Row("shotlog", "frame-rate", "gchararray", "NULL", nil, "ready"),
        Row("shotlog", "start-timecode", "gchararray", "NULL", nil, "ready"),
        Row("shotlog", "statistics-location", "gchararray", "NULL", nil, "ready"),
      ] + (Analysis.isAvailable ? [Row("shotdetect", "analytics-meta", "gboolean", "false", nil, "playing")] : [])

    /// Runs `body` with each property of an element's own class.
    private func properties(of factory: String, _ body: (UnsafeMutablePointer<GParamSpec>) throws -> Void) throws {
      try Plugin.require()
      guard let element = gst_element_factory_make(factory, nil) else { throw Failure("no \(factory)") }
      gst_object_ref_sink(element)
      defer { gst_object_unref(element) }
      guard let gclass = UnsafeMutableRawPointer(element).assumingMemoryBound(to: GTypeInstance.self).pointee.g_class else {
        throw Failure("no class")
      }
      var count: UInt32 = 0
      let list = g_object_class_list_properties(UnsafeMutableRawPointer(gclass).assumingMemoryBound(to: GObjectClass.self), &count)
      defer { g_free(list) }
      for index in 0..<Int(count) {
        if let specification = list?[index], specification.pointee.owner_type == gclass.pointee.g_type { try body(specification) }
      }
    }

    @Test(arguments: ["shotdetect", "shotlog"]) func `no property is undocumented`(_ factory: String) throws {
      var names: [String] = []
      try properties(of: factory) { specification in
        names.append(String(cString: specification.pointee.name))
        #expect(g_param_spec_get_blurb(specification).map { String(cString: $0).count } ?? 0 > 10)
        #expect(g_param_spec_get_nick(specification).map { String(cString: $0).isEmpty } == false)
      }
      #expect(Set(names) == Set(Self.rows.filter { $0.element == factory }.map(\.name)))
    }

    @Test(arguments: rows) func `type, default, range and mutability are as documented`(_ row: Row) throws {
      var isFound = false
      try properties(of: row.element) { specification in
        guard String(cString: specification.pointee.name) == row.name else { return }
        isFound = true
        let flags = specification.pointee.flags.rawValue
        #expect(String(cString: g_type_name(specification.pointee.value_type)) == row.type)
        #expect(flags & G_PARAM_READABLE.rawValue != 0)
        #expect((flags & G_PARAM_WRITABLE.rawValue != 0) == (row.changeable != nil))
        for (state, bit) in [("ready", 10), ("paused", 11), ("playing", 12)] as [(String, UInt32)] {
          #expect((flags & 1 << bit != 0) == (row.changeable == state))
        }
        let initial = g_param_spec_get_default_value(specification)
        #expect(text(initial) == row.initial)
        if let range = row.range { #expect(self.range(specification) == range) }
      }
      #expect(isFound)
    }

    private func text(_ value: UnsafePointer<GValue>?) -> String {
      guard let value else { return "" }
      if String(cString: g_type_name(value.pointee.g_type)) == "gchararray" {
        return g_value_get_string(value).map { String(cString: $0) } ?? "NULL"
      }
      guard let text = gst_value_serialize(value) else { return "" }
      defer { g_free(text) }
      return String(cString: text)
    }

    private func range(_ specification: UnsafeMutablePointer<GParamSpec>) -> ClosedRange<Double>? {
      let raw = UnsafeMutableRawPointer(specification)
      switch String(cString: g_type_name(specification.pointee.value_type)) {
      case "gdouble":
        let own = raw.assumingMemoryBound(to: GParamSpecDouble.self).pointee
        return own.minimum...own.maximum
      case "guint":
        let own = raw.assumingMemoryBound(to: GParamSpecUInt.self).pointee
        return Double(own.minimum)...Double(own.maximum)
      case "guint64":
        let own = raw.assumingMemoryBound(to: GParamSpecUInt64.self).pointee
        return Double(own.minimum)...Double(own.maximum)
      default: return nil
      }
    }

    @Test func `what is set is what is read`() throws {
      try Plugin.require()
      guard let element = gst_element_factory_make("shotdetect", nil) else { throw Failure("no element") }
      gst_object_ref_sink(element)
      defer { gst_object_unref(element) }
      for (name, value) in [
        ("detector", "hash"), ("threshold", "0.5"), ("min-shot-duration", "40000000"), ("align", "true"), ("filter", "suppress"),
      ] {
        gst_util_set_object_arg(gobject(element), name, value)
        var held = GValue()
        g_object_get_property(gobject(element), name, &held)
        defer { g_value_unset(&held) }
        #expect(text(&held) == value)
      }
    }

    @Test func `a threshold set while playing counts from the next frame and keeps history`() throws {
      let video = try Video("GRAY8", 64, 36)
      let harness = try Harness("shotdetect", ["min-shot-duration": "0"])
      harness.setVideo(video)
      // Steps of 40 grey levels score 40 / 3.
      for index in 0..<6 {
        if index == 3 { harness.set("threshold", "10") }
        let level = UInt8(40 * index)
        harness.push(try video.flat(level, level, level), at: frameTime(index))
      }
      #expect(harness.bus.cuts == [3, 4, 5])
    }

    @Test func `weights choose what counts`() throws {
      let video = try Video("RGB", 64, 36)
      for (weights, isCut) in [(["1", "0", "0"], true), (["0", "1", "1"], false)] {
        let harness = try Harness(
          "shotdetect",
          ["min-shot-duration": "0", "weight-hue": weights[0], "weight-saturation": weights[1], "weight-luma": weights[2]])
        harness.setVideo(video)
        // Red and green: another hue, the same saturation and value.
        for index in 0..<4 { harness.push(try video.flat(index < 2 ? 200 : 0, index < 2 ? 0 : 200, 0), at: frameTime(index)) }
        #expect(harness.bus.cuts == (isCut ? [2] : []))
      }
    }
  }
}
