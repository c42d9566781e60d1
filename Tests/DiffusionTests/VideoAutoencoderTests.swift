import Diffusion
import Tensors
import Testing

@Suite struct VideoAutoencoderTests {
  /// A fixture's model, and its values as frames.
  struct Model {
    let fixture: Fixture
    let autoencoder: VideoAutoencoder

    init(_ name: String, _ type: DataType = .float32, threads: Int = 2) throws {
      fixture = Fixture("vae/" + name)
      autoencoder = try VideoAutoencoder(folder: fixture.folder, compute: Compute(type, threads: threads))
    }

    func frames(_ name: String, first count: Int? = nil) throws -> Frames {
      let (values, shape) = try fixture.floats(name)
      let frames = Frames(planes: values, channels: shape[0], count: shape[1], height: shape[2], width: shape[3])
      return count.map { frames.copy(0..<$0) } ?? frames
    }

    /// Means, then logarithms of variances.
    func moments(_ frames: Frames, tiling: Tiling? = nil) throws -> [Float] {
      let distribution = try autoencoder.encode(frames, tiling: tiling)
      return distribution.mean.planes() + distribution.logVariance.planes()
    }

    func decoded(_ latents: Frames, tiling: Tiling? = nil) throws -> [Float] {
      var parts: [Frames] = []
      try autoencoder.decode(latents, tiling: tiling) { parts.append($0) }
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
    #expect(
      difference(try model.moments(model.frames("frames"), tiling: tiling), from: try model.fixture.floats("moments.tiles").values) < 1e-4)
    #expect(
      difference(try model.decoded(model.frames("latents"), tiling: tiling), from: try model.fixture.floats("decoded.tiles").values) < 1e-4)
  }

  @Test(.enabled(if: !ComputeLibrary.hasOnlyFloat32), arguments: [("plain", 13), ("tiled", 5)])
  func `bfloat16 is within 2% of float32`(name: String, count: Int) throws {
    let (exact, rounded) = (try Model(name), try Model(name, .bfloat16))
    let frames = try exact.frames("frames", first: count)
    let latents = try exact.frames("latents", first: 5)
    #expect(relativeRMS(try rounded.moments(frames), from: try exact.moments(frames)) < 0.02)
    #expect(relativeRMS(try rounded.decoded(latents), from: try exact.decoded(latents)) < 0.02)
  }

  @Test func `samples are the mean and the deviation times the noise`() throws {
    let model = try Model("plain")
    let distribution = try model.autoencoder.encode(model.frames("frames"))
    #expect(difference(distribution.sample(try model.frames("noise")).planes(), from: try model.fixture.floats("sample").values) < 1e-4)
    #expect(difference(distribution.mode.planes(), from: distribution.mean.planes()) == 0)
  }

  @Test func `frames come as soon as their latents are decoded`() throws {
    let model = try Model("plain")
    var counts: [Int] = []
    try model.autoencoder.decode(model.frames("latents")) { counts.append($0.count) }
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
    #expect(throws: Stop.self) { try model.autoencoder.decode(model.frames("latents"), check: check) { _ in Issue.record("frames") } }
    calls = 0
    #expect(throws: Stop.self) { _ = try model.autoencoder.encode(model.frames("frames"), check: check) }
    #expect(calls == 5)
  }

  @Test func `the same numbers come of one thread as of three`() throws {
    let (one, three) = (try Model("plain", threads: 1), try Model("plain", threads: 3))
    let frames = try one.frames("frames")
    #expect(difference(try one.moments(frames), from: try three.moments(frames)) == 0)
    let latents = try one.frames("latents")
    #expect(difference(try one.decoded(latents), from: try three.decoded(latents)) == 0)
  }

  @Test func `frames of another size or kind are refused`() throws {
    let model = try Model("plain")
    func refusal(_ work: () throws -> Void) -> String? {
      do { try work() } catch { return (error as? DiffusionError)?.description }
      return nil
    }
    for (size, complaint) in [
      ((1, 17, 16, 3), "16×17, not multiples of 8"), ((1, 16, 4, 3), "4×16, not multiples of 8"), ((1, 0, 0, 3), "not at least one"),
      ((0, 16, 16, 3), "not at least one"), ((1, 16, 16, 4), "4 channels of float32, not 3"),
    ] {
      let frames = Frames(count: size.0, height: size.1, width: size.2, channels: size.3)
      #expect(refusal { _ = try model.autoencoder.encode(frames) }?.contains(complaint) == true, "\(size)")
    }
    for size in [(0, 2, 2, 4), (1, 0, 2, 4), (1, 2, 2, 3)] {
      let latents = Frames(count: size.0, height: size.1, width: size.2, channels: size.3)
      #expect(refusal { try model.autoencoder.decode(latents) { _ in } } != nil, "\(size)")
    }
  }

  @Test(arguments: [
    (0, 16, 0.2), (-8, 16, 0.2), (16, 16, 1), (16, 16, -0.5), (16, 16, .nan), (4, 16, 0), (12, 16, 0.2), (1 << 40, 16, 0.2),
  ])
  func `tiles that would not come together again are refused`(height: Int, width: Int, overlap: Double) throws {
    let model = try Model("plain")
    let tiling = Tiling(height: height, width: width, overlap: (overlap, 0.25))
    // One frame is larger than each of these.
    let frames = Frames(count: 1, height: 16, width: 24, channels: 3)
    #expect(throws: DiffusionError.self) { _ = try model.autoencoder.encode(frames, tiling: tiling) }
    #expect(throws: DiffusionError.self) {
      try model.autoencoder.decode(Frames(count: 1, height: 2, width: 3, channels: 4), tiling: tiling) { _ in }
    }
  }

  @Test func `latents are scaled by the configuration's factor`() throws {
    let autoencoder = try Model("tiled").autoencoder
    let latents = Frames(planes: [1, -2, 3, 4, 5, 6, 7, 8], channels: 2, count: 2, height: 1, width: 2)
    let scaled = autoencoder.scaled(latents)
    #expect(
      difference(scaled.values, from: [0.7, -1.4, 3.5, 4.2, 2.1, 2.8, 4.9, 5.6]) < 1e-6 && scaled.channels == 2
        && autoencoder.scaled(latents, isImage: true) == scaled)
    #expect(difference(autoencoder.unscaled(scaled).planes(), from: latents.planes()) < 1e-6)
  }
}
