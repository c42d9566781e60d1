import CGStreamer
import Glibc
import Testing

extension Shots {
  /// Films that lie or are odd, and encoders that do not do what they should.
  @Suite("Clips of any film") struct ShotClipFilmTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    private func play(_ description: String) throws -> Bus {
      let pipeline = try Pipeline(description)
      try pipeline.run()
      return pipeline.bus
    }

    /// Width and height that ffprobe reads of a clip.
    private func size(_ name: String) throws -> [Int] {
      try ClipOnDisk(path: folder.file(name)).probe("v", "stream=width,height").flatMap { $0 }.compactMap { Int($0) }
    }

    @Test(arguments: ["I420", "Y444", "NV12", "Y42B", "RGB", "I420_10LE"], [(161, 91), (160, 91), (161, 90), (17, 31)])
    func `odd sizes lose a column or a row`(_ format: String, _ odd: (width: Int, height: Int)) throws {
      let caps = "video/x-raw,format=\(format),width=\(odd.width),height=\(odd.height),framerate=25/1"
      let bus = try play("videotestsrc num-buffers=10 ! \(caps) ! shotdetect align=true ! shotclip location=\(folder.file("%d.mp4"))")
      #expect(bus.errors == [] && bus.clipFrames == [10])
      #expect(try size("1.mp4") == [odd.width / 2 * 2, odd.height / 2 * 2])
      #expect(try ClipOnDisk(path: folder.file("1.mp4")).frames() == 10)
    }

    @Test func `an encoder that takes odd sizes gets them`() throws {
      let caps = "video/x-raw,format=I420,width=161,height=91,framerate=25/1"
      let bus = try play("videotestsrc num-buffers=10 ! \(caps) ! shotdetect align=true ! shotclip location=\(folder.file("%d.webm"))")
      #expect(bus.errors == [] && bus.clipFrames == [10])
      #expect(try size("1.webm") == [161, 91])
    }

    static let turns: [(tag: String, size: [Int])] = [
      ("rotate-0", [64, 48]), ("rotate-90", [48, 64]), ("rotate-180", [64, 48]), ("rotate-270", [48, 64]), ("flip-rotate-90", [48, 64]),
    ]

    @Test(arguments: turns) func `a film that says that it lies is turned upright, once`(_ turn: (tag: String, size: [Int])) throws {
      let lying =
        "videotestsrc num-buffers=10 ! video/x-raw,format=I420,width=64,height=48,framerate=25/1 ! taginject tags=image-orientation=\(turn.tag)"
      for (name, upright) in [
        ("a", ""), ("b", "! videoflip video-direction=auto"), ("c", "! videoflip video-direction=auto ! queue ! identity"),
      ] {
        let bus = try play("\(lying) \(upright) ! shotdetect align=true ! shotclip location=\(folder.file("\(name).mp4"))")
        #expect(bus.errors == [] && bus.clipFrames == [10])
        #expect(try size("\(name).mp4") == turn.size, "\(upright)")
      }
      // The pictures are the same, whoever turns them.
      let video = try Video("I420", turn.size[0], turn.size[1])
      let (one, other) = (
        try ClipOnDisk(path: folder.file("a.mp4")).pictures(video), try ClipOnDisk(path: folder.file("b.mp4")).pictures(video)
      )
      #expect(zip(one, other).allSatisfy { distance($0, $1) < 2 } && one.count == 10)
    }

    // MARK: Ends

    private static var threads: Int { Folder.names(in: "/proc/self/task").count }

    /// Goes to NULL, which takes less than a second.
    private func stop(_ pipeline: Pipeline, _ name: String) {
      let begin = monotonic()
      gst_element_set_state(pipeline.gst, GST_STATE_NULL)
      #expect(Double(monotonic() - begin) / 1e9 < 1, "\(name)")
    }

    @Test(arguments: ["identity error-after=1 ! x264enc", "x264enc ! identity error-after=1"], ["", "audiotestsrc ! clip.audio"])
    func `an encoder that fails before the first picture leaves nothing`(_ encoder: String, _ sound: String) throws {
      var counts: [Int] = []
      for _ in 0..<6 {
        let pipeline = try Pipeline(
          """
          videotestsrc ! \(StillFilm.video) ! shotdetect ! clip.video \
          shotclip name=clip location=\(folder.file("%d.mp4")) encoder="\(encoder)" \(sound)
          """)
        gst_element_set_state(pipeline.gst, GST_STATE_PAUSED)
        #expect(eventually { !pipeline.bus.errors.isEmpty })
        stop(pipeline, encoder)
        counts.append(Self.threads)
      }
      // GStreamer keeps a few for the next pipeline.
      #expect(counts.last.map { $0 < counts[1] + 6 } == true, "\(counts)")
      #expect(folder.names == [])
    }

    static let slow: [(name: String, properties: String, sound: String)] = [
      ("captioner", "captioner=\"sleep 1000\"", ""),
      ("captioner without end", "captioner=yes captioner-timeout=100000000000", ""),
      ("validation", "validate=true", ""),
      (
        "encoder of sound", "audio-encoder=\"identity sleep-time=1200000 ! avenc_aac\"",
        "audiotestsrc is-live=true samplesperbuffer=22050 ! clip.audio"
      ),
      ("sound that never comes", "", "audiotestsrc is-live=true ! valve drop=true ! clip.audio"),
    ]

    @Test(arguments: slow) func `a stop takes less than a second, whatever clips wait for`(
      _ slow: (name: String, properties: String, sound: String)
    ) throws {
      let pipeline = try Pipeline(
        """
        videotestsrc is-live=true pattern=snow ! \(StillFilm.video) ! shotdetect threshold=1 min-shot-duration=200000000 align=true ! clip.video \
        shotclip name=clip location=\(folder.file("%d.mp4")) \(slow.properties) \(slow.sound)
        """)
      gst_element_set_state(pipeline.gst, GST_STATE_PLAYING)
      g_usleep(1_500_000)
      stop(pipeline, slow.name)
      #expect(pipeline.bus.errors == [])
      // What was still in work is complete later, or gone.
      #expect(eventually(within: 30) { !folder.names.contains { $0.hasSuffix(".part") } })
    }

    @Test func `a pad that is given back wakes who waits in it`() throws {
      let pipeline = try Pipeline(
        """
        videotestsrc is-live=true ! \(StillFilm.video) ! shotdetect align=true ! clip.video shotclip name=clip location=\(folder.file("%d.mp4")) \
        audiotestsrc num-buffers=4000 name=sound ! audio/x-raw,rate=48000 ! clip.audio
        """)
      gst_element_set_state(pipeline.gst, GST_STATE_PLAYING)
      // Sound may be thirty seconds ahead; then it waits.
      g_usleep(1_000_000)
      let clip = try pipeline.element("clip")
      let pad = try #require(gst_element_get_static_pad(clip, "audio"))
      let begin = monotonic()
      gst_element_release_request_pad(clip, pad)
      #expect(Double(monotonic() - begin) / 1e9 < 1)
      gst_object_unref(pad)
      stop(pipeline, "pad")
    }
  }
}
