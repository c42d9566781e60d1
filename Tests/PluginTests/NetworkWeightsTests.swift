import CGStreamer
import Glibc
import Testing

extension Shots {
  /// Weights that cannot be used are an error on the bus before anything plays, and the element is as good as new after.
  @Suite("Weights") struct WeightsTests {
    /// What is done to a good copy of models/transnetv2, and what the error must say.
    struct Damage: Sendable, CustomTestStringConvertible {
      enum Deed: Sendable {
        case remove, directory, pipe, cut(to: Int), replace(String, String), write(String), writeAt(Int, [UInt8]), append
      }

      var name: String
      var file: String
      var deed: Deed
      var code: String
      var words: [String]
      var testDescription: String { name }

      init(_ name: String, _ file: String, _ deed: Deed, _ code: String, _ words: String...) {
        (self.name, self.file, self.deed, self.code, self.words) = (name, file, deed, code, words)
      }
    }

    static let (model, configuration, ranges) = ("model.safetensors", "config.json", "quantization.json")
    static let missing = "gst-resource-error-quark \(GST_RESOURCE_ERROR_NOT_FOUND.rawValue)"
    static let unreadable = "gst-resource-error-quark \(GST_RESOURCE_ERROR_OPEN_READ.rawValue)"
    static let malformed = "gst-stream-error-quark \(GST_STREAM_ERROR_FORMAT.rawValue)"

    static let damages = [
      Damage("no model", model, .remove, missing, "does not exist"),
      Damage("no configuration", configuration, .remove, missing, "does not exist"),
      Damage("no ranges", ranges, .remove, missing, "does not exist"),
      Damage("a model that is a folder", model, .directory, unreadable, "is a folder, not a regular file"),
      Damage("a model that is a pipe", model, .pipe, unreadable, "is a FIFO, not a regular file"),
      Damage("a configuration that is a pipe", configuration, .pipe, unreadable, "is a FIFO, not a regular file"),
      Damage("an empty model", model, .cut(to: 0), malformed, "is empty"),
      Damage("a model cut in its header's length", model, .cut(to: 7), malformed),
      Damage("a model cut in its header", model, .cut(to: 5000), malformed, "truncated"),
      Damage("a model cut in its data", model, .cut(to: 9_000_000), malformed, "tensor \""),
      Damage("a model without its last byte", model, .cut(to: -1), malformed, "1 bytes behind"),
      Damage("a byte too many", model, .append, malformed, "1 bytes after"),
      Damage("a header longer than the file", model, .writeAt(0, [0, 0, 0, 2, 0, 0, 0, 0]), malformed, "truncated"),
      Damage("a header longer than memory", model, .writeAt(0, [UInt8](repeating: 0xff, count: 8)), malformed, "length"),
      Damage("a header that is no JSON", model, .writeAt(8, Array("}{".utf8)), malformed, "JSON"),
      Damage("a tensor of another name", model, .replace("\"fc1.bias\"", "\"fc9.bias\""), malformed, "tensor \"fc1.bias\" is missing"),
      Damage(
        "a tensor of another shape", model, .replace("\"shape\":[128,448]", "\"shape\":[448,128]"), malformed,
        "tensor \"frame_sim_layer.projection.weight\" has the shape [448, 128], not [128, 448]"),
      Damage(
        "a tensor of another type", model, .replace("\"F32\",\"shape\":[32,3,1,3,3]", "\"I32\",\"shape\":[32,3,1,3,3]"), malformed,
        "tensor \"SDDCNN.0.DDCNN.0.Conv3D_1.layers.0.weight\" is int32"),
      Damage("a type that is unknown", model, .replace("\"F32\"", "\"F31\""), malformed, "F31"),
      Damage("a NaN", model, .writeAt(8_000_000, [UInt8](repeating: 0xff, count: 8)), malformed, "tensor \"", "NaN"),
      Damage("an empty configuration", configuration, .cut(to: 0), malformed, "is empty"),
      Damage("a configuration without a field", configuration, .write("{\"F\":16}"), malformed, "has no \"L\""),
      Damage("a configuration of another type", configuration, .replace("1024", "\"10\""), malformed, "\"D\" is of another type"),
      Damage("another network's configuration", configuration, .replace("1024", "1025"), malformed, "another network"),
      Damage("a configuration that is no JSON", configuration, .write("F = 16"), malformed, "JSON"),
      Damage("too few ranges", ranges, .write("{\"cells\":[1,2],\"stacks\":[1,2]}"), malformed, "three and two positive numbers"),
      Damage("a range of zero", ranges, .write("{\"cells\":[1,0,2],\"stacks\":[1,2]}"), malformed, "positive"),
      Damage("a range beyond float32", ranges, .write("{\"cells\":[1,1e39,2],\"stacks\":[1,2]}"), malformed),
      Damage("ranges that are no numbers", ranges, .write("{\"cells\":\"all\",\"stacks\":[1,2]}"), malformed, "\"cells\""),
    ]

    private static let good: [String: [UInt8]] = Dictionary(
      uniqueKeysWithValues: [model, configuration, ranges].map { ($0, contents(of: Plugin.root + "/models/transnetv2/" + $0)) })

    private let folder: Folder

    init() throws { folder = try Folder() }

    /// A copy of the weights, with one file damaged.
    private func prepare(_ damage: Damage) throws {
      for (name, bytes) in Self.good where name != damage.file {
        // What is not touched need not be copied.
        _ = bytes
        symlink(Plugin.root + "/models/transnetv2/" + name, folder.file(name))
      }
      let path = folder.file(damage.file)
      var bytes = Self.good[damage.file] ?? []
      switch damage.deed {
      case .remove: return
      case .directory: mkdir(path, 0o700); return
      case .pipe: mkfifo(path, 0o600); return
      case .cut(let count): bytes = Array(count < 0 ? bytes.dropLast(-count) : bytes.prefix(count))
      case .append: bytes.append(0)
      case .write(let text): bytes = Array(text.utf8)
      case .writeAt(let place, let new): bytes.replaceSubrange(place..<place + new.count, with: new)
      case .replace(let old, let new):
        let place = try #require(bytes.prefix(10_000).indices.first { bytes[$0...].starts(with: old.utf8) })
        bytes.replaceSubrange(place..<place + old.utf8.count, with: new.utf8)
      }
      try write(bytes, to: path)
    }

    @Test(arguments: damages) func `damaged weights stop the element before it plays, with file and tensor`(_ damage: Damage) throws {
      try prepare(damage)
      try Plugin.require()
      guard let element = gst_element_factory_make("shotdetect", nil) else { throw Failure("no element") }
      gst_object_ref_sink(element)
      let bus = try Bus()
      gst_element_set_bus(element, bus.gst)
      defer {
        gst_element_set_state(element, GST_STATE_NULL)
        gst_element_set_bus(element, nil)
        gst_object_unref(element)
      }
      gst_util_set_object_arg(gobject(element), "detector", "transnet")
      gst_util_set_object_arg(gobject(element), "model-location", folder.path)
      for _ in 0..<2 {
        bus.clear()
        #expect(gst_element_set_state(element, GST_STATE_READY) == GST_STATE_CHANGE_SUCCESS)
        #expect(gst_element_set_state(element, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE)
        let errors = bus.all(.error)
        #expect(errors.count == 1)
        #expect(errors.first?.code == damage.code)
        for word in [folder.file(damage.file)] + damage.words {
          #expect(errors.first?.text.contains(word) == true, "\(word) in \(errors.first?.text ?? "")")
        }
      }
      // The same element with good weights.
      bus.clear()
      g_object_set_property(gobject(element), "model-location", nil as String?)
      #expect(gst_element_set_state(element, GST_STATE_PAUSED) == GST_STATE_CHANGE_SUCCESS)
      #expect(bus.errors == [])
    }

    @Test func `after bad weights good ones find what they always find`() throws {
      let harness = try Harness("shotdetect", ["detector": "fused", "min-shot-duration": "0"])
      #expect(throws: Failure.self) { try harness.restart(["model-location": "/nonexistent/weights"]) }
      #expect(harness.bus.errors.count == 1)
      #expect(harness.bus.errors.first?.contains("/nonexistent/weights/config.json") == true)
      harness.bus.clear()
      try harness.restart(["model-location": Plugin.root + "/models/transnetv2"])
      try harness.play(try SmallFilm.shared.get(), 1000..<1100)
      harness.end()
      #expect(harness.bus.errors == [])
      #expect(harness.bus.cuts == [34, 71])
    }

    @Test func `a detector without a network does not look for weights`() throws {
      let harness = try Harness("shotdetect", ["detector": "content", "model-location": "/nonexistent/weights"])
      #expect(harness.bus.errors == [])
      try harness.play(try SmallFilm.shared.get(), 1030..<1040)
      #expect(harness.out.frameCount == 10)
    }
  }
}

private func g_object_set_property(_ object: UnsafeMutablePointer<GObject>, _ name: String, _ text: String?) {
  var value = GValue()
  g_value_init(&value, g_type_from_name("gchararray"))
  defer { g_value_unset(&value) }
  g_value_set_string(&value, text)
  g_object_set_property(object, name, &value)
}
