extension Compute {
  /// How much of their attention queries of each row group give to a key of each column group, on average over heads.
  ///
  /// - Parameters:
  ///   - queries, keys: `[tokens][heads · size]`, queries scaled, as for ``attend(_:_:heads:groups:bias:)`` with one matrix of keys.
  ///   - groups: what sees what; each row that is asked for must be in one of them.
  ///   - rows: for each row group the rows that stand for it.
  ///   - columns: key groups, as rows of `keys`.
  /// - Returns: `[row groups][columns]`, the mean probability of a single key; 0 where nothing is seen.
  /// - Complexity: as attention for the rows asked for.
  public func meanAttention(
    _ queries: Matrix, _ keys: Matrix, heads: Int, groups: [AttentionGroup], rows: [[Int]], columns: [Range<Int>]
  ) throws -> [[Double]] {
    precondition(queries.columns == keys.columns && heads > 0 && keys.columns % heads == 0, "heads that do not divide the width")
    precondition(queries.type == type && keys.type == type, "queries of another type")
    let size = keys.columns / heads
    // A head's sums, to be added up in order afterwards.
    let sums = (0..<heads).map { _ in Matrix(rows: rows.count, columns: max(1, columns.count)) }
    try forEach(heads) { head, thread in
      let cache = products[thread]
      for group in groups {
        let asked = rows.enumerated().flatMap { index, rows in rows.filter(group.queries.contains).map { (index, $0) } }
        let tokens = group.keys.flatMap { Array($0.rows) }
        guard !asked.isEmpty, !tokens.isEmpty else { continue }
        let place = [Int: Int](uniqueKeysWithValues: columns.enumerated().flatMap { index, range in range.map { ($0, index) } })
        let gathered = Matrix(rows: tokens.count, columns: size, type: type)
        for (row, token) in tokens.enumerated() {
          gathered.row(row).copyMemory(from: keys.row(token) + head * size * type.size, byteCount: size * type.size)
        }
        let packed = AlignedMemory(byteCount: try cache.order(inner: size, columns: tokens.count).byteCount)
        try cache.packer(inner: size, columns: tokens.count, isTransposed: true).run(gathered.base, to: packed.base, on: stream(thread))
        let scores = Matrix(rows: 1, columns: tokens.count)
        let weights = Matrix(rows: 1, columns: tokens.count, type: type)
        let query = Matrix(rows: 1, columns: size, type: type)
        for (index, row) in asked {
          query.base.copyMemory(from: queries.row(row) + head * size * type.size, byteCount: size * type.size)
          try cache.product(rows: 1, inner: size, columns: tokens.count).run(query.base, packed.base, to: scores.base, on: stream(thread))
          try cache.softmax(rows: 1, columns: tokens.count).run(scores.base, to: weights.base, on: stream(thread))
          let total = sums[head].row(index).assumingMemoryBound(to: Float.self)
          for (token, weight) in zip(tokens, weights.floats()) {
            if let column = place[token] { total[column] += weight }
          }
        }
      }
    }
    return rows.indices.map { row in
      columns.indices.map { column in
        let count = rows[row].count * columns[column].count * heads
        let total = sums.reduce(0.0) { $0 + Double($1.row(row).assumingMemoryBound(to: Float.self)[column]) }
        return count > 0 ? total / Double(count) : 0
      }
    }
  }
}
