import Timing

/// Shots without a model: ``Rephotographer`` as a generator.
public final class RephotographGenerator: ShotGenerator {
  /// `rephotograph`, which shot lists name as what made a shot.
  public let name = "rephotograph"
  /// Four seconds.
  public let shotDuration: UInt64 = 4_000_000_000
  private let seed: UInt64
  private var rephotographer: Rephotographer?
  private var rate = FrameTimes.usualRate

  /// The same seed gives the same shots of the same album.
  public init(seed: UInt64) { self.seed = seed }

  /// Starts anew from the context's album. Throws nothing: an empty album fails at the first shot.
  public func begin(_ context: SceneContext, check: @escaping ProgressCheck) throws {
    rate = context.frameRate
    let perSecond = Double(rate.numerator) / Double(max(1, rate.denominator))
    let settings = Rephotographer.Settings(width: context.width, height: context.height, framesPerSecond: perSecond, seed: seed)
    rephotographer = Rephotographer(album: context.album, settings: settings)
  }

  /// Emits the whole shot at once; its frames are rendered where they are shown.
  ///
  /// - Throws: ``GenerationFailure/noPictures`` if the album is empty; what `check` throws.
  public func generate(_ shot: PlannedShot, duration: UInt64, check: @escaping ProgressCheck, emit: (ShotPiece) -> Void) throws {
    try check(0, 1)
    let times = FrameTimes(start: 0, numerator: rate.numerator, denominator: rate.denominator)
    guard let made = rephotographer?.nextShot(frames: Int(clamping: times.count(in: duration))) else { throw GenerationFailure.noPictures }
    emit(.camera(made))
  }
}
