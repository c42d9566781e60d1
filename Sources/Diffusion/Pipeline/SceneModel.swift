import Tensors

/// What `scene.json` in a model's folder says: what shots it was made for, and how they are generated.
///
/// A model with this file goes on with a video shot by shot without being told more: ``SceneExtension``.
public struct SceneModel: Hashable, Sendable {
  /// What a shot's tokens see.
  public enum Mask: String, CaseIterable, Sendable {
    /// Shots see those before them, and these only what was before them in turn: what was computed of them is kept.
    case causal
    /// Mask²DiT's, see ``AttentionMask/Mask2DiT``.
    case v1, v2, v3, v4, v5
    /// Shots are apart on some layers, and see the first frame.
    case cinetrans
  }

  /// Pixels of a shot's width, a multiple of what a latent's side stands for; 8 … 8192 in the file.
  public var width: Int
  /// Pixels of a shot's height, on the same conditions.
  public var height: Int
  /// Frames of a shot.
  public var frames: Int
  /// Frames a second, as a fraction.
  public var frameRate: (numerator: Int, denominator: Int) { (rateNumerator, rateDenominator) }
  private var rateNumerator: Int
  private var rateDenominator: Int
  /// Shots of a sequence, the generated one included.
  public var shots: Int
  /// What the shots of a sequence see of each other.
  public var mask: Mask
  /// Steps of a shot, 1 … 1000: 8 where the file does not say, 50 without the file.
  public var steps: Int
  /// Classifier-free guidance, 0 … 100, none at 1 and below: 1 where the file does not say, 6 without the file.
  public var guidance: Double
  /// The folder with tokenizer and encoder that lies beside the model's; nil if they are in it.
  public var textEncoder: String?
  private var samePrefix: String
  private var backPrefix: String
  private var nextPrefix: String
  /// Of a model whose shots are differences from what motion compensation makes of the shot that goes on; nil for others.
  public var reference: Reference?
  /// Whether it draws scenes that no shot before shows. One that does not goes on with those shots where nobody asks for a new scene.
  public var drawsNewScenes: Bool
  /// Whether its makers hold it fit to be used without being asked for.
  public var isDefault: Bool

  /// The shot that the camera would see if its motion went on, see `GlobalMotion`: latents = reference + generated / `scale`, and
  /// frames are those of the latents and what the reference has beyond its own.
  public struct Reference: Hashable, Sendable {
    /// Of the motion's speed, a frame.
    public var damping: Double
    /// How many times larger than the difference of latents what is generated is, 0.001 … 1000.
    public var scale: Float
    /// Differences up to the first are left out, from the second on they are all there: levels of 255, averaged around a pixel. A small
    /// model's unrest, which would creep into what stands still.
    public var unrest: ClosedRange<Float>
  }

  static let fileName = "scene.json"

  /// The words that tell the transformer how a shot begins, in front of its prompt; empty where the model has none for it.
  ///
  /// - Parameter beginning: nil where there is nothing to tell.
  public func prefix(_ beginning: ShotBeginning?) -> String {
    switch beginning {
    case .next: nextPrefix
    case .same: samePrefix
    case .back: backPrefix
    case nil: ""
    }
  }

  /// Of a folder without the file: shots of the size and length that its transformer was made for, 8 frames a second, after two
  /// others under Mask²DiT's mask, with the published steps and guidance.
  init(transformer: TransformerConfiguration, spatialCompression: Int) {
    width = transformer.sampleWidth * spatialCompression
    height = transformer.sampleHeight * spatialCompression
    frames = transformer.sampleFrames
    (rateNumerator, rateDenominator) = (8, 1)
    (shots, mask, steps, guidance, drawsNewScenes, isDefault) = (3, .v2, 50, 6, true, false)
    (samePrefix, backPrefix, nextPrefix) = ("", "", "")
  }

  /// nil for a folder without the file.
  ///
  /// - Throws: the file has a field that is missing, of another type or out of range.
  public static func read(folder: String) throws(WeightsError) -> SceneModel? {
    do {
      return try SceneModel(folder: folder)
    } catch {
      if error.kind == .notFound { return nil }
      throw error
    }
  }

  /// - Throws: the file is missing, or has a field that is missing, of another type or out of range.
  public init(folder: String) throws(WeightsError) {
    let fields = try ConfigurationFields(path: folder + "/" + Self.fileName)
    func required(_ field: String, in range: ClosedRange<Int>) throws(WeightsError) -> Int {
      guard let value = try fields.optionalInteger(field, in: range) else { throw fields.error(field, "is absent, not an integer") }
      return value
    }
    width = try required("width", in: 8...8192)
    height = try required("height", in: 8...8192)
    frames = try required("frames", in: 1...4096)
    let rate = try fields.integers("frame_rate", default: [8, 1], in: 1...1_000_000, count: 2...2)
    (rateNumerator, rateDenominator) = (rate[0], rate[1])
    shots = try required("shots", in: 1...64)
    mask = Mask(rawValue: try fields.choice("mask", Mask.allCases.map(\.rawValue))) ?? .v2
    steps = try fields.integer("steps", default: 8, in: 1...1000)
    guidance = try fields.number("guidance", default: 1, in: 0...100)
    textEncoder = try fields.optionalText("text_encoder")
    if let textEncoder, !isPlainFileName(textEncoder) { throw fields.error("text_encoder", "is no name of a folder") }
    samePrefix = try fields.optionalText("prefix_same") ?? ""
    backPrefix = try fields.optionalText("prefix_back") ?? ""
    nextPrefix = try fields.optionalText("prefix_next") ?? ""
    if let scale = try fields.optionalNumber("reference_scale", in: 1e-3...1e3) {
      let unrest = try fields.optionalNumbers("reference_unrest", in: 0...255, count: 2...2) ?? [0, 0]
      guard unrest[0] <= unrest[1] else { throw fields.error("reference_unrest", "has a first number above its second") }
      reference = Reference(
        damping: try fields.number("reference_damping", default: 1, in: 0...1), scale: Float(scale),
        unrest: Float(unrest[0])...Float(unrest[1]))
      // The transformer is told in words which shot goes on.
      if samePrefix.isEmpty { throw fields.error("prefix_same", "is empty, in a model with a reference_scale") }
      if backPrefix.isEmpty { throw fields.error("prefix_back", "is empty, in a model with a reference_scale") }
    }
    drawsNewScenes = try fields.boolean("new_scenes", default: true)
    isDefault = try fields.boolean("default", default: false)
  }
}

extension SceneModel {
  /// Layers as users write them, "6-27", or "3", from 0; nil for other texts.
  public static func layers(_ text: String) -> ClosedRange<Int>? {
    let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { Int($0) }
    guard let first = ends.first ?? nil, let last = ends.last ?? nil, 0 <= first, first <= last, last < 4096 else { return nil }
    return first...last
  }
}
