import CGStreamer
import CGStreamerCheck
import Testing

extension Shots {
  /// Live sources that are back after a stall with other times, and sound whose pads come and go.
  @Suite("Scene extension: returns", .timeLimit(.minutes(3))) struct SceneExtendReturnTests {
    private let stall: KeyValuePairs = ["trigger": "stall", "stall-timeout": "200000000", "shot-duration": "400000000"]

    /// Frames at the pace of the clock, whose times begin at `first`.
    private func play(_ stream: SceneStream, _ count: Int, from first: UInt64, _ beside: (UInt64) -> Void = { _ in }) throws {
      let start = monotonic()
      for number in 0..<count {
        let due = start + frameTime(number)
        if due > monotonic() { g_usleep(gulong((due - monotonic()) / 1000)) }
        #expect(stream.harness.push(try stream.picture(number, shot: 1), at: first + frameTime(number)) == GST_FLOW_OK)
        beside(first + frameTime(number))
      }
    }

    @Test(arguments: [0, 3600]) func `a camera whose clock was set anew has the stream back, moved, with a warning`(_ first: UInt64) throws
    {
      let stream = try SceneStream(stall, isLive: true)
      try stream.play(0..<10)
      #expect(eventually { stream.out.frameCount >= 30 })
      try play(stream, 40, from: first * second)
      #expect(stream.jump == 0, "no gap and no overlap")
      let warnings = stream.bus.warnings.filter { $0.contains("back with times") }
      #expect(warnings.count == 1 && warnings[0].contains(first == 0 ? "behind" : "ahead"), "\(warnings)")
      let last = try #require(stream.out.marked.last)
      #expect(stream.out.frames[last].boundaries.first?["generated"] == nil)
      // All but those of the timeout.
      #expect(stream.out.frameCount - last >= 25)
      #expect(stream.out.frames[last].boundaries.first?.number("pts") == stream.out.frames[last].pts)
      #expect(stream.harness.segments.count == 1, "time stamps are moved, not the segment")
      stream.harness.end()
      #expect(stream.waitForEnd())
    }

    @Test(arguments: [false, true]) func `the end of a source that stalls is that of its sound, to a frame`(_ isSoundFirst: Bool) throws {
      let stream = try SceneStream(stall, isLive: true)
      let sound = try SoundHarness(beside: stream.harness)
      let out = Recorder(sound.gst.pointee.sinkpad)
      try stream.play(0..<10)
      #expect(sound.push([Int16](repeating: 1, count: 19_200), at: 0) == GST_FLOW_OK)
      #expect(eventually { stream.out.frameCount >= 25 })
      if isSoundFirst { sound.end() }
      stream.harness.end()
      if !isSoundFirst { sound.end() }
      #expect(stream.waitForEnd() && eventually { out.events.last?.name == "eos" })
      let (samples, jump) = sound.pull { _ in true }
      #expect(abs(samples.count - stream.out.frameCount * 1920) <= 1920 && jump <= 1)
      #expect(stream.out.frameCount % 10 == 0, "with the shot that was shown")
    }

    @Test func `what is made belongs to the seek that the stream came with`() throws {
      let stream = try SceneStream(["shots": "1", "shot-duration": "400000000"])
      let sound = try SoundHarness(beside: stream.harness)
      let out = Recorder(sound.gst.pointee.sinkpad)
      func segment(_ number: UInt32) -> UnsafeMutablePointer<GstEvent>? {
        var segment = makeSegment(stop: 2 * second)
        let event = gst_event_new_segment(&segment)
        gst_event_set_seqnum(event, number)
        return event
      }
      stream.harness.setVideo(stream.video)
      stream.harness.push(segment(77))
      gst_harness_push_event(sound.gst, segment(78))
      try stream.play(0..<10)
      #expect(sound.push([Int16](repeating: 1, count: 19_200), at: 0) == GST_FLOW_OK)
      sound.end()
      #expect(stream.end() && eventually { out.events.last?.name == "eos" })
      // Both are opened, since what is made lies behind what they say.
      for (recorder, number) in [(stream.out, 77), (out, 78)] as [(Recorder, UInt32)] {
        let segments = recorder.events.filter { $0.segment?.stop == .max && $0.segment != nil }
        #expect(segments.last?.sequenceNumber == number)
      }
    }

    @Test func `upstream leaves nothing out behind inserted shots, whatever downstream reports of later times`() throws {
      let pipeline = try Pipeline(
        "videotestsrc num-buffers=100 ! video/x-raw,format=RGB,width=64,height=48,framerate=50/1 ! videoconvert ! video/x-raw,format=I420 ! "
          + "sceneextend name=e generator=rephotograph trigger=stall shot-duration=1000000000 ! fakesink name=f sync=true qos=true")
      let out = try pipeline.watch("f", "sink")
      #expect(pipeline.setState(GST_STATE_PLAYING) && eventually { out.frameCount >= 20 })
      #expect(emitExtend(try pipeline.element("e"), 1, nil))
      #expect(eventually { out.events.last?.name == "eos" })
      #expect(out.frameCount == 150)
    }

    // MARK: Pads of the sound

    @Test(arguments: [["audio_sink", "audio_src"], ["audio_src", "audio_sink"]])
    func `pads are given back at once, also while their sound waits for inserted shots`(_ order: [String]) throws {
      for _ in 0..<20 {
        // The picture is shown at its pace, the sound comes as fast as it can.
        let pipeline = try Pipeline(
          """
          videotestsrc ! video/x-raw,width=16,height=16,framerate=25/1 ! sceneextend name=e generator=rephotograph ! fakesink sync=true \
          audiotestsrc ! audio/x-raw,rate=8000,channels=1 ! e.audio_sink e.audio_src ! fakesink async=false sync=false
          """)
        let element = try pipeline.element("e")
        #expect(pipeline.setState(GST_STATE_PLAYING))
        #expect(emitExtend(element, -1, nil))
        #expect(eventually { (try? pipeline.number("e", "frames-generated")) ?? 0 > 0 })
        g_usleep(10_000)
        let start = monotonic()
        for name in order {
          let pad = try #require(gst_element_get_static_pad(element, name))
          gst_element_release_request_pad(element, pad)
          gst_object_unref(pad)
        }
        gst_element_set_state(pipeline.gst, GST_STATE_NULL)
        #expect(monotonic() - start < second)
      }
    }

    @Test func `a pad that joins a stream is told of it before it has sound`() throws {
      let stream = try SceneStream(["trigger": "stall"])
      try stream.play(0..<5)
      guard let sound = gst_harness_new_with_element(stream.harness.element, "audio_sink", nil) else { throw Failure("no harness") }
      defer { gst_harness_teardown(sound) }
      gst_harness_set_src_caps_str(sound, "audio/x-raw,format=S16LE,rate=8000,channels=1,layout=interleaved")
      func push(_ number: Int) -> GstFlowReturn {
        let buffer = gst_buffer_new_allocate(nil, 640, nil)
        buffer?.pointee.pts = GstClockTime(frameTime(number))
        return gst_harness_push(sound, buffer)
      }
      #expect(push(0) == GST_FLOW_NOT_LINKED)
      gst_harness_add_element_src_pad(sound, gst_element_request_pad_simple(stream.harness.element, "audio_src"))
      let out = Recorder(sound.pointee.sinkpad)
      #expect(push(1) == GST_FLOW_OK)
      #expect(eventually { out.frameCount == 1 })
      #expect(out.story.suffix(4) == ["stream-start", "caps", "segment", "0"])
    }
  }
}
