import CGStreamer
import CGStreamerCheck
import Testing

extension Shots {
  /// What an encoder makes of it.
  @Suite("Scene extension: encoder", .timeLimit(.minutes(3))) struct SceneExtendEncoderTests {
    /// That of launch/pipelines, without key frames of its own.
    private static let common = "x264enc speed-preset=faster pass=quant quantizer=22 key-int-max=1000 option-string=scenecut=0"

    /// Running times of encoded frames, of all and of those that need no others.
    private func times(_ recorder: Recorder) -> (all: [UInt64], key: [UInt64]) {
      var segment = GstSegment()
      var times: (all: [UInt64], key: [UInt64]) = ([], [])
      for item in recorder.items {
        switch item {
        case .event(let event): segment = event.segment ?? segment
        case .frame(let frame):
          let time = UInt64(gst_segment_to_running_time(&segment, GST_FORMAT_TIME, GstClockTime(frame.pts)))
          times.all.append(time)
          if !frame.isDelta { times.key.append(time) }
        }
      }
      return times
    }

    private func picture(_ number: Int, _ video: Video) throws -> UnsafeMutablePointer<GstBuffer> {
      let color = Pictures.blocks(video, 30...200, seed: 7)
      return try video.picture { x, y in color((x + number) % 96, y) }
    }

    @Test func `each generated shot begins with a key frame, and so does what follows shots that are inserted`() throws {
      // Encoders that look ahead compare requests with the segment that was before what is inserted.
      let harness = try Harness(
        launch:
          "sceneextend name=e generator=rephotograph shots=3 shot-duration=400000000 trigger=eos ! x264enc tune=zerolatency key-int-max=1000 option-string=scenecut=0"
      )
      harness.setUpstreamLatency(0, noTime, isLive: false)
      let video = try Video("I420", 96, 64)
      harness.setVideo(video)
      let extend = try #require(gst_bin_get_by_name(UnsafeMutableRawPointer(harness.element).assumingMemoryBound(to: GstBin.self), "e"))
      defer { gst_object_unref(extend) }
      for number in 0..<20 {
        if number == 12 { #expect(emitExtend(extend, 1, nil)) }
        #expect(harness.push(try picture(number, video), at: frameTime(number)) == GST_FLOW_OK)
      }
      harness.end()
      #expect(eventually(within: 60) { harness.out.events.last?.name == "eos" })
      let times = times(harness.out)
      #expect(times.all.count == 60)
      let shots = harness.bus.boundaries.compactMap { $0.number("running-time") }
      #expect(shots == [12, 22, 30, 40, 50].map { frameTime($0) })
      #expect(times.key == [0] + shots)
    }

    @Test func `the source's return after a stall is a key frame`() throws {
      let harness = try Harness(
        launch: "sceneextend name=e generator=rephotograph trigger=stall stall-timeout=200000000 shot-duration=400000000 ! \(Self.common)")
      harness.setUpstreamLatency(40 * millisecond, noTime, isLive: true)
      let clock = try TestClock(of: harness)
      let video = try Video("I420", 96, 64)
      harness.setVideo(video)
      for number in 0..<10 {
        clock.advance(to: frameTime(number))
        #expect(harness.push(try picture(number, video), at: frameTime(number)) == GST_FLOW_OK)
      }
      // Until frame 24 is out and 25 is awaited.
      #expect(
        eventually(within: 30) {
          if let time = clock.awaited(within: 0), time < frameTime(25) { clock.advance(to: time) }
          return clock.awaited(within: 0) == frameTime(25)
        })
      #expect(harness.push(try picture(24, video), at: frameTime(24)) == GST_FLOW_OK)
      clock.advance(to: frameTime(25))
      for number in 25..<40 { #expect(harness.push(try picture(number, video), at: frameTime(number)) == GST_FLOW_OK) }
      harness.end()
      #expect(eventually(within: 60) { harness.out.events.last?.name == "eos" })
      let times = times(harness.out)
      #expect(times.all.sorted() == (0..<40).map { frameTime($0) })
      #expect(times.key == [0, 10, 20, 25].map { frameTime($0) })
    }
  }
}
