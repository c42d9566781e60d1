import CGStreamer
import CGStreamerCheck
import Testing

extension Shots {
  /// Live sources that stall, and models that are late.
  @Suite("Scene extension: live", .timeLimit(.minutes(3))) struct SceneExtendLiveTests {
    private let model: SceneModelFolder

    init() throws { model = try SceneModelFolder() }

    @Test func `a stall is covered at the pace of the clock, and the source has the stream back`() throws {
      let stream = try SceneStream(["trigger": "stall", "stall-timeout": "100000000", "shot-duration": "400000000"], isLive: true)
      try stream.play(0..<10)
      let start = monotonic()
      #expect(eventually { stream.out.frameCount >= 30 })
      // Twenty frames of which the clock lets one through in 40 ms; the source was ten ahead.
      #expect(monotonic() - start > 600 * millisecond)
      #expect(stream.generated.first?.frame == 10)
      // Two of its frames are for times that were covered.
      let back = stream.out.frameCount - 2
      for number in back..<back + 20 {
        #expect(stream.harness.push(try stream.picture(number, shot: 1), at: frameTime(number)) == GST_FLOW_OK)
      }
      stream.harness.end()
      #expect(stream.waitForEnd())
      let frames = stream.out.frames
      #expect(frames.map(\.pts) == (0..<frames.count).map { frameTime($0) }, "no gap and no overlap")
      #expect(frames.count == back + 20)
      let last = try #require(stream.out.marked.last)
      let mark = try #require(frames[last].boundaries.first)
      #expect(mark["generated"] == nil && mark.text("detector") == "sceneextend" && mark.number("frame") == UInt64(last))
      let story = stream.out.story
      #expect(story.firstIndex(of: "\(last)").map { story[$0 - 1] } == "GstForceKeyUnit")
      #expect(last >= back + 2 && last < back + 8, "it has the stream back at once")
    }

    @Test func `a stall is covered with the shots that are set, and no more`() throws {
      let stream = try SceneStream(
        ["trigger": "stall", "stall-timeout": "60000000", "shots": "1", "shot-duration": "200000000"], isLive: true)
      try stream.play(0..<5)
      #expect(eventually { stream.out.frameCount == 10 })
      g_usleep(300_000)
      #expect(stream.out.frameCount == 10)
      try stream.play(12..<15)
      #expect(eventually { stream.out.frameCount == 18 }, "the next stall is covered again")
      #expect(stream.generated.map(\.frame) == [5, 13])
    }

    @Test func `a source that is not live does not stall`() throws {
      let stream = try SceneStream(["trigger": "stall", "stall-timeout": "40000000"])
      try stream.play(0..<5)
      g_usleep(200_000)
      #expect(stream.out.frameCount == 5)
    }

    @Test func `a source without times has the stream back too`() throws {
      let stream = try SceneStream(["trigger": "stall", "stall-timeout": "60000000", "shot-duration": "400000000"], isLive: true)
      stream.harness.setVideo(stream.video)
      for number in 0..<5 { stream.harness.push(try stream.picture(number), at: nil) }
      #expect(eventually { stream.out.frameCount >= 10 })
      #expect(stream.harness.push(try stream.picture(1), at: nil) == GST_FLOW_OK)
      stream.harness.end()
      #expect(stream.waitForEnd())
    }

    @Test func `the end of a source that stalls ends the extension with its shot`() throws {
      let stream = try SceneStream(["trigger": "stall", "stall-timeout": "60000000", "shot-duration": "200000000"], isLive: true)
      try stream.play(0..<5)
      #expect(eventually { stream.generated.count >= 2 })
      #expect(stream.end())
      #expect(stream.out.frameCount % 5 == 0 && stream.jump == 0)
    }

    // MARK: Underruns

    private func late(_ underrun: String, trigger: String = "eos") throws -> SceneStream {
      let stream = try SceneStream(
        [
          "generator": "diffusion", "model": model.path, "precision": "float32", "underrun": underrun, "shots": "2", "trigger": trigger,
          "stall-timeout": "60000000",
        ], isLive: true)
      try stream.play(0..<10)
      return stream
    }

    @Test func `underrun rephotograph fills in with the virtual camera`() throws {
      let stream = try late("rephotograph")
      #expect(stream.end())
      #expect(stream.generated.map { $0.mark.text("generator") } == ["rephotograph", "diffusion", "diffusion"])
      #expect(stream.jump == 0 && stream.out.frames.allSatisfy { !$0.isGap })
      #expect(stream.generated.map(\.frame).dropFirst().first ?? 0 >= 10 + 12, "no flash of a shot")
    }

    @Test func `underrun hold repeats the last frame, flagged as gap`() throws {
      let stream = try late("hold")
      #expect(stream.end())
      let gaps = stream.out.frames.indices.filter { stream.out.frames[$0].isGap }
      #expect(gaps.first == 10 && gaps.count == (stream.generated.first?.frame ?? 0) - 10 && !gaps.isEmpty, "\(stream.bus.warnings)")
      let sums = stream.pullChecksums()
      #expect(gaps.allSatisfy { sums[$0] == sums[9] })
      #expect(stream.generated.map { $0.mark.text("generator") } == ["diffusion", "diffusion"] && stream.jump == 0)
      #expect(stream.out.frames[10].boundaries.isEmpty)
    }

    @Test func `underrun slow shows nothing that was not generated`() throws {
      let stream = try late("slow")
      #expect(stream.end())
      #expect(stream.generated.map { $0.mark.text("generator") } == ["diffusion", "diffusion"] && stream.jump == 0)
      #expect(stream.out.frames.allSatisfy { !$0.isGap })
    }

    @Test(arguments: ["eos", "stall"]) func `underrun eos ends the stream`(_ trigger: String) throws {
      let stream = try late("eos", trigger: trigger)
      if trigger == "eos" { stream.harness.end() }
      #expect(stream.waitForEnd())
      #expect(stream.out.frameCount == 10)
      #expect(stream.harness.push(try stream.picture(1), at: frameTime(30)) == GST_FLOW_EOS)
      stream.harness.end()
      #expect(stream.out.events.count { $0.name == "eos" } == 1)
    }
  }
}
