import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What the encoder knows of latents: a normal distribution for each number.
///
/// Source: DiagonalGaussianDistribution of diffusers; Kingma and Welling, https://arxiv.org/abs/1312.6114.
public struct LatentDistribution {
  /// `[T′, h, w, C]` in float32.
  public let mean: Frames
  /// Logarithms of variances, −30…20.
  public let logVariance: Frames

  /// - Parameter moments: `[T′, h, w, 2·C]`
  init(_ moments: Frames) {
    mean = moments.channels(0..<moments.channels / 2) { $0 }
    logVariance = moments.channels(moments.channels / 2..<moments.channels) { min(max($0, -30), 20) }
  }

  /// The likeliest latents.
  public var mode: Frames { mean }

  /// μ + σ · noise
  ///
  /// - Parameter noise: of a standard normal distribution, of the latents' shape.
  public func sample(_ noise: Frames) -> Frames {
    precondition(
      noise.matrix.rows == mean.matrix.rows && noise.channels == mean.channels && noise.type == .float32, "noise of another shape")
    let count = mean.matrix.rows * mean.channels
    let result = mean.copy(0..<mean.count)
    let values = result.matrix.base.assumingMemoryBound(to: Float.self)
    let (logs, factors) = (
      logVariance.matrix.base.assumingMemoryBound(to: Float.self), noise.matrix.base.assumingMemoryBound(to: Float.self)
    )
    for index in 0..<count { values[index] += expf(0.5 * logs[index]) * factors[index] }
    return result
  }
}
