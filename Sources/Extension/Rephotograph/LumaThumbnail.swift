import Pixels

/// Mean luma of a picture's cells: what loops and framings are looked for in.
struct LumaThumbnail: Sendable {
  /// Cells, at most 64 × 36, fewer for smaller pictures.
  let columns, rows: Int
  /// Levels, rows from the top.
  let levels: [UInt8]

  /// Cost: one pass over luma.
  init(_ picture: PlanarPicture) {
    (columns, rows) = (min(64, picture.width), min(36, picture.height))
    levels = Self.levels(of: picture.planes.0, width: picture.width, height: picture.height, columns: columns, rows: rows)
  }

  /// Mean samples of a plane's cells, at least one each, rows from the top.
  static func levels(of plane: PlaneView, width: Int, height: Int, columns: Int, rows: Int) -> [UInt8] {
    var levels = [UInt8](repeating: 0, count: columns * rows)
    var sums = [UInt32](repeating: 0, count: width)
    for row in 0..<rows {
      let (top, bottom) = (row * height / rows, (row + 1) * height / rows)
      for x in sums.indices { sums[x] = 0 }
      for y in top..<bottom {
        let line = (plane.base + y * plane.stride).assumingMemoryBound(to: UInt8.self)
        sums.withUnsafeMutableBufferPointer { sums in
          for x in 0..<sums.count { sums[x] &+= UInt32(line[x]) }
        }
      }
      for column in 0..<columns {
        let (left, right) = (column * width / columns, (column + 1) * width / columns)
        var sum = 0
        for x in left..<right { sum += Int(sums[x]) }
        levels[row * columns + column] = UInt8(truncatingIfNeeded: sum / max(1, (right - left) * (bottom - top)))
      }
    }
    return levels
  }

  /// Mean |difference| of the cells, 0 … 255. Both of the same size.
  func difference(from other: LumaThumbnail) -> Double {
    guard levels.count == other.levels.count else { return 255 }
    return levels.withUnsafeBytes { a in
      other.levels.withUnsafeBytes { b in
        guard let a = a.baseAddress, let b = b.baseAddress else { return 0 }
        return meanDifference(a, stride: columns, b, stride: columns, width: columns * rows, rows: 1)
      }
    }
  }

  /// The largest mean |difference| of a block of 4 × 4 cells, 0 … 255: small things that move count there. Both of the same size.
  func peakDifference(from other: LumaThumbnail) -> Double {
    guard levels.count == other.levels.count else { return 255 }
    var largest = 0.0
    for top in stride(from: 0, to: rows, by: 4) {
      for left in stride(from: 0, to: columns, by: 4) {
        let (bottom, right) = (min(top + 4, rows), min(left + 4, columns))
        var sum = 0
        for row in top..<bottom {
          for index in row * columns + left..<row * columns + right { sum += abs(Int(levels[index]) - Int(other.levels[index])) }
        }
        largest = max(largest, Double(sum) / Double((bottom - top) * (right - left)))
      }
    }
    return largest
  }
}

extension PlanarPicture {
  /// Mean |difference| of luma, 0 … 255; 255 for another size.
  func lumaDifference(from other: PlanarPicture) -> Double {
    guard width == other.width, height == other.height else { return 255 }
    let (a, b) = (planes.0, other.planes.0)
    return meanDifference(a.base, stride: a.stride, b.base, stride: b.stride, width: width, rows: height)
  }
}
