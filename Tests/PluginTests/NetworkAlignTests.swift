import CGStreamer
import Testing

extension Shots {
  /// Marks of the detectors with a network: late and true, or held back and exact.
  @Suite("Network and align") struct NetworkAlignTests {
    private let film: SmallFilm

    init() throws { film = try SmallFilm.shared.get() }

    @Test(arguments: [
      ("8", "streaming", 50), ("27", "streaming", 50), ("28", "streaming", 51), ("47", "streaming", 70), ("50", "streaming", 73),
      ("99", "streaming", 122),
      ("50", "windowed", 97), ("8", "windowed", 97),
    ])
    func `the latency is the look-ahead and 23 frames, at least 50, at the stream's rate`(
      _ lookAhead: String, _ windowing: String, _ frames: UInt64
    ) throws {
      for detector in lookAhead == "50" ? Formats.networks : ["fused"] {
        let harness = try Harness("shotdetect", ["detector": detector, "align": "true", "look-ahead": lookAhead, "windowing": windowing])
        harness.setUpstreamLatency(20 * millisecond, 70 * millisecond)
        harness.setVideo(film.video)
        for rate in [(24, 1), (25, 1), (30000, 1001)] as [(Int32, Int32)] {
          harness.setVideo(try Video("I420", 160, 90, rate: rate))
          let frame = UInt64((1e9 * Double(rate.1) / Double(rate.0)).rounded())
          let answer = try harness.latency()
          #expect(answer.low == 20 * millisecond + frames * frame, "\(rate)")
          #expect(answer.high == 70 * millisecond + frames * frame, "\(rate)")
        }
        #expect(harness.bus.all(.latency).count == 3)
      }
    }

    @Test(arguments: Formats.networks) func `without align there is no latency and no buffer waits`(_ detector: String) throws {
      let harness = try Harness("shotdetect", ["detector": detector, "min-shot-duration": "0"])
      harness.setUpstreamLatency(20 * millisecond, 70 * millisecond)
      harness.setVideo(film.video)
      #expect(try harness.latency() == (20 * millisecond, 70 * millisecond))
      try harness.play(film, 1000..<1130) { #expect(harness.out.frameCount == $0) }
      #expect(harness.out.frameCount == 130)
      // Live, so that it is told at the latest when the network has seen 50 more frames than the 23 that follow it.
      let frames = harness.bus.cuts
      #expect(frames.first == 34)
      #expect((84...34 + 73).contains(harness.out.marked.first ?? 0))
      harness.end()
      #expect(harness.bus.all(.latency).isEmpty)
      for boundary in harness.bus.boundaries {
        let frame = Int(try #require(boundary.number("frame")))
        for time in ["pts", "running-time", "stream-time"] { #expect(boundary.number(time) == frameTime(frame, rate: (24, 1))) }
        #expect(boundary.number("transition-start") == frameTime(frame - 1, rate: (24, 1)))
        #expect(boundary.number("transition-end") == frameTime(frame, rate: (24, 1)))
      }
      // What is known at the end only goes downstream as an event.
      #expect(harness.bus.cuts == [34, 71])
      #expect(harness.out.story.suffix(2) == ["shot-boundary", "eos"])
    }

    @Test(arguments: [("transnet", false), ("fused", false), ("fused", true)])
    func `with align every mark is on the first buffer of its shot`(_ detector: String, _ isLive: Bool) throws {
      let harness = try Harness("shotdetect", ["detector": detector, "align": "true", "force-key-units": "true", "min-shot-duration": "0"])
      harness.setUpstreamLatency(0, noTime, isLive: isLive)
      try harness.play(film) { index in
        // 73 frames are in hand, and of a stream that is not live those that wait for the network: at most its queue.
        #expect(harness.out.frameCount >= index - 73 - (isLive ? 0 : 17))
        #expect(harness.out.frameCount <= max(0, index - 50))
        // A message is there when its buffer leaves, not before.
        if let last = harness.bus.cuts.last { #expect(last < harness.out.frameCount) }
      }
      harness.end()
      let frames = harness.out.frames
      #expect(frames.map(\.pts) == SmallFilm.middle.indices.map { frameTime($0 - SmallFilm.middle.lowerBound, rate: (24, 1)) })
      let cuts = harness.bus.cuts.map { Int($0) }
      #expect(cuts.count >= 5)
      #expect(harness.out.marked == cuts)
      for cut in cuts {
        #expect(frames[cut].boundaries.count == 1)
        #expect(frames[cut].boundaries.first?.number("frame") == UInt64(cut))
        #expect(frames[cut].boundaries.first?.number("pts") == frames[cut].pts)
      }
      #expect(harness.bus.boundaries.map(\.values) == cuts.compactMap { frames[$0].boundaries.first?.values })
      // The request for a key frame goes directly before the buffer.
      let story = harness.out.story
      let requests = harness.out.events.compactMap(\.keyUnit)
      #expect(requests.map(\.pts) == cuts.map { frames[$0].pts })
      for cut in cuts {
        let place = try #require(story.firstIndex(of: "\(cut)"))
        #expect(story[place - 1] == "GstForceKeyUnit")
      }
      #expect(story.filter { $0 == "GstForceKeyUnit" }.count == cuts.count)
      #expect(story.last == "eos")
      #expect(harness.bus.warnings == [])
    }

    @Test func `serialized events keep their place among buffers`() throws {
      let harness = try Harness("shotdetect", ["detector": "fused", "align": "true"])
      try harness.play(film, 700..<820) { index in
        if index == 30 { harness.push(gst_event_new_tag(gst_tag_list_new_empty())) }
        if index == 31 { harness.push(gst_event_new_gap(0, 1)) }
        if index == 119 { harness.push(gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty("late"))) }
      }
      harness.end()
      let story = harness.out.story
      let first = try #require(story.firstIndex(of: "0"))
      #expect(
        Array(story[first...]) == (0..<30).map { "\($0)" } + ["tag", "30", "gap"] + (31..<119).map { "\($0)" } + ["late", "119", "eos"])
    }

    @Test(arguments: ["true", "false"]) func `a new segment that continues leaves every mark where it is`(_ align: String) throws {
      let harness = try Harness("shotdetect", ["detector": "fused", "align": align, "min-shot-duration": "0"])
      try harness.play(film, 1000..<1100) { index in
        if index == 36 || index == 70 { harness.setSegment(makeSegment()) }
      }
      harness.end()
      #expect(harness.bus.cuts == [34, 71])
      #expect(harness.out.frameCount == 100)
      guard align == "true" else { return }
      #expect(harness.out.marked == [34, 71])
      let story = harness.out.story
      for index in [36, 70] {
        let place = try #require(story.firstIndex(of: "\(index)"))
        #expect(story[place - 1] == "segment")
      }
    }

    /// Below 48 frames ahead and from there on the network runs in two ways, and in steps of 1, 2 and 4 frames.
    @Test(arguments: [1, 2, 3, 9, 26, 47, 48, 49, 50]) func `a live stream's frames leave within the look-ahead, whatever it is`(
      _ lookAhead: Int
    ) throws {
      let harness = try Harness("shotdetect", ["detector": "transnet", "align": "true", "look-ahead": "\(lookAhead)"])
      let latency = max(lookAhead + 23, 50)
      try harness.play(film, 1000..<1000 + latency + 20) { index in #expect(harness.out.frameCount >= index - latency) }
      #expect(harness.out.frameCount >= 20)
      harness.end()
      #expect(harness.out.frameCount == latency + 20)
      if lookAhead >= 9 { #expect(harness.bus.cuts.first == 34) }
    }

    @Test func `late key frames are warned of, exact ones are not`() throws {
      for (align, count) in [("false", 1), ("true", 0)] {
        let harness = try Harness("shotdetect", ["detector": "transnet", "align": align, "force-key-units": "true"])
        harness.setVideo(film.video)
        #expect(harness.bus.warnings.count == count)
        if count > 0 { #expect(harness.bus.warnings.first?.contains("73 frames late") == true) }
      }
    }

    @Test func `a slow network skips frames of its own, never of the stream`() throws {
      let harness = try Harness(
        "shotdetect",
        ["detector": "transnet", "when-late": "skip", "threads": "1", "precision": "float32", "look-ahead": "8", "align": "true"])
      let count = 300
      try harness.play(film, 700..<700 + count)
      harness.end()
      #expect(harness.number("frames-skipped") > 0)
      #expect(harness.number("frames") == UInt64(count))
      #expect(harness.bus.warnings.count == 1)
      #expect(harness.bus.warnings.first?.contains("frames-skipped") == true)
      #expect(harness.bus.errors == [])
      #expect(harness.out.frames.map(\.pts) == (0..<count).map { frameTime($0, rate: (24, 1)) })
    }

    @Test func `a stream that waits for the network skips nothing`() throws {
      var results: [[Found]] = []
      for threads in ["1", "2"] {
        let harness = try Harness(
          "shotdetect",
          [
            "detector": "transnet", "when-late": "wait", "align": "true", "threads": threads, "precision": "float32", "look-ahead": "8",
            "min-shot-duration": "0",
          ])
        harness.setUpstreamLatency(0, noTime, isLive: threads == "2")
        try harness.play(film, 1000..<1100)
        harness.end()
        #expect(harness.number("frames-skipped") == 0)
        #expect(harness.bus.warnings == [])
        results.append(harness.bus.found)
      }
      #expect(results[0].map(\.frame) == [34, 71])
      #expect(results[0] == results[1])
    }
  }
}
