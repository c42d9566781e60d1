import CGStreamer
import CGStreamerCheck
import Testing

extension Shots {
  /// Live streams, on a clock that moves only when the test says so.
  @Suite("Scene extension: clock", .timeLimit(.minutes(3))) struct SceneExtendClockTests {
    private func stream(_ properties: KeyValuePairs<String, String>) throws -> (SceneStream, TestClock) {
      let stream = try SceneStream(properties, isTimed: true)
      return (stream, try #require(stream.clock))
    }

    /// Frames of the source, each when it is due.
    private func play(_ stream: SceneStream, _ numbers: Range<Int>, cuts: [Int] = []) throws {
      try stream.play(numbers, cuts: cuts) { stream.clock?.advance(to: stream.time($0)) }
    }

    /// Lets the extension show so many frames; false if one is not awaited at its time.
    private func step(_ stream: SceneStream, _ clock: TestClock, from first: Int, frames: Int) -> Bool {
      (first..<first + frames).allSatisfy { number in
        guard clock.awaited() == stream.time(number) else { return false }
        clock.advance(to: stream.time(number))
        return eventually { stream.out.frameCount == number + 1 }
      }
    }

    /// Lets time pass until the end has come out.
    private func finish(_ stream: SceneStream, _ clock: TestClock) -> Bool {
      eventually(within: 20) {
        if stream.out.events.last?.name == "eos" { return true }
        if let time = clock.awaited(within: 0) { clock.advance(to: time) }
        return false
      }
    }

    // MARK: Stalls

    @Test(arguments: [60, 1000, 70_000]) func `a source stalls exactly at stall-timeout after its last frame`(_ timeout: UInt64) throws {
      let (stream, clock) = try stream([
        "trigger": "stall", "stall-timeout": "\(timeout * millisecond)", "shot-duration": "400000000", "shots": "1",
      ])
      try play(stream, 0..<10)
      // It is waited for already, by a frame before the last one.
      #expect(clock.awaited() != nil)
      try play(stream, 10..<11)
      let stall = stream.time(10) + timeout * millisecond
      let count = stream.out.frameCount
      clock.advance(to: stall - 1)
      #expect(eventually { clock.awaited() == stall })
      #expect(stream.out.frameCount == count && stream.generated.isEmpty)
      clock.advance(to: stall)
      // What should have been there by now comes at once.
      #expect(eventually { stream.out.frameCount > count })
      #expect(finishStall(stream, clock, count + 10))
      #expect(stream.generated.map(\.frame) == [count] && stream.jump == 0)
    }

    private func finishStall(_ stream: SceneStream, _ clock: TestClock, _ count: Int) -> Bool {
      eventually(within: 30) {
        if let time = clock.awaited(within: 0) { clock.advance(to: time) }
        return stream.out.frameCount == count
      }
    }

    @Test func `a stall-timeout that is changed counts at once`() throws {
      let (stream, clock) = try stream(["trigger": "stall", "stall-timeout": "3600000000000"])
      try play(stream, 0..<5)
      #expect(clock.awaited() != nil)
      stream.harness.set("stall-timeout", "200000000")
      #expect(eventually { clock.awaited() == stream.time(4) + 200 * millisecond })
      clock.advance(to: stream.time(4) + 200 * millisecond)
      // Five frames are due by then.
      #expect(eventually { clock.awaited() == stream.time(10) } && stream.out.frameCount == 10)
    }

    @Test func `while a stall is covered each frame comes at its time, and the source has the stream back on the frame`() throws {
      let (stream, clock) = try stream(["trigger": "stall", "stall-timeout": "200000000", "shot-duration": "400000000"])
      try play(stream, 0..<10)
      #expect(clock.awaited() != nil)
      clock.advance(to: stream.time(14))
      #expect(eventually { clock.awaited() == stream.time(15) } && stream.out.frameCount == 15, "frames 10 to 14 were due")
      #expect(step(stream, clock, from: 15, frames: 10))
      clock.advance(to: stream.time(25) - 1)
      #expect(clock.awaited() == stream.time(25) && stream.out.frameCount == 25, "not early")
      // The source has a frame of a time that is covered: it is back. A boundary of its own is on it.
      let covered = try stream.picture(24, shot: 1)
      Mark(kind: "cut", frame: 11, start: 10, end: 11, shot: 2).add(to: covered)
      #expect(stream.harness.push(covered, at: stream.time(24)) == GST_FLOW_OK)
      clock.advance(to: stream.time(25))
      stream.bus.clear()
      for number in 25..<35 {
        let buffer = try stream.picture(number, shot: 1)
        // The source counts 12 frames where 30 have left.
        if number == 30 { Mark(kind: "fade", frame: 17, start: 16, end: 17, shot: 3).add(to: buffer) }
        #expect(stream.harness.push(buffer, at: stream.time(number)) == GST_FLOW_OK)
      }
      let frames = stream.out.frames
      #expect(frames.map(\.pts) == (0..<35).map { stream.time($0) }, "no gap and no overlap")
      #expect(stream.out.marked == [10, 20, 25, 30])
      #expect(frames.flatMap(\.boundaries).compactMap { $0.number("shot") } == [2, 3, 4, 5], "none is left out")
      #expect(frames.flatMap(\.boundaries).compactMap { $0.number("frame") } == [10, 20, 25, 30])
      #expect(frames[30].boundaries.first?.text("kind") == "fade" && frames[25].boundaries.first?["generated"] == nil)
      #expect(stream.bus.boundaries.map(\.values) == frames[25].boundaries.map(\.values), "the return is told on the bus too")
      let story = stream.out.story
      for number in [10, 20, 25] { #expect(story.firstIndex(of: "\(number)").map { story[$0 - 1] } == "GstForceKeyUnit") }
      #expect(story.count { $0 == "GstForceKeyUnit" } == 3)
    }

    @Test func `sound that stalls with the picture is made beside it, and is back without a gap`() throws {
      let (stream, clock) = try stream(["trigger": "stall", "stall-timeout": "200000000", "shot-duration": "400000000"])
      let sound = try SoundHarness(beside: stream.harness)
      for number in 0..<10 {
        try play(stream, number..<number + 1)
        #expect(sound.push([Int16](repeating: 1000, count: 1920), at: number * 1920) == GST_FLOW_OK)
      }
      #expect(clock.awaited() != nil)
      clock.advance(to: stream.time(14))
      #expect(clock.awaited() == stream.time(15))
      #expect(step(stream, clock, from: 15, frames: 5))
      let (samples, jump) = sound.pull { $0 >= 20 * 1920 }
      #expect(samples.count >= 20 * 1920 && samples.count <= 21 * 1920 && jump <= 1, "\(samples.count) samples, \(jump) ns")
      #expect(samples.prefix(10 * 1920).allSatisfy { $0 == 1000 } && samples.dropFirst(11 * 1920).allSatisfy { $0 == 0 })
    }

    // MARK: Ends

    @Test func `behind the end of a live source frames come at their times, not early and not late`() throws {
      let (stream, clock) = try stream(["shots": "3", "shot-duration": "400000000"])
      try play(stream, 0..<10)
      stream.harness.end()
      #expect(clock.awaited() == stream.time(10) && stream.out.frameCount == 10)
      clock.advance(to: stream.time(10) - 1)
      #expect(clock.awaited() == stream.time(10) && stream.out.frameCount == 10)
      #expect(step(stream, clock, from: 10, frames: 15))
      // A clock that jumps: what has become due comes at once, and no more.
      clock.advance(to: stream.time(31) + 1)
      #expect(eventually { clock.awaited() == stream.time(32) } && stream.out.frameCount == 32)
      #expect(finish(stream, clock) && stream.out.frameCount == 40)
      #expect(stream.out.frames.map(\.pts) == (0..<40).map { stream.time($0) })
      #expect(stream.generated.map(\.frame) == [10, 20, 30] && stream.harness.number("underruns") == 0)
    }

    @Test func `stop-extension ends a live stream with the shot that is shown`() throws {
      let (stream, clock) = try stream(["shots": "-1", "shot-duration": "400000000"])
      try play(stream, 0..<10)
      stream.harness.end()
      #expect(step(stream, clock, from: 10, frames: 13))
      stream.stopExtension()
      #expect(step(stream, clock, from: 23, frames: 7))
      #expect(stream.waitForEnd() && stream.out.frameCount == 30, "at the time of its last frame, without another")
    }

    // MARK: Underruns

    /// A live stream that has ended at frame 10 and whose model begins a shot when the gate is opened.
    private func late(_ underrun: String) throws -> (SceneStream, TestClock, ShotGate, SceneModelFolder) {
      let (gate, model) = (ShotGate(), try SceneModelFolder())
      let (stream, clock) = try stream([
        "generator": "diffusion", "model": model.path, "precision": "float32", "underrun": underrun, "shots": "2",
      ])
      gate.stand(in: stream.bus)
      try play(stream, 0..<10)
      stream.harness.end()
      return (stream, clock, gate, model)
    }

    /// Lets the model make a shot.
    private func make(_ number: Int, _ stream: SceneStream, _ gate: ShotGate) throws {
      try gate.open()
      try #require(eventually(within: 30) { stream.bus.extensions.count { $0.text("state") == "generated" } == number })
    }

    @Test(arguments: ["hold", "slow"]) func `the last frame stands for as long as no shot is ready, and no longer`(_ underrun: String)
      throws
    {
      let (stream, clock, gate, _) = try late(underrun)
      #expect(step(stream, clock, from: 10, frames: 20))
      try make(1, stream, gate)
      // The frame that is awaited is the last of them.
      #expect(step(stream, clock, from: 30, frames: 20))
      #expect(stream.generated.map(\.frame) == [31])
      try make(2, stream, gate)
      #expect(finish(stream, clock))
      let frames = stream.out.frames
      #expect(stream.generated.count == 2 && stream.generated.allSatisfy { $0.mark.text("generator") == "diffusion" })
      let sums = stream.pullChecksums()
      #expect(sums[10...30].allSatisfy { $0 == sums[9] } && sums[31] != sums[9])
      let second = stream.generated[1].frame
      #expect(sums[44..<second].allSatisfy { $0 == sums[43] }, "the shot's last picture stands")
      let gaps = frames.indices.filter { frames[$0].isGap }
      #expect(gaps == (underrun == "hold" ? Array(10...30) + Array(44..<second) : []))
      #expect(frames.map(\.pts) == frames.indices.map { stream.time($0) } && stream.out.marked == [31, second])
      #expect(stream.harness.number("underruns") == 1, "the first shot is none")
    }

    @Test func `the virtual camera fills in at once, for half a second at least`() throws {
      let (stream, clock, gate, _) = try late("rephotograph")
      #expect(step(stream, clock, from: 10, frames: 3))
      try make(1, stream, gate)
      #expect(step(stream, clock, from: 13, frames: 13))
      #expect(stream.generated.map(\.frame) == [10, 23], "13 frames are half a second")
      #expect(stream.generated.map { $0.mark.text("generator") } == ["rephotograph", "diffusion"])
      try make(2, stream, gate)
      #expect(finish(stream, clock))
      #expect(stream.generated.map { $0.mark.text("generator") } == ["rephotograph", "diffusion", "diffusion"])
      #expect(stream.out.frames.map(\.pts) == stream.out.frames.indices.map { stream.time($0) } && !stream.out.frames.contains { $0.isGap })
      #expect(stream.harness.number("underruns") == 0)
    }

    @Test func `the stream ends when no shot is ready`() throws {
      let (stream, _, _, _) = try late("eos")
      #expect(stream.waitForEnd() && stream.out.frameCount == 10, "no time has passed")
    }

    // MARK: Sound and picture end together

    /// An extension of a live stream of 10 frames, with sound.
    private func sounding(_ properties: KeyValuePairs<String, String>) throws -> (SceneStream, TestClock, SoundHarness, Recorder) {
      let (stream, clock) = try stream(properties)
      let sound = try SoundHarness(beside: stream.harness)
      let out = Recorder(sound.gst.pointee.sinkpad)
      for number in 0..<10 {
        try play(stream, number..<number + 1)
        #expect(sound.push([Int16](repeating: 1000, count: 1920), at: number * 1920) == GST_FLOW_OK)
      }
      stream.harness.end()
      sound.end()
      return (stream, clock, sound, out)
    }

    private func endTogether(_ stream: SceneStream, _ clock: TestClock, _ sound: SoundHarness, _ out: Recorder, frames: Int) {
      #expect(finish(stream, clock))
      #expect(eventually { out.events.last?.name == "eos" })
      let (samples, jump) = sound.pull { _ in true }
      #expect(
        stream.out.frameCount == frames && abs(samples.count - frames * 1920) <= 1920 && jump <= 1,
        "\(stream.out.frameCount) frames, \(Double(samples.count) / 1920) of sound, \(jump) ns")
      #expect(out.events.count { $0.name == "eos" } == 1 && stream.jump == 0)
    }

    @Test func `extend is refused once the sound has ended where the picture will`() throws {
      let (stream, clock, sound, out) = try sounding(["shots": "1", "shot-duration": "800000000"])
      #expect(step(stream, clock, from: 10, frames: 10))
      #expect(eventually { out.events.last?.name == "eos" }, "0.4 s before the picture")
      #expect(!stream.extend(1))
      endTogether(stream, clock, sound, out, frames: 30)
    }

    @Test func `extend makes it longer as long as the sound goes on`() throws {
      let (stream, clock, sound, out) = try sounding(["shots": "1", "shot-duration": "800000000"])
      #expect(step(stream, clock, from: 10, frames: 5))
      #expect(stream.extend(1))
      #expect(step(stream, clock, from: 15, frames: 15))
      endTogether(stream, clock, sound, out, frames: 50)
    }

    @Test(arguments: [("400000000", 5, 30), ("400000000", 12, 40), ("2000000000", 5, 60), ("2000000000", 45, 110), ("160000000", 2, 26)])
    func `stop-extension ends with the shot that the sound has come to`(_ duration: String, _ shown: Int, _ frames: Int) throws {
      let (stream, clock, sound, out) = try sounding(["shots": "-1", "shot-duration": duration])
      #expect(step(stream, clock, from: 10, frames: shown))
      // Half a second ahead, where a shot is ready for it.
      let ahead = stream.time(10 + shown) + 500 * millisecond
      #expect(eventually { out.frames.last.map { $0.pts + $0.duration + 40 * millisecond >= ahead } ?? false })
      stream.stopExtension()
      endTogether(stream, clock, sound, out, frames: frames)
    }

    // MARK: Asked

    @Test func `each extend that is taken is shown, whenever it comes`() throws {
      let stream = try SceneStream(["trigger": "stall", "shot-duration": "40000000"])
      gst_harness_set_drop_buffers(stream.harness.gst, 1)
      let asking = Asking(stream)
      let thread = g_thread_new(
        "asking",
        { data in
          if let data { Unmanaged<Asking>.fromOpaque(data).takeUnretainedValue().run() }
          return nil
        }, Unmanaged.passUnretained(asking).toOpaque())
      var number = 0
      while !asking.isDone, number < 100_000 {
        try stream.play(number..<number + 1)
        number += 1
      }
      g_thread_join(thread)
      try stream.play(number..<number + 2)
      #expect(stream.end())
      #expect(asking.taken == 300 && stream.generated.count == 300, "\(stream.generated.count) of \(asking.taken)")
    }

    /// Asks for a shot again and again.
    private final class Asking: @unchecked Sendable {
      unowned let stream: SceneStream
      var taken = 0
      var isDone = false
      init(_ stream: SceneStream) { self.stream = stream }

      func run() {
        for round in 0..<300 {
          if stream.extend(1) { taken += 1 }
          g_usleep(UInt(round % 17) * 40)
        }
        isDone = true
      }
    }
  }
}
