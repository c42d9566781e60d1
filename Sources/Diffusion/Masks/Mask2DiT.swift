extension AttentionMask {
  /// The masks of Mask²DiT over scenes that each have a text of their own.
  ///
  /// With Tᵢ the text and Vᵢ the video of scene i, beside Tᵢ↔Tᵢ, Tᵢ↔Vᵢ and Vᵢ↔Vᵢ, which all have:
  ///
  /// Source: Qi et al., Mask²DiT, figure 2 and table 2. Whether texts see each other in V4 is our reading.
  public enum Mask2DiT: String, CaseIterable, Sendable {
    /// Nothing more: scenes do not see each other.
    case v1
    /// Videos see each other. The published model's.
    case v2
    /// V2, and texts see each other.
    case v3
    /// V2, and every text and every video see each other, but no text another one.
    case v4
    /// All see all.
    case v5
  }

  /// - Precondition: the layout has as many texts as shots.
  public static func mask2dit(_ variant: Mask2DiT, _ layout: SequenceLayout) -> AttentionMask {
    precondition(layout.texts.count == layout.shots.count, "a text for each scene")
    let scenes = layout.shots.count
    let groups = (0..<scenes).map(layout.text) + (0..<scenes).map(layout.shot)
    return AttentionMask(groups) { query, key in
      if query % scenes == key % scenes { return true }
      switch (query < scenes, key < scenes) {
      case (true, true): return variant == .v3 || variant == .v5
      case (false, false): return variant != .v1
      default: return variant == .v4 || variant == .v5
      }
    }
  }

  /// V2 in which a scene's video sees its own and earlier scenes only.
  ///
  /// What earlier scenes compute does not depend on later ones: their keys and values are computed once, and kept over all
  /// steps and over the extensions that follow.
  ///
  /// - Parameter window: how many scenes, its own included, a video sees at most.
  /// - Precondition: the layout has as many texts as shots.
  public static func segmentCausal(_ layout: SequenceLayout, window: Int = .max) -> AttentionMask {
    precondition(layout.texts.count == layout.shots.count, "a text for each scene")
    let scenes = layout.shots.count
    let groups = (0..<scenes).map(layout.text) + (0..<scenes).map(layout.shot)
    return AttentionMask(groups) { query, key in
      if query % scenes == key % scenes { return true }
      return query >= scenes && key >= scenes && key < query && query - key < window
    }
  }
}
