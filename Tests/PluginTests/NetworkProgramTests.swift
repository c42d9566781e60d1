import CGStreamer
import Glibc
import Testing

extension Shots {
  /// What gst-launch-1.0 makes of the plugin and of the folders where models may lie.
  @Suite("Network in a program") struct NetworkProgramTests {
    /// With a registry and a copy of the plugin of its own: `lib/libgstshots.so`.
    private let folder: Folder
    private static let models = Plugin.root + "/models"

    init() throws {
      try Plugin.require()
      folder = try Folder()
      mkdir(folder.file("lib"), 0o700)
      try write(contents(of: Plugin.file), to: folder.file("lib/libgstshots.so"))
    }

    private func launch(_ description: String, _ changes: [String: String?] = [:], within limit: Double = 60) throws -> (
      status: Int32, output: String
    ) {
      var changes = changes
      changes["GST_PLUGIN_PATH"] = folder.file("lib")
      changes["GST_REGISTRY"] = folder.file("registry")
      changes["GST_REGISTRY_FORK"] = "no"
      if changes["GST_SHOTS_MODELS"] == nil { changes["GST_SHOTS_MODELS"] = .some(nil) }
      return try Program.run(["gst-launch-1.0", "-q"] + description.split(separator: " ").map { String($0) }, changes, within: limit)
    }

    private let short = "videotestsrc num-buffers=3 ! shotdetect detector=fused ! fakesink"

    private func copy(_ model: String, to folder: String) throws {
      mkdir(folder, 0o700)
      mkdir("\(folder)/\(model)", 0o700)
      for name in ["config.json", "model.safetensors", "quantization.json"] {
        let bytes = contents(of: "\(Self.models)/\(model)/\(name)")
        if !bytes.isEmpty { try write(bytes, to: "\(folder)/\(model)/\(name)") }
      }
    }

    @Test func `models are found where they may lie, and their absence is told with all places`() throws {
      let alone = try launch(short)
      // Unless the system has them.
      if access("/usr/share/gst-shots/models", F_OK) != 0, access("/usr/local/share/gst-shots/models", F_OK) != 0 {
        #expect(alone.status > 0)
        for place in [
          folder.file("lib/models"), folder.file("models"), "/usr/share/gst-shots/models", "/usr/local/share/gst-shots/models",
          "model-location", "GST_SHOTS_MODELS",
        ] {
          #expect(alone.output.contains(place), "\(place) in \(alone.output)")
        }
      }
      let named = try launch(short, ["GST_SHOTS_MODELS": Self.models])
      #expect(named.status == 0, "\(named.output)")
      // Beside the plugin's folder, and beside the plugin itself.
      for place in ["models", "lib/models"] {
        try copy("transnetv2", to: folder.file(place))
        try copy("fused", to: folder.file(place))
        let beside = try launch(short)
        #expect(beside.status == 0, "\(place): \(beside.output)")
        #expect(
          rename(folder.file(place), folder.file("aside")) == 0
            && rename(folder.file("aside"), folder.file("aside-\(place.utf8.count)")) == 0)
      }
    }

    @Test func `damaged weights of the combiner are an error with file and tensor`() throws {
      symlink(Self.models + "/transnetv2", folder.file("transnetv2"))
      try copy("fused", to: folder.path)
      let file = folder.file("fused/model.safetensors")
      let good = contents(of: file)
      func replacing(_ old: String, _ new: String) -> [UInt8] {
        var bytes = good
        guard let place = bytes.indices.first(where: { bytes[$0...].starts(with: old.utf8) }) else { return [] }
        bytes.replaceSubrange(place..<place + old.utf8.count, with: new.utf8)
        return bytes
      }
      var infinite = good
      infinite.replaceSubrange(good.count - 100..<good.count - 92, with: [UInt8](repeating: 0xff, count: 8))
      for (bytes, words) in [
        (good.dropLast(1), ["behind"]), (good.prefix(100), ["truncated"]), (infinite[...], ["tensor", "NaN"]),
        (replacing("\"leave.bias\"", "\"leave.bios\"")[...], ["tensor \"leave.bias\" is missing"]),
        (
          replacing("\"enter.weight\":{\"dtype\":\"F32\"", "\"enter.weight\":{\"dtype\":\"I32\"")[...], ["tensor \"enter.weight\" is int32"]
        ),
      ] {
        try write(bytes, to: file)
        let result = try launch(short, ["GST_SHOTS_MODELS": folder.path])
        #expect(result.status > 0)
        for word in ["ERROR", file] + words { #expect(result.output.contains(word), "\(word) in \(result.output)") }
      }
      unlink(file)
      #expect(
        try launch(short, ["GST_SHOTS_MODELS": folder.path]).output.contains("\"fused\" is in none of these folders: \(folder.path), "))
      try write(good, to: file)
      #expect(try launch(short, ["GST_SHOTS_MODELS": folder.path]).status == 0)
    }

    @Test func `oneDNN and OpenBLAS find the same shots in the film`() throws {
      var lists: [[String]] = []
      for library in ["onednn", "openblas"] {
        let list = folder.file("\(library).csv")
        let result = try launch(
          "filesrc location=\(Excerpt.film) ! decodebin ! videoconvert ! shotdetect detector=transnet precision=float32 ! shotlog location=\(list) ! fakesink",
          ["GST_SHOTS_MODELS": Self.models, "GST_SHOTS_COMPUTE": library, "GST_DEBUG": "shotdetect:4", "GST_DEBUG_NO_COLOR": "1"],
          within: 300)
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.contains(library == "openblas" ? "OpenBLAS" : "oneDNN") && result.output.contains("computes in float32"))
        lists.append(lines(of: list))
      }
      #expect(lists[0].count > 16)
      #expect(lists[0] == lists[1])
    }

    // oneDNN's own limit stands for processors that have no more.
    @Test(arguments: [
      ("AVX512_CORE_VNNI", "int8: the fastest with AVX-512 VNNI"), ("AVX2", "float32: the fastest with AVX2"),
      ("SSE41", "float32: the fastest with SSE4.1"),
    ])
    func `the log says what precision=auto took, and why`(_ limit: String, _ words: String) throws {
      let result = try launch(
        short,
        [
          "GST_SHOTS_MODELS": Self.models, "GST_SHOTS_COMPUTE": "onednn", "ONEDNN_MAX_CPU_ISA": limit, "GST_DEBUG": "shotdetect:4",
          "GST_DEBUG_NO_COLOR": "1",
        ])
      #expect(result.status == 0)
      // A processor that has less than the limit takes what it has.
      guard limit != "AVX512_CORE_VNNI" || result.output.contains("AVX-512 VNNI") else { return }
      #expect(result.output.contains("computes in \(words)"), "\(result.output)")
    }

    @Test(arguments: ["bfloat16", "int8"]) func `with OpenBLAS the log says that all is float32`(_ precision: String) throws {
      let result = try launch(
        "videotestsrc num-buffers=3 ! shotdetect detector=transnet precision=\(precision) ! fakesink",
        ["GST_SHOTS_MODELS": Self.models, "GST_SHOTS_COMPUTE": "openblas", "GST_DEBUG": "shotdetect:2", "GST_DEBUG_NO_COLOR": "1"])
      #expect(result.status == 0)
      #expect(result.output.contains("precision=\(precision) is computed in float32"), "\(result.output)")
    }

    @Test func `a library of an unknown name is a warning in the log, and none of it is in the way`() throws {
      let result = try launch(
        short, ["GST_SHOTS_MODELS": Self.models, "GST_SHOTS_COMPUTE": "abacus", "GST_DEBUG": "shotdetect:2", "GST_DEBUG_NO_COLOR": "1"])
      #expect(result.status == 0)
      #expect(result.output.contains("GST_SHOTS_COMPUTE=abacus names no library"), "\(result.output)")
    }

    @Test func `OpenBLAS that cannot be loaded is an error that names its package, and is not missed by oneDNN`() throws {
      // So that GStreamer knows its own plugins, of which some are linked with OpenBLAS and would be warned of.
      #expect(try launch(short, ["GST_SHOTS_MODELS": Self.models]).status == 0)
      // Found before the system's, and no libraries.
      mkdir(folder.file("none"), 0o700)
      for name in ["libopenblas.so.0", "libopenblas.so"] { try write([0], to: folder.file("none/\(name)")) }
      let changes = ["GST_SHOTS_MODELS": Self.models, "LD_LIBRARY_PATH": folder.file("none")]
      let model = "videotestsrc num-buffers=3 ! sceneextend generator=diffusion shots=1 ! fakesink"
      for pipeline in [short, model] {
        let result = try launch(pipeline, changes.merging(["GST_SHOTS_COMPUTE": "openblas"]) { $1 })
        #expect(result.status > 0)
        for word in ["ERROR", "libopenblas0", "libopenblas.so.0"] { #expect(result.output.contains(word), "\(word) in \(result.output)") }
      }
      #expect(try launch(short, changes.merging(["GST_SHOTS_COMPUTE": "onednn"]) { $1 }).status == 0)
    }

    @Test(arguments: Formats.networks) func `nothing leaks and nothing warns`(_ detector: String) throws {
      let (status, output) = try launch(
        "filesrc location=\(Excerpt.film) ! decodebin ! videoconvert ! identity eos-after=200 ! shotdetect detector=\(detector) align=true force-key-units=true post-toc=true ! shotlog location=\(folder.file("cuts.csv")) statistics-location=\(folder.file("scores.csv")) ! x264enc speed-preset=ultrafast ! fakesink",
        [
          "GST_SHOTS_MODELS": Self.models, "G_DEBUG": "fatal-warnings", "GST_TRACERS": "leaks", "GST_DEBUG": "GST_TRACER:7",
          "GST_DEBUG_NO_COLOR": "1",
        ])
      #expect(status == 0, "\(output.suffix(2000))")
      // The tracer has run, and names no object.
      #expect(output.contains("new format string: object-alive"))
      #expect(!output.contains("object-alive, type-name=(string)Gst"), "\(output.suffix(2000))")
      #expect(lines(of: folder.file("cuts.csv")).count >= 6)
    }
  }
}
