import Diffusion
import Glibc
import Tensors

func noise(_ count: Int) -> [Float] { NoiseGenerator(seed: 1, segment: 0, stream: .start).values(count: count) }

/// GFLOP/s of a large product, over which others' share is told.
func peakRate(_ compute: Compute) throws -> Double {
  let (rows, width) = (4096, 2048)
  let x = Matrix(noise(rows * width), rows: rows, columns: width, type: compute.type)
  let linear = Linear(inputs: width, outputs: width, bias: nil, type: compute.type) { noise(width * width) }
  _ = try linear(x, on: compute)
  return try (0..<3).map { _ in
    let start = now()
    _ = try linear(x, on: compute)
    return 2 * Double(rows * width * width) / (now() - start) / 1e9
  }.max() ?? 0
}

func measureBlock(_ compute: Compute) throws {
  var configuration = TransformerConfiguration()
  configuration.layers = 1
  let folder = ScratchFolder()
  try RandomModel(configuration).write(to: folder.path)
  let model = try CogVideoXTransformer(folder: folder.path + "/transformer", compute: compute)
  let layout = try model.layout(texts: [226], shots: [13], height: 60, width: 90)
  let latents = Latents(noise(13 * 16 * 60 * 90), frames: 13, channels: 16, height: 60, width: 90)
  let text = try model.project(text: Matrix(noise(226 * 4096), rows: 226, columns: 4096))
  let pass = TransformerPass(layout: layout, latents: latents, projected: [text], time: 999) { _ in .full(layout) }
  var times: [Double] = []
  var operations = 0.0
  // The first run packs the weights.
  for _ in 0..<3 {
    var marks: [(Double, Double)] = []
    _ = try model(pass) { marks.append((now(), compute.operations)) }
    times.append(marks[1].0 - marks[0].0)
    operations = marks[1].1 - marks[0].1
  }
  let best = times.dropFirst().min() ?? 0
  let peak = try peakRate(compute)
  report([
    ("part", "\"block of 2B, \(layout.tokens) tokens\""), ("type", "\"\(compute.type)\""), ("seconds", rounded(best)),
    ("gflop", rounded(operations / 1e9)), ("gflops", rounded(operations / best / 1e9)), ("peak_gflops", rounded(peak)),
    ("share", rounded(operations / best / 1e9 / peak)), ("peak_memory_mb", rounded(peakMemory())),
  ])
}

/// A block of width 384 over three scenes of 480 × 720 × 49 under Mask²DiT's V2: memory that is not quadratic in tokens.
func measureScenes(_ compute: Compute) throws {
  var configuration = TransformerConfiguration()
  (configuration.heads, configuration.layers, configuration.textWidth) = (6, 1, 384)
  let folder = ScratchFolder()
  try RandomModel(configuration).write(to: folder.path)
  let model = try CogVideoXTransformer(folder: folder.path + "/transformer", compute: compute)
  let layout = try model.layout(texts: [226, 226, 226], shots: [13, 13, 13], height: 60, width: 90)
  let latents = Latents(noise(39 * 16 * 60 * 90), frames: 39, channels: 16, height: 60, width: 90)
  let text = try model.project(text: Matrix(noise(226 * 384), rows: 226, columns: 384))
  let mask = AttentionMask.mask2dit(.v2, layout)
  let before = peakMemory()
  let start = now()
  _ = try model(TransformerPass(layout: layout, latents: latents, projected: [text, text, text], time: 999) { _ in mask })
  try report([
    ("part", "\"three scenes under V2, \(layout.tokens) tokens of 384\""), ("type", "\"\(compute.type)\""),
    ("seconds", rounded(now() - start)),
    ("before_mb", rounded(before)), ("peak_memory_mb", rounded(peakMemory())),
    ("expected_mb", rounded(Double(model.residentBytes + model.activationBytes(tokens: layout.tokens)) / 1e6)),
    ("dense_mask_mb", rounded(Double(layout.tokens) * Double(layout.tokens) / 1e6)),
  ])
}

func measureStep(_ compute: Compute) throws {
  var configuration = TransformerConfiguration()
  (configuration.heads, configuration.headSize, configuration.layers, configuration.textWidth) = (6, 64, 12, 384)
  (configuration.isRotary, configuration.sampleWidth, configuration.sampleHeight) = (true, 20, 12)
  let folder = ScratchFolder()
  try RandomModel(configuration).write(to: folder.path)
  let model = try CogVideoXTransformer(folder: folder.path + "/transformer", compute: compute)
  // 16 tokens of text and 4 frames of 6 × 10 patches: 256 tokens a scene.
  let text = Matrix(noise(16 * 384), rows: 16, columns: 384)
  let latents = Latents(noise(4 * 16 * 12 * 20), frames: 4, channels: 16, height: 12, width: 20)
  let context = try CausalContext(model, window: 4, negative: nil)
  for _ in 0..<4 { try context.append(latents, text: text) }
  let sampler = try LatentSampler(transformer: model, schedulerFolder: folder.path + "/scheduler")
  var request = SamplingRequest(shots: [4], height: 12, width: 20, texts: [text])
  request.steps = 40
  var starts: [Double] = []
  let before = compute.operations
  _ = try sampler.sample(request, context: context) { progress in
    if progress.step == starts.count { starts.append(now()) }
  }
  let operations = (compute.operations - before) / 40
  let steps = zip(starts, starts.dropFirst()).map { $1 - $0 }.sorted()
  let median = steps[steps.count / 2]
  let peak = try peakRate(compute)
  try report([
    ("part", "\"step of 21M, 256 new and 1024 kept tokens\""), ("type", "\"\(compute.type)\""),
    ("parameters", "\(configuration.parameters())"),
    ("seconds", rounded(median, 1e6)), ("slowest", rounded(steps.last ?? 0, 1e6)), ("gflop", rounded(operations / 1e9)),
    ("gflops", rounded(operations / median / 1e9)), ("peak_gflops", rounded(peak)), ("share", rounded(operations / median / 1e9 / peak)),
  ])
}

private func progress(_ text: String) { text.withCString { _ = write(STDERR_FILENO, $0, strlen($0)) } }

/// A scene of 480 × 720 × 49 with a folder of any size.
func dryRun(_ folder: String, steps: Int, residency: Residency) throws {
  let compute = try Compute(threads: 2)
  let start = now()
  let model = try CogVideoXTransformer(folder: folder + "/transformer", compute: compute, residency: residency)
  let opened = now() - start
  let sampler = try LatentSampler(transformer: model, schedulerFolder: folder + "/scheduler")
  var request = SamplingRequest(
    shots: [13], height: 60, width: 90,
    texts: [Matrix(noise(226 * model.configuration.textWidth), rows: 226, columns: model.configuration.textWidth)])
  request.steps = steps
  request.guidance = Guidance(scale: 1)
  var done = 0
  let latents = try sampler.sample(request) { _ in
    done += 1
    if done % 5 == 0 { progress("\(done) of \(steps * (model.configuration.layers + 1)), \(Int(now() - start)) s\n") }
  }
  let isFinite = latents.values.allSatisfy(\.isFinite)
  try report([
    ("part", "\"\(steps) steps of \(model.configuration.parameters()) parameters\""), ("type", "\"\(compute.type)\""),
    ("residency", "\"\(residency.rawValue)\""), ("open_seconds", rounded(opened)), ("seconds", rounded(now() - start)),
    ("gflop", rounded(compute.operations / 1e9)), ("gflops", rounded(compute.operations / (now() - start) / 1e9)),
    ("expected_memory_mb", rounded(Double(model.residentBytes + model.activationBytes(tokens: 226 + 17_550)) / 1e6)),
    ("peak_memory_mb", rounded(peakMemory())), ("finite", "\(isFinite)"),
  ])
}
