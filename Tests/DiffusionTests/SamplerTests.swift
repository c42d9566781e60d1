import Diffusion
import Tensors
import Testing

@Suite("From noise to latents")
struct SamplerTests {
  func sampler(_ kind: String, _ type: DataType = .float32) throws -> LatentSampler {
    try LatentSampler(transformer: loadTransformer(kind, type), schedulerFolder: transformerFixture.folder + "/" + kind + "/scheduler")
  }

  func negative() throws -> Matrix {
    let (values, shape) = try transformerFixture.floats("negative")
    return Matrix(values, rows: shape[0], columns: shape[1])
  }

  func request(_ texts: [Matrix], shots: [Int] = [3]) throws -> SamplingRequest {
    var request = SamplingRequest(shots: shots, height: 4, width: 6, texts: texts)
    request.negative = try negative()
    request.steps = 10
    return request
  }

  @Test("Ten steps with guidance are those of diffusers' pipeline", arguments: ["2b", "5b"], [("sampled", false), ("dynamic", true)])
  func plain(kind: String, dynamic: (String, Bool)) throws {
    var request = try request(try texts([5]))
    request.noise = try latents("noise")[0..<3]
    request.guidance.isDynamic = dynamic.1
    let result = try sampler(kind).sample(request)
    #expect(difference(result.values, from: try transformerFixture.floats("\(kind).\(dynamic.0)").values) < 1e-3)
  }

  func extending(_ kind: String) throws -> SamplingRequest {
    let scenes = try latents("scenes.latents")
    var request = try request(try texts([5, 5, 5]))
    request.conditions = [scenes[0..<3], scenes[3..<6]]
    request.noise = try latents("noise")
    request.control = .mask2dit(.v2)
    return request
  }

  @Test("Ten steps of an extension are those of Mask²DiT's loop over a dense mask", arguments: ["2b", "5b"])
  func extended(kind: String) throws {
    let result = try sampler(kind).sample(extending(kind))
    let expected = try transformerFixture.floats("\(kind).extended").values
    #expect(difference(result.values, from: Array(expected[(expected.count / 3 * 2)...])) < 1e-3)
  }

  @Test("One seed gives the same latents, another one others, at any number of threads")
  func seeds() throws {
    var request = try extending("5b")
    request.noise = nil
    request.steps = 2
    let first = try sampler("5b").sample(request)
    #expect(try sampler("5b").sample(request) == first)
    let other = try LatentSampler(
      transformer: loadTransformer("5b", threads: 7), schedulerFolder: transformerFixture.folder + "/5b/scheduler")
    #expect(try other.sample(request) == first)
    for change in [{ (request: inout SamplingRequest) in request.seed = 1 }, { $0.segment = 1 }] {
      var changed = request
      change(&changed)
      #expect(difference(try sampler("5b").sample(changed).values, from: first.values) > 0.1)
    }
  }

  @Test("A context of kept keys gives what the conditions under a causal window give")
  func context() throws {
    let model = try loadTransformer("5b")
    let sampler = try LatentSampler(transformer: model, schedulerFolder: transformerFixture.folder + "/5b/scheduler")
    let scenes = try latents("scenes.latents")
    let embeddings = try texts([5, 5, 5])
    // Three scenes come, of which two are kept; a fourth is generated.
    let context = try CausalContext(model, window: 2, negative: negative())
    for index in 0..<3 { try context.append(scenes[index * 3..<index * 3 + 3], text: embeddings[index]) }
    #expect(context.count == 2)
    var single = try request([embeddings[1]])
    single.steps = 1
    single.guidance = Guidance(scale: 3)
    single.noise = try latents("noise")[0..<3]
    let result = try sampler.sample(single, context: context)

    // The same over the whole video, without anything kept: one step of both passes by hand.
    let layout = try model.layout(texts: [5, 5, 5, 5], shots: [3, 3, 3, 3], height: 4, width: 6)
    let mask = AttentionMask.segmentCausal(layout, window: 3)
    let scheduler = try Scheduler(folder: transformerFixture.folder + "/5b/scheduler", steps: 1, tokens: 18)
    var predictions: [[Float]] = []
    for texts in [embeddings + [embeddings[1]], Array(repeating: try negative(), count: 4)] {
      var pass = TransformerPass(
        layout: layout, latents: scenes.followed(by: try latents("noise")[0..<3]), projected: try texts.map(model.project), time: 0
      ) { _ in mask }
      pass.textTimes[3] = scheduler.timesteps[0]
      pass.shotTimes[3] = scheduler.timesteps[0]
      pass.outputs = 9..<12
      predictions.append(try model(pass).prediction.values)
    }
    Guidance.apply(3, unconditional: predictions[1], to: &predictions[0])
    var expected = try latents("noise")[0..<3].values
    var state = SchedulerState()
    scheduler.step(0, prediction: predictions[0], sample: &expected, state: &state)
    #expect(difference(result.values, from: expected) < 1e-6)
  }

  @Test("Shots under CineTrans's masks do not hear of each other's captions, unless the mask is opened")
  func cineTrans() throws {
    let sampler = try sampler("5b")
    let captions = try texts([5, 5, 5])
    func first(_ captions: [Matrix], opening: Double, layers: ClosedRange<Int> = 0...1) throws -> [Float] {
      var request = try request(captions, shots: [2, 2])
      request.steps = 2
      request.control = .cineTrans(CineTrans(layers: layers, opening: opening))
      return try sampler.sample(request)[0..<2].values
    }
    let (one, two, three) = (captions[0], captions[1], captions[2])
    // All layers masked: the first shot sees itself and its caption only.
    #expect(try first([one, two], opening: 0) == first([one, three], opening: 0))
    #expect(try difference(first([one, two], opening: 0), from: first([three, two], opening: 0)) > 0.01)
    // The general caption is for all.
    #expect(try difference(first([one, two, three], opening: 0), from: first([one, two, two], opening: 0)) > 0.001)
    // Open layers let them see each other.
    #expect(try difference(first([one, two], opening: 1), from: first([one, three], opening: 1)) > 0.001)
    #expect(try difference(first([one, two], opening: 0, layers: 1...1), from: first([one, three], opening: 0, layers: 1...1)) > 0.001)
  }

  @Test("Sampling can be stopped at every block, and says how far it is")
  func cancelled() throws {
    let sampler = try sampler("2b")
    var seen: [Int] = []
    var short = try request(try texts([5]))
    short.steps = 2
    _ = try sampler.sample(short) { seen.append($0.step) }
    // Two layers and the end, of two passes in each of two steps.
    #expect(seen == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    for stop in 0..<seen.count {
      var left = stop
      #expect(throws: DiffusionError.cancelled) {
        try sampler.sample(short) { _ in
          if left == 0 { throw DiffusionError.cancelled }
          left -= 1
        }
      }
    }
  }

  @Test("Requests that make no sense are errors", arguments: 0..<11)
  func nonsense(index: Int) throws {
    var bad = try extending("5b")
    switch index {
    case 0: bad.texts.removeLast()
    case 1: bad.shots = []
    case 2: bad.shots = [0]
    case 3: bad.height = 5
    case 4: bad.noise = try latents("noise")[0..<2]
    case 5: bad.control = .cineTrans(CineTrans(layers: 1...2))
    case 6: bad.control = .cineTrans(CineTrans(layers: 0...1, opening: .nan))
    case 7: bad.guidance = Guidance(scale: .infinity)
    case 8: bad.shots = [65536, 65536]
    case 9: (bad.height, bad.width, bad.shots, bad.conditions, bad.texts) = (8192, 8192, [1], [], [bad.texts[0]])
    default: bad.width = 1 << 40
    }
    #expect(throws: DiffusionError.self) { try sampler("5b").sample(bad) }
    bad = try extending("5b")
    bad.steps = index == 0 ? 0 : 2000
    #expect(throws: WeightsError.self) { try sampler("5b").sample(bad) }
  }
}
