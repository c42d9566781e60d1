#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

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
    /// Its index in the list that ``Compute/attend(_:_:heads:groups:bias:)`` gets.
    public var matrix: Int
    /// Rows of keys, and the same ones of values.
    public var rows: Range<Int>

    /// Of the first matrix, unless `matrix` says otherwise.
    public init(_ rows: Range<Int>, of matrix: Int = 0) {
      self.matrix = matrix
      self.rows = rows
    }
  }

  /// Rows are checked where the group is used.
  public init(queries: Range<Int>, keys: [Keys]) {
    self.queries = queries
    self.keys = keys
  }
}

extension Compute {
  /// softmax(Q·Kᵀ + bias)·V for each head, every group of queries over the keys that it sees.
  ///
  /// Costs memory in proportion to the keys: each thread holds one head's keys and values of one group, and the weights of at
  /// most 64 queries over a block of them (all of them, in float32). Queries are scaled by the caller.
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
      precondition(
        keys.columns == queries.columns && values.columns == queries.columns && keys.rows == values.rows, "keys of another shape")
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
      for keys in group.keys {
        precondition(keys.rows.lowerBound >= 0 && keys.rows.upperBound <= keyValues[keys.matrix].keys.rows, "keys beyond their matrix")
      }
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
    let element = type.size
    // Keys in blocks whose weights stay in a core's memory; all at once where the softmax is to see them all.
    let isNarrow = type != .float32 && bias == nil
    let blocks = isNarrow ? Self.blocks(count) : [0..<count]
    let largest = blocks.map(\.count).max() ?? 0
    let orders = try blocks.map {
      (keys: try cache.order(inner: size, columns: $0.count), values: try cache.order(inner: $0.count, columns: size))
    }
    let memory = DividedMemory(
      { scratch(thread, byteCount: $0) },
      [
        count * size * element, atOnce * size * element, atOnce * (type == .float32 ? 0 : isNarrow ? largest : count) * element,
        atOnce * size * 4,
        atOnce * 4,
      ] + orders.flatMap { [$0.keys.byteCount, $0.values.byteCount] } + [isNarrow ? 0 : atOnce * count * 4])
    let (gathered, query, sums) = (memory[0], memory[1], memory[3])

    var longest: Float = 0
    for isKey in [true, false] {
      var target = gathered
      for part in group.keys {
        let matrix = isKey ? keyValues[part.matrix].keys : keyValues[part.matrix].values
        for row in part.rows {
          target.copyMemory(from: matrix.row(row) + head * size * element, byteCount: size * element)
          target += size * element
        }
      }
      if isKey, isNarrow { longest = Self.longest(gathered, rows: count, size: size) }
      for (index, block) in blocks.enumerated() {
        let packer = try cache.packer(inner: isKey ? size : block.count, columns: isKey ? block.count : size, isTransposed: isKey)
        try packer.run(gathered + block.lowerBound * size * element, to: memory[5 + 2 * index + (isKey ? 0 : 1)], on: stream)
      }
    }

    var scores: Matrix?
    for first in stride(from: group.queries.lowerBound, to: group.queries.upperBound, by: atOnce) {
      let rows = min(atOnce, group.queries.upperBound - first)
      for row in 0..<rows {
        (query + row * size * element).copyMemory(from: queries.row(first + row) + head * size * element, byteCount: size * element)
      }
      // O = softmax(Q·Kᵀ)·V [rows][size], and what its rows are still to be divided by.
      var totals = [Float](repeating: 1, count: rows)
      if isNarrow, longest * Self.longest(query, rows: rows, size: size) <= Self.largestScore {
        // P = exp(Q·Kᵀ) [rows][block], whose sum is the softmax's denominator: no score is so large that it needs a maximum.
        let weights = memory[2]
        totals = [Float](repeating: 0, count: rows)
        for (index, block) in blocks.enumerated() {
          try cache.exponential(rows: rows, inner: size, columns: block.count).run(query, memory[5 + 2 * index], to: weights, on: stream)
          try add(rowsOf: weights, rows: rows, columns: block.count, to: &totals, by: memory[4], thread: thread)
          try cache.product(rows: rows, inner: block.count, columns: size, accumulates: index > 0)
            .run(weights, memory[6 + 2 * index], to: sums, on: stream)
        }
      } else if isNarrow {
        // S = Q·Kᵀ [rows][block] and its maxima so far, by which what was summed is put right: a running softmax.
        let place = scores ?? Matrix(rows: atOnce, columns: largest)
        scores = place
        try runningSoftmax(query, blocks, memory, rows: rows, size: size, scores: place.base, totals: &totals, sums: sums, thread: thread)
      } else {
        // S = Q·Kᵀ [rows][count], P = softmax(S)
        let place = memory[5 + 2 * blocks.count]
        let weights = type == .float32 ? place : memory[2]
        if let bias { place.copyMemory(from: bias + (first - group.queries.lowerBound) * count, byteCount: rows * count * 4) }
        try cache.product(rows: rows, inner: size, columns: count, accumulates: bias != nil).run(query, memory[5], to: place, on: stream)
        try cache.softmax(rows: rows, columns: count).run(place, to: weights, on: stream)
        try cache.product(rows: rows, inner: count, columns: size).run(weights, memory[6], to: sums, on: stream)
      }
      for row in 0..<rows {
        let source = sums + row * size * 4
        let target = result.row(first + row) + head * size * element
        let factor = 1 / totals[row]
        if type == .float32 {
          mapRow(size, source, Float32.self, to: target, Float32.self) { $1 * factor }
        } else {
          mapRow(size, source, Float32.self, to: target, BFloat16.self) { $1 * factor }
        }
      }
    }
    withExtendedLifetime(scores) {}
  }

  /// For scores of any size: P = exp(S − m) with each row's maximum m so far.
  ///
  /// Source: Milakov and Gimelshein, https://arxiv.org/abs/1805.02867.
  private func runningSoftmax(
    _ query: UnsafeMutableRawPointer, _ blocks: [Range<Int>], _ memory: DividedMemory, rows: Int, size: Int,
    scores: UnsafeMutableRawPointer,
    totals: inout [Float], sums: UnsafeMutableRawPointer, thread: Int
  ) throws {
    let (cache, stream) = (products[thread], stream(thread))
    var maxima = [Float](repeating: -.infinity, count: rows)
    totals = [Float](repeating: 0, count: rows)
    memset(sums, 0, rows * size * 4)
    for (index, block) in blocks.enumerated() {
      let columns = block.count
      try cache.product(rows: rows, inner: size, columns: columns).run(query, memory[5 + 2 * index], to: scores, on: stream)
      for row in 0..<rows {
        let line = scores + row * columns * 4
        let values = UnsafePointer(line.assumingMemoryBound(to: Float.self))
        var largest = Floats(repeating: maxima[row])
        for column in stride(from: 0, to: columns - columns % 8, by: 8) { largest = pointwiseMax(largest, eight(values, column, columns)) }
        var maximum = largest.max()
        for column in columns - columns % 8..<columns { maximum = max(maximum, values[column]) }
        let correction = maxima[row] == -.infinity ? 0 : exp(maxima[row] - maximum)
        maxima[row] = maximum
        totals[row] *= correction
        let sum = sums + row * size * 4
        mapRow(size, sum, Float32.self, to: sum, Float32.self) { $1 * correction }
        mapRow(columns, line, Float32.self, to: line, Float32.self) { $1 - maximum }
      }
      try cache.exponentials(count: rows * columns).run(scores, to: scores, on: stream)
      let weights = memory[2]
      mapRow(rows * columns, scores, Float32.self, to: weights, BFloat16.self) { $1 }
      try add(rowsOf: weights, rows: rows, columns: columns, to: &totals, by: memory[4], thread: thread)
      try cache.product(rows: rows, inner: columns, columns: size, accumulates: true).run(
        weights, memory[6 + 2 * index], to: sums, on: stream)
    }
  }

  /// Scores up to here, of either sign, may be exponentiated as they are: eˢ and the sums of millions of them are finite, and no
  /// row's largest is lost.
  private static let largestScore: Float = 64

  /// About as many keys as a core's second cache holds weights of for 64 queries.
  private static func blocks(_ count: Int) -> [Range<Int>] {
    let pieces = (count + 4095) / 4096
    let size = ((count + pieces - 1) / max(1, pieces) + 63) / 64 * 64
    return stride(from: 0, to: count, by: max(1, size)).map { $0..<min($0 + size, count) }
  }

  /// The length of the longest of some rows of bfloat16: no product of two rows is larger than that of their lengths.
  private static func longest(_ base: UnsafeRawPointer, rows: Int, size: Int) -> Float {
    var longest: Float = 0
    for row in 0..<rows {
      let line = base + row * size * 2
      var squares = Floats()
      var index = 0
      while index + 8 <= size {
        let x = BFloat16.load(line + index * 2)
        squares += x * x
        index += 8
      }
      var sum = squares.sum()
      while index < size {
        let x = BFloat16.loadOne(line + index * 2)
        sum += x * x
        index += 1
      }
      longest = max(longest, sum)
    }
    // What is not a number is longer than anything.
    return longest.isFinite ? longest.squareRoot() : .infinity
  }

  /// Adds the sum of each row of weights to what there is of it.
  private func add(
    rowsOf weights: UnsafeMutableRawPointer, rows: Int, columns: Int, to totals: inout [Float], by sums: UnsafeMutableRawPointer,
    thread: Int
  ) throws {
    // oneDNN adds up no rows of one.
    guard columns > 1 else {
      for row in 0..<rows { totals[row] += BFloat16.loadOne(weights + row * 2) }
      return
    }
    try products[thread].sums(rows: rows, columns: columns).run(weights, to: sums, on: stream(thread))
    for row in 0..<rows { totals[row] += sums.load(fromByteOffset: row * 4, as: Float.self) }
  }
}

/// Several pieces of one memory, each on a cache line's boundary.
private struct DividedMemory {
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
