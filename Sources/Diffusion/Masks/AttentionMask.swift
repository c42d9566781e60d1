import Tensors

/// Which tokens of a sequence see which: groups of neighbouring tokens, and for each the groups that it sees.
///
/// ```swift
/// let layout = SequenceLayout(texts: [226, 226, 226], shots: [13, 13, 13], tokensPerFrame: 1350)
/// let mask = AttentionMask.mask2dit(.v2, layout)
/// ```
///
/// It costs what its groups cost, a few numbers each. A matrix of tokens × tokens, which for three scenes of 480 × 720 would
/// take 2.84 GB as booleans, is never made; ``dense()`` is for tests and pictures of small sequences.
public struct AttentionMask: Hashable, Sendable {
  /// Neighbouring tokens that see the same.
  public struct Group: Hashable, Sendable {
    /// Tokens of the sequence.
    public var tokens: Range<Int>
    /// The indices of the groups that these tokens see, ascending.
    public var seen: [Int]
  }

  /// In the sequence's order, which together they are.
  public private(set) var groups: [Group]

  /// - Parameters:
  ///   - groups: ranges of tokens, in order, that together are the whole sequence.
  ///   - sees: whether tokens of the group `query` see those of the group `key`.
  public init(_ groups: [Range<Int>], sees: (_ query: Int, _ key: Int) -> Bool) {
    self.groups = groups.indices.map { query in
      Group(tokens: groups[query], seen: groups.indices.filter { !groups[$0].isEmpty && sees(query, $0) })
    }
  }

  /// All see all.
  public static func full(_ layout: SequenceLayout) -> AttentionMask {
    AttentionMask([0..<layout.tokens]) { _, _ in true }
  }

  /// Groups for ``Compute/attend(_:_:heads:groups:bias:)``, those of neighbours that see the same being one, and so with keys.
  ///
  /// - Parameters:
  ///   - rows: tokens whose queries, keys and values are at hand, as matrix 0, in one piece from row 0 on.
  ///   - kept: the other tokens, each piece a matrix of its own, from 1 on.
  public func attentionGroups(rows: [Range<Int>], kept: [[Range<Int>]] = []) -> [AttentionGroup] {
    // Where tokens lie: for each piece its matrix and the row of its first token.
    var places: [(tokens: Range<Int>, matrix: Int, row: Int)] = []
    for (matrix, pieces) in ([rows] + kept).enumerated() {
      var row = 0
      for piece in pieces {
        places.append((piece, matrix, row))
        row += piece.count
      }
    }
    func located(_ tokens: Range<Int>) -> [(matrix: Int, rows: Range<Int>)] {
      places.compactMap { place in
        let both = tokens.clamped(to: place.tokens)
        guard !both.isEmpty else { return nil }
        let first = place.row + both.lowerBound - place.tokens.lowerBound
        return (place.matrix, first..<first + both.count)
      }
    }
    var result: [AttentionGroup] = []
    for group in groups {
      var keys: [AttentionGroup.Keys] = []
      for place in group.seen.flatMap({ located(groups[$0].tokens) }) {
        if let last = keys.last, last.matrix == place.matrix, last.rows.upperBound == place.rows.lowerBound {
          keys[keys.count - 1].rows = last.rows.lowerBound..<place.rows.upperBound
        } else {
          keys.append(.init(place.rows, of: place.matrix))
        }
      }
      for place in located(group.tokens) where place.matrix == 0 {
        if let last = result.last, last.keys == keys, last.queries.upperBound == place.rows.lowerBound {
          result[result.count - 1].queries = last.queries.lowerBound..<place.rows.upperBound
        } else {
          result.append(AttentionGroup(queries: place.rows, keys: keys))
        }
      }
    }
    return result
  }

  /// `[tokens][tokens]`, true where the row's token sees the column's. Quadratic: for tests and pictures.
  public func dense() -> [[Bool]] {
    let count = groups.last?.tokens.upperBound ?? 0
    var rows: [[Bool]] = []
    for group in groups {
      var row = [Bool](repeating: false, count: count)
      for key in group.seen { for token in groups[key].tokens { row[token] = true } }
      rows += Array(repeating: row, count: group.tokens.count)
    }
    return rows
  }
}
