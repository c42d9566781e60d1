/// Some queries and the keys that they see: neighbouring rows of their matrices.
///
/// A list of these is all there is of an attention mask: no matrix of tokens × tokens is ever made.
public struct AttentionGroup: Hashable, Sendable {
  /// Rows of the matrix of queries.
  public var queries: Range<Int>
  /// In the order in which they are added up; queries that see none get zeros.
  public var keys: [Keys]

  /// Neighbouring rows of one of the matrices of keys, and of that of its values.
  public struct Keys: Hashable, Sendable {
    public var matrix: Int
    public var rows: Range<Int>

    public init(_ rows: Range<Int>, of matrix: Int = 0) {
      self.matrix = matrix
      self.rows = rows
    }
  }

  public init(queries: Range<Int>, keys: [Keys]) {
    self.queries = queries
    self.keys = keys
  }
}

extension Compute {
  /// softmax(Q·Kᵀ + bias)·V for each head, every group of queries over the keys that it sees.
  ///
  /// Costs memory in proportion to the keys: each thread holds one head's keys and values of one group, and the scores of at
  /// most 64 queries over them in float32. Queries are scaled by the caller.
  ///
  /// - Parameters:
  ///   - queries: `[tokens][heads · size]`, in the products' element type.
  ///   - keyValues: keys and values, `[tokens][heads · size]` each, in the products' element type.
  ///   - bias: added to the scores, for a single group of queries: for a head, `[queries][keys]`, valid while this runs.
  /// - Returns: `[tokens][heads · size]`, in the products' element type; zeros for tokens in no group.
  /// - Source: Vaswani et al., https://arxiv.org/abs/1706.03762.
  public func attend(
    _ queries: Matrix, _ keyValues: [(keys: Matrix, values: Matrix)], heads: Int, groups: [AttentionGroup],
    bias: ((_ head: Int) -> UnsafePointer<Float>)? = nil
  ) throws -> Matrix {
    precondition(heads > 0 && queries.columns % heads == 0 && queries.type == type, "heads that do not divide the width")
    for (keys, values) in keyValues {
      precondition(keys.columns == queries.columns && values.columns == queries.columns && keys.rows == values.rows, "keys of another shape")
      precondition(keys.type == type && values.type == type, "keys of another type")
    }
    precondition(bias == nil || groups.count == 1, "a bias for several groups")
    let size = queries.columns / heads
    let result = Matrix(rows: queries.rows, columns: queries.columns, type: type)
    // Work for all threads even where there are few heads: then a head's queries are shared out, and its keys packed by each.
    let shares = max(1, 4 * threads / max(1, groups.count * heads))
    var pieces: [(group: AttentionGroup, head: Int)] = []
    for group in groups {
      precondition(group.queries.lowerBound >= 0 && group.queries.upperBound <= queries.rows, "queries beyond their matrix")
      for keys in group.keys { precondition(keys.rows.lowerBound >= 0 && keys.rows.upperBound <= keyValues[keys.matrix].keys.rows, "keys beyond their matrix") }
      let total = group.keys.reduce(0) { $0 + $1.rows.count }
      guard total > 0, !group.queries.isEmpty else { continue }
      count(operations: 4 * Double(group.queries.count) * Double(total) * Double(queries.columns))
      let share = ((group.queries.count + shares - 1) / shares + 63) / 64 * 64
      for head in 0..<heads {
        for first in stride(from: group.queries.lowerBound, to: group.queries.upperBound, by: share) {
          let rows = first..<min(first + share, group.queries.upperBound)
          pieces.append((AttentionGroup(queries: rows, keys: group.keys), head))
        }
      }
    }
    try forEach(pieces.count) { index, thread in
      let (group, head) = pieces[index]
      let keys = group.keys.reduce(0) { $0 + $1.rows.count }
      let bias = bias.map { $0(head) + (group.queries.lowerBound - groups[0].queries.lowerBound) * keys }
      try attend(queries, keyValues, head: head, size: size, group, keys: keys, bias: bias, to: result, thread: thread)
    }
    return result
  }

  /// One head of one group.
  private func attend(
    _ queries: Matrix, _ keyValues: [(keys: Matrix, values: Matrix)], head: Int, size: Int, _ group: AttentionGroup, keys count: Int,
    bias: UnsafePointer<Float>?, to result: Matrix, thread: Int
  ) throws {
    let cache = products[thread]
    let stream = stream(thread)
    let atOnce = min(64, group.queries.count)
    let (keyOrder, valueOrder) = (try cache.order(inner: size, columns: count), try cache.order(inner: count, columns: size))
    let element = type.size
    let memory = Parts({ scratch(thread, byteCount: $0) }, [
      keyOrder.byteCount, valueOrder.byteCount, count * size * element, atOnce * size * element, atOnce * count * 4,
      type == .float32 ? 0 : atOnce * count * element, atOnce * size * 4,
    ])
    let (packedKeys, packedValues, gathered) = (memory[0], memory[1], memory[2])
    let (query, scores, sums) = (memory[3], memory[4], memory[6])
    let weights = type == .float32 ? scores : memory[5]

    for isKey in [true, false] {
      var target = gathered
      for part in group.keys {
        let matrix = isKey ? keyValues[part.matrix].keys : keyValues[part.matrix].values
        for row in part.rows {
          target.copyMemory(from: matrix.row(row) + head * size * element, byteCount: size * element)
          target += size * element
        }
      }
      let packer = try cache.packer(inner: isKey ? size : count, columns: isKey ? count : size, isTransposed: isKey)
      try packer.run(gathered, to: isKey ? packedKeys : packedValues, on: stream)
    }

    for first in stride(from: group.queries.lowerBound, to: group.queries.upperBound, by: atOnce) {
      let rows = min(atOnce, group.queries.upperBound - first)
      for row in 0..<rows {
        (query + row * size * element).copyMemory(from: queries.row(first + row) + head * size * element, byteCount: size * element)
      }
      if let bias { scores.copyMemory(from: bias + (first - group.queries.lowerBound) * count, byteCount: rows * count * 4) }
      // S = Q·Kᵀ [rows][count], P = softmax(S), O = P·V [rows][size]
      try cache.product(rows: rows, inner: size, columns: count, accumulates: bias != nil).run(query, packedKeys, to: scores, on: stream)
      try cache.softmax(rows: rows, columns: count).run(scores, to: weights, on: stream)
      try cache.product(rows: rows, inner: count, columns: size).run(weights, packedValues, to: sums, on: stream)
      for row in 0..<rows {
        let source = sums + row * size * 4
        let target = result.row(first + row) + head * size * element
        if type == .float32 {
          target.copyMemory(from: source, byteCount: size * 4)
        } else {
          mapRow(size, source, Float32.self, to: target, BFloat16.self) { $1 }
        }
      }
    }
  }
}

/// Several pieces of one memory, each on a cache line's boundary.
private struct Parts {
  private var addresses: [UnsafeMutableRawPointer] = []

  init(_ memory: (Int) -> UnsafeMutableRawPointer, _ byteCounts: [Int]) {
    var offsets: [Int] = []
    var end = 0
    for count in byteCounts {
      offsets.append(end)
      end += (count + 63) / 64 * 64
    }
    let base = memory(end)
    addresses = offsets.map { base + $0 }
  }

  subscript(index: Int) -> UnsafeMutableRawPointer { addresses[index] }
}
