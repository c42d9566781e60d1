import Tensors

/// What turns frames into the latents of a transformer, and back.
public protocol Autoencoder: AnyObject {
  /// Numbers of a latent: 16 for CogVideoX.
  var latentChannels: Int { get }
  /// Pixels of a latent's side.
  var spatialCompression: Int { get }
  /// Frames that a latent stands for, after the first that stands for one.
  var temporalCompression: Int { get }

  /// How many latent frames come of so many frames.
  func latents(frames count: Int) -> Int

  /// How many frames come of so many latent frames.
  func frames(latents count: Int) -> Int

  /// Frames → their likeliest latents, as the transformer sees them.
  ///
  /// - Parameters:
  ///   - frames: `[T, H, W, C]` in float32, −1…1. Height and width are multiples of ``spatialCompression``.
  ///   - tiling: for large frames, tiles that are encoded one after the other; nil for whole frames.
  ///   - check: called many times a second; what it throws ends the encoding.
  /// - Throws: ``DiffusionError/size(_:)`` for frames that do not fit.
  func encode(_ frames: Frames, tiling: Tiling?, check: @escaping () throws -> Void) throws -> Latents

  /// The transformer's latents → frames, handed on as soon as they are decoded.
  ///
  /// - Parameter emit: gets the next frames, `[T, H, W, C]` in float32, about −1…1 and not clipped.
  /// - Throws: ``DiffusionError/size(_:)`` for latents that do not fit.
  func decode(_ latents: Latents, tiling: Tiling?, check: @escaping () throws -> Void, emit: (Frames) throws -> Void) throws
}

/// The classes of autoencoders that are known.
enum Autoencoders {
  static let classes = [AutoencoderConfiguration.className, LappedAutoencoder.className]

  /// Opens a folder with a `config.json` and safetensors files.
  static func load(folder: String, compute: Compute) throws(WeightsError) -> any Autoencoder {
    let fields = try ConfigurationFields(path: folder + "/config.json")
    return try fields.choice("_class_name", classes) == LappedAutoencoder.className
      ? try LappedAutoencoder(folder: folder, compute: compute) : try VideoAutoencoder(folder: folder, compute: compute)
  }
}

extension VideoAutoencoder: Autoencoder {
  /// `latent_channels` of the file.
  public var latentChannels: Int { configuration.latentChannels }
  /// 8 for CogVideoX, whose encoder halves height and width three times.
  public var spatialCompression: Int { configuration.spatialCompression }
  /// 4 for CogVideoX, whose encoder halves the number of frames twice.
  public var temporalCompression: Int { 1 << configuration.temporalLevels }
  /// 13 for 49 frames of CogVideoX; `count` is at least 1.
  public func latents(frames count: Int) -> Int { configuration.latents(frames: count) }
  /// 49 for 13 latent frames of CogVideoX; `count` is at least 1.
  public func frames(latents count: Int) -> Int { configuration.frames(latents: count) }

  /// The mean of the latents' distribution, times the scaling factor. Weights are read with the first frames.
  public func encode(_ frames: Frames, tiling: Tiling?, check: @escaping () throws -> Void) throws -> Latents {
    let distribution: LatentDistribution = try encode(frames, tiling: tiling, check: check)
    return scaled(distribution.mode)
  }

  /// Divides by the scaling factor and decodes. Frames come in chunks of about eight, with tiles all at once.
  public func decode(_ latents: Latents, tiling: Tiling?, check: @escaping () throws -> Void, emit: (Frames) throws -> Void) throws {
    try decode(unscaled(latents), tiling: tiling, check: check, emit: emit)
  }
}
