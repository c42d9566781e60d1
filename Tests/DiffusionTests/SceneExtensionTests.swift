import Diffusion
import Glibc
import Tensors
import Testing

/// A model's folder with a `scene.json`: the stored pipeline with a lapped autoencoder.
final class SceneFolder {
  private let pipeline = PipelineFolder(without: "vae")
  private let autoencoder = LappedFolder()
  private let folder = TemporaryFolder()
  var path: String { folder.path }

  init(_ fields: [String: String] = [:]) {
    for name in ["tokenizer", "text_encoder", "transformer", "scheduler"] { symlink(pipeline.path + "/" + name, path + "/" + name) }
    symlink(autoencoder.folder.path, path + "/vae")
    folder.write(
      Array(
        """
        {"_class_name": "CogVideoXPipeline", "scheduler": ["diffusers", "CogVideoXDDIMScheduler"], "text_encoder": ["transformers", "T5EncoderModel"],
         "tokenizer": ["transformers", "T5Tokenizer"], "transformer": ["diffusers", "CogVideoXTransformer3DModel"], "vae": ["scene", "AutoencoderLapped"]}
        """.utf8), name: "model_index.json")
    var all = [
      "width": "48", "height": "16", "frames": "4", "frame_rate": "[8, 1]", "shots": "3", "mask": "\"causal\"", "steps": "3",
      "default": "true",
    ]
    all.merge(fields) { $1 }
    folder.write(Array(("{" + all.filter { !$1.isEmpty }.map { "\"\($0)\": \($1)" }.joined(separator: ",") + "}").utf8), name: "scene.json")
  }

  func open(mask: SceneModel.Mask? = nil, guidance: Double? = nil, seed: UInt64 = 0, threads: Int = 2) throws -> SceneExtension {
    try SceneExtension(folder: path, compute: Compute(.float32, threads: threads), mask: mask, guidance: guidance, seed: seed)
  }
}

@Suite("Going on with a scene")
struct SceneExtensionTests {
  let folder = SceneFolder()

  func shot(_ seed: UInt64) -> Frames { Frames(planes: numbers(3 * 4 * 16 * 48, seed: seed), channels: 3, count: 4, height: 16, width: 48) }

  /// The next shot's numbers.
  func next(_ scene: SceneExtension, _ prompt: String = "A hare wakes up.") throws -> [Float] {
    var parts: [Float] = []
    try scene.generate(prompt: prompt) { parts += $0.frames.matrix.floats() }
    #expect(parts.count == 3 * 4 * 16 * 48)
    return parts
  }

  @Test("A shot is what the sampler makes of kept keys of the shots before it")
  func causal() throws {
    let scene = try folder.open(seed: 7)
    for index in 0..<3 { try scene.append(shot(UInt64(index)), prompt: "Scene \(index)") }
    #expect(scene.count == 2 && scene.shots == 3)
    let result = try next(scene)

    let pipeline = try folder.open().pipeline
    let context = try CausalContext(pipeline.transformer, window: 2, negative: nil)
    for index in 0..<3 {
      let latents = try pipeline.encode(shot(UInt64(index)))
      try context.append(
        pipeline.sampler.condition(latents, seed: 7, segment: UInt32(index)), text: pipeline.prompts.embed("Scene \(index)"))
    }
    var request = SamplingRequest(shots: [4], height: 2, width: 6, texts: [try pipeline.prompts.embed("A hare wakes up.")])
    (request.steps, request.guidance, request.seed, request.segment) = (3, Guidance(scale: 1), 7, 3)
    let latents = try pipeline.sampler.sample(request, context: context)
    var expected: [Float] = []
    try pipeline.decode(latents) { expected += $0.matrix.floats() }
    #expect(result == expected)

    // The next one sees it.
    try context.append(pipeline.sampler.condition(latents, seed: 7, segment: 3), text: request.texts[0])
    request.segment = 4
    expected = []
    try pipeline.decode(pipeline.sampler.sample(request, context: context)) { expected += $0.matrix.floats() }
    #expect(try next(scene) == expected)
  }

  @Test("Under Mask²DiT's masks the shots before are conditions of one pass", arguments: [SceneModel.Mask.v1, .v2, .v5])
  func mask2dit(mask: SceneModel.Mask) throws {
    let scene = try folder.open(mask: mask)
    for index in 0..<3 { try scene.append(shot(UInt64(index)), prompt: "Scene \(index)") }
    #expect(scene.count == 2)
    let result = try next(scene)
    let pipeline = try folder.open().pipeline
    var request = VideoRequest(shots: .separate([4]), height: 16, width: 48, prompts: ["Scene 1", "Scene 2", "A hare wakes up."])
    request.context = [shot(1), shot(2)]
    request.negativePrompt = nil
    (request.steps, request.guidance, request.segment) = (3, Guidance(scale: 1), 3)
    request.control = .mask2dit(try #require(AttentionMask.Mask2DiT(rawValue: mask.rawValue)))
    var expected: [Float] = []
    try pipeline.generate(request) { expected += $1.matrix.floats() }
    #expect(result == expected)
  }

  @Test("The same seed gives the same shots on any number of threads; seeds, prompts, contexts and guidance give others")
  func seeds() throws {
    func shots(seed: UInt64 = 1, threads: Int = 2, guidance: Double? = nil, prompt: String = "A hare wakes up.", context: UInt64? = 5)
      throws -> [[Float]]
    {
      let scene = try folder.open(guidance: guidance, seed: seed, threads: threads)
      if let context { try scene.append(shot(context), prompt: "A hare.") }
      return [try next(scene, prompt), try next(scene, prompt)]
    }
    let first = try shots()
    #expect(first[0] != first[1])
    #expect(try shots() == first)
    #expect(try shots(threads: 1) == first)
    for other in [
      try shots(seed: 2), try shots(guidance: 3), try shots(prompt: "A butterfly."), try shots(context: 6), try shots(context: nil),
    ] {
      #expect(other[0] != first[0])
    }
  }

  @Test("A model of one shot sees none before it", arguments: [SceneModel.Mask.causal, .v2])
  func alone(mask: SceneModel.Mask) throws {
    let folder = SceneFolder(["shots": "1", "mask": "\"\(mask.rawValue)\""])
    let (scene, other) = (try folder.open(), try folder.open())
    try scene.append(shot(1), prompt: "A hare.")
    try other.append(shot(2), prompt: "A butterfly.")
    #expect(scene.count == 0 && scene.shots == 1)
    #expect(try next(scene) == next(other))
  }

  @Test("Shots of another size are errors, and what ends a generation leaves the context as it was")
  func refusals() throws {
    let scene = try folder.open()
    #expect(throws: DiffusionError.self) { try scene.append(Frames(count: 5, height: 16, width: 48, channels: 3), prompt: "") }
    #expect(throws: DiffusionError.self) { try scene.append(Frames(count: 4, height: 16, width: 40, channels: 3), prompt: "") }
    try scene.append(shot(1), prompt: "")
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try scene.generate(prompt: "", check: { if $0.part == .sampling, $0.step == 1 { throw Stop() } }) { _ in }
    }
    #expect(throws: Stop.self) { try scene.generate(prompt: "") { _ in throw Stop() } }
    #expect(scene.count == 1 && scene.shots == 1)
    let other = try folder.open()
    try other.append(shot(1), prompt: "")
    #expect(try next(scene) == next(other))
  }

  @Test(
    "A damaged scene.json is an error that names the field",
    arguments: [
      ("width", ""), ("height", "\"16\""), ("frames", "0"), ("frame_rate", "[8]"), ("shots", "65"), ("mask", "\"v6\""), ("steps", "0"),
      ("guidance", "-1"), ("reference_scale", "0"), ("reference_scale", "\"2\""), ("text_encoder", "\"../else\""), ("default", "1"),
      ("new_scenes", "1"), ("prefix_next", "3"),
    ])
  func damaged(field: String, value: String) throws {
    let error = #expect(throws: WeightsError.self) { _ = try SceneFolder([field: value]).open() }
    #expect(error.map { "\($0)".contains("\"\(field)") && "\($0)".contains("scene.json") } == true)
  }

  @Test("Shots that are differences need prefixes that say from which, a damping of 0 to 1, and a transformer that sees references")
  func references() throws {
    func error(_ fields: [String: String]) throws -> String {
      let all = ["reference_scale": "2", "prefix_same": "\"Same: \"", "prefix_back": "\"Back: \""].merging(fields) { $1 }
      return "\(try #require(throws: WeightsError.self) { _ = try SceneFolder(all).open() })"
    }
    #expect(try error(["prefix_same": ""]).contains("prefix_same"))
    #expect(try error(["prefix_back": "\"\""]).contains("prefix_back"))
    #expect(try error(["reference_damping": "1.5"]).contains("reference_damping"))
    #expect(try error(["reference_unrest": "[40, 12]"]).contains("reference_unrest"))
    #expect(try error([:]).contains("in_channels are twice"))
  }

  @Test("What it says of itself is read")
  func fields() throws {
    let folder = SceneFolder(["prefix_same": "\"Same: \"", "text_encoder": "\"mini\"", "guidance": "2.5"])
    let model = try SceneModel(folder: folder.path)
    #expect(
      model.width == 48 && model.height == 16 && model.frames == 4 && model.shots == 3 && model.steps == 3 && model.isDefault
        && model.drawsNewScenes)
    #expect(
      model.frameRate == (8, 1) && model.prefix(.same) == "Same: " && model.prefix(.back).isEmpty && model.prefix(.next).isEmpty
        && model.prefix(nil).isEmpty && model.textEncoder == "mini" && model.guidance == 2.5
        && model.mask == .causal)
  }
}
