import CGStreamer
import Testing

extension Shots {
  @Suite("Clips of streams that are not plain files") struct ShotClipStreamTests {
    private let folder: Folder
    private let video: Video

    init() throws {
      folder = try Folder()
      video = try Video("I420", 64, 48)
    }

    private func harness(_ properties: String = "") throws -> Harness {
      try Plugin.require()
      let description =
        "shotdetect min-shot-duration=0 filter=suppress align=true ! shotclip location=\(folder.file("%d.mp4")) \(properties)"
      guard let bin = gst_parse_bin_from_description(description, 1, nil) else { throw Failure("cannot parse \(description)") }
      // GstHarness does not wait for sinks to have data.
      gst_element_set_state(bin, GST_STATE_READY)
      guard let sink = gst_bin_get_by_name(UnsafeMutableRawPointer(bin).assumingMemoryBound(to: GstBin.self), "picture") else {
        throw Failure("no sink")
      }
      defer { gst_object_unref(sink) }
      gst_util_set_object_arg(gobject(sink), "async", "false")
      return try Harness(bin)
    }

    private func push(_ harness: Harness, _ frames: Range<Int>, bright: Bool = false) throws {
      guard let video = harness.video else { return }
      for index in frames {
        let picture = try video.picture(bright ? Pictures.bright(video) : Pictures.dark(video))
        #expect(harness.push(picture, at: frameTime(index)) == GST_FLOW_OK)
      }
    }

    private func end(_ harness: Harness) {
      harness.end()
      #expect(eventually { !harness.bus.all(.endOfStream).isEmpty })
      #expect(harness.bus.errors == [])
    }

    @Test func `a flush ends the open clip, and a new one begins`() throws {
      let harness = try harness()
      harness.setVideo(video)
      try push(harness, 0..<10)
      try push(harness, 10..<16, bright: true)
      harness.flush()
      harness.setSegment(makeSegment(start: 40 * second, time: 40 * second))
      for index in 0..<12 { harness.push(try video.picture(Pictures.dark(video)), at: 40 * second + frameTime(index)) }
      end(harness)
      // What was inside the encoder is lost, as flushes have it.
      let frames = harness.bus.clipFrames
      #expect(frames.last == 12 && frames.dropLast().reduce(0, +) <= 16)
      #expect(harness.bus.clips.last?.number("stream-time-start") == 40 * second)
      for path in harness.bus.clipPaths { #expect(try ClipOnDisk(path: path).frames() > 0) }
    }

    @Test func `a flush while clips wait for the disk or an end does not hang`() throws {
      let harness = try harness("captioner=\"sleep 1\"")
      harness.setVideo(video)
      try push(harness, 0..<10)
      harness.end()
      harness.flush()
      harness.setSegment(makeSegment())
      try push(harness, 0..<10)
      end(harness)
      #expect(harness.bus.clipFrames.last == 10)
    }

    @Test func `new caps end the open clip, and a new one begins`() throws {
      let harness = try harness()
      harness.setVideo(video)
      try push(harness, 0..<10)
      harness.setVideo(try Video("I420", 96, 64))
      try push(harness, 10..<25)
      end(harness)
      #expect(harness.bus.clipFrames == [10, 15])
      #expect(try ClipOnDisk(path: folder.file("1.mp4")).probe("v", "stream=width").first == ["64"])
      #expect(try ClipOnDisk(path: folder.file("2.mp4")).probe("v", "stream=width").first == ["96"])
    }

    @Test func `what was not ended is complete after the stop`() throws {
      let pipeline = try Pipeline(
        "videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=50/1 ! shotdetect ! shotclip location=\(folder.file("%d.mp4")) encoder=\"x264enc tune=zerolatency\""
      )
      gst_element_set_state(pipeline.gst, GST_STATE_PLAYING)
      #expect(eventually { folder.names.contains { $0.hasSuffix(".part") } })
      g_usleep(300_000)
      gst_element_set_state(pipeline.gst, GST_STATE_NULL)
      #expect(folder.names == ["1.mp4"])
      #expect(try ClipOnDisk(path: folder.file("1.mp4")).frames() > 5)
    }

    @Test func `live picture and sound are in step`() throws {
      let pipeline = try Pipeline(
        """
        videotestsrc is-live=true num-buffers=50 ! video/x-raw,width=64,height=48,framerate=25/1 ! shotdetect ! clip.video
        audiotestsrc is-live=true num-buffers=220 samplesperbuffer=480 ! audio/x-raw,rate=48000 ! clip.audio
        shotclip name=clip location=\(folder.file("%d.mkv"))
        """)
      try pipeline.run()
      #expect(pipeline.bus.errors == [] && pipeline.bus.clipFrames == [50])
      let samples = try ClipOnDisk(path: folder.file("1.mkv")).sound()
      #expect(abs(Double(samples.count) / 48000 - 2) < 0.1)
    }

    @Test func `each life writes on`() throws {
      let pipeline = try Pipeline(
        "videotestsrc num-buffers=12 ! video/x-raw,width=64,height=48 ! shotdetect ! shotclip location=\(folder.file("%d.mp4"))")
      for _ in 0..<3 {
        pipeline.bus.clear()
        pipeline.setState(GST_STATE_PLAYING)
        #expect(eventually { !pipeline.bus.all(.endOfStream).isEmpty })
        pipeline.setState(GST_STATE_READY)
      }
      #expect(folder.names == ["1.mp4", "2.mp4", "3.mp4"])
    }

    @Test func `a stream without frames writes nothing`() throws {
      let pipeline = try Pipeline("videotestsrc num-buffers=0 ! shotdetect ! shotclip location=\(folder.file("%d.mp4"))")
      try pipeline.run()
      #expect(pipeline.bus.errors == [] && folder.names == [])
    }

    // MARK: Sound

    private let film = StillFilm(shots: [("smpte", 20), ("white", 20), ("blue", 20)])

    private func play(_ sound: String) throws -> Bus {
      let pipeline = try Pipeline(film.launch("location=\(folder.file("%d.mkv"))") + sound)
      try pipeline.run()
      #expect(pipeline.bus.errors == [])
      #expect(pipeline.bus.clipFrames == [20, 20, 20])
      return pipeline.bus
    }

    private func seconds(_ clip: Int) throws -> Double { try Double(ClipOnDisk(path: folder.file("\(clip).mkv")).sound().count) / 48000 }

    @Test func `sound that comes late is in its place`() throws {
      _ = try play(film.sound("! identity sleep-time=3000"))
      let expected = try film.burstTimes()
      for clip in 1...3 {
        let (start, found) = (Double(clip - 1) * 0.8, try ClipOnDisk(path: folder.file("\(clip).mkv")).bursts())
        let bursts = StillFilm.bursts(expected, from: start, to: start + 0.8)
        #expect(found.count == bursts.count && zip(found, bursts).allSatisfy { abs($0 - $1) < 0.025 }, "\(found), not \(bursts)")
      }
    }

    @Test func `sound that is longer than the picture ends with it, shorter sound ends alone`() throws {
      _ = try play("audiotestsrc num-buffers=500 samplesperbuffer=480 ! audio/x-raw,rate=48000 ! clip.audio")
      let lengths = try (1...3).map { try seconds($0) }
      #expect(lengths.allSatisfy { abs($0 - 0.8) < 0.03 }, "\(lengths)")
    }

    @Test func `sound may end in the middle of a clip, or before it`() throws {
      _ = try play("audiotestsrc num-buffers=100 samplesperbuffer=480 ! audio/x-raw,rate=48000 ! clip.audio")
      #expect(try abs(seconds(1) - 0.8) < 0.03 && abs(seconds(2) - 0.2) < 0.03)
      #expect(try ClipOnDisk(path: folder.file("3.mkv")).probe("a", "stream=codec_name").isEmpty)
    }

    @Test func `a gap in the sound is silence`() throws {
      let half = "audiotestsrc samplesperbuffer=480 num-buffers=60"
      _ = try play(
        "\(half) ! audio/x-raw,rate=48000 ! sound. \(half) timestamp-offset=1200000000 ! audio/x-raw,rate=48000 ! sound. funnel name=sound ! queue ! clip.audio"
      )
      #expect(try abs(seconds(1) - 0.8) < 0.03 && abs(seconds(2) - 0.8) < 0.03)
      let second = try ClipOnDisk(path: folder.file("2.mkv")).sound()
      #expect(second[4800..<14400].allSatisfy { abs(Int($0)) < 100 } && second[24000..<33600].contains { abs(Int($0)) > 4000 })
    }

    @Test func `sound that changes its format goes on in the first`() throws {
      let half = "audiotestsrc samplesperbuffer=441 num-buffers=120"
      _ = try play(
        "\(half) ! audio/x-raw,rate=44100,channels=2 ! sound. \(half) ! audio/x-raw,rate=22050,channels=1 ! sound. concat name=sound ! queue ! clip.audio"
      )
      let lengths = try (1...3).map { try seconds($0) }
      #expect(lengths.allSatisfy { abs($0 - 0.8) < 0.03 }, "\(lengths)")
    }

    @Test func `an audio pad that is not linked, or ends without sound, makes silent clips`() throws {
      let pipeline = try Pipeline(film.launch("location=\(folder.file("%d.mkv"))"))
      let pad = gst_element_request_pad_simple(try pipeline.element("clip"), "audio")
      try pipeline.run()
      #expect(pipeline.bus.errors == [] && pipeline.bus.clipFrames == [20, 20, 20])
      gst_object_unref(pad)
      _ = try play("audiotestsrc num-buffers=0 ! clip.audio")
    }

    @Test func `an audio pad that is never fed holds clips up for ten seconds, not for ever`() throws {
      let pipeline = try Pipeline(
        film.launch("location=\(folder.file("%d.mkv"))")
          + "appsrc name=silent format=time caps=audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved ! clip.audio")
      gst_element_set_state(pipeline.gst, GST_STATE_PLAYING)
      #expect(eventually(within: 20) { pipeline.bus.clips.count == 3 })
      #expect(pipeline.bus.clipFrames == [20, 20, 20])
      let begin = monotonic()
      gst_element_set_state(pipeline.gst, GST_STATE_NULL)
      #expect(monotonic() - begin < 2 * second)
    }
  }
}
