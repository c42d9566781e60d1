import CGStreamer
import CGStreamerCheck
import Glibc
import Testing

extension Shots {
  /// Shots of a diffusion model: tiny, and with random weights.
  @Suite("Scene extension: model", .timeLimit(.minutes(4))) struct SceneExtendModelTests {
    private let model: SceneModelFolder

    init() throws { model = try SceneModelFolder() }

    private func frames(
      seed: String = "1", prompts: String = "<\"A hare wakes up\">", shot: Int = 0, mask: String = "auto", guidance: String = "-1",
      fit: String = "stretch"
    ) throws -> [UInt64] {
      let stream = try SceneStream([
        "generator": "diffusion", "model": model.path, "precision": "float32", "shots": "2", "seed": seed, "prompts": prompts, "mask": mask,
        "guidance": guidance, "fit": fit,
      ])
      stream.harness.setVideo(stream.video)
      for number in 0..<30 { stream.harness.push(try stream.picture(number, shot: shot), at: frameTime(number)) }
      #expect(stream.end())
      #expect(stream.bus.errors == [])
      #expect(stream.generated.map(\.frame) == [30, 43] && stream.out.frameCount == 55, "two shots of 12.5 frames")
      #expect(stream.generated.allSatisfy { $0.mark.text("generator") == "diffusion" })
      return Array(stream.pullChecksums().dropFirst(30))
    }

    @Test func `shots are of its size and rate, and depend on seed, prompt, context, mask and guidance only`() throws {
      let first = try frames()
      #expect(Set(first).count == 8, "four pictures a shot, at 8 a second")
      #expect(try frames() == first)
      #expect(try frames(seed: "2") != first)
      #expect(try frames(prompts: "<\"A cock crows\">") != first)
      #expect(try frames(shot: 1) != first)
      #expect(try frames(mask: "mask2dit-v2") != first)
      #expect(try frames(guidance: "4") != first)
      #expect(try frames(fit: "contain") != first)
    }

    /// How much columns two apart differ in each generated frame behind a still picture of fine stripes, over what they do in it.
    private func stripes(_ video: Video, fit: String = "stretch", shots: Int = 1) throws -> [Double] {
      let stream = try SceneStream(
        ["generator": "diffusion", "model": Plugin.root + "/models/scene-small", "shots": "\(shots)", "fit": fit], video: video)
      let grey = try Video("GRAY8", video.width, video.height)
      let picture = try video.picture { x, y in
        let level = UInt8(70 + 60 * y / video.height + 40 * x / video.width + (x % 4 < 2 ? 0 : 30))
        return (level, level, level)
      }
      defer { gst_buffer_unref(picture) }
      stream.harness.setVideo(video)
      for number in 0..<30 { stream.harness.push(gst_buffer_copy_deep(picture), at: frameTime(number)) }
      #expect(stream.end() && stream.bus.errors == [])
      var contrasts: [Double] = []
      while let buffer = gst_harness_try_pull(stream.harness.gst) {
        let seen = try grey.convert(buffer, from: video)
        contrasts.append(
          try withBytes(of: seen) { bytes in
            let row = Int(grey.info.stride.0) * (video.height / 2)
            return (40..<video.width - 40).reduce(0) { $0 + Double(abs(Int(bytes[row + $1]) - Int(bytes[row + $1 + 2]))) }
          })
        gst_buffer_unref(seen)
        gst_buffer_unref(buffer)
      }
      #expect(contrasts.count == 30 + 25 * shots)
      return contrasts.dropFirst(30).map { $0 / contrasts[29] }
    }

    private static let canRead = access(Plugin.root + "/models/all-MiniLM-L6-v2/config.json", R_OK) == 0

    @Test(
      .enabled(if: canRead),
      arguments: [("I420", 640, 360), ("BGRx", 640, 360), ("P010_10LE", 320, 240), ("NV12", 321, 181), ("I420", 240, 2160)]
        as [(String, Int, Int)])
    func `what goes on keeps the detail of the frame that it goes on from, also from shot to shot`(
      _ format: String, _ width: Int, _ height: Int
    ) throws {
      let video = try Video(format, width, height)
      #expect(try stripes(video, shots: 3).allSatisfy { $0 > 0.7 })
    }

    @Test(.enabled(if: canRead)) func `a model's picture that is not all of the frame has no more detail than it`() throws {
      #expect(try stripes(try Video("I420", 640, 360), fit: "contain").allSatisfy { $0 < 0.3 })
    }

    @Test(.enabled(if: canRead)) func `a moving camera moves in every frame of a shot, also where the model's clips join`() throws {
      let video = try Video("I420", 320, 180)
      let stream = try SceneStream(
        ["generator": "diffusion", "model": Plugin.root + "/models/scene-small", "shots": "1", "shot-duration": "2000000000"], video: video)
      stream.harness.setVideo(video)
      let color = Pictures.blocks(video, 40...200, seed: 3)
      for number in 0..<50 {
        stream.harness.push(try video.picture { x, y in color((x + 2 * number) % video.width, y) }, at: frameTime(number))
      }
      #expect(stream.end() && stream.out.frameCount == 100)
      // The last of the sixteen pictures stands: three frames.
      let sums = stream.pullChecksums()[50..<97]
      #expect(zip(sums, sums.dropFirst()).allSatisfy { $0 != $1 })
    }

    @Test(.enabled(if: canRead)) func `a shot that was made before the colours of the caps changed is shown in the new ones`() throws {
      let (before, after) = (try Video("I420", 320, 240, colorimetry: "bt709"), try Video("I420", 320, 240, colorimetry: "1:4:0:0"))
      let stream = try SceneStream(
        ["generator": "diffusion", "model": Plugin.root + "/models/scene-small", "shots": "1", "standby": "true"], video: before)
      func push(_ number: Int, _ video: Video) throws {
        let buffer = try video.flat(240, 40, 30)
        if number == 10 { Mark(kind: "cut", frame: number, start: number - 1, end: number, shot: 1).add(to: buffer) }
        #expect(stream.harness.push(buffer, at: frameTime(number)) == GST_FLOW_OK)
      }
      stream.harness.setVideo(before)
      for number in 0..<20 { try push(number, before) }
      #expect(eventually { stream.bus.extensions.contains { $0.text("state") == "generated" } })
      stream.harness.setVideo(after)
      try push(20, after)
      #expect(stream.end() && stream.out.frameCount == 46)
      let colors = try Video("RGBx", 320, 240)
      var last: [UInt8] = []
      while let buffer = gst_harness_try_pull(stream.harness.gst) {
        let seen = try colors.convert(buffer, from: after)
        last = try withBytes(of: seen) { bytes in (0..<3).map { bytes[Int(colors.info.stride.0) * 120 + 4 * 160 + $0] } }
        gst_buffer_unref(seen)
        gst_buffer_unref(buffer)
      }
      #expect(zip(last, [240, 40, 30]).allSatisfy { abs(Int($0) - $1) < 12 }, "\(last)")
    }

    @Test func `an end before the first frame is followed by shots of the prompt alone`() throws {
      let stream = try SceneStream(["generator": "diffusion", "model": model.path, "shots": "1"])
      stream.harness.setVideo(stream.video)
      #expect(stream.end())
      #expect(stream.out.frameCount == 13 && stream.bus.errors == [])
    }

    @Test func `a shot that is longer than the model's is made of several of its clips`() throws {
      let stream = try SceneStream(["generator": "diffusion", "model": model.path, "shots": "1", "shot-duration": "1200000000"])
      try stream.play(0..<5)
      #expect(stream.end())
      #expect(stream.out.frameCount == 35 && stream.generated.count == 1)
      #expect(Set(stream.pullChecksums().dropFirst(5)).count == 10)
    }

    @Test func `shots that nothing but the seed tells apart differ`() throws {
      let model = try SceneModelFolder(["shots": "1"])
      let stream = try SceneStream([
        "generator": "diffusion", "model": model.path, "precision": "float32", "shots": "2", "prompts": "<\"A hare\">",
      ])
      try stream.play(0..<5)
      #expect(stream.end() && stream.generated.map(\.frame) == [5, 18])
      let sums = stream.pullChecksums()
      #expect(Set(sums[5..<18]).isDisjoint(with: sums[18...]))
    }

    @Test func `a flush wakes who waits for a shot that is not begun`() throws {
      let (model, gate) = (try SceneModelFolder(), ShotGate())
      let stream = try SceneStream(["generator": "diffusion", "model": model.path, "shots": "1"])
      gate.stand(in: stream.bus)
      try stream.play(0..<5)
      stream.harness.end()
      g_usleep(50_000)
      stream.harness.flush()
      #expect(stream.out.frameCount == 5)
    }

    @Test func `messages tell of its work, always with the same fields`() throws {
      let stream = try SceneStream(["generator": "diffusion", "model": model.path, "shots": "2", "prompts": "<\"A hare\">", "seed": "5"])
      try stream.play(0..<5)
      #expect(stream.end())
      let told = stream.bus.extensions
      let fields = ["state", "shot", "prompt", "generator", "step", "steps", "frames", "real-time-factor", "underruns", "seed", "queued"]
      #expect(told.allSatisfy { Array($0.order.prefix(11)) == fields && $0.number("seed") == 5 })
      #expect(Set(told.compactMap { $0.text("state") }).isSuperset(of: ["generating", "generated", "playing"]))
      #expect(told.filter { $0.text("state") == "generated" }.compactMap { $0.number("shot") } == [1, 2])
      #expect(told.filter { $0.text("state") == "playing" }.map { $0.text("prompt") } == ["A hare", "A hare"])
      #expect(
        told.filter { $0.text("state") == "generated" }.allSatisfy { ($0.double("real-time-factor") ?? 0) > 0 && $0.number("frames") == 4 })
      #expect(stream.harness.double("real-time-factor") > 0)
    }

    // MARK: What is wrong with it

    private func error(_ properties: String) throws -> String {
      let pipeline = try Pipeline("videotestsrc ! video/x-raw,width=64,height=48 ! sceneextend \(properties) ! fakesink")
      #expect(!pipeline.setState(GST_STATE_PAUSED))
      #expect(pipeline.bus.errors.count == 1)
      return pipeline.bus.errors.first ?? ""
    }

    @Test func `a missing or damaged model is an error before the first frame, with the file`() throws {
      #expect(try error("generator=diffusion model=/nonexistent").contains("/nonexistent"))
      for file in SceneModelFolder.files {
        let model = try SceneModelFolder()
        unlink(model.file(file))
        // Without scene.json it is a model like any other.
        if file != "scene.json" {
          let text = try error("generator=diffusion model=\(model.path)")
          #expect(text.contains(model.file(file.split(separator: "/").dropLast().joined(separator: "/"))), "\(file): \(text)")
        }
        try write("{\"width\"".utf8, to: model.file(file))
        let text = try error("generator=diffusion model=\(model.path)")
        #expect(text.contains(model.file(file)), "\(file): \(text)")
      }
      #expect(
        try error("generator=diffusion model=\(model.path) lora-location=/nonexistent.safetensors").contains("/nonexistent.safetensors"))
      #expect(try error("generator=diffusion model=\(model.path) mask=cinetrans mask-layers=x").contains("mask-layers"))
    }

    @Test func `what only a shot would find out is an error before the first frame too`() throws {
      let training = try SceneModelFolder()
      unlink(training.file("scheduler/scheduler_config.json"))
      try write(
        #"{"_class_name": "CogVideoXDDIMScheduler", "num_train_timesteps": 2}"#.utf8, to: training.file("scheduler/scheduler_config.json"))
      #expect(try error("generator=diffusion model=\(training.path)").contains("scheduler_config.json"), "three steps of two")
      for (field, value) in [("width", "49"), ("height", "24")] {
        let model = try SceneModelFolder([field: value])
        let text = try error("generator=diffusion model=\(model.path)")
        #expect(text.contains("scene.json"), "\(field) \(value): \(text)")
      }
      #expect(try error("generator=diffusion model=\(model.path) steps=1000 mask=cinetrans mask-layers=6-27").contains("layers"))
    }

    @Test func `a model whose files go away while it plays makes its shots`() throws {
      let model = try SceneModelFolder()
      let stream = try SceneStream(["generator": "diffusion", "model": model.path, "shots": "2"])
      for file in SceneModelFolder.files { unlink(model.file(file)) }
      try stream.play(0..<5)
      #expect(stream.end() && stream.generated.count == 2 && stream.bus.errors == [])
      #expect(stream.bus.warnings.filter { !$0.contains("shotdetect") } == [])
    }

    // MARK: auto

    private func reasons(_ fields: [String: String]) throws -> [Fields] {
      let model = try SceneModelFolder(fields)
      let pipeline = try Pipeline(
        "videotestsrc num-buffers=20 ! video/x-raw,width=96,height=64,framerate=25/1 ! sceneextend generator=auto model=\(model.path) shots=1 ! fakesink sync=false"
      )
      try pipeline.run()
      #expect(pipeline.bus.errors == [])
      return pipeline.bus.extensions.filter { $0.text("state") == "ready" } + pipeline.bus.boundaries
    }

    @Test func `auto takes a model that is fit to be a default, if it is fast enough, and says so`() throws {
      let unfit = try reasons(["default": "false"])
      #expect(unfit.first?.text("generator") == "rephotograph" && unfit.first?.text("reason")?.contains("not marked") == true)
      #expect(unfit.last?.text("generator") == "rephotograph")
      let fit = try reasons([:])
      #expect(fit.first?.text("generator") == "diffusion" && fit.first?.text("reason")?.contains("default") == true)
      #expect(try reasons(["new_scenes": "false"]).first?.text("reason")?.contains("draws no new scenes") == true)
      #expect(fit.count == 3 && fit[1].text("reason")?.contains("times its duration here") == true)
      #expect(fit[1].text("generator") == fit[2].text("generator"))
    }

    // MARK: Ahead

    @Test func `with standby a shot is ready before the end`() throws {
      let stream = try SceneStream(["generator": "diffusion", "model": model.path, "shots": "1", "standby": "true"])
      try stream.play(0..<20, cuts: [10])
      #expect(eventually { stream.bus.extensions.contains { $0.text("state") == "generated" } })
      #expect(stream.end())
      let first = try #require(stream.bus.extensions.first { $0.text("state") == "playing" })
      #expect((first.number("queued") ?? 0) > 0)
      #expect(stream.generated.count == 1 && stream.out.frameCount == 33)
    }

    @Test(arguments: [false, true]) func `what follows the end does not depend on how fast the model is`(_ standby: Bool) throws {
      /// Checksums of a shot behind 25 frames, of which the last ten are another shot.
      func shot(waits: Bool) throws -> [UInt64] {
        let stream = try SceneStream([
          "generator": "diffusion", "model": model.path, "precision": "float32", "shots": "1", "lead-time": "600000000",
          "standby": "\(standby)",
        ])
        stream.setUpstreamDuration(second)
        try stream.play(0..<15)
        let isReady = { stream.bus.extensions.contains { $0.text("state") == "generated" } }
        // Where the model has had all the time in the world, and where it had next to none.
        if waits, standby { #expect(eventually { isReady() }) }
        try stream.play(15..<25, cuts: [15])
        #expect(stream.end() && stream.generated.count == 1)
        return Array(stream.pullChecksums().dropFirst(25))
      }
      let expected = try shot(waits: false)
      #expect(expected.count > 5)
      #expect(try shot(waits: true) == expected)
    }
  }
}
