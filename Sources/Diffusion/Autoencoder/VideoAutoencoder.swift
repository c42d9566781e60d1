import Tensors

/// Turns frames into latents and back, causally in time: a chunk depends on those before it only.
///
/// ```swift
/// let autoencoder = try VideoAutoencoder(folder: "CogVideoX-2b/vae", compute: compute)
/// let latents = autoencoder.scaled(try autoencoder.encode(frames).mode)
/// try autoencoder.decode(autoencoder.unscaled(latents)) { show($0) }
/// ```
///
/// Frames are cut into chunks of eight, latents into chunks of two, and what would be left over belongs to the first; the
/// statistics of normalisations are those of a chunk, so that chunks are a part of the numbers.
///
/// Weights are read when a layer first needs them. To be used by one caller at a time.
///
/// Source: AutoencoderKLCogVideoX of diffusers; Yang et al., "CogVideoX", https://arxiv.org/abs/2408.06072.
public final class VideoAutoencoder {
  /// From `config.json`: channels, compression and the scaling factor.
  public let configuration: AutoencoderConfiguration
  private let compute: Compute
  private let encoder: VideoEncoder
  private let decoder: VideoDecoder

  /// Opens a folder with a `config.json` and safetensors files.
  ///
  /// - Throws: a file is missing or damaged, of another model, or lacks a tensor.
  public convenience init(folder: String, compute: Compute) throws(WeightsError) {
    let configuration = try AutoencoderConfiguration(path: folder + "/config.json")
    try self.init(configuration, WeightFiles(folder: folder), compute: compute)
  }

  /// - Throws: a tensor is missing, or of another shape or type.
  public convenience init(_ configuration: AutoencoderConfiguration, _ weights: WeightFiles, compute: Compute) throws(WeightsError) {
    try weights.check(configuration.expectedTensors(of: weights))
    try self.init(configuration, compute: compute) { (name, shape) throws(WeightsError) in try weights.floats(name, shape: shape) }
  }

  /// - Parameter tensor: gets a tensor's name and shape, and returns its values in row-major order.
  package init(
    _ configuration: AutoencoderConfiguration, compute: Compute, tensor: @escaping (String, [Int]) throws(WeightsError) -> [Float]
  ) throws(WeightsError) {
    let layers = AutoencoderLayers(configuration: configuration, type: compute.type, reader: WeightReader(read: tensor))
    self.configuration = configuration
    self.compute = compute
    encoder = try VideoEncoder(layers)
    decoder = try VideoDecoder(layers)
  }

  /// Frames → the distribution of their latents.
  ///
  /// - Parameters:
  ///   - frames: `[T, H, W, C]` in float32, −1…1. Height and width are multiples of ``AutoencoderConfiguration/spatialCompression``.
  ///   - tiling: for frames that are larger than a tile, tiles that are encoded one after the other; nil for whole frames.
  ///   - check: called many times a second; what it throws ends the encoding.
  /// - Throws: ``DiffusionError/size(_:)`` for frames that do not fit.
  public func encode(
    _ frames: Frames, tiling: Tiling? = nil, check: @escaping () throws -> Void = {}
  ) throws -> LatentDistribution {
    try Self.require(frames, channels: configuration.inChannels, "frames")
    let side = configuration.spatialCompression
    guard frames.height % side == 0, frames.width % side == 0 else {
      throw DiffusionError.size("frames are \(frames.width)×\(frames.height), not multiples of \(side)")
    }
    if let tiling, frames.width > tiling.width || frames.height > tiling.height {
      let grid = try TileGrid(tiling, side, of: .frames)
      return LatentDistribution(try grid.assemble(frames) { try encoded($0, check) })
    }
    return LatentDistribution(try encoded(frames, check))
  }

  /// A tile or whole frames.
  private func encoded(_ frames: Frames, _ check: @escaping () throws -> Void) throws -> Frames {
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
  /// - Throws: ``DiffusionError/size(_:)`` for latents that do not fit.
  public func decode(
    _ latents: Frames, tiling: Tiling? = nil, check: @escaping () throws -> Void = {}, emit: (Frames) throws -> Void
  ) throws {
    try Self.require(latents, channels: configuration.latentChannels, "latents")
    let side = configuration.spatialCompression
    guard let tiling, latents.width > tiling.width / side || latents.height > tiling.height / side else {
      return try decoded(latents, check, emit)
    }
    let grid = try TileGrid(tiling, side, of: .latents)
    let frames = try grid.assemble(latents) { tile in
      var parts: [Frames] = []
      try decoded(tile, check) { parts.append($0) }
      return .concatenated(parts)
    }
    try emit(frames)
  }

  /// A tile or whole frames.
  private func decoded(
    _ latents: Frames, _ check: @escaping () throws -> Void, _ emit: (Frames) throws -> Void
  ) throws {
    let context = ChunkContext(compute: compute, history: ChunkHistory(), latents: nil, check: check)
    for chunk in AutoencoderConfiguration.latentChunks(latents.count) { try emit(decoder(latents.copy(chunk), context)) }
  }

  private static func require(_ frames: Frames, channels: Int, _ name: String) throws {
    guard frames.count > 0, frames.height > 0, frames.width > 0 else {
      throw DiffusionError.size("\(name) are \(frames.count) of \(frames.width)×\(frames.height), not at least one")
    }
    guard frames.channels == channels, frames.type == .float32 else {
      throw DiffusionError.size("\(name) have \(frames.channels) channels of \(frames.type), not \(channels) of float32")
    }
  }

  /// Latents as the transformer has them: z · factor.
  ///
  /// - Parameter isImage: latents of the image that a video begins with, which some models divide.
  public func scaled(_ latents: Frames, isImage: Bool = false) -> Latents {
    let factor = Float(configuration.scalingFactor)
    return latents.latents { isImage && configuration.invertsScale ? $0 / factor : $0 * factor }
  }

  /// What `decode(_:tiling:check:emit:)` reads, from latents of the transformer: z / factor.
  public func unscaled(_ latents: Latents) -> Frames {
    let factor = Float(configuration.scalingFactor)
    return Frames(latents) { $0 / factor }
  }
}
