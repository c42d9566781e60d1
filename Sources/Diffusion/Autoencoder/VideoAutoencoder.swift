import Tensors

/// Turns frames into latents and back, causally in time: a chunk depends on those before it only.
///
/// ```swift
/// let autoencoder = try VideoAutoencoder(folder: "vae", compute: compute)
/// let latents = autoencoder.scaled(try autoencoder.encode(frames, on: compute).mode)
/// try autoencoder.decode(autoencoder.unscaled(latents), on: compute) { show($0) }
/// ```
///
/// Frames are cut into chunks of eight, latents into chunks of two, and what would be left over belongs to the first; the
/// statistics of normalisations are those of a chunk, so that chunks are a part of the numbers.
///
/// Weights are read when a layer first needs them. To be used by one caller at a time.
///
/// Source: AutoencoderKLCogVideoX of diffusers; Yang et al., "CogVideoX", https://arxiv.org/abs/2408.06072.
public final class VideoAutoencoder {
  public let configuration: AutoencoderConfiguration
  private let type: DataType
  private let encoder: VideoEncoder
  private let decoder: VideoDecoder

  /// - Parameters:
  ///   - folder: with `config.json` and weights, as diffusers saves them.
  ///   - compute: what it will be used with.
  /// - Throws: `WeightsError` for whatever in the folder is not as the configuration says.
  public convenience init(folder: String, compute: Compute) throws {
    let configuration = try AutoencoderConfiguration(path: folder + "/config.json")
    let weights = try WeightFiles(folder: folder)
    try weights.check(Self.expectedTensors(configuration))
    try self.init(configuration, type: compute.type) { try weights.floats($0, shape: $1) }
  }

  /// - Parameters:
  ///   - type: `float32` or `bfloat16`: what products read, that of the ``Compute`` it is used with.
  ///   - tensor: gets a tensor's name and shape, and returns its values in row-major order.
  /// - Throws: what `tensor` does.
  public init(_ configuration: AutoencoderConfiguration, type: DataType, tensor: @escaping (String, [Int]) throws -> [Float]) throws {
    let layers = AutoencoderLayers(configuration, type: type, read: tensor)
    self.configuration = configuration
    self.type = type
    encoder = try VideoEncoder(layers)
    decoder = try VideoDecoder(layers)
  }

  /// All the tensors that a configuration calls for, as diffusers names them.
  public static func expectedTensors(_ configuration: AutoencoderConfiguration) throws -> [ExpectedTensor] {
    let layers = AutoencoderLayers(configuration, type: .float32) { _, shape in Array(repeating: 0, count: shape.reduce(1, *)) }
    _ = try VideoEncoder(layers)
    _ = try VideoDecoder(layers)
    return layers.expected
  }

  /// Frames → the distribution of their latents.
  ///
  /// - Parameters:
  ///   - frames: `[T, H, W, C]` in float32, −1…1. Height and width are multiples of ``AutoencoderConfiguration/spatialCompression``.
  ///   - tiling: for frames that are larger than a tile, tiles that are encoded one after the other; nil for whole frames.
  ///   - check: called many times a second; what it throws ends the encoding.
  /// - Throws: ``AutoencoderError`` for frames that do not fit.
  public func encode(
    _ frames: Frames, tiling: Tiling? = nil, on compute: Compute, check: @escaping () throws -> Void = {}
  ) throws -> LatentDistribution {
    precondition(compute.type == type, "weights of another type than what computes")
    let side = configuration.spatialCompression
    guard frames.channels == configuration.inChannels, frames.type == .float32 else {
      throw AutoencoderError.channels(frames.channels, expected: configuration.inChannels)
    }
    guard frames.count > 0 else { throw AutoencoderError.noFrames }
    guard frames.height > 0, frames.width > 0, frames.height % side == 0, frames.width % side == 0 else {
      throw AutoencoderError.size(width: frames.width, height: frames.height, multipleOf: side)
    }
    if let tiling, frames.width > tiling.width || frames.height > tiling.height {
      let grid = try TileGrid(tiling, side, of: .frames)
      return LatentDistribution(try grid.assemble(frames) { try self.encoded($0, on: compute, check) })
    }
    return LatentDistribution(try encoded(frames, on: compute, check))
  }

  /// A tile or whole frames.
  private func encoded(_ frames: Frames, on compute: Compute, _ check: @escaping () throws -> Void) throws -> Frames {
    let context = ChunkContext(compute: compute, history: ChunkHistory(), latents: nil, check: check)
    return .concatenated(try AutoencoderConfiguration.frameChunks(frames.count).map { try encoder(frames.copy($0), context) })
  }

  /// Latents → frames, handed on as soon as they are decoded.
  ///
  /// - Parameters:
  ///   - latents: `[T′, h, w, C]` in float32, as the encoder made them: ``unscaled(_:)`` first.
  ///   - tiling: for frames that are larger than a tile, tiles that are decoded one after the other, so that memory besides
  ///     the frames is that of one tile; frames then come when all tiles are there. nil for whole frames.
  ///   - check: called many times a second; what it throws ends the decoding.
  ///   - emit: gets the next frames, `[T, H, W, channels]` in float32, about −1…1 and not clipped.
  /// - Throws: ``AutoencoderError`` for latents that do not fit.
  public func decode(
    _ latents: Frames, tiling: Tiling? = nil, on compute: Compute, check: @escaping () throws -> Void = {}, emit: (Frames) throws -> Void
  ) throws {
    precondition(compute.type == type, "weights of another type than what computes")
    guard latents.channels == configuration.latentChannels, latents.type == .float32 else {
      throw AutoencoderError.channels(latents.channels, expected: configuration.latentChannels)
    }
    guard latents.count > 0 else { throw AutoencoderError.noFrames }
    guard latents.height > 0, latents.width > 0 else { throw AutoencoderError.size(width: 0, height: 0, multipleOf: 1) }
    let side = configuration.spatialCompression
    guard let tiling, latents.width > tiling.width / side || latents.height > tiling.height / side else {
      return try decoded(latents, on: compute, check, emit)
    }
    let grid = try TileGrid(tiling, side, of: .latents)
    let frames = try grid.assemble(latents) { tile in
      var parts: [Frames] = []
      try self.decoded(tile, on: compute, check) { parts.append($0) }
      return .concatenated(parts)
    }
    try emit(frames)
  }

  /// A tile or whole frames.
  private func decoded(
    _ latents: Frames, on compute: Compute, _ check: @escaping () throws -> Void, _ emit: (Frames) throws -> Void
  ) throws {
    let context = ChunkContext(compute: compute, history: ChunkHistory(), latents: nil, check: check)
    for chunk in AutoencoderConfiguration.latentChunks(latents.count) { try emit(decoder(latents.copy(chunk), context)) }
  }

  /// Latents as the diffusion model has them: z · factor.
  ///
  /// - Parameter isImage: latents of the image that a video begins with, which some models divide.
  public func scaled(_ latents: Frames, isImage: Bool = false) -> Frames {
    let factor = Float(configuration.scalingFactor)
    return latents.multiplied(by: isImage && configuration.invertsScale ? 1 / factor : factor)
  }

  /// What ``decode(_:tiling:on:check:emit:)`` reads, from latents of the diffusion model: z / factor.
  public func unscaled(_ latents: Frames) -> Frames { latents.multiplied(by: 1 / Float(configuration.scalingFactor)) }
}

/// Why frames or latents cannot be encoded or decoded.
public enum AutoencoderError: Error, Hashable, Sendable, CustomStringConvertible {
  case noFrames
  case channels(Int, expected: Int)
  case size(width: Int, height: Int, multipleOf: Int)
  /// Tiles whose edges fall between latents.
  case tiles(String)

  public var description: String {
    switch self {
    case .noFrames: "a video without frames"
    case .channels(let count, let expected): "a video of \(count) channels where the autoencoder has \(expected), or not of float32"
    case .size(let width, let height, let side): "frames of \(width)×\(height), not of multiples of \(side)"
    case .tiles(let reason): "tiles that cannot be used: \(reason)"
    }
  }
}

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
    precondition(noise.matrix.rows == mean.matrix.rows && noise.channels == mean.channels && noise.type == .float32, "noise of another shape")
    let count = mean.matrix.rows * mean.channels
    let result = mean.multiplied(by: 1)
    let values = result.matrix.base.assumingMemoryBound(to: Float.self)
    let (logs, factors) = (logVariance.matrix.base.assumingMemoryBound(to: Float.self), noise.matrix.base.assumingMemoryBound(to: Float.self))
    for index in 0..<count { values[index] += exp(0.5 * logs[index]) * factors[index] }
    return result
  }
}
