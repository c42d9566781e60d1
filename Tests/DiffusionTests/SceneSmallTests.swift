import Diffusion
import Glibc
import Pixels
import Tensors
import Testing

/// The embedded model beside what PyTorch makes of its weights: training/scene/fixture.py.
@Suite("The embedded scene model")
struct SceneSmallTests {
  static let folder = root + "/models/scene-small"
  let fixture = Fixture("scene-small")

  /// Bytes of `[shots…, H, W, 3]` as frames, −1…1.
  func frames(_ name: String, _ shot: Int = 0) throws -> Frames {
    let model = try SceneModel(folder: Self.folder)
    let view = try #require(try SafetensorsFile(path: fixture.folder + "/values.safetensors")[name])
    let result = Frames(count: model.frames, height: model.height, width: model.width, channels: 3)
    let count = model.frames * model.height * model.width * 3
    try #require(view.type == .uint8 && view.count >= (shot + 1) * count)
    let values = result.matrix.base.assumingMemoryBound(to: Float.self)
    let bytes = try view.bytes()
    for index in 0..<count { values[index] = Float(bytes[shot * count + index]) / 127.5 - 1 }
    return result
  }

  func latents(_ name: String, _ shot: Int? = nil) throws -> Latents {
    var (values, shape) = try fixture.floats(name)
    if let shot {
      shape.removeFirst()
      let count = shape.reduce(1, *)
      values = Array(values[shot * count..<(shot + 1) * count])
    }
    return Latents(values, frames: shape[0], channels: shape[1], height: shape[2], width: shape[3])
  }

  /// With as many channels of zeros: conditions have no reference beside them.
  func widened(_ latents: Latents) -> Latents {
    let zeros = [Float](repeating: 0, count: latents.frameSize)
    return Latents(
      (0..<latents.frames).flatMap { latents[$0..<$0 + 1].values + zeros }, frames: latents.frames, channels: 2 * latents.channels,
      height: latents.height, width: latents.width)
  }

  /// The shot that PyTorch generated, with this engine.
  func generate(_ type: DataType) throws -> (latents: Latents, frames: Frames) {
    let compute = try Compute(type, threads: 2)
    let model = try SceneModel(folder: Self.folder)
    let transformer = try CogVideoXTransformer(folder: Self.folder + "/transformer", compute: compute)
    let autoencoder = try LappedAutoencoder(folder: Self.folder + "/vae", compute: compute)
    let sampler = try LatentSampler(transformer: transformer, schedulerFolder: Self.folder + "/scheduler")
    func text(_ index: Int) throws -> Matrix {
      let (values, shape) = try fixture.floats("text\(index)")
      return Matrix(values, rows: shape[0], columns: shape[1])
    }
    let context = try CausalContext(transformer, window: 2, negative: nil)
    // ᾱ of timestep 0, with which conditions are noised.
    let alpha: Float = 0.99915
    for shot in 0..<2 {
      var condition = try autoencoder.encode(frames("context", shot))
      #expect(try difference(condition.values, from: latents("latents", shot).values) < 1e-4)
      for (index, noise) in try latents("noise", shot).values.enumerated() {
        condition.values[index] = alpha.squareRoot() * condition.values[index] + (1 - alpha).squareRoot() * noise
      }
      try context.append(widened(condition), text: text(shot))
    }
    var request = SamplingRequest(
      shots: [model.frames], height: model.height / 8, width: model.width / 8, texts: [try text(2)])
    (request.steps, request.guidance, request.noise) = (model.steps, Guidance(scale: 1), try latents("noise", 2))
    let reference = try #require(model.reference)
    let before = try frames("context", 0)
    let ahead = GlobalMotion(of: before).continuing(before, count: model.frames, damping: reference.damping)
    let beside = try autoencoder.encode(ahead)
    request.beside = beside
    var result = try sampler.sample(request, context: context)
    for index in result.values.indices { result.values[index] = beside.values[index] + result.values[index] / reference.scale }
    var (made, kept): ([Float], [Float]) = ([], [])
    try autoencoder.decode(result) { made += $0.matrix.floats() }
    try autoencoder.decode(beside) { kept += $0.matrix.floats() }
    let all = Frames(count: model.frames, height: model.height, width: model.width, channels: 3)
    let values = all.matrix.base.assumingMemoryBound(to: Float.self)
    for (index, value) in ahead.matrix.floats().enumerated() { values[index] = made[index] + (value - kept[index]) }
    all.steady(over: ahead, from: 0, unrest: reference.unrest)
    return (result, all)
  }

  /// Peak signal-to-noise ratio of bytes, in dB.
  func psnr(_ frames: Frames) throws -> Double {
    let expected = try self.frames("frames").matrix.floats()
    let error = zip(frames.matrix.floats(), expected).reduce(0.0) { sum, pair in
      let byte = { (x: Float) in Double((min(max(x, -1), 1) + 1) * 127.5).rounded() }
      return sum + (byte(pair.0) - byte(pair.1)) * (byte(pair.0) - byte(pair.1))
    }
    return 10 * log10(255 * 255 * Double(expected.count) / max(error, 1e-9))
  }

  @Test("In float32 its frames are PyTorch's")
  func exact() throws {
    let (latents, frames) = try generate(.float32)
    #expect(difference(latents.values, from: try self.latents("shot").values) < 1e-3)
    // The issue asks for 40 dB. What differs is the rounding of a few bytes.
    #expect(try psnr(frames) > 55)
  }

  @Test("In narrower types its frames are close", .enabled(if: !ComputeLibrary.hasOnlyFloat32), arguments: [DataType.bfloat16, .int8])
  func narrow(type: DataType) throws {
    #expect(try psnr(generate(type).frames) > 30)
  }

  @Test(
    "Its beginning says which shot goes on, and no words of a prompt do: a still one stays as it was, whichever that is",
    .enabled(if: access(root + "/models/all-MiniLM-L6-v2/config.json", R_OK) == 0))
  func goesOn() throws {
    let scene = try SceneExtension(folder: Self.folder, compute: Compute(threads: 2), seed: 1)
    // Pictures that do not move, unlike each other.
    let shots = try (0..<2).map { shot in
      let first = try frames("context", shot)
      let still = Frames(count: first.count, height: first.height, width: first.width, channels: 3)
      let size = first.height * first.width
      for frame in 0..<first.count {
        still.matrix.row(frame * size).copyMemory(from: first.matrix.base, byteCount: size * first.matrix.rowSize)
      }
      return still
    }
    /// Mean difference of a shot that begins so from each of the two.
    func differences(_ beginning: ShotBeginning?, _ prompt: String = "") throws -> [Float] {
      scene.removeAll()
      for shot in shots { try scene.append(shot, prompt: "") }
      var values: [Float] = []
      try scene.generate(prompt: prompt, beginning: beginning) { piece in
        #expect((piece.continuation == nil) == (beginning?.rawValue ?? "next" == "next") && piece.first * 112 * 64 * 3 == values.count)
        values += piece.frames.matrix.floats()
      }
      return shots.map { shot in zip(values, shot.matrix.floats()).reduce(0) { $0 + abs($1.0 - $1.1) } / Float(values.count) }
    }
    let (same, back) = (try differences(.same), try differences(.back))
    #expect(same[1] < same[0] / 2 && back[0] < back[1] / 2, "\(same) \(back)")
    _ = try differences(nil, scene.model.prefix(.same))
    _ = try differences(.next, scene.model.prefix(.back))
  }

  @Test(
    "What it generates is the reference and its share of the difference, steadied; what is shown is the next shot's context",
    .enabled(if: access(root + "/models/all-MiniLM-L6-v2/config.json", R_OK) == 0))
  func composed() throws {
    let compute = try Compute(.float32, threads: 2)
    // All of the difference and nearly all of its unrest: else hardly anything but the reference is left here.
    let folder = TemporaryFolder()
    for name in ["model_index.json", "transformer", "vae", "scheduler"] { symlink(Self.folder + "/" + name, folder.path + "/" + name) }
    folder.write(
      Array(
        """
        {"width": 112, "height": 64, "frames": 8, "frame_rate": [8, 1], "shots": 3, "mask": "causal", "steps": 2, "guidance": 1,
         "prefix_same": "Same shot: ", "prefix_back": "Back to the earlier shot: ", "reference_damping": 0.97, "reference_scale": 1,
         "reference_unrest": [1, 4]}
        """.utf8), name: "scene.json")
    let encoder = root + "/models/all-MiniLM-L6-v2"
    let scene = try SceneExtension(folder: folder.path, textEncoder: encoder, compute: compute, seed: 5)
    let (model, prompt) = (scene.model, "A squirrel.")
    let (settings, told) = (try #require(model.reference), "Same shot: " + prompt)
    for shot in 0..<2 { try scene.append(frames("context", shot), prompt: "") }

    let pipeline = try SceneExtension(folder: Self.folder, compute: compute).pipeline
    let context = try CausalContext(pipeline.transformer, window: 2, negative: nil)
    func append(_ latents: Latents, _ text: String, _ segment: UInt32) throws {
      try context.append(pipeline.sampler.condition(latents, seed: 5, segment: segment), text: pipeline.prompts.embed(text))
    }
    for shot in 0..<2 { try append(pipeline.encode(frames("context", shot)), "", UInt32(shot)) }
    var last = try frames("context", 1)
    for segment in [UInt32(2), 3] {
      var found: [Float] = []
      try scene.generate(prompt: prompt, beginning: .same) { found += $0.frames.matrix.floats() }

      let ahead = GlobalMotion(of: last).continuing(last, count: model.frames, damping: settings.damping)
      let beside = try pipeline.encode(ahead)
      var request = SamplingRequest(
        shots: [model.frames], height: model.height / 8, width: model.width / 8, texts: [try pipeline.prompts.embed(told)])
      (request.steps, request.guidance, request.seed, request.segment, request.beside) = (
        model.steps, Guidance(scale: 1), 5, segment, beside
      )
      var latents = try pipeline.sampler.sample(request, context: context)
      for index in latents.values.indices { latents.values[index] = beside.values[index] + latents.values[index] / settings.scale }
      var (made, kept): ([Float], [Float]) = ([], [])
      try pipeline.decode(latents) { made += $0.matrix.floats() }
      try pipeline.decode(beside) { kept += $0.matrix.floats() }
      let expected = Frames(count: model.frames, height: model.height, width: model.width, channels: 3)
      let values = expected.matrix.base.assumingMemoryBound(to: Float.self)
      // Summed in the same order: the next reference is in whole levels, and the last bit may decide between two of them.
      for (index, value) in ahead.matrix.floats().enumerated() { values[index] = made[index] + (value - kept[index]) }
      expected.steady(over: ahead, from: 0, unrest: settings.unrest)
      #expect(difference(found, from: expected.matrix.floats()) < 1e-4)

      last = expected
      let shown = Frames(count: model.frames, height: model.height, width: model.width, channels: 3)
      let pixels = shown.matrix.base.assumingMemoryBound(to: Float.self)
      for (index, value) in expected.matrix.floats().enumerated() { pixels[index] = min(max(value, -1), 1) }
      try append(pipeline.encode(shown), told, segment)
    }
  }

  @Test("Its folder is within 24 MB, and its files are those of its checksums")
  func size() throws {
    var bytes = 0
    for name in ["transformer/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors"] {
      var status = stat()
      #expect(stat(Self.folder + "/" + name, &status) == 0)
      bytes += Int(status.st_size)
    }
    #expect(bytes > 1_000_000 && bytes < 24_000_000)
  }

  @Test("It goes on from prompts alone, too", .enabled(if: access(root + "/models/all-MiniLM-L6-v2/config.json", R_OK) == 0))
  func alone() throws {
    let scene = try SceneExtension(folder: Self.folder, compute: Compute(threads: 2), seed: 3)
    for prompt in ["A rabbit in a meadow", "A butterfly in the sky"] {
      var values: [Float] = []
      try scene.generate(prompt: prompt, beginning: .next) { values += $0.frames.matrix.floats() }
      #expect(values.count == scene.model.frames * scene.model.height * scene.model.width * 3)
      #expect(values.allSatisfy { abs($0) < 4 })
    }
    #expect(scene.shots == 2)
  }
}
