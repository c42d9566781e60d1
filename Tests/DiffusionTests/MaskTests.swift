import Diffusion
import Tensors
import Testing

/// What a token of a sequence is: of which text block or which shot, and in which frame.
private struct Token {
  var text: Int?
  var shot: Int?
  var frame = 0
}

private func tokens(_ layout: SequenceLayout) -> [Token] {
  var tokens = layout.texts.enumerated().flatMap { Array(repeating: Token(text: $0), count: $1) }
  var frame = 0
  for (shot, frames) in layout.shots.enumerated() {
    for _ in 0..<frames {
      tokens += Array(repeating: Token(shot: shot, frame: frame), count: layout.tokensPerFrame)
      frame += 1
    }
  }
  return tokens
}

/// A mask by a rule for two tokens.
private func dense(_ layout: SequenceLayout, _ sees: (Token, Token) -> Bool) -> [[Bool]] {
  let tokens = tokens(layout)
  return tokens.map { query in tokens.map { sees(query, $0) } }
}

@Suite("Masks")
struct MaskTests {
  /// Scenes with a text each: of one length, of several, with an empty text, a single one.
  static let scenes = [
    SequenceLayout(texts: [2, 2, 2], shots: [3, 3, 3], tokensPerFrame: 2),
    SequenceLayout(texts: [1, 4, 2, 3], shots: [1, 2, 5, 1], tokensPerFrame: 3),
    SequenceLayout(texts: [3, 0, 1], shots: [2, 1, 2], tokensPerFrame: 1),
    SequenceLayout(texts: [2], shots: [3], tokensPerFrame: 4),
  ]

  @Test("Mask²DiT's variants are their definitions, token by token", arguments: AttentionMask.Mask2DiT.allCases, scenes)
  func mask2dit(variant: AttentionMask.Mask2DiT, layout: SequenceLayout) {
    let expected = dense(layout) { query, key in
      // Tᵢ↔Tᵢ, Tᵢ↔Vᵢ, Vᵢ↔Vᵢ
      if (query.text ?? query.shot) == (key.text ?? key.shot) { return true }
      return switch (query.text != nil, key.text != nil) {
      case (true, true): [.v3, .v5].contains(variant)
      case (false, false): [.v2, .v3, .v4, .v5].contains(variant)
      default: [.v4, .v5].contains(variant)
      }
    }
    let isSame = AttentionMask.mask2dit(variant, layout).dense() == expected
    #expect(isSame)
  }

  @Test("A segment-causal video sees earlier scenes as far as its window reaches, texts their scene", arguments: [1, 2, 3, .max], scenes)
  func causal(window: Int, layout: SequenceLayout) {
    let expected = dense(layout) { query, key in
      if let query = query.shot, let key = key.shot { return key <= query && query - key < window }
      return (query.text ?? query.shot) == (key.text ?? key.shot)
    }
    let isSame = AttentionMask.segmentCausal(layout, window: window).dense() == expected
    #expect(isSame)
  }

  /// Captions for each shot, for each and all, for all only; a first shot of a single frame; a single shot.
  static let captioned = [
    SequenceLayout(texts: [2, 1, 3], shots: [2, 4, 3], tokensPerFrame: 2),
    SequenceLayout(texts: [2, 1, 3, 2], shots: [2, 4, 3], tokensPerFrame: 2),
    SequenceLayout(texts: [4], shots: [2, 4, 3], tokensPerFrame: 2),
    SequenceLayout(texts: [2, 1, 2], shots: [1, 3], tokensPerFrame: 3),
    SequenceLayout(texts: [2], shots: [3], tokensPerFrame: 2),
    SequenceLayout(texts: [2, 2], shots: [3], tokensPerFrame: 2),
  ]

  @Test("CineTrans's shots see themselves and the first frame, their captions and what is for all", arguments: [true, false], captioned)
  func cineTrans(isVisible: Bool, layout: SequenceLayout) {
    func isGeneral(_ text: Int) -> Bool { layout.texts.count == 1 || text == layout.shots.count }
    let expected = dense(layout) { query, key in
      switch (query.text, key.text) {
      case (nil, nil): query.shot == key.shot || (isVisible && key.frame == 0)
      case (let text?, nil): isGeneral(text) || text == key.shot
      case (nil, let text?): isGeneral(text) || text == query.shot
      case (let query?, let key?): query == key
      }
    }
    let isSame = CineTrans(layers: 0...0, isFirstFrameVisible: isVisible).mask(layout).dense() == expected
    #expect(isSame)
  }

  @Test("With no mask, and for one scene with any, all see all")
  func full() {
    for layout in Self.scenes {
      let isSame = AttentionMask.full(layout).dense() == dense(layout) { _, _ in true }
      #expect(isSame)
    }
    let single = Self.scenes[3]
    for variant in AttentionMask.Mask2DiT.allCases {
      let isSame = AttentionMask.mask2dit(variant, single).dense() == AttentionMask.full(single).dense()
      #expect(isSame)
    }
  }

  @Test("CineTrans's published layers are 7 to 28 of 30 counted from 1, and of other depths as large a part")
  func layers() {
    #expect(CineTrans.publishedLayers(of: 30) == 6...27)
    #expect(CineTrans.publishedLayers(of: 42) == 8...39)
    #expect(CineTrans.publishedLayers(of: 12) == 2...11)
    #expect(CineTrans.publishedLayers(of: 60) == 12...55)
    for count in 1...100 {
      let layers = CineTrans.publishedLayers(of: count)
      #expect(layers.lowerBound >= 0 && layers.upperBound < count)
    }
  }
}

@Suite("Groups of attention")
struct AttentionGroupTests {
  /// Which of the computed tokens see which of all, as groups say.
  private func seen(_ groups: [AttentionGroup], rows: [Range<Int>], kept: [[Range<Int>]]) -> [[Int]] {
    // matrices[m][r] is the token in row r of matrix m.
    let matrices = ([rows] + kept).map { $0.flatMap { Array($0) } }
    var seen = matrices[0].map { _ in [Int]() }
    for group in groups {
      let keys = group.keys.flatMap { keys in keys.rows.map { matrices[keys.matrix][$0] } }
      for row in group.queries { seen[row] += keys }
    }
    return seen
  }

  private func masks(_ layout: SequenceLayout) -> [AttentionMask] {
    AttentionMask.Mask2DiT.allCases.map { .mask2dit($0, layout) } + [
      .segmentCausal(layout), .segmentCausal(layout, window: 2), .full(layout),
      CineTrans(layers: 0...0).mask(layout), CineTrans(layers: 0...0, isFirstFrameVisible: false).mask(layout),
    ]
  }

  /// All of a sequence; its last scene with the others kept, each in a matrix; half of a shot's frames and two scenes in one matrix.
  private static func splits(_ layout: SequenceLayout) -> [(rows: [Range<Int>], kept: [[Range<Int>]])] {
    let last = layout.shots.count - 1
    let scenes = (0...last).map { [layout.text($0), layout.shot($0)] }
    let frames = layout.frames(ofShot: last)
    let middle = frames.lowerBound + frames.count / 2
    return [
      (rows: [0..<layout.tokens], kept: []),
      (rows: scenes[last], kept: Array(scenes.dropLast())),
      (
        rows: [layout.text(last), layout.video(middle..<frames.upperBound)],
        kept: [scenes.dropLast().flatMap { $0 }, [layout.video(frames.lowerBound..<middle)]]
      ),
    ]
  }

  @Test("They say of each token what the mask says, wherever tokens lie", arguments: MaskTests.scenes)
  func meaning(layout: SequenceLayout) {
    for mask in masks(layout) {
      let dense = mask.dense()
      for (rows, kept) in Self.splits(layout) {
        let seen = seen(mask.attentionGroups(rows: rows, kept: kept), rows: rows, kept: kept)
        let expected = rows.flatMap { Array($0) }.map { token in (0..<layout.tokens).filter { dense[token][$0] } }
        let isSame = seen.map { $0.sorted() } == expected
        #expect(isSame)
      }
    }
  }

  @Test("Neighbours that see the same are one group, and neighbouring keys one range", arguments: MaskTests.scenes)
  func merging(layout: SequenceLayout) {
    for mask in masks(layout) {
      for (rows, kept) in Self.splits(layout) {
        let groups = mask.attentionGroups(rows: rows, kept: kept)
        for (group, next) in zip(groups, groups.dropFirst()) {
          #expect(group.keys != next.keys || group.queries.upperBound != next.queries.lowerBound)
        }
        for keys in groups.map(\.keys) {
          #expect(zip(keys, keys.dropFirst()).allSatisfy { $0.matrix != $1.matrix || $0.rows.upperBound != $1.rows.lowerBound })
        }
      }
    }
    let all = [0..<layout.tokens]
    #expect(AttentionMask.mask2dit(.v5, layout).attentionGroups(rows: all) == AttentionMask.full(layout).attentionGroups(rows: all))
  }

  @Test("V2 is a group a text and a group a scene, as grouped attention is published")
  func published() {
    let layout = SequenceLayout(texts: [226, 226, 226], shots: [13, 13, 13], tokensPerFrame: 1350)
    let groups = AttentionMask.mask2dit(.v2, layout).attentionGroups(rows: [0..<layout.tokens])
    let video = layout.textTokens..<layout.tokens
    let texts = (0..<3).map { AttentionGroup(queries: layout.text($0), keys: [.init(layout.text($0)), .init(layout.shot($0))]) }
    var shots = (0..<3).map { AttentionGroup(queries: layout.shot($0), keys: [.init(layout.text($0)), .init(video)]) }
    // The last text lies right before the video.
    shots[2].keys = [.init(layout.text(2).lowerBound..<layout.tokens)]
    #expect(groups == texts + shots)
  }
}

@Suite("Cuts at latent boundaries")
struct LatentCutTests {
  @Test("A cut moves to the nearest first frame of a latent, and says so")
  func rounding() throws {
    // Latent k holds frames 4k − 3 to 4k, so shots may begin at frames 1, 5, 9, …, 45.
    let cuts = try LatentCuts([9, 22.5, 34], latents: 13, compression: 4)
    #expect(cuts.shots == [3, 3, 3, 4])
    #expect(cuts.rounded.map(\.asked) == [9, 22.5, 34])
    #expect(cuts.rounded.map(\.got) == [9, 21, 33])
    for frame in 1...45 {
      let got = try LatentCuts([Double(frame)], latents: 13, compression: 4).rounded[0].got
      #expect(got % 4 == 1 && abs(got - frame) <= 2)
    }
    // The last shot has a latent at least, and so has the first.
    #expect(try LatentCuts([0.2, 48.9], latents: 13, compression: 4).shots == [1, 11, 1])
  }

  @Test("Shots are as many latents as there are, whatever the compression")
  func sums() throws {
    #expect(try LatentCuts([], latents: 13, compression: 4).shots == [13])
    for compression in [1, 2, 4, 8] {
      let cuts = try LatentCuts([Double(compression), Double(4 * compression)], latents: 7, compression: compression)
      #expect(cuts.shots.reduce(0, +) == 7 && cuts.shots.count == 3 && cuts.shots.allSatisfy { $0 > 0 })
    }
  }

  @Test(
    "Cuts that have no boundary of their own, or are not in the video, are errors that name the cut",
    arguments: [
      [20.0, 10], [10, 10], [9, 10], [40, 45, 46], [0], [-4], [49], [1e300], [.nan], [.infinity], [-.infinity],
    ])
  func errors(cuts: [Double]) {
    #expect { try LatentCuts(cuts, latents: 13, compression: 4) } throws: { error in
      guard case .cuts(let text)? = error as? DiffusionError else { return false }
      return cuts.contains { text.contains("frame \($0)") }
    }
  }

  @Test("A video of one latent has no place for a cut")
  func single() throws {
    #expect(try LatentCuts([], latents: 1, compression: 4).shots == [1])
    #expect(throws: DiffusionError.self) { try LatentCuts([1], latents: 1, compression: 4) }
  }
}

@Suite("Layouts")
struct SequenceLayoutTests {
  @Test("Texts come first, then shots by frame, without gaps")
  func ranges() {
    let layout = SequenceLayout(texts: [3, 0, 2], shots: [2, 1, 4], tokensPerFrame: 5)
    #expect([layout.textTokens, layout.frames, layout.tokens] == [5, 7, 40])
    #expect((0..<3).map(layout.text) == [0..<3, 3..<3, 3..<5])
    #expect((0..<3).map(layout.frames(ofShot:)) == [0..<2, 2..<3, 3..<7])
    #expect((0..<3).map(layout.shot) == [5..<15, 15..<20, 20..<40])
    #expect(layout.video(1..<3) == 10..<20)
  }

  @Test("An empty text is seen by nobody")
  func emptyText() {
    let layout = SequenceLayout(texts: [3, 0, 2], shots: [2, 1, 4], tokensPerFrame: 5)
    for variant in AttentionMask.Mask2DiT.allCases {
      let mask = AttentionMask.mask2dit(variant, layout)
      #expect(mask.groups.allSatisfy { !$0.seen.contains(1) })
      #expect(mask.attentionGroups(rows: [0..<layout.tokens]).allSatisfy { !$0.queries.isEmpty && $0.keys.allSatisfy { !$0.rows.isEmpty } })
    }
  }
}
