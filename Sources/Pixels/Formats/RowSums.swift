/// How a row's bytes become 16-bit lanes, 16 bytes at a time.
enum LaneReading {
  /// Bytes: those at even places, then, in lanes of their own, those at odd places.
  case bytes
  /// Each two neighbouring bytes' sum.
  case pairs
  /// 16-bit words whose low ten bits count.
  case lowTen
  /// 16-bit words whose high ten bits count.
  case highTen

  static let chunk = 16

  /// Sets of lanes that a row gives.
  var setCount: Int { if case .bytes = self { 2 } else { 1 } }

  /// Rows that may be summed in 16 bits.
  static let groupLimit = 32
}

/// Sums a few rows of a plane, lane by lane. What differs between formats in the loop over all samples is only here.
struct RowSums {
  let reading: LaneReading
  /// Lanes in a set, in whole vectors.
  let setSize: Int

  /// - Parameters:
  ///   - rows: 1 … 32.
  ///   - chunks: of 16 bytes, all readable.
  ///   - sums: 8 lanes a chunk and set.
  @inline(__always)
  func add(
    _ base: UnsafeRawPointer, stride: Int, rows: Int, chunks: Int, to sums: UnsafeMutablePointer<Float>
  ) {
    switch reading {
    case .bytes:
      let odd = sums + setSize
      var x = 0
      while x < chunks {
        var row = base + x &* LaneReading.chunk
        var (even, rest) = (Words(repeating: 0), Words(repeating: 0))
        for _ in 0..<rows {
          let words = row.loadUnaligned(as: Words.self)
          even &+= words & 0xFF
          rest &+= words &>> 8
          row += stride
        }
        store(floats(signed(even)), sums, x &* laneCount)
        store(floats(signed(rest)), odd, x &* laneCount)
        x &+= 1
      }
    case .pairs: Self.sum(base, stride, rows, chunks, sums) { ($0 & 0xFF) &+ ($0 &>> 8) }
    case .lowTen: Self.sum(base, stride, rows, chunks, sums) { $0 & 0x3FF }
    case .highTen: Self.sum(base, stride, rows, chunks, sums) { $0 &>> 6 }
    }
  }

  @inline(__always)
  private static func sum(
    _ base: UnsafeRawPointer, _ stride: Int, _ rows: Int, _ chunks: Int, _ sums: UnsafeMutablePointer<Float>,
    _ lanes: (Words) -> Words
  ) {
    var x = 0
    while x < chunks {
      var row = base + x &* LaneReading.chunk
      var sum = Words(repeating: 0)
      for _ in 0..<rows {
        sum &+= lanes(row.loadUnaligned(as: Words.self))
        row += stride
      }
      // At most 32 · 1,023, which a signed lane holds.
      store(floats(signed(sum)), sums, x &* laneCount)
      x &+= 1
    }
  }
}
