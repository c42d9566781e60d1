import CGStreamer
import CGStreamerCheck
import Testing

extension Shots {
  /// Times, marks and events of what follows the end of a source that is not live.
  @Suite("Scene extension: time", .timeLimit(.minutes(3))) struct SceneExtendTimeTests {
    @Test(arguments: [(25, 1), (30_000, 1001), (24_000, 1001), (60, 1), (1, 1), (1001, 17)] as [(Int32, Int32)])
    func `times go on to the nanosecond, and shots begin on their frames`(_ numerator: Int32, _ denominator: Int32) throws {
      let video = try Video("I420", 64, 48, rate: (numerator, denominator))
      let stream = try SceneStream(["shots": "3", "shot-duration": "2500000000"], video: video)
      try stream.play(0..<10)
      #expect(stream.end())
      // The source ends with its last frame's duration, which is rounded down.
      let rate = (Int(numerator), Int(denominator))
      let start = stream.time(9) + stream.time(1)
      // Where shots end, to the nearest frame: what one is too long, the next is shorter.
      let ends = (1...3).map { Int((2.5 * Double($0) * Double(numerator) / Double(denominator)).rounded()) }
      let frames = stream.out.frames
      #expect(frames.count == 10 + ends[2])
      for (index, frame) in frames.dropFirst(10).enumerated() {
        let exact = start + UInt64(gst_util_uint64_scale_round(guint64(index), guint64(second) * guint64(rate.1), guint64(rate.0)))
        guard frame.pts == exact else {
          Issue.record("frame \(index) of the extension at \(frame.pts), not \(exact)")
          break
        }
      }
      #expect(zip(frames.dropFirst(10), frames.dropFirst(11)).allSatisfy { $0.pts + $0.duration == $1.pts })
      #expect(stream.generated.map(\.frame) == [10, 10 + ends[0], 10 + ends[1]])
    }

    @Test func `a stream without a rate goes on at 25 frames a second`() throws {
      let stream = try SceneStream(["shots": "1", "shot-duration": "1000000000"], video: try Video("I420", 64, 48, rate: (0, 1)))
      stream.harness.setVideo(stream.video)
      for number in 0..<5 {
        stream.harness.push(try stream.picture(number), at: UInt64(number) * 70 * millisecond, duration: 70 * millisecond)
      }
      #expect(stream.end())
      #expect(stream.out.frames.dropFirst(5).map(\.pts) == (0..<25).map { 350 * millisecond + frameTime($0) })
    }

    @Test(arguments: [(0, 1, 40), (25, 1, 40), (1, 1, 1000), (60, 1, 16)] as [(Int32, Int32, UInt64)])
    func `a last frame that does not say how long it lasts lasts one frame of the rate, and 40 ms without one`(
      _ numerator: Int32, _ denominator: Int32, _ milliseconds: UInt64
    ) throws {
      let video = try Video("I420", 64, 48, rate: (numerator, denominator))
      let stream = try SceneStream(["shots": "1", "shot-duration": "2000000000"], video: video)
      stream.harness.setVideo(video)
      for number in 0..<5 { stream.harness.push(try stream.picture(number), at: UInt64(number) * 70 * millisecond, duration: .some(nil)) }
      #expect(stream.end())
      let frames = stream.out.frames
      #expect(frames.count == 5 + (numerator == 0 ? 50 : 2 * Int(numerator)) && frames[4].duration == noTime, "what passes is not touched")
      #expect(frames[5].pts / millisecond == 280 + milliseconds && frames[5].duration / millisecond == milliseconds)
    }

    @Test func `a picture without times, rate and duration is gone on with`() throws {
      let stream = try SceneStream(["shots": "1", "shot-duration": "1000000000"], video: try Video("I420", 64, 48, rate: (0, 1)))
      stream.harness.setVideo(stream.video)
      stream.harness.push(try stream.picture(0), at: nil, duration: .some(nil))
      #expect(stream.end())
      #expect(stream.out.frames.dropFirst().map(\.pts) == (1...25).map { frameTime($0) })
    }

    @Test func `each shot has its mark, its message and its key frame, and the end comes last with its number`() throws {
      let stream = try SceneStream(["shots": "3", "shot-duration": "400000000", "prompts": "<\"A hare, awake\", \"A cock\">"])
      try stream.play(0..<30, cuts: [12])
      let end = gst_event_new_eos()
      let number = end?.pointee.seqnum ?? 0
      stream.harness.push(end)
      #expect(stream.waitForEnd())
      #expect(stream.out.marked == [12, 30, 40, 50])
      #expect(stream.out.events.last?.sequenceNumber == number && number != 0)
      #expect(stream.out.events.count { $0.name == "eos" } == 1)
      let story = stream.out.story
      for frame in [30, 40, 50] { #expect(story.firstIndex(of: "\(frame)").map { story[$0 - 1] } == "GstForceKeyUnit") }
      #expect(story.count { $0 == "GstForceKeyUnit" } == 3)
      #expect(story.last == "eos")
      let units = stream.out.events.compactMap(\.keyUnit)
      #expect(
        units.map(\.runningTime) == [30, 40, 50].map { frameTime($0) }
          && units.allSatisfy { $0.allHeaders && $0.pts == $0.runningTime && $0.streamTime == $0.pts })
      let marks = stream.generated.map(\.mark)
      #expect(stream.bus.boundaries.map(\.values) == marks.map(\.values), "messages say the same")
      for (index, mark) in marks.enumerated() {
        let frame = 30 + 10 * index
        #expect(mark.text("kind") == "cut" && mark.text("detector") == "sceneextend" && mark.text("generator") == "rephotograph")
        #expect(mark.number("shot") == UInt64(3 + index) && mark.number("frame") == UInt64(frame))
        for field in ["pts", "running-time", "stream-time", "transition-end"] {
          #expect(mark.number(field) == frameTime(frame), "\(field)")
        }
        #expect(mark.number("transition-start") == frameTime(frame - 1))
        #expect(mark.text("prompt") == ["A hare, awake", "A cock", "A cock"][index])
      }
      #expect(stream.harness.number("shots-generated") == 3 && stream.harness.number("frames-generated") == 30)
      #expect(stream.bus.errors == [])
    }

    @Test func `base, offset and stream time of the segment hold on`() throws {
      let stream = try SceneStream(["shots": "1", "shot-duration": "400000000"])
      var segment = makeSegment(start: 10 * second, base: 4 * second, time: 60 * second)
      segment.offset = guint64(second)
      stream.harness.setVideo(stream.video, segment)
      for number in 0..<5 { stream.harness.push(try stream.picture(number), at: 11 * second + frameTime(number)) }
      #expect(stream.end())
      let mark = try #require(stream.generated.first?.mark)
      #expect(mark.number("pts") == 11 * second + frameTime(5))
      #expect(mark.number("running-time") == 4 * second + frameTime(5))
      #expect(mark.number("stream-time") == 61 * second + frameTime(5))
      #expect(stream.harness.segments.count == 1 && stream.jump == 0)
    }

    @Test func `a closed segment is opened, with the same base`() throws {
      let stream = try SceneStream(["shots": "2", "shot-duration": "400000000"])
      stream.harness.setVideo(
        stream.video, makeSegment(start: 2 * second, stop: 2 * second + frameTime(10), base: 7 * second, time: 3 * second))
      for number in 0..<10 { stream.harness.push(try stream.picture(number), at: 2 * second + frameTime(number)) }
      #expect(stream.end())
      let segments = stream.harness.segments
      #expect(segments.count == 2)
      let open = try #require(segments.last)
      #expect(
        UInt64(open.stop) == noTime && UInt64(open.base) == 7 * second && UInt64(open.start) == 2 * second
          && UInt64(open.time) == 3 * second)
      #expect(stream.out.frames.map(\.pts) == (0..<30).map { 2 * second + frameTime($0) })
      let story = stream.out.story
      #expect(story.lastIndex(of: "segment").map { story[$0 - 1] } == "9")
    }

    @Test func `duration queries are answered with what is planned, before and while it is shown`() throws {
      let stream = try SceneStream(["shots": "4", "shot-duration": "500000000"])
      stream.setUpstreamDuration(2 * second)
      try stream.play(0..<50)
      #expect(eventually { stream.duration() == Int64(4 * second) })
      let planned = Answers()
      gst_pad_add_probe(
        stream.harness.gst.pointee.sinkpad, GST_PAD_PROBE_TYPE_BUFFER,
        { pad, _, data in
          var duration: gint64 = -1
          gst_pad_peer_query_duration(pad, GST_FORMAT_TIME, &duration)
          if let data { Unmanaged<Answers>.fromOpaque(data).takeUnretainedValue().all.append(Int64(duration)) }
          return GST_PAD_PROBE_OK
        }, Unmanaged.passUnretained(planned).toOpaque(), nil)
      #expect(stream.end())
      #expect(planned.all.count == 50 && Set(planned.all) == [Int64(4 * second)], "\(planned.all)")
      #expect(stream.out.frames.count == 100, "half a second is 12.5 frames: shots have 13 and 12")
    }

    private final class Answers: @unchecked Sendable { var all: [Int64] = [] }

    @Test func `without end there is no duration`() throws {
      let stream = try SceneStream(["shots": "-1"])
      stream.setUpstreamDuration(2 * second)
      try stream.play(0..<5)
      #expect(stream.duration() == -1)
      #expect(stream.bus.errors == [])
    }

    @Test func `time codes go on`() throws {
      let stream = try SceneStream(["shots": "1", "shot-duration": "1000000000"])
      stream.harness.setVideo(stream.video)
      for number in 0..<5 {
        let buffer = try stream.picture(number)
        guard let code = gst_video_time_code_new(25, 1, nil, GST_VIDEO_TIME_CODE_FLAGS_NONE, 1, 2, 3, 19 + UInt32(number), 0) else {
          throw Failure("no time code")
        }
        gst_buffer_add_video_time_code_meta(buffer, code)
        gst_video_time_code_free(code)
        stream.harness.push(buffer, at: frameTime(number))
      }
      #expect(stream.end())
      var texts: [String] = []
      while let buffer = gst_harness_try_pull(stream.harness.gst) {
        defer { gst_buffer_unref(buffer) }
        guard let meta = gst_buffer_get_meta(buffer, gst_video_time_code_meta_api_get_type()) else { continue }
        let text = gst_video_time_code_to_string(
          &UnsafeMutableRawPointer(meta).assumingMemoryBound(to: GstVideoTimeCodeMeta.self).pointee.tc)
        texts.append(text.map { String(cString: $0) } ?? "")
        g_free(text)
      }
      #expect(texts.count == 30)
      #expect(texts.dropFirst(4).prefix(3) == ["01:02:03:23", "01:02:03:24", "01:02:04:00"] && texts.last == "01:02:04:23")
    }
  }
}
