import CGStreamer
import CGStreamerCheck
import Testing

extension Shots {
  /// Shots that an application asks for.
  @Suite("Scene extension: asked for", .timeLimit(.minutes(3))) struct SceneExtendAskedTests {
    /// Running times of all frames that came out, by the segments between them.
    private func runningTimes(_ recorder: Recorder) -> [UInt64] {
      var segment = GstSegment()
      return recorder.items.compactMap { item in
        switch item {
        case .event(let event):
          if let new = event.segment { segment = new }
          return nil
        case .frame(let frame): return UInt64(gst_segment_to_running_time(&segment, GST_FORMAT_TIME, GstClockTime(frame.pts)))
        }
      }
    }

    @Test func `an endless extension ends with its shot when it is told to`() throws {
      let stream = try SceneStream(["shots": "-1", "shot-duration": "400000000"])
      gst_harness_set_drop_buffers(stream.harness.gst, 1)
      try stream.play(0..<10)
      stream.harness.end()
      #expect(eventually { stream.generated.count >= 3 })
      stream.stopExtension()
      #expect(stream.waitForEnd())
      #expect((stream.out.frameCount - 10) % 10 == 0, "the last shot is whole")
      #expect(stream.jump == 0)
    }

    @Test func `shots asked for are inserted, and what follows is later by them`() throws {
      let stream = try SceneStream(["trigger": "stall", "shot-duration": "400000000"])
      try stream.play(0..<20)
      #expect(stream.extend(2, "A hare"))
      try stream.play(20..<40, cuts: [30])
      #expect(stream.end())
      let inserted = stream.out.frameCount - 40
      #expect(inserted == 20)
      #expect(runningTimes(stream.out) == (0..<60).map { frameTime($0) })
      #expect(stream.generated.map(\.frame) == [20, 30] && stream.generated.allSatisfy { $0.mark.text("prompt") == "A hare" })
      // The source's return is a boundary, and its own marks count on.
      #expect(stream.out.marked == [20, 30, 40, 50])
      let (back, own) = (stream.out.frames[40].boundaries, stream.out.frames[50].boundaries)
      #expect(
        back.count == 1 && back[0].number("shot") == 4 && back[0]["generated"] == nil && back[0].number("running-time") == frameTime(40))
      #expect(
        own.count == 1 && own[0].number("shot") == 5 && own[0].number("frame") == 50 && own[0].number("running-time") == frameTime(50))
      #expect(stream.harness.segments.map { UInt64($0.base) } == [0, 20 * 40 * millisecond])
    }

    @Test func `shots asked for just before the end come before those that follow it`() throws {
      let stream = try SceneStream(["shots": "2", "shot-duration": "400000000"])
      try stream.play(0..<20)
      #expect(stream.extend(1, "A cock"))
      #expect(stream.end())
      #expect(stream.generated.map { $0.mark.text("prompt") } == ["A cock", "", ""])
      #expect(runningTimes(stream.out) == (0..<50).map { frameTime($0) })
      #expect(stream.out.events.count { $0.name == "eos" } == 1)
    }

    @Test func `several insertions add up, also with a new segment between`() throws {
      let stream = try SceneStream(["trigger": "stall", "shot-duration": "400000000"])
      try stream.play(0..<10)
      #expect(stream.extend(1))
      #expect(eventually { stream.out.frameCount == 20 })
      stream.harness.setSegment(makeSegment(start: 30 * second, base: frameTime(10), time: 30 * second))
      for number in 10..<20 { stream.harness.push(try stream.picture(number), at: 30 * second + frameTime(number - 10)) }
      #expect(stream.extend(1))
      for number in 20..<30 { stream.harness.push(try stream.picture(number), at: 30 * second + frameTime(number - 10)) }
      #expect(stream.end())
      #expect(runningTimes(stream.out) == (0..<50).map { frameTime($0) })
    }

    @Test func `extend during an extension makes it longer`() throws {
      let stream = try SceneStream(["shots": "2", "shot-duration": "400000000", "lead-time": "1"])
      let taken = Taken(stream)
      gst_pad_add_probe(
        stream.harness.gst.pointee.sinkpad, GST_PAD_PROBE_TYPE_BUFFER,
        { _, _, data in
          if let data { Unmanaged<Taken>.fromOpaque(data).takeUnretainedValue().frame() }
          return GST_PAD_PROBE_OK
        }, Unmanaged.passUnretained(taken).toOpaque(), nil)
      try stream.play(0..<10)
      #expect(stream.end())
      #expect(taken.isTaken && stream.generated.count == 5)
      #expect(stream.generated.map { $0.mark.text("prompt") } == ["", "A cow", "A cow", "A cow", "A cow"])
      #expect(stream.jump == 0)
    }

    /// Asks for three shots more while the first one is shown.
    private final class Taken: @unchecked Sendable {
      unowned let stream: SceneStream
      var frames = 0
      var isTaken = false
      init(_ stream: SceneStream) { self.stream = stream }

      func frame() {
        frames += 1
        if frames == 13 { isTaken = stream.extend(3, "A cow") }
      }
    }

    @Test func `after the end nothing is added`() throws {
      for trigger in ["eos", "stall"] {
        let stream = try SceneStream(
          ["shots": "1", "shot-duration": "200000000", "trigger": trigger, "stall-timeout": "40000000"], isLive: trigger == "stall")
        try stream.play(0..<5)
        #expect(stream.end())
        let count = stream.out.frameCount
        #expect(!stream.extend(1))
        g_usleep(150_000)
        #expect(stream.out.frameCount == count && stream.out.events.last?.name == "eos")
      }
    }

    @Test func `trigger cut inserts before the next boundary, once, and then when asked`() throws {
      let stream = try SceneStream(["trigger": "cut", "shots": "1", "shot-duration": "400000000"])
      try stream.play(0..<50, cuts: [10, 20, 30, 40]) { number in
        if number == 25 { #expect(stream.extend(2, "A hare")) }
      }
      #expect(stream.end())
      #expect(stream.generated.map(\.frame) == [10, 40, 50])
      #expect(stream.out.marked == [10, 20, 30, 40, 50, 60, 70])
      #expect(stream.out.frames.flatMap(\.boundaries).compactMap { $0.number("shot") } == [2, 3, 4, 5, 6, 7, 8])
      #expect(stream.out.frames.flatMap(\.boundaries).compactMap { $0.number("frame") } == [10, 20, 30, 40, 50, 60, 70])
      #expect(runningTimes(stream.out) == (0..<80).map { frameTime($0) })
    }

    @Test func `what is not to come any more does not come`() throws {
      let stream = try SceneStream(["trigger": "cut+eos", "shots": "0"])
      try stream.play(0..<10)
      #expect(stream.extend(3))
      stream.stopExtension()
      try stream.play(10..<20)
      #expect(stream.end())
      #expect(stream.out.frameCount == 20 && stream.generated.isEmpty)
    }

    @Test func `on a live source shots asked for are in the place of its frames`() throws {
      let stream = try SceneStream(["trigger": "stall", "stall-timeout": "3600000000000", "shot-duration": "400000000"], isLive: true)
      try stream.play(0..<20)
      #expect(stream.extend(1))
      #expect(eventually { stream.out.frameCount >= 30 })
      g_usleep(100_000)
      // What was covered is dropped; the rest goes on.
      try stream.play(20..<40)
      #expect(stream.end())
      #expect(stream.out.frames.map(\.pts) == (0..<40).map { frameTime($0) })
      #expect(stream.out.marked == [20, 30] && stream.generated.map(\.frame) == [20], "\(stream.out.marked)")
      #expect(stream.harness.segments.count == 1)
    }
  }
}
