import Diffusion
import Glibc
import Tensors
import Threads

// Measures the diffusion engine; what launch/bench runs beside PyTorch and diffusers. Prints one JSON object a run.
//
//   diffusion block [int8|bfloat16|float32]       one block of CogVideoX-2B over one scene of 480 × 720 × 49
//   diffusion decode [int8|bfloat16|float32]      the video decoder at CogVideoX's width
//   diffusion step [int8|bfloat16|float32]        a step of a 21M-parameter model: 256 new tokens, 1024 kept ones
//   diffusion scenes [int8|bfloat16|float32]      memory of one block over three such scenes under Mask²DiT's V2
//   diffusion random FOLDER                  writes a folder of CogVideoX-2B's configuration with random weights
//   diffusion dry FOLDER [steps] [residency] generates latents of one scene with it
//   diffusion scene FOLDER [type] [shots] [TEXT_ENCODER]  generates shots with a model that has a scene.json

let arguments = Array(CommandLine.arguments.dropFirst())
guard let command = arguments.first else {
  print("diffusion block|step|random|dry …")
  exit(2)
}

func argument(_ index: Int) -> String? { arguments.indices.contains(index) ? arguments[index] : nil }

/// Whole seconds and fractions of a clock that nobody sets.
func now() -> Double { Double(monotonicTime()) / 1e9 }

/// What this process had in memory at most, in MB of 10⁶ bytes.
func peakMemory() -> Double {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return Double(usage.ru_maxrss) * 1024 / 1e6
}

func report(_ fields: [(String, String)]) { print("{" + fields.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}") }

func rounded(_ value: Double, _ digits: Double = 1000) -> String { "\((value * digits).rounded() / digits)" }

let type: DataType? =
  switch argument(command == "scene" ? 2 : 1) {
  case "bfloat16": .bfloat16
  case "float32": .float32
  case "int8": .int8
  default: nil
  }

switch command {
case "block": try measureBlock(Compute(type, threads: 2))
case "decode": try measureDecode(Compute(type, threads: 2))
case "scenes": try measureScenes(Compute(type, threads: 2))
case "step": try measureStep(Compute(type, threads: 2))
case "random":
  guard let folder = argument(1) else { exit(2) }
  try RandomModel(TransformerConfiguration()).write(to: folder)
case "dry":
  guard let folder = argument(1) else { exit(2) }
  try dryRun(folder, steps: argument(2).flatMap { Int($0) } ?? 1, residency: argument(3).flatMap { Residency(rawValue: $0) } ?? .all)
case "scene":
  guard let folder = argument(1) else { exit(2) }
  try measureScene(folder, textEncoder: argument(4), shots: max(1, argument(3).flatMap { Int($0) } ?? 10), Compute(type, threads: 2))
default: exit(2)
}
