import CGStreamer
import CGStreamerCheck
import Testing

extension Shots {
  /// Streams whose times, segments, caps or continuity are not the simple ones.
  @Suite("Time and continuity") struct TimeTests {
    private let video: Video

    init() throws { video = try Video("I420", 64, 36) }

    private func picture(_ isBright: Bool, _ video: Video? = nil) throws -> UnsafeMutablePointer<GstBuffer> {
      let video = video ?? self.video
      return try video.picture(isBright ? Pictures.bright(video) : Pictures.dark(video))
    }

    /// Frames that are bright from `cut` on.
    private func play(
      _ harness: Harness, cut: Int, times: [UInt64?], durations: Bool = true, discontinuity: Int? = nil
    ) throws {
      for (index, time) in times.enumerated() {
        let flow = harness.push(
          try picture(index >= cut), at: time, duration: durations ? .none : .some(nil), discontinuity: index == discontinuity)
        #expect(flow == GST_FLOW_OK)
      }
      #expect(harness.out.frames.map(\.pts) == times.map { $0 ?? noTime })
      #expect(harness.bus.errors == [])
    }

    @Test func `a missing pts is said to be missing, and the cut is found`() throws {
      let harness = try Harness("shotdetect", ["min-shot-duration": "0"])
      harness.setVideo(video)
      try play(harness, cut: 3, times: [0, frameTime(1), nil, nil, nil, frameTime(5)])
      #expect(harness.bus.cuts == [3])
      let fields = try #require(harness.bus.boundaries.first)
      for name in ["pts", "running-time", "stream-time", "transition-start", "transition-end"] { #expect(fields[name] == .uint64(noTime)) }
    }

    @Test func `without any pts the shortest shot is counted in nominal frames`() throws {
      // A cut at 10 frames is closer than 600 ms to the beginning, one at 15 is not.
      for (cut, cuts) in [(10, []), (15, [15])] as [(Int, [UInt64])] {
        let harness = try Harness()
        harness.setVideo(video)
        try play(harness, cut: cut, times: [UInt64?](repeating: nil, count: 20))
        #expect(harness.bus.cuts == cuts)
      }
    }

    @Test func `pts that go backwards or jump stop nothing`() throws {
      for times in [[0, 5, 2, 1, 7, 3], [0, 1, 900, 901, 902, 903], [900, 3, 2, 1, 0, 5]] {
        let harness = try Harness("shotdetect", ["min-shot-duration": "0"])
        harness.setVideo(video)
        try play(harness, cut: 3, times: times.map { frameTime($0) })
        #expect(harness.bus.cuts == [3])
        #expect(harness.bus.boundaries.first?["pts"] == .uint64(frameTime(times[3])))
      }
    }

    @Test func `times at the end of the clock stop nothing`() throws {
      for align in ["false", "true"] {
        let harness = try Harness("shotdetect", ["align": align, "detector": "adaptive", "post-toc": "true"])
        harness.setVideo(video)
        for time in [noTime - 3, 0, noTime - 2, noTime - 1, 1 << 63, 7] { harness.push(try picture(false), at: time) }
        #expect(harness.push(try picture(true), at: noTime - 1, duration: .some(noTime - 1)) == GST_FLOW_OK)
        harness.end()
        #expect(harness.bus.errors == [])
        #expect(harness.out.story.last == "eos")
      }
    }

    @Test func `missing durations and a rate of 0 over 1 are fine`() throws {
      let harness = try Harness("shotdetect", ["min-shot-duration": "0", "post-toc": "true"])
      harness.setVideo(try Video("I420", 64, 36, rate: (0, 1)))
      let times: [UInt64?] = [0, 33, 90, 140, 141, 300].map { $0 * millisecond }
      try play(harness, cut: 3, times: times, durations: false)
      harness.end()
      #expect(harness.bus.cuts == [3])
      #expect(harness.bus.boundaries.first?["stream-time"] == .uint64(140 * millisecond))
      #expect(harness.out.events.first { $0.name == "toc" }?.chapters.map(\.end) == [Int64(140 * millisecond), Int64(300 * millisecond)])
    }

    @Test func `an unknown rate has a bounded latency`() throws {
      let harness = try Harness("shotdetect", ["detector": "adaptive", "align": "true"])
      harness.setUpstreamLatency(0, 0)
      harness.setVideo(try Video("I420", 64, 36, rate: (0, 1)))
      #expect(try harness.latency().low == 200 * millisecond)
    }

    @Test func `the shortest shot is measured in time at a variable rate`() throws {
      // Ten frames a second and then a hundred: 600 ms are 6 frames or 60.
      let times: [UInt64?] = (0..<5).map { $0 * 100 * millisecond } + (0..<40).map { 500 * millisecond + $0 * 10 * millisecond }
      for (cut, cuts) in [(10, []), (16, [16])] as [(Int, [UInt64])] {
        let harness = try Harness()
        harness.setVideo(try Video("I420", 64, 36, rate: (0, 1)))
        try play(harness, cut: cut, times: times, durations: false)
        #expect(harness.bus.cuts == cuts)
      }
    }

    @Test func `a gap event passes and changes nothing`() throws {
      let harness = try Harness("shotdetect", ["min-shot-duration": "0"])
      harness.setVideo(video)
      harness.push(try picture(false), at: 0)
      harness.push(gst_event_new_gap(GstClockTime(frameTime(1)), GstClockTime(frameTime(3))))
      harness.push(try picture(true), at: frameTime(4))
      #expect(harness.bus.cuts == [1])
      #expect(harness.out.story.suffix(3) == ["0", "gap", "1"])
    }

    @Test func `a flush starts over and counts on`() throws {
      let harness = try Harness("shotdetect", ["min-shot-duration": "0"])
      harness.setVideo(video)
      for (index, isBright) in [false, false, true, true].enumerated() { harness.push(try picture(isBright), at: frameTime(index)) }
      harness.flush()
      harness.setSegment(makeSegment(start: 60 * second, time: 60 * second))
      for (index, isBright) in [false, false, true].enumerated() {
        #expect(harness.push(try picture(isBright), at: 60 * second + frameTime(index)) == GST_FLOW_OK)
      }
      #expect(harness.bus.cuts == [2, 6])
      #expect(harness.bus.boundaries.map { $0.number("shot") } == [2, 3])
      #expect(harness.bus.boundaries.last?["stream-time"] == .uint64(60 * second + frameTime(2)))
    }

    @Test func `a discontinuity with a jump of over a second starts over`() throws {
      for jump in [1.2, 30, -1.2] {
        let harness = try Harness("shotdetect", ["min-shot-duration": "0"])
        harness.setVideo(video)
        let begin = 10 * second
        let after = UInt64(Double(begin + frameTime(4)) + jump * 1e9)
        let times = (0..<4).map { begin + frameTime($0) } + (0..<3).map { after + frameTime($0) }
        try play(harness, cut: 4, times: times, discontinuity: 4)
        #expect(harness.bus.cuts == [], "\(jump) s")
      }
    }

    @Test func `a discontinuity without a jump is a cut like any other`() throws {
      for shift in [0, 900] as [UInt64] {
        let harness = try Harness("shotdetect", ["min-shot-duration": "0"])
        harness.setVideo(video)
        let times = (0..<4).map { frameTime($0) } + (0..<3).map { frameTime(4 + $0) + shift * millisecond }
        try play(harness, cut: 4, times: times, discontinuity: 4)
        #expect(harness.bus.cuts == [4])
      }
    }

    @Test func `what is late is seen all the same, and the complaint goes upstream`() throws {
      let harness = try Harness("shotdetect", ["min-shot-duration": "0"])
      harness.setVideo(video)
      harness.push(try picture(false), at: 0)
      gst_harness_push_upstream_event(harness.gst, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 0.1, GstClockTimeDiff(second), 0))
      for index in 1..<6 { #expect(harness.push(try picture(index > 2), at: frameTime(index)) == GST_FLOW_OK) }
      #expect(harness.out.frameCount == 6 && harness.number("frames") == 6)
      #expect(harness.bus.cuts == [3])
      var complaints = 0
      while let event = gst_harness_try_pull_upstream_event(harness.gst) {
        if event.pointee.type == GST_EVENT_QOS { complaints += 1 }
        gst_mini_object_unref(UnsafeMutableRawPointer(event).assumingMemoryBound(to: GstMiniObject.self))
      }
      #expect(complaints == 1)
    }

    @Test func `what plays backwards passes unseen`() throws {
      let harness = try Harness("shotdetect", ["min-shot-duration": "0"])
      harness.setVideo(video, makeSegment(rate: -1, stop: 10 * second))
      for index in 0..<6 { #expect(harness.push(try picture(index > 2), at: frameTime(10 - index)) == GST_FLOW_OK) }
      #expect(harness.out.frameCount == 6)
      #expect(harness.bus.cuts == [])
      #expect(harness.number("frames") == 0)
    }

    @Test func `buffers outside of the segment pass unseen`() throws {
      let harness = try Harness("shotdetect", ["min-shot-duration": "0"])
      harness.setVideo(video, makeSegment(start: second, stop: 2 * second))
      // Bright before the segment and after it: only the cut inside is one.
      for (time, isBright) in [
        (0, true), (500, true), (1000, false), (1040, false), (1080, true), (1960, true), (2000, false), (2040, true),
      ] as [(UInt64, Bool)] {
        #expect(harness.push(try picture(isBright), at: time * millisecond) == GST_FLOW_OK)
      }
      #expect(harness.out.frameCount == 8)
      #expect(harness.number("frames") == 4)
      #expect(harness.bus.cuts == [2])
      #expect(harness.bus.boundaries.first?["pts"] == .uint64(1080 * millisecond))
    }

    @Test func `frames across new caps are compared, and counted on`() throws {
      for next in [try Video("I420", 80, 48), try Video("NV12", 64, 36), try Video("v210", 64, 36)] {
        let harness = try Harness("shotdetect", ["min-shot-duration": "0"])
        harness.setVideo(video)
        for (index, isBright) in [false, false, true, true].enumerated() { harness.push(try picture(isBright), at: frameTime(index)) }
        #expect(harness.setVideo(next))
        for (index, isBright) in [false, false, true].enumerated() {
          #expect(harness.push(try picture(isBright, next), at: frameTime(4 + index)) == GST_FLOW_OK)
        }
        #expect(harness.bus.cuts == [2, 4, 6])
        #expect(harness.bus.boundaries.map { $0.number("shot") } == [2, 3, 4])
        #expect(harness.number("frames") == 7 && harness.number("shots") == 4)
        #expect(harness.bus.errors == [])
      }
    }

    @Test func `a new frame rate keeps its place among buffers that are held`() throws {
      let harness = try Harness("shotdetect", ["detector": "adaptive", "align": "true", "min-shot-duration": "0"])
      harness.setVideo(video)
      for index in 0..<10 {
        if index == 4 { harness.setVideo(try Video("I420", 64, 36, rate: (50, 1))) }
        if index == 5 { harness.setVideo(video) }
        harness.push(try picture(index > 4), at: frameTime(index))
      }
      harness.end()
      let story = harness.out.story
      let first = try #require(story.firstIndex(of: "0"))
      #expect(story[first...] == ["0", "1", "2", "3", "caps", "4", "caps", "5", "6", "7", "8", "9", "eos"])
      #expect(harness.out.marked == [5])
    }

    @Test(arguments: ["I420", "v210"]) func `a new frame rate alone keeps history`(_ format: String) throws {
      let (slow, fast) = (try Video(format, 64, 36), try Video(format, 64, 36, rate: (50, 1)))
      let harness = try Harness("shotdetect", ["min-shot-duration": "0"])
      harness.setVideo(slow)
      for index in 0..<3 { harness.push(try picture(false, slow), at: frameTime(index)) }
      harness.setVideo(fast)
      for index in 0..<3 { harness.push(try picture(true, fast), at: frameTime(3) + frameTime(index, rate: (50, 1))) }
      #expect(harness.bus.cuts == [3])
      #expect(harness.out.marked == [3])
    }
  }
}
