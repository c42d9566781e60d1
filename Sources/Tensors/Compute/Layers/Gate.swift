extension Compute {
  /// x ← x · gate, element by element: both `[rows][columns]` in the same type.
  ///
  /// The gate of a gated linear unit, Shazeer, https://arxiv.org/abs/2002.05202.
  public func multiply(_ target: Matrix, by gate: Matrix) throws {
    precondition(target.rows == gate.rows && target.columns == gate.columns && target.type == gate.type, "matrices that do not match")
    let columns = target.columns
    try forEachRow(target.rows) { row, _ in
      if target.type == .bfloat16 {
        Self.multiply(target.row(row), by: gate.row(row), columns, BFloat16.self)
      } else {
        Self.multiply(target.row(row), by: gate.row(row), columns, Float32.self)
      }
    }
  }

  @inline(__always)
  private static func multiply<E: NumberFormat>(_ x: UnsafeMutableRawPointer, by gate: UnsafeRawPointer, _ count: Int, _: E.Type) {
    var index = 0
    while index &+ 8 <= count {
      let place = x + index &* E.size
      E.store(E.load(place) * E.load(gate + index &* E.size), place)
      index &+= 8
    }
    while index < count {
      let place = x + index &* E.size
      E.storeOne(E.loadOne(place) * E.loadOne(gate + index &* E.size), place)
      index &+= 1
    }
  }
}
