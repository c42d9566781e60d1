import Pixels

/// What makes new shots of those before them.
///
/// One thread calls it, see ``ShotProducer``; a generator needs no lock of its own. Both functions call `check` often, every 100
/// ms where they can, and let through what it throws.
public protocol ShotGenerator: AnyObject {
  /// As users name it.
  var name: String { get }
  /// How long a shot is that nobody gave a length, nanoseconds.
  var shotDuration: UInt64 { get }

  /// What follows goes on with this, and with nothing that was generated before.
  func begin(_ context: SceneContext, check: @escaping ProgressCheck) throws

  /// Makes the next shot, which is then part of what the one after it goes on with.
  ///
  /// - Parameters:
  ///   - duration: nanoseconds that the shot is to be shown.
  ///   - emit: gets what the shot shows, whole or piece by piece, as soon as it is there.
  func generate(_ shot: PlannedShot, duration: UInt64, check: @escaping ProgressCheck, emit: (ShotPiece) -> Void) throws
}

/// Step and number of steps of the part that runs. What it throws ends the generation.
public typealias ProgressCheck = (_ step: Int, _ steps: Int) throws -> Void

/// The video before the generated shots, in each of the forms in which generators take it.
public struct SceneContext: Sendable {
  /// Ends of the last shots in a model's size, rate and length, the oldest first; none before the first frame.
  public var clips: [ContextClip<RGBPicture>]
  /// What bytes of the full-size pictures mean; nil where nothing can be drawn in them.
  public var colors: PictureDetail.Colors?
  /// The last shots in full size.
  public var album: ShotAlbum
  /// Of what is to come.
  public var width, height: Int
  /// Frames a second of what is to come, a fraction of numbers above 0.
  public var frameRate: (numerator: Int, denominator: Int)

  /// Without colours no detail is drawn: pictures stay as small as the model makes them.
  public init(
    clips: [ContextClip<RGBPicture>], colors: PictureDetail.Colors? = nil, album: ShotAlbum, width: Int, height: Int,
    frameRate: (numerator: Int, denominator: Int)
  ) {
    (self.clips, self.colors, self.album) = (clips, colors, album)
    (self.width, self.height, self.frameRate) = (width, height, frameRate)
  }
}

/// The last picture of a shot in full size.
public enum ShotEnd: Sendable {
  case frame(PlanarPicture)
  /// That of a generated shot, to be painted by who needs it.
  case generated(PictureDetail)
}

/// A piece of a generated shot.
public enum ShotPiece: Sendable {
  /// Pictures that follow those before them, at so many a second.
  case pictures([RGBPicture], rate: (numerator: Int, denominator: Int))
  /// All of the shot.
  case camera(RephotographedShot)
}

/// What is shown at one time of a generated shot.
public enum GeneratedPicture: Sendable {
  case picture(RGBPicture)
  /// Between two, the first of them with detail: so many 256ths of the second.
  case between(RGBPicture, RGBPicture, share: Int)
  /// Rendered where it is shown.
  case view(RephotographedShot, frame: Int)
}

/// Why a generator cannot go on.
public enum GenerationFailure: Error, Hashable, CustomStringConvertible {
  /// Something else is wanted now.
  case cancelled
  /// There is nothing to take pictures of.
  case noPictures

  public var description: String {
    switch self {
    case .cancelled: "it was cancelled"
    case .noPictures: "no frame of the video was seen, and rephotograph takes its shots from them"
    }
  }
}
