extension AttentionMask {
  /// The mask as text, for eyes: a row for each token that sees, `█` under what it sees and `·` under what it does not.
  ///
  /// ```swift
  /// let layout = SequenceLayout(texts: [1, 1], shots: [1, 2], tokensPerFrame: 1)
  /// print(AttentionMask.mask2dit(.v2, layout).picture(layout))
  /// ```
  /// ```text
  ///    T1 T2 V1 V2 V2
  /// T1 ███ · ███ ·  ·
  /// T2  · ███ · ██████
  /// V1 ███ · █████████
  /// V2  · ████████████
  /// V2  · ████████████
  /// ```
  ///
  /// Quadratic, as ``dense()`` is: for layouts of a few tokens.
  ///
  /// - Parameter layout: what the mask was made for; rows and columns are named by its ``SequenceLayout/labels``.
  /// - Precondition: the layout has as many tokens as the mask.
  public func picture(_ layout: SequenceLayout) -> String {
    let rows = dense()
    let labels = layout.labels
    precondition(rows.count == labels.count, "a picture of a mask with the layout of another")
    let width = (labels.map(\.count).max() ?? 0) + 1
    func padded(_ text: String) -> String { text + String(repeating: " ", count: width - text.count) }
    let isSeen = String(repeating: "█", count: width)
    let isNot = padded(String(repeating: " ", count: (width - 1) / 2) + "·")
    let lines =
      [padded("") + labels.map(padded).joined()]
      + zip(labels, rows).map { label, row in padded(label) + row.map { $0 ? isSeen : isNot }.joined() }
    return lines.map { line in String(line.reversed().drop { $0 == " " }.reversed()) }.joined(separator: "\n")
  }
}

extension SequenceLayout {
  /// A name for each token: `T2` in the text and `V2` in the video of the second shot, `T` in a text that is for all of them.
  public var labels: [String] {
    let haveOwnTexts = texts.count >= shots.count
    return texts.enumerated().flatMap { index, tokens in
      Array(repeating: haveOwnTexts && index < shots.count ? "T\(index + 1)" : "T", count: tokens)
    } + shots.enumerated().flatMap { index, frames in Array(repeating: "V\(index + 1)", count: frames * tokensPerFrame) }
  }
}
