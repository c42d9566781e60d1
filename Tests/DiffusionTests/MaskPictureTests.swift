import Diffusion
import Testing

@Suite("Pictures of masks")
struct MaskPictureTests {
  /// What the documentation shows, by the word after `text` that its block begins with: pictures side by side under their names.
  static let shown: [String: String] = {
    let scenes = SequenceLayout(texts: [1, 1, 1], shots: [2, 2, 2], tokensPerFrame: 1)
    let captions = SequenceLayout(texts: [1, 1, 1, 1], shots: [2, 2, 2], tokensPerFrame: 1)
    func variant(_ variant: AttentionMask.Mask2DiT) -> (String, String) {
      ("mask \(variant.rawValue.uppercased())", AttentionMask.mask2dit(variant, scenes).picture(scenes))
    }
    func cineTrans(_ name: String, isVisible: Bool) -> (String, String) {
      (name, CineTrans(layers: 0...0, isFirstFrameVisible: isVisible).mask(captions).picture(captions))
    }
    return [
      "mask2dit": row([variant(.v1), variant(.v2), variant(.v3)]),
      "mask2dit-more": row([variant(.v4), variant(.v5), ("segment-causal", AttentionMask.segmentCausal(scenes).picture(scenes))]),
      "cinetrans": row([cineTrans("first frame visible", isVisible: true), cineTrans("first frame not visible", isVisible: false)]),
    ]
  }()

  private static func row(_ pictures: [(name: String, picture: String)]) -> String {
    let columns = pictures.map { [$0.name] + $0.picture.split(separator: "\n").map { String($0) } }
    return columns[0].indices.map { line in
      columns.enumerated().map { index, lines in
        let width = index == columns.count - 1 ? 0 : (lines.map(\.count).max() ?? 0) + 3
        return lines[line] + String(repeating: " ", count: max(0, width - lines[line].count))
      }.joined()
    }.joined(separator: "\n")
  }

  @Test("Each picture in the documentation is what the code draws, and none is missing")
  func documentation() throws {
    let blocks = try readmeBlocks().filter { $0.language == "text" }
    #expect(blocks.map(\.name).sorted() == Self.shown.keys.sorted())
    for block in blocks {
      let isSame = block.text == Self.shown[block.name]
      #expect(isSame, "\(block.name) is\n\(Self.shown[block.name] ?? "no picture")")
    }
  }

  @Test("No picture stands in the documentation outside of what is checked")
  func unchecked() throws {
    let checked = try readmeBlocks().filter { $0.language == "text" }.map(\.text).joined()
    let all = try readmeText()
    #expect(checked.count { $0 == "█" } == all.count { $0 == "█" })
  }

  @Test("A picture shows who sees whom, rows seeing columns")
  func small() {
    let layout = SequenceLayout(texts: [1, 1], shots: [1, 2], tokensPerFrame: 1)
    let expected = """
         T1 T2 V1 V2 V2
      T1 ███ · ███ ·  ·
      T2  · ███ · ██████
      V1 ███ · ███ ·  ·
      V2  · ████████████
      V2  · ████████████
      """
    #expect(AttentionMask.segmentCausal(layout).picture(layout) == expected)
  }

  @Test("Columns are as wide as the widest name, and texts for all have no number")
  func names() {
    let layout = SequenceLayout(texts: [2], shots: Array(repeating: 1, count: 10), tokensPerFrame: 1)
    #expect(layout.labels == ["T", "T"] + (1...10).map { "V\($0)" })
    let lines = AttentionMask.full(layout).picture(layout).split(separator: "\n")
    #expect(lines[0] == "    T   T   V1  V2  V3  V4  V5  V6  V7  V8  V9  V10")
    #expect(lines[1] == "T   " + String(repeating: "█", count: 4 * 12))
    let general = SequenceLayout(texts: [1, 0, 2], shots: [1, 2], tokensPerFrame: 2)
    #expect(general.labels == ["T1", "T", "T", "V1", "V1", "V2", "V2", "V2", "V2"])
    let empty = SequenceLayout(texts: [], shots: [], tokensPerFrame: 1)
    #expect(AttentionMask.full(empty).picture(empty).isEmpty)
  }
}
