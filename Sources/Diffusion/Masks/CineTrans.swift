/// Shots and the mask that keeps them apart, as CineTrans has it.
///
/// On the masked layers a shot's video sees itself and, so that shots keep to one look, the first latent frame of all; the
/// other layers are open. Captions: one a shot, and perhaps a last one for all of it. A shot's video and its caption see each
/// other, and so do all videos and the general caption. CineTrans has captions in a cross-attention of their own, where
/// queries are video only; here they share the sequence, and what they see as queries is our reading.
///
/// Source: Wu et al., CineTrans, section 4; the published code's visible first frame.
public struct CineTrans: Hashable, Sendable {
  /// The first and the last layer that is masked, counted from 0.
  public var layers: ClosedRange<Int>
  /// All video tokens see the first latent frame.
  public var isFirstFrameVisible = true
  /// How likely a masked layer is left open in a step, 0…1: softer transitions at the cost of control. Ours.
  public var opening = 0.0

  /// Nothing is checked here: sampling throws for layers that the model has not, and for an opening outside 0…1.
  public init(layers: ClosedRange<Int>, isFirstFrameVisible: Bool = true, opening: Double = 0) {
    self.layers = layers
    self.isFirstFrameVisible = isFirstFrameVisible
    self.opening = opening
  }

  /// The published layers, 7 to 28 of 30 counted from 1, for a model of another depth.
  public static func publishedLayers(of count: Int) -> ClosedRange<Int> {
    let first = min(max(0, count * 6 / 30), max(0, count - 1))
    return first...max(first, min(count - 1, (count * 28 + 29) / 30 - 1))
  }

  /// The mask of the masked layers.
  ///
  /// - Precondition: the layout has a text a shot, perhaps one more for all, or a single one.
  public func mask(_ layout: SequenceLayout) -> AttentionMask {
    let shots = layout.shots.count
    precondition([1, shots, shots + 1].contains(layout.texts.count), "a caption for each shot, for all, or both")
    let texts = layout.texts.count
    // A caption without a shot of its own is for all.
    func shot(ofText text: Int) -> Int? { texts >= shots && text < shots && !(texts == 1 && shots > 1) ? text : nil }
    var groups = (0..<texts).map(layout.text)
    var shotOfGroup = (0..<texts).map(shot)
    let first = groups.count
    for index in 0..<shots {
      var frames = layout.frames(ofShot: index)
      // The first frame of all is a group by itself.
      if index == 0, isFirstFrameVisible, frames.count > 1 {
        groups.append(layout.video(frames.lowerBound..<frames.lowerBound + 1))
        shotOfGroup.append(0)
        frames = frames.lowerBound + 1..<frames.upperBound
      }
      groups.append(layout.video(frames))
      shotOfGroup.append(index)
    }
    return AttentionMask(groups) { query, key in
      let (isVideo, isSeenVideo) = (query >= texts, key >= texts)
      if isVideo, isSeenVideo { return shotOfGroup[query] == shotOfGroup[key] || (isFirstFrameVisible && key == first) }
      if !isVideo, !isSeenVideo { return query == key }
      let text = isVideo ? key : query
      let video = isVideo ? query : key
      return shotOfGroup[text] == nil || shotOfGroup[text] == shotOfGroup[video]
    }
  }
}

/// Cuts at latent boundaries, which are the only places where a video of latents can cut: latent 0 holds frame 0, latent k
/// the `compression` frames up to frame `compression · k`.
public struct LatentCuts: Hashable, Sendable {
  /// Latent frames of each shot.
  public var shots: [Int]
  /// For each cut the frame that was asked for and the one that it got: the first of the new shot.
  public var rounded: [(asked: Double, got: Int)] { zip(asked, got).map { ($0, $1) } }
  private var asked: [Double]
  private var got: [Int]

  /// - Parameters:
  ///   - cuts: first frames of new shots, perhaps between two frames.
  ///   - latents: latent frames in all.
  ///   - compression: frames a latent frame, 4 for CogVideoX.
  /// - Throws: ``DiffusionError/cuts(_:)`` if they do not ascend, lie outside of the video, or if two would fall on one boundary.
  public init(_ cuts: [Double], latents: Int, compression: Int) throws {
    var boundaries: [Int] = []
    for cut in cuts {
      // The new shot's first latent k ≥ 1 begins with frame compression · (k − 1) + 1.
      let frames = compression * (latents - 1) + 1
      guard cut > 0, cut < Double(frames) else { throw DiffusionError.cuts("a cut at frame \(cut) of \(frames)") }
      let nearest = Int(((cut - 1) / Double(compression)).rounded()) + 1
      let latent = min(max(nearest, 1), max(1, latents - 1))
      guard latent > boundaries.last ?? 0, latent < latents else {
        throw DiffusionError.cuts("a cut at frame \(cut), where the shots' latent frames leave no boundary of its own: \(latents) of them")
      }
      boundaries.append(latent)
    }
    let edges = [0] + boundaries + [latents]
    shots = zip(edges, edges.dropFirst()).map { $1 - $0 }
    asked = cuts
    got = boundaries.map { compression * ($0 - 1) + 1 }
  }
}
