import Diffusion
import Glibc
import Tensors
import Testing

/// The stored model's folder with its tokenizer, which is another fixture's, as links that are gone with this.
final class PipelineFolder {
  private let folder = TemporaryFolder()
  let fixture = Fixture("pipeline")
  var path: String { folder.path }

  init(without missing: String? = nil) {
    for name in ["model_index.json", "scheduler", "text_encoder", "transformer", "vae"] where name != missing {
      symlink(fixture.folder + "/" + name, path + "/" + name)
    }
    if missing != "tokenizer" {
      mkdir(path + "/tokenizer", 0o755)
      symlink(Fixture("tokenizers").folder + "/t5/spiece.model", path + "/tokenizer/spiece.model")
    }
  }

  func pipeline(_ type: DataType = .float32, residency: Residency = .all) throws -> VideoPipeline {
    try VideoPipeline(folder: path, compute: Compute(type, threads: 2), residency: residency)
  }

  func latents(_ name: String) throws -> Latents {
    let (values, shape) = try fixture.floats(name)
    return Latents(values, frames: shape[0], channels: shape[1], height: shape[2], width: shape[3])
  }

  /// `[C, T, H, W]`, or the one at `index` of several.
  func frames(_ name: String, _ index: Int? = nil) throws -> Frames {
    var (values, shape) = try fixture.floats(name)
    if let index {
      shape.removeFirst()
      let count = shape.reduce(1, *)
      values = Array(values[index * count..<(index + 1) * count])
    }
    return Frames(planes: values, channels: shape[0], count: shape[1], height: shape[2], width: shape[3])
  }
}

@Suite("From prompts and context to frames")
struct PipelineTests {
  let folder = PipelineFolder()
  static let prompts = ["A hare wakes up.", "It looks at the sky, surprised.", "A butterfly flies by."]

  func request(_ prompts: [String]) throws -> VideoRequest {
    var request = VideoRequest(shots: .separate([9]), height: 16, width: 48, prompts: prompts)
    request.negativePrompt = "blurry"
    request.steps = 3
    return request
  }

  func extending() throws -> VideoRequest {
    var request = try request(Self.prompts)
    request.context = [try folder.frames("context", 0), try folder.frames("context", 1)]
    request.control = .mask2dit(.v2)
    request.noise = try folder.latents("noise")
    return request
  }

  /// All frames of a request in one row.
  func planes(_ pipeline: VideoPipeline, _ request: VideoRequest) throws -> [Float] {
    var parts: [Frames] = []
    try pipeline.generate(request) { _, frames in parts.append(frames) }
    let count = parts.reduce(0) { $0 + $1.count }
    let all = Frames(count: count, height: request.height, width: request.width, channels: 3)
    var row = 0
    for part in parts {
      all.matrix.row(row).copyMemory(from: part.matrix.base, byteCount: part.matrix.rows * part.matrix.rowSize)
      row += part.matrix.rows
    }
    return all.planes()
  }

  @Test("A prompt's frames are those of diffusers' pipeline, whatever stays in memory", arguments: Residency.allCases)
  func plain(residency: Residency) throws {
    var request = try request([Self.prompts[0]])
    request.noise = try folder.latents("noise")[0..<3]
    let result = try planes(folder.pipeline(residency: residency), request)
    #expect(difference(result, from: try folder.fixture.floats("frames").values) < 1e-3)
    let all = try planes(folder.pipeline(residency: .all), request)
    // OpenBLAS may round a row by where it lies in its matrix, and times are rows of one or several matrices.
    #expect(ComputeLibrary.current == .openBLAS ? difference(all, from: result) < 1e-5 : all == result)
  }

  @Test("An extension's frames are those of Mask²DiT's loop over diffusers' parts")
  func extended() throws {
    let result = try planes(folder.pipeline(), extending())
    #expect(difference(result, from: try folder.fixture.floats("extended").values) < 1e-3)
  }

  @Test("In bfloat16 frames are near those of float32", .enabled(if: !ComputeLibrary.hasOnlyFloat32))
  func narrow() throws {
    let result = try planes(folder.pipeline(.bfloat16), extending())
    // Three steps of guidance 6 multiply what a single pass is off by, which is within 2 %.
    #expect(relativeRMS(result, from: try folder.fixture.floats("extended").values) < 0.1)
  }

  @Test("A video with cuts has all of its frames, and says where its cuts fall")
  func cuts() throws {
    let pipeline = try folder.pipeline()
    var request = try request(Self.prompts)
    request.shots = .cut(frames: 17, at: [6, 9.6])
    request.control = .cineTrans(CineTrans(layers: 0...0))
    request.steps = 1
    let cuts = try pipeline.cuts(request)
    #expect(cuts.map(\.asked) == [6, 9.6] && cuts.map(\.got) == [5, 9])
    #expect(try planes(pipeline, request).count == 17 * 3 * 16 * 48)
    for bad in [[0.0, 100], [9, 8], [1, 2], [.nan], [.infinity]] {
      request.shots = .cut(frames: 17, at: bad)
      #expect(throws: DiffusionError.self) { try pipeline.cuts(request) }
    }
  }

  @Test("Frames come as soon as their latents are decoded")
  func streaming() throws {
    var request = try request(["A hare"])
    request.shots = .separate([17])
    request.steps = 1
    var counts: [Int] = []
    try folder.pipeline().generate(request) { _, frames in counts.append(frames.count) }
    #expect(counts == [9, 8])
  }

  @Test("Generation can be stopped in each of its parts")
  func cancelled() throws {
    let pipeline = try folder.pipeline()
    for part in [GenerationProgress.Part.text, .encoding, .sampling, .decoding] {
      #expect(throws: DiffusionError.cancelled) {
        try pipeline.generate(extending(), check: { if $0.part == part { throw DiffusionError.cancelled } }) { _, _ in }
      }
      // Known texts are not encoded again: a new pipeline would be asked for them.
      if part == .text { _ = try pipeline.prompts.embed("blurry") }
    }
  }

  @Test("Requests that a model cannot fulfil are errors, whatever the numbers", arguments: 0..<10)
  func nonsense(index: Int) throws {
    var bad = try extending()
    bad.noise = nil
    switch index {
    case 0: bad.width = 40
    case 1: bad.height = -16
    case 2: bad.shots = .separate([5])
    case 3: bad.shots = .separate([])
    case 4: bad.shots = .separate([.max])
    case 5: bad.prompts = []
    case 6: bad.context = [Frames(count: 9, height: 16, width: 32, channels: 3)]
    case 7: bad.context = [Frames(count: 3, height: 16, width: 48, channels: 3)]
    case 8: bad.width = .max - 15
    default: bad.shots = .separate([0])
    }
    #expect(throws: DiffusionError.self) { try folder.pipeline().generate(bad) { _, _ in } }
  }

  @Test("Prompts in any script, empty or a megabyte long, are encoded")
  func prompts() throws {
    let prompts = try folder.pipeline().prompts
    for text in ["", "一只兔子醒来了", "أرنب يستيقظ", "🐇\u{200d}🌅 \u{0}", String(repeating: "a hare ", count: 150_000)] {
      let embedding = try prompts.embed(text)
      #expect(embedding.rows == 12 && embedding.floats().allSatisfy(\.isFinite))
    }
  }

  @Test(
    "A folder without one of its parts is an error that names it",
    arguments: ["model_index.json", "scheduler", "text_encoder", "transformer", "vae", "tokenizer"])
  func missing(part: String) throws {
    let error = #expect(throws: WeightsError.self) { try PipelineFolder(without: part).pipeline() }
    #expect(error?.path.contains(part) == true)
  }

  @Test("A text encoder of the caller's is used in place of the model's")
  func otherEncoder() throws {
    let other = TemporaryFolder()
    for file in ["config.json", "model.safetensors"] { symlink(folder.fixture.folder + "/text_encoder/" + file, other.path + "/" + file) }
    symlink(Fixture("tokenizers").folder + "/t5/spiece.model", other.path + "/spiece.model")
    let pipeline = try VideoPipeline(folder: folder.path, textEncoder: other.path, compute: Compute(.float32, threads: 2))
    #expect(try pipeline.prompts.embed("A hare").floats() == folder.pipeline().prompts.embed("A hare").floats())
    let bert = Fixture("encoders").folder + "/bert"
    #expect(throws: WeightsError.self) { try VideoPipeline(folder: folder.path, textEncoder: bert, compute: Compute(.float32, threads: 2)) }
  }
}
