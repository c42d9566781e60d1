import Tensors

/// Measures how much attention stays inside shots, layer by layer, while latents are sampled.
///
/// Definitions, ours, since CineTrans publishes numbers and no code: A[f][g] is the mean probability, over heads and steps, that
/// a video token of frame f gives to one of frame g. Inside is the mean of A over pairs of frames of one shot, across that over
/// pairs of two. The correlation is Pearson's between A[f][g] and 1 for frames of one shot, 0 for others, over f ≠ g.
///
/// Source: Wu et al., CineTrans, section 3: a ratio of 26.68 and a correlation of 0.71 with the shots of real transitions.
public final class AttentionProbe {
  /// What a layer's attention was like.
  public struct Layer: Hashable, Sendable {
    /// Mean probability that a query gives to a key token in its own shot.
    public var inside: Double
    /// Mean probability that a query gives to a key token in another shot.
    public var across: Double
    /// Of the frames' attention with their being of one shot, −1…1; nil if either is the same everywhere.
    public var correlation: Double?

    /// How many times more attention a token of the own shot gets; infinite where others get none.
    public var ratio: Double { inside / across }
  }

  private let queriesPerFrame: Int
  private var sums: [[[Double]]] = []
  private var counts: [Int] = []
  private var shotOfFrame: [Int] = []

  /// - Parameter queriesPerFrame: how many evenly spread tokens stand for a frame.
  public init(queriesPerFrame: Int = 8) { self.queriesPerFrame = max(1, queriesPerFrame) }

  /// Sees one layer's queries and keys of a pass over all of a sequence.
  func see(
    _ layer: Int, _ queries: Matrix, _ keys: Matrix, heads: Int, _ layout: SequenceLayout, _ mask: AttentionMask, on compute: Compute
  ) throws {
    let frames = (0..<layout.frames).map { layout.video($0..<$0 + 1) }
    let count = min(queriesPerFrame, layout.tokensPerFrame)
    let rows = frames.map { frame in (0..<count).map { frame.lowerBound + (2 * $0 + 1) * layout.tokensPerFrame / (2 * count) } }
    let means = try compute.meanAttention(
      queries, keys, heads: heads, groups: mask.attentionGroups(rows: [0..<layout.tokens]), rows: rows, columns: frames)
    shotOfFrame = layout.shots.enumerated().flatMap { Array(repeating: $0, count: $1) }
    while sums.count <= layer {
      sums.append(Array(repeating: Array(repeating: 0, count: layout.frames), count: layout.frames))
      counts.append(0)
    }
    guard sums[layer].count == means.count else { throw DiffusionError.setting("an attention probe for two sequences of different length") }
    for f in means.indices { for g in means.indices { sums[layer][f][g] += means[f][g] } }
    counts[layer] += 1
  }

  /// A[f][g] of a layer.
  public func attention(layer: Int) -> [[Double]] { sums[layer].map { $0.map { $0 / Double(max(1, counts[layer])) } } }

  /// All layers that were seen.
  public var layers: [Layer] {
    sums.indices.map { layer in
      let a = attention(layer: layer)
      var (inside, across) = ((sum: 0.0, count: 0.0), (sum: 0.0, count: 0.0))
      var pairs: [(attention: Double, isOne: Double)] = []
      for f in a.indices {
        for g in a.indices {
          let isOne = shotOfFrame[f] == shotOfFrame[g]
          if isOne { inside = (inside.sum + a[f][g], inside.count + 1) } else { across = (across.sum + a[f][g], across.count + 1) }
          if f != g { pairs.append((a[f][g], isOne ? 1 : 0)) }
        }
      }
      return Layer(
        inside: inside.sum / max(1, inside.count), across: across.sum / max(1, across.count), correlation: Self.correlation(pairs))
    }
  }

  private static func correlation(_ pairs: [(Double, Double)]) -> Double? {
    let count = Double(pairs.count)
    let (x, y) = (pairs.reduce(0) { $0 + $1.0 } / max(1, count), pairs.reduce(0) { $0 + $1.1 } / max(1, count))
    var (xx, yy, xy) = (0.0, 0.0, 0.0)
    for pair in pairs {
      xx += (pair.0 - x) * (pair.0 - x)
      yy += (pair.1 - y) * (pair.1 - y)
      xy += (pair.0 - x) * (pair.1 - y)
    }
    return xx > 0 && yy > 0 ? xy / (xx * yy).squareRoot() : nil
  }
}
