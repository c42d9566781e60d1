import Pixels

/// The content score of each frame, for the detectors that use it.
struct ContentMeter {
  struct Reading {
    var score: Double
    var difference: ComponentDifference

    /// In the order of ``ContentMeter/statisticNames``.
    var statistics: [Double] {
      [score, difference.edges, difference.hue, difference.value, difference.saturation]
    }
  }

  /// PySceneDetect's columns, sorted as its statistics file sorts them.
  static let statisticNames = ["content_val", "delta_edges", "delta_hue", "delta_lum", "delta_sat"]

  let keepsStatistics: Bool
  private let layout: PictureLayout
  private var weights: ComponentWeights
  private var measuresEdges: Bool
  private var difference: HSVDifference

  init(_ settings: DetectorSettings, layout: PictureLayout) {
    self.layout = layout
    keepsStatistics = settings.statistics
    weights = settings.weights
    measuresEdges = settings.statistics || settings.weights.needsEdges
    difference = HSVDifference(layout: layout, edges: measuresEdges)
  }

  /// `nil` for the first frame.
  mutating func measure(_ picture: borrowing Picture) -> Reading? {
    guard let difference = difference.measure(picture) else { return nil }
    return Reading(score: weights.score(of: difference), difference: difference)
  }

  mutating func reset() {
    difference.reset()
  }

  /// Where edges begin to count there is no earlier edge map: one frame then has nothing to be compared with.
  mutating func update(_ settings: DetectorSettings) {
    weights = settings.weights
    if weights.needsEdges, !measuresEdges {
      measuresEdges = true
      difference = HSVDifference(layout: layout, edges: true)
    }
  }
}
