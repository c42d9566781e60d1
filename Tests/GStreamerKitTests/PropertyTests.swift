import CGStreamer
import GStreamerKit
import Testing

extension GStreamerKitTests {
  @Suite struct PropertyTests {
    static let roundTrips: [(String, [Value])] = [
      ("flag", [.bool(false), .bool(true)]),
      ("int", [.int(-10), .int(10)]),
      ("uint", [.uint(1), .uint(.max)]),
      ("int64", [.int64(.min), .int64(.max)]),
      ("min-time", [.uint64(0), .uint64(.max - 1)]),
      ("double", [.double(0), .double(254.5)]),
      ("optional", [.double(99), .double(-1)]),
      ("rate", [.fraction(30000, 1001), .fraction(0, 1)]),
      ("text", [.string("größer"), .string(nil), .string("")]),
      ("words", [.strings(["a", "b", "c"]), .strings([])]),
    ]

    @Test(arguments: roundTrips) func valuesComeBackAsTheyWereSet(_ name: String, _ values: [Value]) throws {
      let made = try Made("kitkinds")
      for value in values {
        made.set(name, value)
        #expect(made.get(name) == value)
      }
    }

    @Test func enumerationsHaveNicksAndBlurbs() throws {
      let made = try Made("kitkinds")
      guard case .enumeration(let type, 1) = made.get("mode") else {
        Issue.record("the default is not the second")
        return
      }
      made.set("mode", .enumeration(type, 2))
      #expect(made.get("mode") == .enumeration(type, 2))
      gst_util_set_object_arg(made.gobject, "mode", "first")
      #expect(made.get("mode") == .enumeration(type, 0))
      let gclass = try #require(g_type_class_ref(type)).assumingMemoryBound(to: GEnumClass.self)
      defer { g_type_class_unref(gclass) }
      let third = try #require(g_enum_get_value(gclass, 2))
      #expect(String(cString: third.pointee.value_nick) == "third")
      #expect(String(cString: third.pointee.value_name) == "The third mode")
      #expect(g_enum_get_value(gclass, 3) == nil)
    }

    @Test func flagsHaveNicksAndAnyCombination() throws {
      let made = try Made("kitkinds")
      guard case .flags(let type, 0b101) = made.get("colors") else {
        Issue.record("the default is not red and blue")
        return
      }
      for bits in 0...7 as ClosedRange<UInt32> {
        made.set("colors", .flags(type, bits))
        #expect(made.get("colors") == .flags(type, bits))
      }
      gst_util_set_object_arg(made.gobject, "colors", "green+blue")
      #expect(made.get("colors") == .flags(type, 0b110))
      let gclass = try #require(g_type_class_ref(type)).assumingMemoryBound(to: GFlagsClass.self)
      defer { g_type_class_unref(gclass) }
      #expect(gclass.pointee.n_values == 3)
      #expect(String(cString: try #require(g_flags_get_value_by_nick(gclass, "green")).pointee.value_name) == "green light")
    }

    @Test func defaultsAreThoseOfSettings() throws {
      let made = try Made("kitkinds")
      let expected: [(String, Value)] = [
        ("flag", .bool(true)), ("int", .int(-3)), ("uint", .uint(7)), ("int64", .int64(-5_000_000_000)), ("min-time", .uint64(600_000_000)),
        ("double", .double(0.5)), ("optional", .double(-1)), ("rate", .fraction(0, 1)), ("text", .string("nothing")),
        ("frames", .uint64(0)), ("level", .double(0)),
      ]
      for (name, value) in expected {
        #expect(Value(try #require(g_param_spec_get_default_value(made.specification(name)))) == value, "\(name)")
        #expect(made.get(name) == value, "\(name)")
      }
      // GstParamSpecArray has no default value to give.
      #expect(made.get("words") == .strings(["one", "two"]))
    }

    @Test func rangesAreChecked() throws {
      let made = try Made("kitkinds")
      func fits(_ name: String, _ value: Value) throws -> Bool {
        let specification = try made.specification(name)
        return value.withGValue { g_param_value_validate(specification, $0) == 0 }
      }
      #expect(try fits("int", .int(-10)))
      #expect(try !fits("int", .int(-11)))
      #expect(try !fits("uint", .uint(0)))
      #expect(try fits("int64", .int64(.min)))
      #expect(try !fits("min-time", .uint64(.max)))
      #expect(try !fits("double", .double(255.5)))
      #expect(try fits("optional", .double(-1)))
      #expect(try !fits("optional", .double(100.5)))
      #expect(try !fits("rate", .fraction(-1, 1)))
    }

    @Test func flagsSayWhenAPropertyMayChange() throws {
      let made = try Made("kitkinds")
      func flags(_ name: String) throws -> UInt32 { UInt32(try made.specification(name).pointee.flags.rawValue) }
      let readable = UInt32(G_PARAM_READABLE.rawValue)
      let both = readable | UInt32(G_PARAM_WRITABLE.rawValue)
      // GST_PARAM_MUTABLE_READY, _PAUSED, _PLAYING
      #expect(try flags("flag") == both | 1 << 10)
      #expect(try flags("uint") == both | 1 << 11)
      #expect(try flags("text") == both | 1 << 12)
      #expect(try flags("frames") == readable)
      #expect(try flags("level") == readable)
    }

    @Test func rowsAreDocumented() throws {
      let made = try Made("kitkinds")
      let specification = try made.specification("min-time")
      #expect(String(cString: g_param_spec_get_nick(specification)) == "Min time")
      #expect(String(cString: g_param_spec_get_blurb(specification)) == "A time in nanoseconds")
    }

    @Test func settingsChangeWhileDataFlow() throws {
      let made = try Made(pipeline: "videotestsrc num-buffers=2000 ! video/x-raw,width=16,height=16 ! kitkinds name=k ! fakesink")
      let kinds = try made.child("k")
      let gobject = UnsafeMutableRawPointer(kinds).assumingMemoryBound(to: GObject.self)
      var turn = 0
      let said = made.play {
        turn += 1
        let values: [(String, Value)] = [
          ("text", .string("a text that is too long to be stored inline, number \(turn)")),
          ("words", .strings((0...turn % 7).map { "the word of this turn with the number \($0)" })),
          ("double", .double(Double(1 + turn % 200))),
        ]
        for (name, value) in values { value.withGValue { g_object_set_property(gobject, name, $0) } }
        var level = GValue()
        g_object_get_property(gobject, "level", &level)
        g_value_unset(&level)
      }
      #expect(said.last?.type == GST_MESSAGE_EOS)
      var frames = GValue()
      g_object_get_property(gobject, "frames", &frames)
      #expect(Value(&frames) == .uint64(2000))
      g_value_unset(&frames)
    }

    @Test func theNextFrameSeesANewSetting() throws {
      let rig = try Rig("kitkinds")
      try rig.push(0)
      #expect(rig.made.get("level") == .double(0.5))
      rig.made.set("double", .double(17))
      try rig.push(1)
      #expect(rig.made.get("level") == .double(17))
      // A measurement stays in its range.
      rig.made.set("double", .double(250))
      try rig.push(2)
      #expect(rig.made.get("level") == .double(200))
    }

    @Test func readingsStartOver() throws {
      let rig = try Rig("kitkinds")
      try rig.push(0)
      #expect(rig.made.get("frames") == .uint64(1))
      rig.made.change(to: GST_STATE_NULL)
      #expect(rig.made.get("frames") == .uint64(1), "what was read last stays readable")
      rig.made.change(to: GST_STATE_PAUSED)
      #expect(rig.made.get("frames") == .uint64(0))
    }
  }
}
