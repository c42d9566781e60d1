import CGStreamer
import CGStreamerCheck
import Testing

extension Shots {
  @Suite("Film") struct FilmTests {
    @Test func `the reference is there`() {
      #expect(Excerpt.cuts("content").count == 16)
      #expect(Excerpt.contentScores.count == Excerpt.frames - 1)
    }

    @Test(arguments: Formats.detectors) func `each detector gives PySceneDetect's cuts, frame for frame`(_ detector: String) throws {
      let pipeline = try Pipeline(
        "filesrc location=\(Excerpt.film) ! decodebin ! shotdetect name=d detector=\(detector) ! fakesink sync=false")
      try pipeline.run()
      #expect(pipeline.bus.errors == [])
      #expect(pipeline.bus.cuts == Excerpt.cuts(detector))
      // 24 frames a second from 0, though the container's times begin later: its frames are stored out of order.
      for boundary in pipeline.bus.boundaries {
        let frame = try #require(boundary.number("frame"))
        let time = Double(try #require(boundary.number("stream-time")))
        #expect(abs(time - Double(frame) * 1e9 / 24) < 100_000)
      }
    }

    @Test func `content's scores are PySceneDetect's`() throws {
      let folder = try Folder()
      let file = folder.file("scores.csv")
      let pipeline = try Pipeline(
        "filesrc location=\(Excerpt.film) ! decodebin ! shotdetect ! shotlog statistics-location=\(file) ! fakesink sync=false")
      try pipeline.run()
      #expect(pipeline.bus.errors == [])
      let scores = lines(of: file).dropFirst().compactMap { Double($0.split(separator: ",")[2]) }
      try #require(scores.count == Excerpt.contentScores.count)
      let difference = zip(scores, Excerpt.contentScores).reduce(0) { $0 + abs($1.0 - $1.1) } / Double(scores.count)
      #expect(difference < 0.3)
    }

    @Test func `stream times at a variable frame rate are the container's`() throws {
      let folder = try Folder()
      let file = folder.file("variable.mkv")
      let video = try Video("I420", 64, 36, rate: (0, 1))
      // Matroska counts milliseconds.
      let steps: [UInt64] = [16, 40, 41, 7, 100, 33, 250, 12, 80, 500]
      var times: [UInt64] = [0]
      for index in 0..<59 { times.append((times.last ?? 0) + steps[index % steps.count] * millisecond) }
      let cuts = [5, 17, 23, 40, 58]
      do {
        let harness = try Harness(launch: "identity ! matroskamux ! filesink async=false location=\(file)")
        harness.setVideo(video)
        for (index, time) in times.enumerated() {
          let isBright = cuts.count { $0 <= index } % 2 == 1
          harness.push(try video.picture(isBright ? Pictures.bright(video) : Pictures.dark(video)), at: time)
        }
        harness.end()
        #expect(harness.bus.errors == [])
      }
      let pipeline = try Pipeline(
        "filesrc location=\(file) ! matroskademux ! shotdetect min-shot-duration=0 ! fakesink sync=false")
      try pipeline.run()
      #expect(pipeline.bus.errors == [])
      #expect(pipeline.bus.cuts == cuts.map { UInt64($0) })
      #expect(pipeline.bus.boundaries.map { $0.number("stream-time") } == cuts.map { times[$0] })
      #expect(pipeline.bus.boundaries.map { $0.number("transition-start") } == cuts.map { times[$0 - 1] })
    }

    @Test func `a live cut is told within a frame of its arrival`() throws {
      let frame = second / 30
      let pipeline = try Pipeline(
        "videotestsrc name=s is-live=true pattern=black ! video/x-raw,format=I420,width=320,height=180,framerate=30/1 ! shotdetect name=d min-shot-duration=0 ! fakesink"
      )
      let source = try Patterns(of: try pipeline.element("s"))
      let arriving = try pipeline.watch("d", "sink")
      pipeline.setState(GST_STATE_PLAYING)
      for (cut, pattern) in ["white", "red", "blue", "black", "smpte100"].enumerated() {
        let seen = arriving.frameCount
        #expect(eventually { arriving.frameCount >= seen + 5 })
        source.change(to: pattern)
        #expect(eventually { pipeline.bus.cuts.count > cut }, "\(pattern)")
      }
      pipeline.setState(GST_STATE_NULL)
      let messages = pipeline.bus.all(.element).filter { $0.fields?.name == "shot-boundary" }
      #expect(messages.count == 5)
      let frames = arriving.frames
      var delays: [UInt64] = []
      for message in messages {
        let index = Int(try #require(message.fields?.number("frame")))
        #expect(frames[index].pts == message.fields?.number("pts"))
        #expect(message.posted >= frames[index].arrival)
        delays.append(message.posted - frames[index].arrival)
        // However busy the machine is, before the next frame comes.
        if index + 1 < frames.count { #expect(message.posted <= frames[index + 1].arrival) }
      }
      #expect(delays.sorted()[2] < frame)
    }

    @Test func `x264 puts a key frame at every cut, and nowhere else`() throws {
      for (isForced, expected) in [("true", [0, 20, 45, 46, 80]), ("false", [0])] {
        let harness = try Harness(
          launch:
            "shotdetect force-key-units=\(isForced) min-shot-duration=0 ! x264enc key-int-max=1000 bframes=0 option-string=scenecut=0 speed-preset=ultrafast ! h264parse"
        )
        let video = try Video("I420", 160, 90)
        harness.setVideo(video)
        try push(harness, video, count: 100, cuts: [20, 45, 46, 80])
        #expect(harness.bus.errors == [])
        #expect(harness.bus.cuts == [20, 45, 46, 80])
        let frames = harness.out.frames
        #expect(frames.count == 100)
        #expect(frames.indices.filter { !frames[$0].isDelta } == expected)
      }
    }

    @Test func `with align x264 puts a key frame at every merged and every adaptive cut`() throws {
      for (detector, expected) in [("adaptive", [0, 20, 45, 80]), ("content", [0, 20, 58, 80])] {
        let cuts = detector == "content" ? [20, 30, 40, 58, 80] : [20, 45, 80]
        let harness = try Harness(
          launch:
            "shotdetect detector=\(detector) align=true force-key-units=true min-shot-duration=600000000 ! x264enc key-int-max=1000 bframes=0 option-string=scenecut=0 speed-preset=ultrafast ! h264parse"
        )
        let video = try Video("I420", 160, 90)
        harness.setVideo(video)
        try push(harness, video, count: 100, cuts: Set(cuts))
        let frames = harness.out.frames
        #expect(frames.count == 100)
        #expect(frames.indices.filter { !frames[$0].isDelta } == expected, "\(detector)")
      }
    }

    /// matroskamux takes chapters only before its first frame, so the shots of a first pass go into a second.
    @Test func `Matroska chapters equal the cuts`() throws {
      let folder = try Folder()
      let file = folder.file("chapters.mkv")
      let video = try Video("I420", 160, 90)
      let first = try Harness("shotdetect", ["post-toc": "true", "min-shot-duration": "0"])
      first.setVideo(video)
      try push(first, video, count: 60, cuts: [10, 35])
      var toc: UnsafeMutablePointer<GstEvent>?
      while let event = gst_harness_try_pull_event(first.gst) {
        if event.pointee.type == GST_EVENT_TOC {
          toc = event
        } else {
          gst_mini_object_unref(UnsafeMutableRawPointer(event).assumingMemoryBound(to: GstMiniObject.self))
        }
      }
      do {
        let second = try Harness(launch: "identity ! matroskamux ! filesink async=false location=\(file)")
        second.setVideo(video)
        second.push(toc)
        try push(second, video, count: 60, cuts: [])
        #expect(second.bus.errors == [])
      }
      let pipeline = try Pipeline("filesrc location=\(file) ! matroskademux ! fakesink sync=false")
      try pipeline.run()
      let chapters = pipeline.bus.all(.tableOfContents).last?.chapters ?? []
      #expect(chapters.map(\.start) == [0, 10, 35].map { Int64(frameTime($0)) })
      #expect(chapters.map(\.end) == [10, 35, 60].map { Int64(frameTime($0)) })
      #expect(chapters.map(\.title) == ["Shot 1", "Shot 2", "Shot 3"])
    }

    @Test func `the table of contents reaches the muxer through an encoder before the end`() throws {
      let harness = try Harness(
        launch: "shotdetect post-toc=true min-shot-duration=0 ! x264enc speed-preset=ultrafast ! h264parse")
      let video = try Video("I420", 160, 90)
      harness.setVideo(video)
      try push(harness, video, count: 60, cuts: [10, 35])
      #expect(harness.out.events.first { $0.name == "toc" }?.chapters.map(\.start) == [0, 10, 35].map { Int64(frameTime($0)) })
      #expect(harness.out.events.last?.name == "eos")
    }

    /// Frames that change between dark and bright at `cuts`, and the end.
    private func push(_ harness: Harness, _ video: Video, count: Int, cuts: Set<Int>) throws {
      for index in 0..<count {
        let isBright = cuts.count { $0 <= index } % 2 == 1
        harness.push(try video.picture(isBright ? Pictures.bright(video) : Pictures.dark(video)), at: frameTime(index))
      }
      harness.end()
    }
  }
}
