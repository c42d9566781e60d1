import CGStreamer
import Glibc
import Testing

extension Shots {
  /// Names that people give, and what stands for a file and is none.
  @Suite("Names of clips and lists") struct ShotClipNameTests {
    private let folder: Folder
    private let film = StillFilm(shots: [("smpte", 10), ("white", 10), ("blue", 10)])

    init() throws { folder = try Folder() }

    /// Sets a property as a program does: nothing reads the text.
    private func set(_ pipeline: Pipeline, _ element: String, _ property: String, _ bytes: [UInt8]) throws {
      var value = GValue()
      g_value_init(&value, GType(16 << 2))
      defer { g_value_unset(&value) }
      (bytes.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { g_value_set_string(&value, $0.baseAddress) }
      g_object_set_property(gobject(try pipeline.element(element)), property, &value)
    }

    static let names = [
      "a b 'c' \"d\" \\ \\\\ ! fakesink name=x !", "tab\tand\nnew line", "100%% {{shot}} }} {x}", "-dash", " ", "$(id) `id` ;&|<>*?", "ü🎬 ",
      String(repeating: "x", count: 240), String(repeating: "ü", count: 125),
    ]

    @Test(arguments: names) func `any name in UTF-8 is a clip's and a list's`(_ name: String) throws {
      let pipeline = try Pipeline(
        film.launch("", detector: "threshold=10 min-shot-duration=0 filter=suppress align=true ! shotlog name=log"))
      try set(pipeline, "clip", "location", Array("\(folder.path)/\(name)%d.mp4".utf8))
      try set(pipeline, "clip", "manifest-location", Array("\(folder.path)/\(name)m".utf8))
      try set(pipeline, "clip", "video-name", Array(name.utf8))
      try set(pipeline, "log", "location", Array("\(folder.path)/\(name)l".utf8))
      try set(pipeline, "log", "statistics-location", Array("\(folder.path)/\(name)s".utf8))
      try pipeline.run()
      #expect(pipeline.bus.errors == [] && pipeline.bus.clipFrames == [10, 10, 10])
      let plain = name == Self.names[2] ? "100% {shot} } {x}" : name
      #expect(folder.names == (["1.mp4", "2.mp4", "3.mp4"].map { plain + $0 } + ["l", "m", "s"].map { name + $0 }).sorted())
      #expect(pipeline.bus.clipPaths == (1...3).map { "\(folder.path)/\(plain)\($0).mp4" })
    }

    @Test(arguments: [
      ("clip", "location", "%d.mp4"), ("clip", "manifest-location", ""), ("log", "location", ""), ("log", "statistics-location", ""),
    ])
    func `a name that is not in UTF-8 is an error that says so, and makes no file of another name`(_ place: (String, String, String)) throws
    {
      let pipeline = try Pipeline(
        film.launch(
          "location=\(folder.file("%d.mp4"))", detector: "threshold=10 align=true ! shotlog name=log location=\(folder.file("l"))"))
      try set(pipeline, place.0, place.1, Array("\(folder.path)/M".utf8) + [0xfc] + Array("ller\(place.2)".utf8))
      #expect(!pipeline.setState(GST_STATE_PAUSED))
      #expect(pipeline.bus.errors.first?.contains("UTF-8") == true && pipeline.bus.errors.first?.contains(place.1) == true)
      gst_element_set_state(pipeline.gst, GST_STATE_NULL)
      #expect(!folder.names.contains { $0.hasPrefix("M") })
    }

    /// Plays to an end of any kind, and stops within so many seconds.
    private func stop(_ pipeline: Pipeline, within limit: Double) {
      let begin = monotonic()
      gst_element_set_state(pipeline.gst, GST_STATE_NULL)
      #expect(Double(monotonic() - begin) / 1e9 < limit)
    }

    @Test func `a manifest that is no regular file is an error before anything plays`() throws {
      mkfifo(folder.file("fifo"), 0o600)
      for path in [folder.file("fifo"), "/dev/zero", "/dev/full", folder.path] {
        let pipeline = try Pipeline(film.launch("location=\(folder.file("%d.mp4")) manifest-location=\(path)"))
        #expect(!pipeline.setState(GST_STATE_PAUSED))
        #expect(pipeline.bus.errors.first?.contains("\"\(path)\"") == true, "\(pipeline.bus.errors)")
        #expect(pipeline.bus.errors.first?.contains("not a regular file") == true)
        stop(pipeline, within: 1)
      }
      #expect(folder.names == ["fifo"])
    }

    @Test func `nothing takes the place of a FIFO`() throws {
      mkfifo(folder.file("1.mp4"), 0o600)
      let pipeline = try Pipeline(film.launch("overwrite=true location=\(folder.file("%d.mp4"))"))
      try pipeline.run()
      #expect(pipeline.bus.errors.first?.contains("a FIFO, not a regular file") == true, "\(pipeline.bus.errors)")
      var status = stat()
      #expect(stat(folder.file("1.mp4"), &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    }

    @Test(arguments: ["location", "statistics-location", "both"]) func `a list for a FIFO that nobody reads holds no pipeline up`(
      _ which: String
    ) throws {
      for name in ["a", "b"] { mkfifo(folder.file(name), 0o600) }
      let list = which == "statistics-location" ? "" : "location=\(folder.file("a"))"
      let statistics = which == "location" ? "" : "statistics-location=\(folder.file("b"))"
      let pipeline = try Pipeline(
        "videotestsrc num-buffers=300 ! video/x-raw,width=64,height=48 ! shotdetect ! shotlog \(list) \(statistics) ! fakesink")
      gst_element_set_state(pipeline.gst, GST_STATE_PLAYING)
      #expect(eventually { pipeline.bus.all.contains { $0.kind == .endOfStream } })
      stop(pipeline, within: 1)
    }

    @Test func `readers that have stopped reading hold no pipeline up`() throws {
      for name in ["a", "b"] { mkfifo(folder.file(name), 0o600) }
      let readers = ["a", "b"].map { open(folder.file($0), O_RDONLY | O_NONBLOCK) }
      defer { for reader in readers { close(reader) } }
      let pipeline = try Pipeline(
        """
        videotestsrc pattern=snow num-buffers=3000 ! video/x-raw,width=16,height=16 ! shotdetect threshold=1 min-shot-duration=0 filter=suppress ! \
        shotlog format=jsonl location=\(folder.file("a")) statistics-location=\(folder.file("b")) ! fakesink
        """)
      gst_element_set_state(pipeline.gst, GST_STATE_PLAYING)
      #expect(eventually(within: 60) { pipeline.bus.all.contains { $0.kind == .endOfStream || $0.kind == .error } })
      stop(pipeline, within: 1)
    }
  }
}
