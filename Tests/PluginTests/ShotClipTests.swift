import CGStreamer
import Testing

extension Shots {
  @Suite("Clips of shots") struct ShotClipTests {
    private let folder: Folder

    init() throws { folder = try Folder() }

    /// Plays to the end; returns what was on the bus.
    private func play(_ description: String) throws -> Bus {
      let pipeline = try Pipeline(description)
      try pipeline.run()
      return pipeline.bus
    }

    @Test(arguments: ["content", "adaptive"]) func `the film's clips are its shots, frame for frame`(_ detector: String) throws {
      let film = try SmallFilm.shared.get()
      let bus = try play(
        """
        filesrc location=\(Excerpt.film) ! decodebin name=d d. ! videoconvert ! queue ! shotdetect detector=\(detector) align=true ! clip.video
        d. ! audioconvert ! queue ! clip.audio
        shotclip name=clip location=\(folder.file("%03d.mp4")) encoder="x264enc speed-preset=ultrafast pass=qual quantizer=18 option-string=scenecut=0"
        """)
      #expect(bus.errors == [] && bus.warnings == [])
      let starts = [0] + Excerpt.cuts(detector).map { Int($0) }
      let lengths = zip(starts, starts.dropFirst() + [Excerpt.frames]).map { $1 - $0 }
      try #require(bus.clipFrames == lengths.map { UInt64($0) })
      for (index, path) in bus.clipPaths.enumerated() {
        let clip = ClipOnDisk(path: path)
        let pictures = try clip.pictures(film.video)
        #expect(pictures.count == lengths[index], "\(path)")
        let first = starts[index], last = first + lengths[index] - 1
        let worst = pictures.enumerated().map { distance($1, film.picture(first + $0)) }.max() ?? 255
        #expect(worst < 6, "\(path)")
        // Frames of its neighbours are others.
        if first > 0 { #expect(distance(pictures[0], film.picture(first - 1)) > 2 * distance(pictures[0], film.picture(first)), "\(path)") }
        if last + 1 < Excerpt.frames, let end = pictures.last {
          #expect(distance(end, film.picture(last + 1)) > 2 * distance(end, film.picture(last)), "\(path)")
        }
        let sound = try clip.sound().count
        #expect(abs(Double(sound) / 48000 - Double(lengths[index]) / 24) < 0.05, "\(path)")
      }
      let total = bus.clips.map { ($0.number("stream-time-end") ?? 0) - ($0.number("stream-time-start") ?? 0) }.reduce(0, +)
      #expect(abs(Int(total) - 60_000_000_000) < 1000)
    }

    @Test(arguments: ["mp4", "mov", "mkv", "webm", "ts"])
    func `every container is read by ffprobe and by GStreamer, with its sound in its place`(
      _ container: String
    ) throws {
      let film = StillFilm(shots: [("smpte", 30), ("white", 45), ("blue", 20)])
      let bus = try play(film.launch("location=\(folder.file("%03d.\(container)"))") + film.sound())
      #expect(bus.errors == [] && bus.warnings == [])
      try #require(bus.clipFrames == film.shots.map { UInt64($0.frames) })
      let (video, bursts) = (try Video("I420", 64, 48), try film.burstTimes())
      for (index, path) in bus.clipPaths.enumerated() {
        let clip = ClipOnDisk(path: path)
        let start = Double(([0] + film.cuts)[index]) / 25, end = start + Double(film.shots[index].frames) / 25
        #expect(try clip.pictures(video).count == film.shots[index].frames)
        #expect(try clip.frames() == film.shots[index].frames)
        #expect(try clip.probe("v", "packet=flags").first?.first?.hasPrefix("K") == true)
        let expected = StillFilm.bursts(bursts, from: start, to: end)
        let found = try clip.bursts()
        #expect(found.count == expected.count, "\(path): \(found), not \(expected), \(start) to \(end)")
        for (found, expected) in zip(found, expected) { #expect(abs(found - expected) < 0.025, "\(path)") }
      }
    }

    @Test func `frames that are coded out of order stay with their shot`() throws {
      let film = StillFilm.standard
      let bus = try play(film.launch("location=\(folder.file("%d.mp4")) encoder=\"x264enc bframes=3 b-adapt=false\""))
      try #require(bus.clipFrames == film.shots.map { UInt64($0.frames) })
      for (path, shot) in zip(bus.clipPaths, film.shots) {
        let pictures = try ClipOnDisk(path: path).pictures(try Video("I420", 64, 48))
        #expect(pictures.count == shot.frames)
        #expect(pictures.map { distance($0, pictures[0]) }.max() ?? 255 < 8, "\(path) shows more than one shot")
        #expect(try ClipOnDisk(path: path).probe("v", "stream=start_time").first == ["0.000000"])
      }
    }

    @Test func `shots of several media in a row are cut as exactly`() throws {
      let film = StillFilm.standard
      let bus = try play(film.launch("location=\(folder.file("%d.mp4"))", join: ""))
      #expect(bus.clipFrames == film.shots.map { UInt64($0.frames) })
      // Each starts at the beginning of its medium.
      #expect(bus.clips.compactMap { $0.number("stream-time-start") } == [0, 0, 0, 0, 0])
      #expect(bus.clips.compactMap { $0.number("running-time-start") } == ([0] + film.cuts).map { frameTime($0) })
    }

    @Test func `what an application is told of a clip and what the manifest says agree`() throws {
      let (film, manifest) = (StillFilm.standard, folder.file("m.jsonl"))
      let bus = try play(film.launch("location=\(folder.file("{shot}-{time}.mp4")) manifest-location=\(manifest) video-name=Film"))
      let lines = lines(of: manifest)
      #expect(lines.compactMap { jsonField("file_path", $0) } == bus.clipPaths)
      #expect(bus.clipPaths.last == folder.file("5-00-00-05.400.mp4"))
      #expect(lines.compactMap { jsonField("shot", $0) } == ["1", "2", "3", "4", "5"])
      #expect(lines.compactMap { jsonField("frames", $0) } == film.shots.map { "\($0.frames)" })
      #expect(lines.compactMap { jsonField("start_time", $0) } == ["0.0", "1.2", "3.0", "3.8", "5.4"])
      #expect(lines.compactMap { jsonField("end_time", $0) } == ["1.2", "3.0", "3.8", "5.4", "6.4"])
      #expect(lines.compactMap { jsonField("transition_frame", $0) } == ["null", "1.2", "3.0", "3.8", "5.4"])
      #expect(lines.compactMap { jsonField("kind", $0) } == ["null", "cut", "cut", "cut", "cut"])
      #expect(
        lines.allSatisfy {
          jsonField("video_name", $0) == "Film" && jsonField("frame_rate", $0) == "25.0" && jsonField("width", $0) == "64"
        })
      #expect(lines.allSatisfy { jsonField("text", $0) == "" && jsonField("previous_text", $0) == "" })
    }

    @Test func `at the end of the stream every file is complete`() throws {
      let film = StillFilm.standard
      let pipeline = try Pipeline(film.launch("location=\(folder.file("%d.mp4"))"))
      gst_element_set_state(pipeline.gst, GST_STATE_PLAYING)
      #expect(eventually { !pipeline.bus.all(.endOfStream).isEmpty })
      #expect(folder.names == ["1.mp4", "2.mp4", "3.mp4", "4.mp4", "5.mp4"])
      #expect(pipeline.bus.clips.count == 5)
    }

    @Test func `short shots are not kept`() throws {
      let bus = try play(StillFilm.standard.launch("location=\(folder.file("%d.mp4")) min-duration=1000000000"))
      #expect(bus.clipFrames == [30, 45, 40, 25])
      #expect(folder.names == ["1.mp4", "2.mp4", "3.mp4", "4.mp4"])
    }

    @Test func `boundaries that are told late are warned of once`() throws {
      let detector = "detector=adaptive min-shot-duration=0 filter=suppress"
      let bus = try play(StillFilm.standard.launch("location=\(folder.file("%d.mp4"))", detector: detector))
      #expect(bus.warnings.count == 1 && bus.warnings.first?.contains("align=true") == true)
      // Frames are in the wrong file then, but none is lost.
      #expect(bus.clipFrames.reduce(0, +) == UInt64(StillFilm.standard.frames))
    }

    @Test func `without a shotdetect upstream a warning names it, and the film is one clip`() throws {
      let bus = try play("videotestsrc num-buffers=20 ! shotclip location=\(folder.file("%d.mp4"))")
      #expect(bus.warnings.count == 1 && bus.warnings.first?.contains("shotdetect") == true)
      #expect(bus.clipFrames == [20])
    }
  }
}
