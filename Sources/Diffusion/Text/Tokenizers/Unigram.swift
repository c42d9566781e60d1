/// Cuts text into the pieces of a vocabulary whose scores have the largest sum.
///
/// Source: Kudo, "Subword Regularization" (2018), section 3.2; ties as in sentencepiece and Hugging Face's tokenizers: of
/// paths with equal sums the one found first stays, whose last piece is the longest. Sums are of 64 bits: with 32, the
/// rounding of a long text's sum would decide between cuts.
struct Unigram: Sendable {
  /// What a character that is in no piece costs beyond the least score.
  static let unknownPenalty = 10.0

  var trie: ByteTrie
  /// By token.
  var scores: [Double]
  /// Tokens that are to be taken wherever they occur.
  var userDefined: Set<Int> = []
  /// The largest score of a piece, of which a user-defined one gets a bit less for each of its bytes.
  var largestScore: Float = 0
  var unknown: Int
  var unknownScore: Double
  /// The tokens that stand for a single byte each, if the model writes characters that it does not know as bytes.
  var bytePieces: [Int]?

  private struct LatticeNode {
    var score = 0.0
    /// Where the best path's last piece begins; negative if no path ends here.
    var start = -1
    var token = -1
  }

  /// Appends the tokens of `bytes[range]`, and stops early when there are too many.
  ///
  /// Memory is that of the longest stretch in which pieces overlap: where none spans a position, all best paths go through
  /// it, and what lies before is settled.
  func encode(_ bytes: [UInt8], in range: Range<Int>, into collector: inout TokenCollector) {
    var nodes = [LatticeNode()]
    var base = range.lowerBound
    var position = base
    var reach = base
    var follows = false  // whether the piece before was unknown, too: these make one token
    while position < range.upperBound {
      let before = nodes[position - base].score
      let length = min(characterLength(bytes[position]), range.upperBound - position)
      var hasSingle = false
      trie.forEachPrefix(of: bytes, in: position..<range.upperBound) { end, token in
        offer(before + score(token, length: end - position), token, from: position, to: end, base, &nodes)
        reach = max(reach, end)
        if end - position == length { hasSingle = true }
      }
      if !hasSingle {
        offer(before + unknownScore, unknown, from: position, to: position + length, base, &nodes)
        reach = max(reach, position + length)
      }
      position += length
      if position == reach {
        settle(nodes, base, bytes, &follows, &collector)
        if collector.isTruncated { return }
        nodes = [LatticeNode(score: nodes[position - base].score)]
        base = position
      }
    }
  }

  private func score(_ token: Int, length: Int) -> Double {
    userDefined.contains(token) ? Double(Float(length) * largestScore) - 0.1 : scores[token]
  }

  private func offer(_ score: Double, _ token: Int, from start: Int, to end: Int, _ base: Int, _ nodes: inout [LatticeNode]) {
    while nodes.count <= end - base { nodes.append(LatticeNode()) }
    let node = nodes[end - base]
    if node.start < 0 || score > node.score { nodes[end - base] = LatticeNode(score: score, start: start, token: token) }
  }

  /// Appends the tokens of the best path from `base` to the last node.
  private func settle(_ nodes: [LatticeNode], _ base: Int, _ bytes: [UInt8], _ follows: inout Bool, _ collector: inout TokenCollector) {
    var path: [(token: Int, start: Int, end: Int)] = []
    var end = base + nodes.count - 1
    while end > base {
      let node = nodes[end - base]
      path.append((node.token, node.start, end))
      end = node.start
    }
    for (token, start, end) in path.reversed() {
      if token != unknown {
        collector.append(token)
      } else if let bytePieces {
        for byte in bytes[start..<end] { collector.append(bytePieces[Int(byte)]) }
      } else if !follows {
        collector.append(token)
      }
      follows = token == unknown
    }
  }
}
