import Diffusion
import Glibc
import Tensors

/// Times the video decoder at CogVideoX's width with random weights.
///
/// - Parameters:
///   - latents: frames, height and width; 3 × 15 × 22 gives 9 frames of 176 × 120.
///   - repetitions: after a first run, which packs weights and makes kernels.
func measureDecode(_ compute: Compute, latents size: (count: Int, height: Int, width: Int) = (3, 15, 22), repetitions: Int = 3) throws {
  var state: UInt64 = 1
  func random(_ scale: Float) -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return (Float(state >> 40) / Float(1 << 23) - 1) * scale
  }
  let autoencoder = try VideoAutoencoder(AutoencoderConfiguration(), compute: compute) { name, shape in
    let elements = shape.reduce(1, *)
    if shape.count == 1 { return (0..<elements).map { _ in name.hasSuffix("weight") ? 1 : random(0.1) } }
    // Sums of so many products are about as large as what they are made of.
    let scale = (3 * Float(shape[0]) / Float(elements)).squareRoot()
    return (0..<elements).map { _ in random(scale) }
  }
  let latents = Frames(
    planes: (0..<size.count * 16 * size.height * size.width).map { _ in random(1.7) }, channels: 16, count: size.count, height: size.height,
    width: size.width)
  var (frames, operations) = (0, 0.0)
  var seconds: [Double] = []
  for _ in 0...max(1, repetitions) {
    let before = (now(), compute.operations)
    frames = 0
    try autoencoder.decode(latents) { frames += $0.count }
    seconds.append(now() - before.0)
    operations = compute.operations - before.1
  }
  let best = seconds.dropFirst().min() ?? 0
  let peak = try peakRate(compute)
  report([
    ("part", "\"\(frames) frames of \(8 * size.width) × \(8 * size.height) decoded\""), ("type", "\"\(compute.type)\""),
    ("first_seconds", rounded(seconds[0])), ("seconds", rounded(best)), ("gflop", rounded(operations / 1e9)),
    ("gflops", rounded(operations / 1e9 / best)), ("peak_gflops", rounded(peak)), ("share", rounded(operations / 1e9 / best / peak)),
    ("peak_memory_mb", rounded(peakMemory())),
  ])
}
