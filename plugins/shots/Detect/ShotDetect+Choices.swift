import GStreamerKit
import Shots
import TransNet

extension ShotDetect {
  enum Detecting: String, PropertyEnumeration {
    case content, adaptive, threshold, histogram, hash, transnet, fused

    static let typeName = "GstShotDetectDetector"

    var kind: DetectorKind {
      switch self {
      case .content: .content
      case .adaptive: .adaptive
      case .threshold: .threshold
      case .histogram: .histogram
      case .hash: .hash
      case .transnet: .transnet
      case .fused: .fused
      }
    }

    var needsNetwork: Bool { self == .transnet || self == .fused }

    var blurb: String {
      switch self {
      case .content: "Cuts: weighted mean absolute difference of hue, saturation and value"
      case .adaptive: "Cuts: that difference relative to its neighbours, for moving cameras; knows late"
      case .threshold: "Fades through black: mean level"
      case .histogram: "Cuts: correlation of brightness histograms"
      case .hash: "Cuts: distance of perceptual hashes"
      case .transnet: "Cuts, fades, dissolves, wipes: the neural network TransNetV2; knows late"
      case .fused: "The same from the network and all other cues together: the most accurate; knows late"
      }
    }
  }

  enum Filtering: String, PropertyEnumeration {
    case merge, suppress

    static let typeName = "GstShotDetectFilter"

    var mode: FlashFilter.Mode {
      switch self {
      case .merge: .merge
      case .suppress: .suppress
      }
    }

    var blurb: String {
      switch self {
      case .merge: "Cuts in quick succession become one, where the last of them lies"
      case .suppress: "A cut too soon after another is dropped"
      }
    }
  }

  enum WindowingChoice: String, PropertyEnumeration {
    case streaming, windowed

    static let typeName = "GstShotDetectWindowing"

    var blurb: String {
      switch self {
      case .streaming: "Every frame is computed once (look-ahead of 48 and more), with what earlier frames left behind"
      case .windowed: "As published: windows of 100 frames every 50; looks 74 frames ahead and costs twice as much"
      }
    }
  }

  enum PrecisionChoice: String, PropertyEnumeration {
    case auto, float32, bfloat16, int8

    static let typeName = "GstShotDetectPrecision"

    var precision: Precision {
      switch self {
      case .auto: .automatic
      case .float32: .float32
      case .bfloat16: .bfloat16
      case .int8: .int8
      }
    }

    var blurb: String {
      switch self {
      case .auto: "The fastest that the processor has instructions for"
      case .float32: "As published"
      case .bfloat16: "Bfloat16 products, float32 sums"
      case .int8: "Spatial convolutions in bytes, the rest in bfloat16"
      }
    }
  }

  enum Late: String, PropertyEnumeration {
    case wait, skip

    static let typeName = "GstShotDetectWhenLate"

    var policy: LatePolicy {
      switch self {
      case .wait: .wait
      case .skip: .skip
      }
    }

    var blurb: String {
      switch self {
      case .wait: "The stream waits"
      case .skip: "The frame passes without the network seeing it; a warning, and frames-skipped counts"
      }
    }
  }
}
