import Glibc

/// A tiny scene model with random weights, 48×16, half a second a shot: the pipeline of the diffusion tests with a lapped
/// autoencoder, in a folder of its own.
final class SceneModelFolder {
  private let folder: Folder
  var path: String { folder.path }

  static let files = [
    "scene.json", "model_index.json", "tokenizer/spiece.model", "text_encoder/config.json", "text_encoder/model.safetensors",
    "transformer/config.json",
    "transformer/diffusion_pytorch_model.safetensors", "scheduler/scheduler_config.json", "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
  ]

  /// - Parameter fields: of scene.json, in place of what they are here.
  init(_ fields: [String: String] = [:]) throws {
    folder = try Folder()
    let fixtures = Plugin.root + "/Tests/DiffusionTests/Fixtures"
    for (name, files) in [
      ("tokenizer", ["tokenizers/t5/spiece.model"]), ("text_encoder", []), ("transformer", []), ("scheduler", []),
    ] as [(String, [String])] {
      mkdir(folder.file(name), 0o755)
      for file in files { symlink("\(fixtures)/\(file)", folder.file("\(name)/\(file.split(separator: "/").last ?? "")")) }
      guard files.isEmpty else { continue }
      for file in Folder.names(in: "\(fixtures)/pipeline/\(name)") {
        symlink("\(fixtures)/pipeline/\(name)/\(file)", folder.file("\(name)/\(file)"))
      }
    }
    mkdir(folder.file("vae"), 0o755)
    try write(Self.autoencoder, to: folder.file("vae/diffusion_pytorch_model.safetensors"))
    try write(
      #"{"_class_name": "AutoencoderLapped", "latent_channels": 4, "block_size": 8, "kernel_size": 14, "scaling_factor": 0.5}"#.utf8,
      to: folder.file("vae/config.json"))
    try write(
      """
      {"_class_name": "CogVideoXPipeline", "scheduler": ["diffusers", "CogVideoXDDIMScheduler"], "text_encoder": ["transformers", "T5EncoderModel"],
       "tokenizer": ["transformers", "T5Tokenizer"], "transformer": ["diffusers", "CogVideoXTransformer3DModel"], "vae": ["scene", "AutoencoderLapped"]}
      """.utf8, to: folder.file("model_index.json"))
    var all = [
      "width": "48", "height": "16", "frames": "4", "frame_rate": "[8, 1]", "shots": "3", "mask": "\"causal\"", "steps": "3",
      "default": "true",
    ]
    all.merge(fields) { $1 }
    try write(("{" + all.map { "\"\($0)\": \($1)" }.sorted().joined(separator: ",") + "}").utf8, to: folder.file("scene.json"))
  }

  func file(_ name: String) -> String { folder.file(name) }

  /// Weights of windows of 14×14 of three channels, to and from four latents.
  private static var autoencoder: [UInt8] {
    let window = 4 * 3 * 14 * 14
    var (header, data): ([String], [UInt8]) = ([], [])
    var state: UInt32 = 1
    for (name, shape, count) in [
      ("encoder.weight", "[4,3,14,14]", window), ("encoder.bias", "[4]", 4), ("decoder.weight", "[4,3,14,14]", window),
      ("decoder.bias", "[3]", 3),
    ] {
      let start = data.count
      for _ in 0..<count {
        state = state &* 1_664_525 &+ 1_013_904_223
        let value = (Float(state >> 8) / Float(1 << 24) - 0.5) / 8
        data += (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
      }
      header.append("\"\(name)\":{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":[\(start),\(data.count)]}")
    }
    let text = Array("{\(header.joined(separator: ","))}".utf8)
    return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text + data
  }
}
