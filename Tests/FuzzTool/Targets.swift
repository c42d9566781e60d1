import Diffusion
import Extension
import Glibc
import Shots
import Tensors
import TransNet

/// A reader, the folder that it reads, and which files of it are damaged.
struct Target: Sendable {
  var name: String
  /// Names in the folder, and where the sound ones are in the project, or what is in them.
  var files: [(name: String, source: Source)]
  /// Of these files one is damaged.
  var damaged: [String]
  /// Reads the folder as far as it goes: what cannot be read throws, and what can is used.
  var read: @Sendable (_ folder: String) throws -> Void

  enum Source: Sendable {
    case path(String)
    case text(String)
  }

  init(
    _ name: String, _ files: KeyValuePairs<String, Source>, damages: [String]? = nil, _ read: @escaping @Sendable (String) throws -> Void
  ) {
    self.name = name
    self.files = files.map { ($0.key, $0.value) }
    damaged = damages ?? files.map(\.key)
    self.read = read
  }

  private static let texts = ["", "A hare wakes up, é 漢字 🦊\u{200d}", "<x> [MASK] aab.  b"]

  static func all(root: String, plants: Bool) -> [Target] {
    let fixtures = root + "/Tests/DiffusionTests/Fixtures"
    func fixture(_ name: String) -> Source { .path("\(fixtures)/\(name)") }
    func tokenizer(_ name: String, _ files: KeyValuePairs<String, Source>) -> Target {
      Target("tokenizer-" + name, files) { folder in
        let tokenizer = try Tokenizers.load(folder: folder)
        for text in texts { _ = tokenizer.encode(text, maximum: 50) }
      }
    }
    func adapter(_ name: String, _ file: String, _ more: KeyValuePairs<String, Source> = [:]) -> Target {
      let model = "\(fixtures)/loading/model/transformer"
      var target = Target("lora-" + name, [file: fixture("loading/\(name)/\(file)")]) { folder in
        let weights = try WeightFiles(folder: model).merging([(try LowRankAdapter(path: folder), scale: 0.5)])
        for name in weights.names { if let view = weights[name] { _ = try weights.floats(name, shape: view.shape) } }
      }
      for (name, source) in more {
        target.files.append((name, source))
        target.damaged.append(name)
      }
      return target
    }
    let scene = """
      {"width": 48, "height": 16, "frames": 4, "frame_rate": [8, 1], "shots": 3, "mask": "causal", "steps": 3, "default": true,
       "reference_scale": 2, "reference_unrest": [1, 2], "prefix_same": "a", "prefix_back": "b"}
      """
    let index = """
      {"_class_name": "CogVideoXPipeline", "scheduler": ["diffusers", "CogVideoXDDIMScheduler"],
       "text_encoder": ["transformers", "T5EncoderModel"], "tokenizer": ["transformers", "T5Tokenizer"],
       "transformer": ["diffusers", "CogVideoXTransformer3DModel"], "vae": ["diffusers", "AutoencoderKLCogVideoX"]}
      """
    let small = root + "/models/scene-small"
    var targets = [
      Target("safetensors", ["a.safetensors": fixture("encoders/umt5/model.safetensors")]) { folder in
        let file = try SafetensorsFile(path: folder + "/a.safetensors")
        for name in file.names { _ = try file[name]?.floats() }
      },
      Target(
        "shards",
        [
          "diffusion_pytorch_model.safetensors.index.json": fixture(
            "loading/model/transformer/diffusion_pytorch_model.safetensors.index.json"),
          "diffusion_pytorch_model-00001-of-00002.safetensors": fixture(
            "loading/model/transformer/diffusion_pytorch_model-00001-of-00002.safetensors"),
          "diffusion_pytorch_model-00002-of-00002.safetensors": fixture(
            "loading/model/transformer/diffusion_pytorch_model-00002-of-00002.safetensors"),
        ]
      ) { folder in
        let weights = try WeightFiles(folder: folder)
        for name in weights.names { if let view = weights[name] { _ = try weights.floats(name, shape: view.shape) } }
      },
      Target(
        "pipeline",
        [
          "model_index.json": .text(index), "scene.json": .text(scene), "tokenizer/spiece.model": fixture("tokenizers/t5/spiece.model"),
          "text_encoder/config.json": fixture("pipeline/text_encoder/config.json"),
          "text_encoder/model.safetensors": fixture("pipeline/text_encoder/model.safetensors"),
          "transformer/config.json": fixture("pipeline/transformer/config.json"),
          "transformer/diffusion_pytorch_model.safetensors": fixture("pipeline/transformer/diffusion_pytorch_model.safetensors"),
          "scheduler/scheduler_config.json": fixture("pipeline/scheduler/scheduler_config.json"),
          "vae/config.json": fixture("pipeline/vae/config.json"),
          "vae/diffusion_pytorch_model.safetensors": fixture("pipeline/vae/diffusion_pytorch_model.safetensors"),
        ]
      ) { folder in
        _ = try SceneModel.read(folder: folder)
        let pipeline = try VideoPipeline(folder: folder, compute: Compute(.float32, threads: 1), residency: .block)
        _ = try pipeline.prompts.embed("A hare") {}
        _ = try SceneExtension(folder: folder, compute: Compute(.float32, threads: 1))
      },
      Target(
        "scene-small",
        [
          "model_index.json": .path(small + "/model_index.json"), "scene.json": .path(small + "/scene.json"),
          "scheduler/scheduler_config.json": .path(small + "/scheduler/scheduler_config.json"),
          "vae/config.json": .path(small + "/vae/config.json"),
          "vae/diffusion_pytorch_model.safetensors": .path(small + "/vae/diffusion_pytorch_model.safetensors"),
        ]
      ) { folder in
        _ = try SceneModel.read(folder: folder)
        _ = try LappedAutoencoder(folder: folder + "/vae", compute: Compute(.float32, threads: 1))
        _ = try ModelFolder(path: folder)
        for kind in [Scheduler.Kind.ddim, .dpm, .flowMatchEuler] {
          _ = try? Scheduler(folder: folder + "/scheduler", steps: 8, tokens: 100, kind: kind)
        }
      },
      Target(
        "bert", ["config.json": fixture("encoders/bert/config.json"), "model.safetensors": fixture("encoders/bert/model.safetensors")]
      ) {
        _ = try BertEncoder(folder: $0, compute: Compute(.float32, threads: 1)).encode([1, 2, 3])
      },
      Target("t5", ["config.json": fixture("encoders/umt5/config.json"), "model.safetensors": fixture("encoders/umt5/model.safetensors")]) {
        _ = try T5Encoder(folder: $0, compute: Compute(.float32, threads: 1)).encode([1, 2, 3])
      },
      tokenizer(
        "spiece",
        [
          "spiece.model": fixture("tokenizers/bytes/spiece.model"),
          "tokenizer_config.json": fixture("tokenizers/bytes/tokenizer_config.json"),
        ]),
      tokenizer("sparse", ["spiece.model": fixture("tokenizers/sparse/spiece.model")]),
      tokenizer("unigram", ["tokenizer.json": fixture("tokenizers/t5/tokenizer.json")]),
      tokenizer("wordpiece", ["tokenizer.json": fixture("tokenizers/bert/tokenizer.json")]),
      tokenizer("vocabulary", ["vocab.txt": fixture("tokenizers/bert/vocab.txt")]),
      adapter("plain", "pytorch_lora_weights.safetensors"),
      adapter("metadata", "pytorch_lora_weights.safetensors"),
      adapter("peft", "adapter_model.safetensors", ["adapter_config.json": fixture("loading/peft/adapter_config.json")]),
      Target("fused", ["model.safetensors": .path(root + "/models/fused/model.safetensors")]) { folder in
        let file = try SafetensorsFile(path: folder + "/model.safetensors")
        _ = try TransitionModel { name, shape in try file.floats(name, shape: shape) }
      },
      Target(
        "transnetv2",
        [
          "config.json": .path(root + "/models/transnetv2/config.json"),
          "quantization.json": .path(root + "/models/transnetv2/quantization.json"),
          "model.safetensors": .path(root + "/models/transnetv2/model.safetensors"),
        ], damages: ["config.json", "quantization.json"]
      ) { _ = try TransNetWeights(folder: $0) },
      Target("prompts", ["prompts.txt": .text(promptText)]) { folder in
        let feed = PromptFeed()
        _ = try feed.read(prompts: "", path: folder + "/prompts.txt")
        var plan = ShotPlan(prompts: feed.texts)
        for _ in 0..<20 { _ = plan.next() }
      },
      Target("prompt-list", ["list.txt": .text("<\"A hare, awake\", 'It\\'s dawn', Next scene: A cock;, (string)\"caf\\303\\251\">")]) {
        folder in
        var plan = ShotPlan(
          prompts: PromptList(String(decoding: try ModelFile(path: folder + "/list.txt").contents(atMost: 1 << 22), as: UTF8.self)).prompts)
        for _ in 0..<20 { _ = plan.next() }
      },
    ]
    if plants { targets += Plant.all }
    return targets
  }

  private static let promptText = """
    # a comment
    A hare wakes up
    Two shots: A farm at dawn; Shot 1: [0s, 4s] A cock crows; Shot 2: [4s, 6.5s] A door opens
    Previous scene: A hare; Next scene: A bird
    Same shot: goes on; Back to the earlier shot: again

    """
}

/// Targets that fail, by which the harness is tested: each only of files that have a certain word, so that there is something to find.
enum Plant {
  static let all = [
    Target("plant-trap", ["a.json": .text("{\"a\": [1, 2, 3], \"b\": {\"c\": 4}}")]) { folder in
      if try has("9223372036854775808", folder) { fatalError("planted") }
    },
    Target("plant-hang", ["a.json": .text("{\"a\": [1, 2, 3], \"b\": {\"c\": 4}}")]) { folder in
      let hangs = try has("18446744073709551616", folder)
      while hangs { sched_yield() }
    },
    Target("plant-hoard", ["a.json": .text("{\"a\": [1, 2, 3], \"b\": {\"c\": 4}}")]) { folder in
      guard try has("-9223372036854775808", folder) else { return }
      let hoard = [UInt8](repeating: 1, count: 3 << 29)
      if hoard[hoard.count / 2] == 0 { tell("impossible") }
    },
  ]

  private static func has(_ word: String, _ folder: String) throws -> Bool {
    String(decoding: try ModelFile(path: folder + "/a.json").contents(atMost: 1 << 20), as: UTF8.self).contains(word)
  }
}
