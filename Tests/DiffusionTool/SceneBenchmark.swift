import Diffusion
import Tensors

/// How long an embedded scene model takes to open and to generate shots, by part, beside how long the shots last.
///
/// - Parameter textEncoder: nil for what the model says.
func measureScene(_ folder: String, textEncoder: String?, shots: Int, _ compute: Compute) throws {
  let before = peakMemory()
  var start = now()
  let scene = try SceneExtension(folder: folder, textEncoder: textEncoder, compute: compute)
  let opened = now() - start
  let model = scene.model
  start = now()
  for _ in 1..<model.shots {
    let values = noise(model.frames * model.height * model.width * 3).map { min(max($0 / 3, -1), 1) }
    try scene.append(Frames(planes: values, channels: 3, count: model.frames, height: model.height, width: model.width), prompt: "a meadow")
  }
  // The first shot reads and orders the weights.
  try scene.generate(prompt: "a rabbit wakes up", beginning: .same) { _ in }
  let first = now() - start
  let length = Double(model.frames) * Double(model.frameRate.denominator) / Double(model.frameRate.numerator)
  var parts: [GenerationProgress.Part: Double] = [:]
  var whole: [Double] = []
  // How long a wish to stop goes unnoticed at most.
  var longest = 0.0
  let operations = compute.operations
  for shot in 0..<shots {
    var (last, at) = (GenerationProgress.Part.text, now())
    start = at
    try scene.generate(prompt: "a rabbit looks for flower \(shot)", beginning: .same) { progress in
      let time = now()
      parts[last, default: 0] += time - at
      longest = max(longest, time - at)
      (last, at) = (progress.part, time)
    } emit: { _ in
    }
    parts[last, default: 0] += now() - at
    whole.append(now() - start)
  }
  let median = whole.sorted()[whole.count / 2]
  func part(_ part: GenerationProgress.Part) -> String { rounded((parts[part] ?? 0) / Double(shots), 1e4) }
  try report([
    ("part", "\"shots of \(model.width) × \(model.height), \(model.frames) frames, \(scene.steps) steps\""),
    ("type", "\"\(compute.weights)\""),
    ("parameters", "\(scene.pipeline.transformer.configuration.parameters())"), ("seconds", rounded(median, 1e4)),
    ("shot_seconds", rounded(length)),
    ("real_time_factor", rounded(length / median)), ("text", part(.text)), ("sampling", part(.sampling)), ("decoding", part(.decoding)),
    ("context", part(.encoding)), ("longest_between_checks", rounded(longest, 1e4)), ("open_seconds", rounded(opened, 1e4)),
    ("first_shot_seconds", rounded(first, 1e4)),
    ("gflop", rounded((compute.operations - operations) / Double(shots) / 1e9)), ("peak_memory_mb", rounded(peakMemory())),
    ("before_mb", rounded(before)),
  ])
}
