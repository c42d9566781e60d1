/// How much longer a fade lasts than a detector says, told from brightness.
///
/// Detectors miss the first and last frames of a fade, which differ little from clean ones, by up to ten frames.
public enum FadeExtent {
  /// No more frames than this are added on a side: pictures grow brighter for other reasons too.
  public static let most = 12
  /// By what factor the picture's distance from the level must grow over two frames for the fade to go on. A straight fade
  /// of 100 frames still does so.
  private static let growth = 1.015

  /// - Parameter distances: mean distance of frames from the fade's level, 0…1, from the one that the detector takes for
  ///   clean on, going away from the fade; ``most`` + 3 are enough.
  /// - Returns: how many of the frames belong to the fade.
  public static func frames(_ distances: [Double]) -> Int {
    var frames = 0
    while frames < most, frames + 2 < distances.count, distances[frames + 2] >= growth * distances[frames] { frames += 1 }
    return frames
  }
}
