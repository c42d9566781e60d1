import CGStreamer
import CGStreamerCheck
import Testing

extension Shots {
  /// What passes an extender is what came.
  @Suite("Scene extension: what passes", .timeLimit(.minutes(3))) struct SceneExtendPassTests {
    /// Frames with rows apart and a time code, in every format that pads take.
    @Test(arguments: Formats.all) func `frames are the very buffers that came, with their bytes`(_ format: String) throws {
      for trigger in ["eos", "cut"] {
        let video = try Video(format, 64, 48)
        let stream = try SceneStream(["trigger": trigger, "shots": "1", "shot-duration": "200000000"], video: video)
        stream.harness.setVideo(video)
        var came: [(buffer: UInt, memory: UInt, sum: UInt64)] = []
        for number in 0..<6 {
          let packed = try video.noise(UInt8(number + 1))
          let buffer = number % 2 == 0 || Formats.isIrregular(format) ? packed : try video.padded(packed)
          if buffer != packed { gst_buffer_unref(packed) }
          came.append((UInt(bitPattern: buffer), UInt(bitPattern: gst_buffer_peek_memory(buffer, 0)), checksum(buffer)))
          #expect(stream.harness.push(buffer, at: frameTime(number)) == GST_FLOW_OK)
        }
        stream.end()
        let frames = stream.out.frames.prefix(6)
        #expect(frames.map(\.address) == came.map(\.buffer))
        #expect(frames.map(\.memory) == came.map(\.memory))
        #expect(frames.map(\.pts) == (0..<6).map { frameTime($0) } && frames.allSatisfy { $0.duration == 40 * millisecond })
        #expect(stream.pullChecksums().prefix(6) == came.map(\.sum)[...])
        #expect(stream.bus.errors == [])
        #expect(stream.out.frameCount == (trigger == "eos" ? 11 : 6))
      }
    }

    /// Else an element behind would have to copy the frame before it can write into it.
    @Test func `frames arrive with the one reference that they came with`() throws {
      let stream = try SceneStream(["trigger": "stall"])
      try stream.play(0..<10, cuts: [5])
      stream.end()
      var frames = 0
      while let buffer = gst_harness_try_pull(stream.harness.gst) {
        #expect(buffer.pointee.mini_object.refcount == 1)
        gst_buffer_unref(buffer)
        frames += 1
      }
      #expect(frames == 10)
    }

    @Test func `marks, other metadata and serialized events keep their places`() throws {
      let stream = try SceneStream(["trigger": "stall"])
      try stream.play(0..<30, cuts: [10, 20]) { number in
        guard number == 15 else { return }
        stream.harness.push(gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty("note")))
      }
      stream.end()
      #expect(stream.out.marked == [10, 20])
      #expect(stream.out.frames[20].boundaries.first?.number("shot") == 3)
      #expect(stream.out.frames[20].boundaries.first?.text("detector") == "fused")
      let story = stream.out.story
      #expect(story.firstIndex(of: "note").map { story[$0 + 1] } == "15")
      #expect(stream.generated.isEmpty)
    }

    @Test func `no latency is added`() throws {
      let stream = try SceneStream(["trigger": "eos+stall"], isLive: true)
      stream.harness.setUpstreamLatency(5 * millisecond, noTime)
      let latency = try stream.harness.latency()
      #expect(latency.low == 5 * millisecond)
      try stream.play(0..<1)
      #expect(stream.out.frameCount == 1, "what is pushed has come out")
    }

    @Test func `without a shotdetect upstream a warning says so, once`() throws {
      for (before, warnings) in [("", 1), ("! shotdetect", 0)] {
        let pipeline = try Pipeline(
          "videotestsrc num-buffers=3 ! video/x-raw,width=64,height=48 \(before) ! sceneextend generator=rephotograph shots=1 shot-duration=100000000 ! fakesink"
        )
        try pipeline.run()
        #expect(pipeline.bus.warnings.filter { $0.contains("shotdetect") }.count == warnings, "\(before)")
        #expect(pipeline.bus.errors == [])
      }
    }
  }
}
