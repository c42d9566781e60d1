import CGStreamer
import CGStreamerCheck
import Glibc
import Testing

extension Shots {
  /// The sound of generated shots.
  @Suite("Scene extension: sound", .timeLimit(.minutes(3))) struct SceneExtendSoundTests {
    /// Samples of one frame.
    private let frame = 1920

    /// A tone, or a higher one from a sample on.
    private func tone(_ samples: Range<Int>, higherFrom change: Int = .max) -> [Int16] {
      samples.map { Int16(10_000 * sin(Double($0) * ($0 < change ? 0.04 : 0.13))) }
    }

    private func push(_ sound: SoundHarness, _ samples: Range<Int>, higherFrom change: Int = .max) {
      for start in stride(from: samples.lowerBound, to: samples.upperBound, by: 1024) {
        #expect(sound.push(tone(start..<min(start + 1024, samples.upperBound), higherFrom: change), at: start) == GST_FLOW_OK)
      }
    }

    /// 25 frames of video and so many of sound, and a second behind them.
    private func play(_ audio: String, frames: Int, soundFirst: Bool) throws -> (
      stream: SceneStream, samples: [Int16], jump: Int64, out: Recorder
    ) {
      let stream = try SceneStream(["shots": "2", "shot-duration": "520000000", "audio": audio])
      let sound = try SoundHarness(beside: stream.harness)
      let out = Recorder(sound.gst.pointee.sinkpad)
      if soundFirst {
        push(sound, 0..<frames * frame)
        sound.end()
      }
      try stream.play(0..<25)
      stream.harness.end()
      if !soundFirst {
        push(sound, 0..<frames * frame)
        sound.end()
      }
      #expect(stream.waitForEnd())
      #expect(eventually { out.events.last?.name == "eos" }, "the sound's end follows")
      let pulled = sound.pull { _ in true }
      #expect(stream.out.frameCount == 51 && stream.bus.errors == [])
      return (stream, pulled.samples, pulled.jump, out)
    }

    private static let orders = [(25, true), (25, false), (20, true), (20, false), (31, true), (31, false), (0, false)]

    @Test(arguments: orders) func `silence ends with the picture, whichever comes first or is longer`(_ frames: Int, _ soundFirst: Bool)
      throws
    {
      let (_, samples, jump, out) = try play("silence", frames: frames, soundFirst: soundFirst)
      #expect(abs(samples.count - 51 * frame) <= frame, "\(samples.count / frame) frames")
      #expect(jump <= 1 && out.events.count { $0.name == "eos" } == 1)
      let end = frames * frame
      #expect(Array(samples.prefix(end)) == tone(0..<end), "what passes is as it came")
      // The wave fades out over 20 ms, and then there is nothing.
      #expect(samples.dropFirst(end + 960).allSatisfy { $0 == 0 })
      guard end > 0 else { return }
      #expect(samples[end..<end + 480].contains { abs(Int($0)) > 2000 })
      let steps = zip(samples, samples.dropFirst()).map { abs(Int($0) - Int($1)) }
      #expect((steps.max() ?? 0) <= 450, "no click: the tone's own steps are 400")
    }

    @Test func `sound that is longer than everything is not cut`() throws {
      let (_, samples, _, _) = try play("silence", frames: 60, soundFirst: false)
      #expect(samples == tone(0..<60 * frame))
    }

    @Test func `gap has no samples, but tells of it`() throws {
      let (_, samples, _, out) = try play("gap", frames: 25, soundFirst: true)
      #expect(samples.count == 25 * frame)
      let gaps = out.events.compactMap(\.gap)
      #expect((gaps.first ?? 0) + 1000 >= second && (gaps.first ?? 0) < second + 1000 && zip(gaps, gaps.dropFirst()).allSatisfy { $0 < $1 })
      #expect((gaps.last ?? 0) >= frameTime(50) - 40 * millisecond && (gaps.last ?? 0) <= frameTime(51) + 40 * millisecond)
    }

    @Test func `a loop is of the last shot's sound, without a click`() throws {
      let stream = try SceneStream(["shots": "1", "shot-duration": "4000000000", "audio": "loop"])
      let sound = try SoundHarness(beside: stream.harness)
      let out = Recorder(sound.gst.pointee.sinkpad)
      // The last shot has 1.2 seconds.
      try stream.play(0..<100, cuts: [70])
      push(sound, 0..<100 * frame, higherFrom: 70 * frame)
      stream.harness.end()
      sound.end()
      #expect(stream.waitForEnd() && eventually { out.events.last?.name == "eos" })
      let (samples, jump) = sound.pull { _ in true }
      #expect(abs(samples.count - 200 * frame) <= frame && jump <= 1)
      let generated = Array(samples.dropFirst(100 * frame))
      let turns = zip(generated, generated.dropFirst()).count { ($0 < 0) != ($1 < 0) }
      // 0.13 radians a sample: 1986 half waves a second. Crossfades may lose or add some.
      let expected = Double(generated.count) * 0.13 / 3.14159
      #expect(abs(Double(turns) - expected) < 0.02 * expected, "\(turns) half waves, not \(expected)")
      let steps = zip(samples.dropFirst(71 * frame), samples.dropFirst(71 * frame + 1)).map { abs(Int($0) - Int($1)) }
      #expect((steps.max() ?? 0) <= 1450, "the tone's own steps are 1300: \(steps.max() ?? 0)")
      // It does not fade away.
      #expect(generated.suffix(4800).contains { abs(Int($0)) > 9000 })
    }

    @Test func `inserted shots have sound of their own, and the source's goes on behind it`() throws {
      let stream = try SceneStream(["trigger": "stall", "shot-duration": "400000000"])
      let sound = try SoundHarness(beside: stream.harness)
      let out = Recorder(sound.gst.pointee.sinkpad)
      try stream.play(0..<10)
      #expect(stream.extend(1))
      try stream.play(10..<20)
      #expect(stream.extend(1))
      try stream.play(20..<30)
      stream.harness.end()
      #expect(stream.out.frameCount == 50)
      // The picture is over long before.
      push(sound, 0..<30 * frame)
      sound.end()
      #expect(eventually { out.events.last?.name == "eos" })
      let samples = sound.pull { _ in true }.samples
      #expect(abs(samples.count - 50 * frame) <= 2)
      let source = tone(0..<30 * frame)
      // Buffers are not cut: an insertion may begin up to one of them late.
      for (start, end, shift) in [(0, 10, 0), (21, 30, 10), (41, 50, 20)] {
        let clean = start * frame..<end * frame
        #expect(Array(samples[clean]) == Array(source[(start - shift) * frame..<(end - shift) * frame]), "from \(start)")
      }
      #expect(samples[13 * frame..<19 * frame].allSatisfy { $0 == 0 } && samples[33 * frame..<39 * frame].allSatisfy { $0 == 0 })
      #expect(out.events.compactMap(\.segment).map { UInt64($0.base) } == [400 * millisecond, 800 * millisecond])
    }

    @Test func `on a live source generated sound is in the place of its own`() throws {
      let stream = try SceneStream(["trigger": "stall", "stall-timeout": "3600000000000", "shot-duration": "400000000"], isLive: true)
      let sound = try SoundHarness(beside: stream.harness)
      try stream.play(0..<10)
      push(sound, 0..<10 * frame)
      #expect(stream.extend(1))
      #expect(eventually { stream.out.frameCount >= 20 })
      try stream.play(10..<30)
      push(sound, 10 * frame..<30 * frame)
      let (samples, jump) = sound.pull { $0 >= 30 * frame }
      #expect(samples.count == 30 * frame && jump <= 21_000, "\(samples.count) samples, \(jump) ns")
      #expect(samples[12 * frame..<19 * frame].allSatisfy { $0 == 0 })
      #expect(Array(samples.dropFirst(22 * frame)) == tone(22 * frame..<30 * frame))
    }

    @Test func `sound without a picture, and a picture without sound, pass`() throws {
      let stream = try SceneStream(["shots": "1", "shot-duration": "200000000"])
      try stream.play(0..<5)
      #expect(stream.end() && stream.out.frameCount == 10)
      let pipeline = try Pipeline(
        "sceneextend name=e generator=rephotograph audiotestsrc num-buffers=20 ! audio/x-raw,rate=48000,channels=1 ! e.audio_sink e.audio_src ! fakesink name=s sync=false"
      )
      let out = try pipeline.watch("s", "sink")
      try pipeline.run(within: 20)
      #expect(pipeline.bus.errors == [] && out.frameCount == 20)
    }

    @Test(arguments: [("mp4mux", "silence"), ("mp4mux", "loop"), ("matroskamux", "loop"), ("mpegtsmux", "silence")])
    func `files play whole, without any queue`(_ muxer: String, _ audio: String) throws {
      let folder = try Folder()
      let clip = ClipOnDisk(path: folder.file("out"))
      let pipeline = try Pipeline(
        """
        videotestsrc num-buffers=50 pattern=ball ! video/x-raw,format=I420,width=128,height=96,framerate=25/1 ! sceneextend name=e generator=rephotograph shots=3 shot-duration=1000000000 audio=\(audio)
        e.src ! x264enc speed-preset=ultrafast tune=zerolatency ! h264parse ! \(muxer) name=mux ! filesink location=\(clip.path)
        audiotestsrc num-buffers=94 ! audio/x-raw,format=S16LE,rate=48000,channels=2 ! e.audio_sink e.audio_src ! audioconvert ! avenc_aac ! aacparse ! mux.
        """)
      try pipeline.run(within: 60)
      #expect(pipeline.bus.errors == [])
      #expect(try clip.frames() == 125)
      let seconds = try clip.probe("v", "format=duration").last?.first.flatMap { Double($0) } ?? 0
      #expect(abs(seconds - 5) < 0.1, "\(seconds)")
      let decoded = try clip.pictures(try Video("I420", 128, 96)).count
      let samples = try clip.sound().count
      #expect(decoded == 125 && abs(samples - 240_000) <= 1920 + 2048, "\(decoded) frames, \(samples) samples")
    }
  }
}
