import Diffusion
import Extension
import GStreamerKit
import Tensors

extension SceneExtend.Settings {
  /// What decides on the stream.
  var timeline: TimelineSettings {
    TimelineSettings(triggers: trigger, stallTimeout: stallTimeout, shots: Int(shots), sound: audio)
  }
}

extension SceneExtend {
  enum Generator: String, PropertyEnumeration {
    case auto, diffusion, rephotograph

    static let typeName = "GstSceneExtendGenerator"

    var blurb: String {
      switch self {
      case .auto: "The model if its folder says that it is fit to be a default and it holds real time here, else rephotograph"
      case .diffusion: "A diffusion transformer that sees the shots before"
      case .rephotograph: "No model: a virtual camera takes the last shots again"
      }
    }
  }

  enum Underrun: String, PropertyEnumeration {
    case rephotograph, hold, slow, eos

    static let typeName = "GstSceneExtendUnderrun"

    /// The frame before it, for as long as nothing is ready.
    var repeatsFrames: Bool { self == .hold || self == .slow }

    var blurb: String {
      switch self {
      case .rephotograph: "The virtual camera fills in"
      case .hold: "The last frame is repeated, flagged as gap"
      case .slow: "Shots are played as slowly as they are made"
      case .eos: "The stream ends"
      }
    }
  }

  enum Fit: String, PropertyEnumeration {
    case stretch, cover, contain

    static let typeName = "GstSceneExtendFit"

    var blurb: String {
      switch self {
      case .stretch: "Frames are squeezed to the model's shape, and what it makes is stretched again: framing stays"
      case .cover: "Generated pictures fill the frame; what is beyond is cut off"
      case .contain: "Generated pictures are shown whole, with black bars"
      }
    }
  }

  enum Mask: String, PropertyEnumeration {
    case auto
    case v1 = "mask2dit-v1", v2 = "mask2dit-v2", v3 = "mask2dit-v3", v4 = "mask2dit-v4", v5 = "mask2dit-v5"
    case cinetrans, causal

    static let typeName = "GstSceneExtendMask"

    var blurb: String {
      switch self {
      case .auto: "The model's own"
      case .v1: "Mask²DiT's variant V1"
      case .v2: "Mask²DiT's variant V2, the published one"
      case .v3: "Mask²DiT's variant V3"
      case .v4: "Mask²DiT's variant V4"
      case .v5: "Mask²DiT's variant V5"
      case .cinetrans: "CineTrans: shots apart on mask-layers, which see the first frame"
      case .causal: "Shots see those before them, whose keys are kept"
      }
    }

    /// nil for the model's own.
    var mask: SceneModel.Mask? {
      switch self {
      case .auto: nil
      case .v1: .v1
      case .v2: .v2
      case .v3: .v3
      case .v4: .v4
      case .v5: .v5
      case .cinetrans: .cinetrans
      case .causal: .causal
      }
    }
  }

  enum Precision: String, PropertyEnumeration {
    case auto, float32, bfloat16, int8

    static let typeName = "GstSceneExtendPrecision"

    var blurb: String {
      switch self {
      case .auto: "bfloat16 where the processor has it, else float32"
      case .float32: "The reference: the same frames on every machine"
      case .bfloat16: "Fast"
      case .int8: "Fastest: large layers in bytes"
      }
    }

    /// nil for what suits the processor.
    var type: DataType? {
      switch self {
      case .auto: nil
      case .float32: .float32
      case .bfloat16: .bfloat16
      case .int8: .int8
      }
    }
  }
}

extension TimelineSettings.Trigger: PropertyEnumeration {
  public static var typeName: String { "GstSceneExtendTriggers" }

  public var blurb: String {
    switch self {
    case .eos: "The end of the stream"
    case .stall: "No frame of a live source for stall-timeout; it has the stream back when it returns"
    case .cut: "The next boundary that shotdetect marked, once, and each that follows an extend"
    }
  }
}

extension TimelineSettings.Sound: PropertyEnumeration {
  public static var typeName: String { "GstSceneExtendSound" }

  public var blurb: String {
    switch self {
    case .silence: "Silence, after 20 ms of fading out"
    case .loop: "The last shot's sound again and again, 10 s of it at most, crossfaded"
    case .gap: "No sound but gap events: for sinks. mp4mux and matroskamux wait for sound, and need one of the others"
    }
  }
}

extension ShotPlan.Policy: PropertyEnumeration {
  public static var typeName: String { "GstSceneExtendPromptPolicy" }

  public var blurb: String {
    switch self {
    case .last: "The last prompt again"
    case .cycle: "All of them from the first"
    case .empty: "No prompt"
    }
  }
}
