/// The cues that ``TransitionRule`` decides on: a row of numbers a frame.
///
/// Row t describes the step from frame t-1 to frame t, so that a cut whose new shot begins at t stands in row t. The
/// definitions are those of `training/fused/cues.py`, which made the numbers that the weights were trained on.
enum TransitionCues {
  static let width = 48
  static let height = 27
  static let pixels = width * height
  /// Samples of a thumbnail: RGB, row by row.
  static let samples = pixels * 3

  /// The first columns of a row come from the network, the rest from pixels.
  static let networkCount = 4
  /// Distances between the two frames that are compared around t: t-1-j and t+j with j = (gap - 1) / 2.
  static let differenceGaps = [1, 3, 5, 9, 17, 25, 33, 49]
  static let structureGaps = [1, 5, 17, 33]
  static let histogramGaps = [1, 5, 17]
  /// Gaps at which an earlier look may return.
  static let returnGaps = 2...8
  /// Frames t-1-j and t+j of which the middle may be a mixture.
  static let mixtureReaches = [2, 4, 8, 16, 24]
  /// Frames that a front takes across the picture.
  static let frontDurations = [3, 4, 5, 6, 8, 10, 12, 14, 17, 20, 24, 28, 32, 36, 40, 44]
  static let shiftX = 4
  static let shiftY = 3

  /// Row t needs frames t - 26 … t + 26.
  static let reach = 26

  static let names: [String] =
    ["one_hot", "many_hot", "log_one_hot", "log_many_hot", "hue", "saturation", "value", "level", "contrast", "level_step", "level_trend"]
    + differenceGaps.map { "difference_\($0)" } + ["returns_after", "returns_before"] + structureGaps.map { "structure_\($0)" }
    + histogramGaps.map { "histogram_\($0)" } + mixtureReaches.flatMap { ["mixture_share_\($0)", "mixture_rest_\($0)"] }
    + ["right", "left", "down", "up"].flatMap { ["front_\($0)", "front_share_\($0)"] }
    + ["front_duration", "column_focus", "row_focus", "column_place", "row_place", "shift", "shift_rest"]
}

/// What a row of cues says plainly of its step.
struct TransitionStep {
  /// The step is about all that the picture changes around it, and neither is the old look there again within a few frames,
  /// nor was the new one there before, as with a flash.
  var isCut: Bool

  init(_ row: [Float]) {
    // Logarithms of mean differences.
    let differences = TransitionCues.networkCount + 7, returns = differences + TransitionCues.differenceGaps.count
    let step = row[differences], around = row[differences + 3]
    isCut = step > around - Self.half / 2 && min(row[returns], row[returns + 1]) > step - Self.half
  }

  /// ln 2
  private static let half: Float = 0.6931472
}
