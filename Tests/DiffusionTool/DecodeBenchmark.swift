import Diffusion
import Glibc
import Tensors

/// Times the video autoencoder's decoder at CogVideoX's width with random weights, and prints one line of JSON.
///
/// - Parameter arguments: type (`bfloat16` or `float32`), threads, latent frames, their height and width, repetitions;
///   defaults are bfloat16, 2, 3, 15, 22, 3.
func benchmarkDecode(_ arguments: [String]) throws {
  func number(_ index: Int, _ fallback: Int) -> Int { index < arguments.count ? Int(arguments[index]) ?? fallback : fallback }
  let type: DataType = arguments.first == "float32" ? .float32 : .bfloat16
  let compute = try Compute(type, threads: number(1, 2))
  let (count, height, width, repetitions) = (number(2, 3), number(3, 15), number(4, 22), number(5, 3))
  var state: UInt64 = 1
  func random(_ scale: Float) -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return (Float(state >> 40) / Float(1 << 23) - 1) * scale
  }
  let autoencoder = try VideoAutoencoder(AutoencoderConfiguration(), type: type) { name, shape in
    let elements = shape.reduce(1, *)
    let inputs = shape.count > 1 ? elements / shape[0] : 1
    let isFactor = name.contains("norm") && name.hasSuffix("weight") && shape.count == 1
    return (0..<elements).map { _ in isFactor ? 1 : random((3 / Float(inputs)).squareRoot() * (shape.count > 1 ? 1 : 0.1)) }
  }
  let latents = Frames(
    planes: (0..<count * height * width * 16).map { _ in random(1.7) }, channels: 16, count: count, height: height, width: width)
  var seconds: [Double] = []
  var processor: [Double] = []
  var frames = 0
  var operations = 0.0
  // Equal for every number of threads.
  var sum = 0.0
  for _ in 0...repetitions {
    var (start, end) = (timespec(), timespec())
    let before = (operations: compute.operations, processor: processorSeconds())
    frames = 0
    clock_gettime(CLOCK_MONOTONIC, &start)
    try autoencoder.decode(latents, on: compute) {
      frames += $0.count
      sum = $0.matrix.floats().reduce(0) { $0 + Double(abs($1)) }
    }
    clock_gettime(CLOCK_MONOTONIC, &end)
    operations = compute.operations - before.operations
    processor.append(processorSeconds() - before.processor)
    seconds.append(Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) / 1e9)
  }
  // The first has weights packed and kernels made.
  let best = seconds.dropFirst().min() ?? seconds[0]
  print(
    """
    {"part": "decode", "type": "\(type)", "threads": \(compute.threads), "frames": \(frames), "size": "\(8 * width)x\(8 * height)", \
    "first_s": \(seconds[0]), "s": \(best), "gflop": \(operations / 1e9), "gflop_s": \(operations / 1e9 / best), \
    "sum": \(sum), \
    "cpu_s": \(processor.dropFirst().min() ?? processor[0]), \
    "peak_rss_mib": \(usage().ru_maxrss / 1024)}
    """)
}

private func usage() -> rusage {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return usage
}

/// Of all threads: what a run would have taken had nothing else wanted the processor.
private func processorSeconds() -> Double {
  let usage = usage()
  return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
}
