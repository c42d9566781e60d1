import Diffusion
import Tensors
import Testing

@Suite struct VideoAutoencoderTests {
  /// A fixture's model, and its values as frames.
  struct Model {
    let fixture: Fixture
    let compute: Compute
    let autoencoder: VideoAutoencoder

    init(_ name: String, _ type: DataType = .float32, threads: Int = 2) throws {
      fixture = Fixture("vae/" + name)
      compute = try Compute(type, threads: threads)
      let weights = try WeightFiles(folder: fixture.folder)
      let configuration = try AutoencoderConfiguration(path: fixture.folder + "/config.json")
      #expect(try weights.check(VideoAutoencoder.expectedTensors(configuration)) == [])
      autoencoder = try VideoAutoencoder(configuration, type: type) { try weights.floats($0, shape: $1) }
    }

    func frames(_ name: String, first count: Int? = nil) throws -> Frames {
      let (values, shape) = try fixture.floats(name)
      let frames = Frames(planes: values, channels: shape[0], count: shape[1], height: shape[2], width: shape[3])
      return count.map { frames.copy(0..<$0) } ?? frames
    }

    func moments(_ frames: Frames, tiling: Tiling? = nil) throws -> [Float] {
      let distribution = try autoencoder.encode(frames, tiling: tiling, on: compute)
      return distribution.mean.planes() + distribution.logVariance.planes()
    }

    func decoded(_ latents: Frames, tiling: Tiling? = nil) throws -> [Float] {
      var parts: [Frames] = []
      try autoencoder.decode(latents, tiling: tiling, on: compute) { parts.append($0) }
      return Frames.concatenated(parts).planes()
    }
  }

  @Test(arguments: [1, 2, 5, 9, 13, 17])
  func `encodes as diffusers does, whatever the number of frames`(count: Int) throws {
    let model = try Model("plain")
    let moments = try model.moments(model.frames("frames", first: count))
    #expect(difference(moments, from: try model.fixture.floats("moments.\(count)").values) < 1e-4)
  }

  @Test(arguments: [1, 2, 3, 5])
  func `decodes as diffusers does, whatever the number of latents`(count: Int) throws {
    let model = try Model("plain")
    let decoded = try model.decoded(model.frames("latents", first: count))
    #expect(difference(decoded, from: try model.fixture.floats("decoded.\(count)").values) < 1e-4)
  }

  @Test func `convolutions around the latents and another activation are as in diffusers`() throws {
    let model = try Model("tiled")
    #expect(difference(try model.moments(model.frames("frames")), from: try model.fixture.floats("moments").values) < 1e-4)
    #expect(difference(try model.decoded(model.frames("latents", first: 3)), from: try model.fixture.floats("decoded").values) < 1e-4)
  }

  @Test func `tiles are cut, encoded, decoded and blended as diffusers does`() throws {
    let model = try Model("tiled")
    let tiling = Tiling(height: 16, width: 12, overlap: (0.25, 1 / 3))
    #expect(difference(try model.moments(model.frames("frames"), tiling: tiling), from: try model.fixture.floats("moments.tiles").values) < 1e-4)
    #expect(difference(try model.decoded(model.frames("latents"), tiling: tiling), from: try model.fixture.floats("decoded.tiles").values) < 1e-4)
  }

  @Test(arguments: [("plain", 13), ("tiled", 5)])
  func `bfloat16 is within 2% of float32`(name: String, count: Int) throws {
    let (exact, rounded) = (try Model(name), try Model(name, .bfloat16))
    let frames = try exact.frames("frames", first: count)
    let latents = try exact.frames("latents", first: 5)
    let (encoding, decoding) = (relativeRMS(try rounded.moments(frames), from: try exact.moments(frames)), relativeRMS(try rounded.decoded(latents), from: try exact.decoded(latents)))
    print(name, "bfloat16", encoding, decoding)
    #expect(encoding < 0.02 && decoding < 0.02)
  }

  @Test func `samples are the mean and the deviation times the noise`() throws {
    let model = try Model("plain")
    let distribution = try model.autoencoder.encode(model.frames("frames"), on: model.compute)
    #expect(difference(distribution.sample(try model.frames("noise")).planes(), from: try model.fixture.floats("sample").values) < 1e-4)
    #expect(distribution.mode.planes() == distribution.mean.planes())
  }

  @Test func `frames come as soon as their latents are decoded`() throws {
    let model = try Model("plain")
    var counts: [Int] = []
    try model.autoencoder.decode(model.frames("latents"), on: model.compute) { counts.append($0.count) }
    #expect(counts == [9, 8])
    #expect(model.autoencoder.configuration.frames(latents: 13) == 49 && model.autoencoder.configuration.latents(frames: 49) == 13)
    #expect(model.autoencoder.configuration.frames(latents: 2) == 8 && model.autoencoder.configuration.latents(frames: 1) == 1)
  }

  @Test func `a check that throws ends the work`() throws {
    struct Stop: Error {}
    let model = try Model("plain")
    var calls = 0
    let check = {
      calls += 1
      if calls == 5 { throw Stop() }
    }
    #expect(throws: Stop.self) { try model.autoencoder.decode(model.frames("latents"), on: model.compute, check: check) { _ in Issue.record("frames") } }
    calls = 0
    #expect(throws: Stop.self) { _ = try model.autoencoder.encode(model.frames("frames"), on: model.compute, check: check) }
    #expect(calls == 5)
  }

  @Test func `the same numbers come of one thread as of three`() throws {
    let (one, three) = (try Model("plain", threads: 1), try Model("plain", threads: 3))
    let frames = try one.frames("frames")
    #expect(try one.moments(frames) == three.moments(frames))
  }

  @Test func `frames of another size or kind are refused`() throws {
    let model = try Model("plain")
    func refusal(_ frames: Frames) -> AutoencoderError? {
      do { _ = try model.autoencoder.encode(frames, on: model.compute) } catch { return error as? AutoencoderError }
      return nil
    }
    #expect(refusal(Frames(count: 1, height: 17, width: 16, channels: 3)) == .size(width: 16, height: 17, multipleOf: 8))
    #expect(refusal(Frames(count: 1, height: 16, width: 4, channels: 3)) == .size(width: 4, height: 16, multipleOf: 8))
    #expect(refusal(Frames(count: 1, height: 0, width: 0, channels: 3)) == .size(width: 0, height: 0, multipleOf: 8))
    #expect(refusal(Frames(count: 0, height: 16, width: 16, channels: 3)) == .noFrames)
    #expect(refusal(Frames(count: 1, height: 16, width: 16, channels: 4)) == .channels(4, expected: 3))
    #expect(throws: AutoencoderError.noFrames) {
      try model.autoencoder.decode(Frames(count: 0, height: 2, width: 2, channels: 4), on: model.compute) { _ in }
    }
    #expect(throws: AutoencoderError.channels(3, expected: 4)) {
      try model.autoencoder.decode(Frames(count: 1, height: 2, width: 2, channels: 3), on: model.compute) { _ in }
    }
    #expect(throws: AutoencoderError.self) {
      _ = try model.autoencoder.encode(model.frames("frames"), tiling: Tiling(height: 12, width: 12), on: model.compute)
    }
  }

  @Test func `latents are scaled by the configuration's factor`() throws {
    let autoencoder = try Model("tiled").autoencoder
    let latents = Frames(planes: [1, -2], channels: 1, count: 1, height: 1, width: 2)
    #expect(autoencoder.scaled(latents).planes() == [0.7, -1.4] && autoencoder.scaled(latents, isImage: true).planes() == [0.7, -1.4])
    #expect(difference(autoencoder.unscaled(autoencoder.scaled(latents)).planes(), from: [1, -2]) < 1e-6)
  }
}
