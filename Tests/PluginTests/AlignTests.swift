import CGStreamer
import Testing

extension Shots {
  /// Frames that are held back until they are decided.
  @Suite("Align") struct AlignTests {
    private let video: Video

    init() throws { video = try Video("I420", 64, 36) }

    /// A picture that differs enough from that of any other number up to 40 for a cut.
    private func picture(_ number: Int) throws -> UnsafeMutablePointer<GstBuffer> {
      try video.picture(number % 2 == 0 ? Pictures.dark(video) : Pictures.bright(video))
    }

    /// Pushes `count` frames with cuts at `cuts`; `between` runs before each.
    private func play(_ harness: Harness, _ count: Int, cuts: Set<Int>, between: (Int) -> Void = { _ in }) throws {
      var shot = 0
      for index in 0..<count {
        if cuts.contains(index) { shot += 1 }
        between(index)
        #expect(harness.push(try picture(shot), at: frameTime(index)) == GST_FLOW_OK)
      }
    }

    private func note(_ name: String) -> UnsafeMutablePointer<GstEvent>? {
      gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty(name))
    }

    @Test func `adaptive answers its window as latency, on top of upstream's`() throws {
      for (window, rate) in [("2", (25, 1)), ("5", (30, 1)), ("3", (24000, 1001))] as [(String, (Int32, Int32))] {
        let harness = try Harness("shotdetect", ["detector": "adaptive", "align": "true", "adaptive-window": window])
        harness.setUpstreamLatency(20 * millisecond, 70 * millisecond)
        harness.setVideo(try Video("I420", 64, 36, rate: rate))
        let frame = UInt64((1e9 * Double(rate.1) / Double(rate.0)).rounded())
        let own = UInt64(window).map { $0 * frame } ?? 0
        let answer = try harness.latency()
        #expect(answer.low == 20 * millisecond + own)
        #expect(answer.high == 70 * millisecond + own)
      }
    }

    @Test func `an endless maximum stays endless`() throws {
      let harness = try Harness("shotdetect", ["detector": "adaptive", "align": "true"])
      harness.setUpstreamLatency(20 * millisecond, noTime)
      harness.setVideo(video)
      #expect(try harness.latency().low == 100 * millisecond)
      #expect(try harness.latency().high == noTime)
    }

    @Test func `a merging filter holds back for the shortest shot`() throws {
      let harness = try Harness("shotdetect", ["align": "true"])
      harness.setUpstreamLatency(0, 0)
      harness.setVideo(video)
      #expect(try harness.latency().low == 600 * millisecond)
      #expect(harness.bus.all(.latency).count == 1)
    }

    @Test func `a setting that changes the latency says so`() throws {
      let harness = try Harness("shotdetect", ["align": "true"])
      harness.setUpstreamLatency(0, 0)
      harness.setVideo(video)
      harness.set("min-shot-duration", "200000000")
      harness.push(try picture(0), at: 0)
      #expect(harness.bus.all(.latency).count == 2)
      #expect(try harness.latency().low == 200 * millisecond)
    }

    @Test func `at the end of a segment that was sought everything leaves, decided`() throws {
      let harness = try Harness("shotdetect", ["align": "true"])
      harness.setVideo(video)
      try play(harness, 45, cuts: [20, 25, 38, 42])
      harness.push(gst_event_new_segment_done(GST_FORMAT_TIME, gint64(frameTime(45))))
      #expect(harness.out.story.suffix(2) == ["44", "segment-done"])
      #expect(harness.out.marked == [20, 42])
    }

    @Test(arguments: [("content", "false"), ("adaptive", "false"), ("threshold", "true"), ("histogram", "true"), ("hash", "true")])
    func `whoever does not hold back adds no latency`(_ detector: String, _ align: String) throws {
      let harness = try Harness("shotdetect", ["detector": detector, "align": align, "min-shot-duration": "0"])
      harness.setUpstreamLatency(20 * millisecond, 70 * millisecond)
      harness.setVideo(video)
      #expect(try harness.latency() == (20 * millisecond, 70 * millisecond))
      try play(harness, 30, cuts: [10, 20]) { #expect(harness.out.frameCount == $0) }
      #expect(harness.out.frameCount == 30)
      #expect(harness.bus.all(.latency).isEmpty)
    }

    @Test func `metadata is on exactly the boundary buffer, and nothing is lost or swapped`() throws {
      let harness = try Harness("shotdetect", ["detector": "adaptive", "align": "true", "min-shot-duration": "0"])
      harness.setVideo(video)
      // Two frames are in hand, always.
      try play(harness, 40, cuts: [10, 25]) { #expect(harness.out.frameCount == max(0, $0 - 2)) }
      #expect(harness.out.frameCount == 38)
      harness.end()
      #expect(harness.out.marked == [10, 25])
      #expect(harness.out.frames[10].boundaries.first?["frame"] == .uint64(10))
      #expect(harness.out.frames.map(\.pts) == (0..<40).map { frameTime($0) })
      #expect(harness.out.story.last == "eos")
      #expect(harness.bus.cuts == [10, 25])
    }

    @Test(arguments: ["adaptive", "content"]) func `serialized events keep their place among buffers`(_ detector: String) throws {
      let harness = try Harness("shotdetect", ["detector": detector, "align": "true", "min-shot-duration": "80000000"])
      harness.setVideo(video)
      try play(harness, 16, cuts: [6]) { index in
        if index == 3 { harness.push(note("three")) }
        if index == 6 { harness.push(gst_event_new_tag(gst_tag_list_new_empty())) }
        if index == 9 { harness.push(gst_event_new_gap(0, 1)) }
        if index == 15 { harness.push(note("fifteen")) }
      }
      harness.end()
      let story = harness.out.story
      let first = try #require(story.firstIndex(of: "0"))
      #expect(
        story[first...] == [
          "0", "1", "2", "three", "3", "4", "5", "tag", "6", "7", "8", "gap", "9", "10", "11", "12", "13", "14", "fifteen", "15", "eos",
        ])
      #expect(harness.out.marked == [6])
    }

    @Test func `a merged cut is marked where it lies`() throws {
      // Cuts at 20, 25, 38 and 42 of 25 frames a second: those after the first are closer than 600 ms and become one.
      for (align, marked) in [("true", [20, 42]), ("false", [20, 57])] {
        let harness = try Harness("shotdetect", ["align": align])
        harness.setVideo(video)
        try play(harness, 80, cuts: [20, 25, 38, 42])
        harness.end()
        #expect(harness.bus.cuts == [20, 42], "align=\(align)")
        #expect(harness.out.marked == marked, "align=\(align)")
        #expect(harness.out.frames.map(\.pts) == (0..<80).map { frameTime($0) })
        #expect(harness.bus.boundaries.last?["pts"] == .uint64(frameTime(42)))
      }
    }

    @Test func `a merge pending at the end is marked where it lies`() throws {
      let harness = try Harness("shotdetect", ["align": "true"])
      harness.setVideo(video)
      try play(harness, 45, cuts: [20, 25, 38, 42])
      harness.end()
      #expect(harness.bus.cuts == [20, 42])
      #expect(harness.out.marked == [20, 42])
      #expect(harness.out.story.suffix(2) == ["44", "eos"])
    }

    @Test func `without align it is told before the end, as a message and an event`() throws {
      let harness = try Harness("shotdetect")
      harness.setVideo(video)
      try play(harness, 45, cuts: [20, 25, 38, 42])
      #expect(harness.bus.cuts == [20])
      harness.end()
      #expect(harness.bus.cuts == [20, 42])
      #expect(harness.out.marked == [20])
      #expect(harness.out.story.suffix(3) == ["44", "shot-boundary", "eos"])
      #expect(harness.out.events.last { $0.name == "custom-downstream" }?.fields?.values == harness.bus.boundaries.last?.values)
    }

    @Test func `a flush drops what is held`() throws {
      let harness = try Harness("shotdetect", ["detector": "adaptive", "align": "true"])
      harness.setVideo(video)
      try play(harness, 10, cuts: [])
      #expect(harness.out.frameCount == 8)
      harness.flush()
      harness.setSegment(makeSegment())
      #expect(harness.out.frameCount == 8)
      for index in 0..<4 { harness.push(try picture(0), at: 20 * second + frameTime(index)) }
      harness.end()
      #expect(harness.out.frames.suffix(4).map(\.pts) == (0..<4).map { 20 * second + frameTime($0) })
      #expect(harness.out.frameCount == 12)
    }

    @Test func `tags and caps that are held outlive a flush`() throws {
      let harness = try Harness("shotdetect", ["detector": "adaptive", "align": "true"])
      harness.setVideo(video)
      try play(harness, 5, cuts: [])
      harness.push(gst_event_new_tag(gst_tag_list_new_empty()))
      harness.setVideo(try Video("I420", 64, 36, rate: (50, 1)))
      harness.out.clear()
      harness.flush()
      harness.setSegment(makeSegment())
      for index in 0..<3 { harness.push(try picture(0), at: frameTime(index, rate: (50, 1))) }
      let story = harness.out.story
      let first = try #require(story.firstIndex(of: "0"))
      #expect(Set(story[..<first]) == ["caps", "segment", "tag"])
    }

    @Test func `what is held leaves before new caps`() throws {
      let harness = try Harness("shotdetect", ["detector": "adaptive", "align": "true"])
      harness.setVideo(video)
      try play(harness, 5, cuts: [])
      harness.out.clear()
      harness.setVideo(try Video("NV12", 64, 36))
      #expect(harness.out.story == [])
      harness.end()
      #expect(harness.out.story == ["0", "1", "caps", "eos"])
    }

    @Test func `a new segment keeps its place among buffers that are held, and they are decided as ever`() throws {
      let harness = try Harness("shotdetect", ["detector": "adaptive", "align": "true", "min-shot-duration": "0"])
      harness.setVideo(video)
      try play(harness, 10, cuts: [4]) { if $0 == 5 { harness.setSegment(makeSegment(base: second)) } }
      harness.end()
      let story = harness.out.story
      let first = try #require(story.firstIndex(of: "0"))
      #expect(story[first...] == ["0", "1", "2", "3", "4", "segment", "5", "6", "7", "8", "9", "eos"])
      #expect(harness.out.marked == [4])
      #expect(harness.bus.boundaries.first?["running-time"] == .uint64(frameTime(4)))
    }

    @Test func `what is held leaves before a segment that plays backwards`() throws {
      let harness = try Harness("shotdetect", ["detector": "adaptive", "align": "true"])
      harness.setVideo(video)
      try play(harness, 5, cuts: [])
      harness.out.clear()
      harness.setSegment(makeSegment(rate: -1, stop: second))
      #expect(harness.out.story == ["0", "1", "segment"])
    }
  }
}
