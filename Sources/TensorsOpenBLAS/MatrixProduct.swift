import COpenBLAS

/// A matrix inside an array of floats, row-major.
public struct MatrixPlace: Sendable {
  /// Rows that count, 0 for none.
  public var rows: Int
  /// Elements of a row that count, at most ``stride``.
  public var columns: Int
  /// The index of the first element.
  public var offset: Int
  /// Elements from one row to the next.
  public var stride: Int

  /// - Parameter stride: nil for rows that follow each other without gaps.
  public init(rows: Int, columns: Int, offset: Int = 0, stride: Int? = nil) {
    self.rows = rows
    self.columns = columns
    self.offset = offset
    self.stride = stride ?? columns
  }

  func fits(_ count: Int) -> Bool {
    rows >= 0 && columns >= 0 && offset >= 0 && stride >= columns
      && (rows == 0 || columns == 0 || offset + (rows - 1) * stride + columns <= count)
  }
}

/// C ← C + A·B, or C + A·Bᵀ, in float32 on OpenBLAS.
///
/// - Precondition: the places lie in their arrays, and their sizes match.
/// - Note: OpenBLAS spreads large products over threads of its own (`OPENBLAS_NUM_THREADS`).
public func addProduct(
  _ a: [Float], _ placeA: MatrixPlace, _ b: [Float], _ placeB: MatrixPlace, transposingB: Bool = false,
  to c: inout [Float], _ placeC: MatrixPlace
) {
  let (inner, outputs) = transposingB ? (placeB.columns, placeB.rows) : (placeB.rows, placeB.columns)
  precondition(placeA.fits(a.count) && placeB.fits(b.count) && placeC.fits(c.count), "a matrix reaches beyond its array")
  precondition(placeA.columns == inner && placeC.rows == placeA.rows && placeC.columns == outputs, "the matrices' sizes do not match")
  guard placeC.rows > 0, outputs > 0, inner > 0 else { return }
  a.withUnsafeBufferPointer { a in
    b.withUnsafeBufferPointer { b in
      c.withUnsafeMutableBufferPointer { c in
        guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else { return }
        cblas_sgemm(
          CblasRowMajor, CblasNoTrans, transposingB ? CblasTrans : CblasNoTrans,
          Int32(placeC.rows), Int32(outputs), Int32(inner), 1,
          a + placeA.offset, Int32(placeA.stride), b + placeB.offset, Int32(placeB.stride), 1,
          c + placeC.offset, Int32(placeC.stride))
      }
    }
  }
}
