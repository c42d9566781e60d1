import CGStreamer
import Glibc
import Testing

extension Shots {
  @Suite("Files of clips") struct ShotClipFileTests {
    private let folder: Folder
    private let film = StillFilm(shots: [("smpte", 10), ("white", 10), ("blue", 10)])

    init() throws { folder = try Folder() }

    private func play(_ properties: String) throws -> Bus {
      let pipeline = try Pipeline(film.launch(properties))
      try pipeline.run()
      return pipeline.bus
    }

    private func size(_ name: String) -> Int { contents(of: folder.file(name)).count }

    @Test func `names that exist are passed over`() throws {
      try write([1], to: folder.file("002.mp4"))
      #expect(try play("location=\(folder.file("%03d.mp4"))").clipPaths == ["001", "003", "004"].map { folder.file("\($0).mp4") })
      #expect(size("002.mp4") == 1)
      // Without a number one is added.
      try write([1], to: folder.file("shot.mp4"))
      #expect(try play("location=\(folder.file("shot.mp4"))").clipPaths == ["shot-2", "shot-3", "shot-4"].map { folder.file("\($0).mp4") })
      #expect(size("shot.mp4") == 1)
      #expect(!folder.names.contains { $0.contains(".part") })
    }

    @Test func `overwrite takes names that exist`() throws {
      for name in ["1.mp4", "2.mp4"] { try write([1], to: folder.file(name)) }
      _ = try play("overwrite=true location=\(folder.file("%d.mp4"))")
      #expect(folder.names == ["1.mp4", "2.mp4", "3.mp4"])
      #expect(size("1.mp4") > 500 && size("2.mp4") > 500)
    }

    @Test func `the muxer and encoders that are named are used`() throws {
      let properties =
        "location=\(folder.file("%d.bin")) muxer=\"matroskamux writing-app=Clips\" encoder=\"openh264enc\" audio-encoder=\"vorbisenc quality=0.1\""
      let pipeline = try Pipeline(film.launch(properties) + film.sound())
      try pipeline.run()
      #expect(pipeline.bus.errors == [] && pipeline.bus.clipFrames == [10, 10, 10])
      let (_, output) = try Program.run([
        "ffprobe", "-v", "error", "-show_entries", "stream=codec_name:format=format_name", "-of", "csv=p=0", folder.file("1.bin"),
      ])
      #expect(output.contains("h264") && output.contains("vorbis") && output.contains("matroska"))
    }

    static let wrong: [(properties: String, domain: String, parts: [String])] = [
      ("location=a.xyz", "library", ["a.xyz", "mp4", "muxer"]),
      ("location=a%s.mp4", "library", ["a%s.mp4", "%05d"]),
      ("location=a%d%d.mp4", "library", ["a%d%d.mp4"]),
      ("encoder=nosuchenc", "core", ["nosuchenc"]),
      ("encoder=\"x264enc nosuchproperty=1\"", "library", ["nosuchproperty"]),
      ("muxer=nosuchmux", "core", ["nosuchmux"]),
      ("encoder=fakesink", "library", ["fakesink"]),
    ]

    @Test(arguments: wrong) func `settings that cannot be used are an error before anything plays`(
      _ wrong: (properties: String, domain: String, parts: [String])
    ) throws {
      let pipeline = try Pipeline("videotestsrc ! shotclip \(wrong.properties)")
      #expect(!pipeline.setState(GST_STATE_PLAYING))
      let error = try #require(pipeline.bus.all(.error).first)
      #expect(error.code.contains(wrong.domain))
      for part in wrong.parts { #expect(error.text.contains(part), "\(error.text)") }
    }

    /// gst-launch-1.0 with this plugin, and these changes of its environment.
    private func launch(_ description: String, _ changes: [String: String?] = [:], before: [String] = [], within limit: Double = 30) throws
      -> (status: Int32, output: String)
    {
      var changes = changes
      changes["GST_PLUGIN_PATH"] = Plugin.folder
      return try Program.run(
        before + ["gst-launch-1.0"] + description.split(whereSeparator: { $0 == " " || $0 == "\n" }).map { String($0) }, changes,
        within: limit)
    }

    @Test func `when no encoder is installed the error names the packages`() throws {
      let system = gst_registry_find_plugin(gst_registry_get(), "coreelements")
      defer { if let system { gst_object_unref(UnsafeMutableRawPointer(system)) } }
      let file = String(cString: try #require(gst_plugin_get_filename(system)))
      let plugins = String(file.prefix(upTo: file.lastIndex(of: "/") ?? file.endIndex))
      mkdir(folder.file("plugins"), 0o700)
      for name in ["coreelements", "videotestsrc", "videoconvertscale", "isomp4"] {
        #expect(symlink("\(plugins)/libgst\(name).so", folder.file("plugins/libgst\(name).so")) == 0)
      }
      let (status, output) = try launch(
        "videotestsrc num-buffers=3 ! shotclip location=\(folder.file("%d.mp4"))",
        ["GST_PLUGIN_SYSTEM_PATH_1_0": folder.file("plugins"), "GST_REGISTRY": folder.file("registry")])
      #expect(status != 0 && output.contains("gstreamer1.0-plugins-ugly") && output.contains("x264enc"), "\(output)")
    }

    @Test func `a folder that is not there is an error that names the file`() throws {
      let bus = try play("location=\(folder.file("nowhere/%d.mp4"))")
      // Sources may tell of the stop too.
      #expect(bus.all(.error).filter { $0.source == "clip" }.count == 1, "\(bus.errors)")
      #expect(bus.errors.first?.contains(folder.file("nowhere/1.mp4")) == true)
      #expect(bus.all(.error).first?.code == "gst-resource-error-quark \(GST_RESOURCE_ERROR_OPEN_WRITE.rawValue)")
    }

    @Test func `a manifest that cannot be written is an error that names it`() throws {
      let bus = try play("location=\(folder.file("%d.mp4")) manifest-location=\(folder.file("nowhere/m"))")
      #expect(bus.all(.error).filter { $0.source == "clip" }.count == 1 && bus.errors.first?.contains(folder.file("nowhere/m")) == true)
    }

    @Test func `when the disk takes no more, clips that were complete stay and nothing else does`() throws {
      // Files may grow to 40 kB; the second shot is noise, and larger. Its frames differ by less than colours do.
      let noisy = StillFilm(shots: [("blue", 10), ("snow", 60)])
      let (status, output) = try launch(
        noisy.launch(
          "location=\(folder.file("%d.mp4")) manifest-location=\(folder.file("m"))",
          detector: "threshold=50 min-shot-duration=0 filter=suppress align=true"),
        before: ["/bin/bash", "-c", "trap '' XFSZ; ulimit -f 40; exec \"$@\"", "bash"])
      #expect(status != 0 && output.contains(folder.file("2.mp4")), "\(output)")
      #expect(folder.names == ["1.mp4", "m"])
      #expect(try ClipOnDisk(path: folder.file("1.mp4")).frames() == 10)
      #expect(lines(of: folder.file("m")).compactMap { jsonField("file_path", $0) } == [folder.file("1.mp4")])
    }

    @Test func `a program that plays a file is told of its end`() throws {
      for _ in 0..<10 {
        let (status, output) = try launch(
          "-q filesrc location=\(Excerpt.film) ! decodebin name=in in. ! videoconvert ! identity eos-after=5 ! shotdetect align=true ! clip.video in. ! audioconvert ! identity eos-after=10 ! clip.audio shotclip name=clip overwrite=true location=\(folder.file("1.mp4"))",
          within: 10)
        #expect(status == 0, "\(output)")
      }
    }

    @Test func `after a kill every file in the manifest plays`() throws {
      let (status, output) = try launch(
        "filesrc location=\(Excerpt.film) ! decodebin ! identity sleep-time=3000 ! videoconvert ! shotdetect align=true ! shotclip location=\(folder.file("%d.mp4")) manifest-location=\(folder.file("m"))",
        within: 3)
      #expect(status == -1, "\(output)")
      let lines = lines(of: folder.file("m"))
      try #require(lines.count > 2)
      for line in lines {
        let path = try #require(jsonField("file_path", line))
        #expect(try ClipOnDisk(path: path).frames() == jsonField("frames", line).flatMap { Int($0) })
      }
      // What was open has another name.
      for name in folder.names where name.hasSuffix(".mp4") { #expect(lines.contains { $0.contains("/\(name)\"") }) }
    }
  }
}
