import Pixels

/// Rows that somebody else owns, to be copied.
public struct SourceRows {
  let base: UnsafeRawPointer
  let stride, rowBytes, rows: Int

  /// - Parameters:
  ///   - base: the first row, valid as long as this.
  ///   - stride: bytes from one row to the next.
  ///   - rowBytes: bytes of a row that mean something, at most `stride`.
  public init(base: UnsafeRawPointer, stride: Int, rowBytes: Int, rows: Int) {
    (self.base, self.stride, self.rowBytes, self.rows) = (base, stride, rowBytes, rows)
  }

  /// - Parameter target: with room for the rows.
  fileprivate func copy(to target: UnsafeMutableRawPointer, stride targetStride: Int) {
    for row in 0..<rows { (target + row * targetStride).copyMemory(from: base + row * stride, byteCount: min(rowBytes, targetStride)) }
  }
}

extension RGBPicture {
  /// A copy of 8-bit R′G′B′ rows; nil for a size that no picture can have.
  public convenience init?(width: Int, height: Int, copying rows: SourceRows) {
    let stride = Self.stride(width: width)
    guard rows.rows >= height, rows.rowBytes >= 3 * width, width > 0, height > 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: stride * height)
    bytes.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      SourceRows(base: rows.base, stride: rows.stride, rowBytes: 3 * width, rows: height).copy(to: base, stride: stride)
    }
    self.init(width: width, height: height, bytes: bytes)
  }
}

extension PlanarPicture {
  /// A copy of the rows of Y, U and V; nil for a size that no picture can have.
  public convenience init?(width: Int, height: Int, copying y: SourceRows, _ u: SourceRows, _ v: SourceRows) {
    let (columns, rows) = ((width + 1) / 2, (height + 1) / 2)
    guard y.rows >= height, u.rows >= rows, v.rows >= rows else { return nil }
    self.init(width: width, height: height) { planes in
      func copy(_ source: SourceRows, _ target: OutputPlanes.Plane, _ columns: Int, _ rows: Int) {
        SourceRows(base: source.base, stride: source.stride, rowBytes: min(columns, source.rowBytes), rows: rows)
          .copy(to: target.base, stride: target.stride)
      }
      copy(y, planes.y, width, height)
      copy(u, planes.u, columns, rows)
      copy(v, planes.v, columns, rows)
    }
  }
}
