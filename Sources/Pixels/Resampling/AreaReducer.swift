/// One source sample's part in one output sample along an axis.
struct AreaShare {
  var source: Int
  var output: Int
  /// Those of an output sample sum to 1.
  var weight: Float

  /// For an axis that becomes shorter, or stays: the part of each source sample under the output sample.
  static func along(source: Int, output: Int) -> [AreaShare] {
    guard source > 0, output > 0 else { return [] }
    // cv::computeResizeAreaTab
    let scale = 1 / (Double(output) / Double(source))
    return (0..<output).flatMap { target -> [AreaShare] in
      let begin = Double(target) * scale
      let end = begin + scale
      let cell = min(scale, Double(source) - begin)
      return (Int(begin)..<min(source, Int(end.rounded(.up)))).compactMap { index in
        let overlap = min(end, Double(index + 1)) - max(begin, Double(index))
        return overlap > 1e-3 ? AreaShare(source: index, output: target, weight: Float(overlap / cell)) : nil
      }
    }
  }
}

/// Reduces an 8-bit gray picture to a square as `cv2.resize` with `INTER_AREA` does, row by row.
///
/// Where an axis must grow, OpenCV's `INTER_AREA` interpolates both axes between two samples; so does this.
final class AreaReducer {
  /// One source sample's part in one output sample.
  private struct Share: BitwiseCopyable {
    var source: Int32
    var output: Int32
    var weight: Float
  }

  /// side × side levels, 0 … 255, after `finish`.
  let samples: UnsafeMutablePointer<Float>
  private let side: Int
  private let sums: OwnedBuffer<Float>
  private let row: OwnedBuffer<Float>
  private let columnShares: OwnedBuffer<Share>
  /// In the order of their source rows.
  private let rowShares: OwnedBuffer<Share>
  private let columnCount: Int
  private let rowCount: Int
  private var nextRowShare = 0

  init(from size: SmallSize, side: Int) {
    self.side = side
    sums = OwnedBuffer(count: side * side, zero: 0)
    samples = sums.base
    row = OwnedBuffer(count: side, zero: 0)
    let shrinks = size.width >= side && size.height >= side
    let columns = Self.shares(source: size.width, output: side, shrinks: shrinks)
    let rows = Self.shares(source: size.height, output: side, shrinks: shrinks).sorted { $0.source < $1.source }
    (columnCount, rowCount) = (columns.count, rows.count)
    let none = Share(source: 0, output: 0, weight: 0)
    columnShares = OwnedBuffer(count: columns.count, zero: none)
    rowShares = OwnedBuffer(count: rows.count, zero: none)
    for (index, share) in columns.enumerated() { columnShares.base[index] = share }
    for (index, share) in rows.enumerated() { rowShares.base[index] = share }
  }

  func begin() {
    sums.base.update(repeating: 0, count: side * side)
    nextRowShare = 0
  }

  /// Rows come in order, from 0.
  func add(_ levels: UnsafePointer<Int16>, row y: Int) {
    guard nextRowShare < rowCount, Int(rowShares.base[nextRowShare].source) == y else { return }
    let (row, columnShares) = (row.base, columnShares.base)
    row.update(repeating: 0, count: side)
    for index in 0..<columnCount {
      let share = columnShares[index]
      row[Int(truncatingIfNeeded: share.output)] +=
        Float(levels[Int(truncatingIfNeeded: share.source)]) * share.weight
    }
    while nextRowShare < rowCount, Int(rowShares.base[nextRowShare].source) == y {
      let share = rowShares.base[nextRowShare]
      let out = sums.base + Int(truncatingIfNeeded: share.output) &* side
      for x in 0..<side { out[x] += row[x] * share.weight }
      nextRowShare &+= 1
    }
  }

  /// Rounds to whole levels, ties to even, as OpenCV's `saturate_cast` does.
  func finish() {
    for index in 0..<(side * side) {
      sums.base[index] = min(255, max(0, sums.base[index].rounded(.toNearestOrEven)))
    }
  }

  private static func shares(source: Int, output: Int, shrinks: Bool) -> [Share] {
    guard source > 0 else { return [] }
    var shares: [Share] = []
    func add(_ index: Int, _ target: Int, _ weight: Double) {
      guard weight > 1e-6 else { return }
      shares.append(Share(source: Int32(min(max(index, 0), source - 1)), output: Int32(target), weight: Float(weight)))
    }
    if shrinks {
      for share in AreaShare.along(source: source, output: output) { add(share.source, share.output, Double(share.weight)) }
      return shares
    }
    let scale = 1 / (Double(output) / Double(source))
    for target in 0..<output {
      let first = Int((Double(target) * scale).rounded(.down))
      let reach = Double(target + 1) - Double(first + 1) / scale
      let fraction = first >= source - 1 || reach <= 0 ? 0 : reach - reach.rounded(.down)
      add(first, target, 1 - fraction)
      add(first + 1, target, fraction)
    }
    return shares
  }
}
