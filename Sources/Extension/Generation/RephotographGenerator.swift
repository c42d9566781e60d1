import Timing

/// Shots without a model: ``Rephotographer`` as a generator.
public final class RephotographGenerator: ShotGenerator {
  public let name = "rephotograph"
  public let shotDuration: UInt64 = 4_000_000_000
  private let seed: UInt64
  private var rephotographer: Rephotographer?
  private var rate = FrameTimes.usualRate

  public init(seed: UInt64) { self.seed = seed }

  public func begin(_ context: SceneContext, check: @escaping ProgressCheck) throws {
    rate = context.frameRate
    let perSecond = Double(rate.numerator) / Double(max(1, rate.denominator))
    let settings = Rephotographer.Settings(width: context.width, height: context.height, framesPerSecond: perSecond, seed: seed)
    rephotographer = Rephotographer(album: context.album, settings: settings)
  }

  public func generate(_ shot: PlannedShot, duration: UInt64, check: @escaping ProgressCheck, emit: (ShotPiece) -> Void) throws {
    try check(0, 1)
    let times = FrameTimes(start: 0, numerator: rate.numerator, denominator: rate.denominator)
    guard let made = rephotographer?.nextShot(frames: Int(clamping: times.count(in: duration))) else { throw GenerationFailure.noPictures }
    emit(.camera(made))
  }
}
