/// How matrices lie in memory.
public struct MatrixStrides {
  /// Elements from one row to the next; nil for rows without gaps.
  public var row: Int?
  /// Elements from one matrix to the next; nil for matrices without gaps.
  public var matrix: Int?

  /// Matrices without gaps by default.
  public init(row: Int? = nil, matrix: Int? = nil) {
    self.row = row
    self.matrix = matrix
  }
}

/// The shape of C = A·B for `count` pairs of matrices.
public struct ProductShape {
  /// Pairs of matrices, each with a C of its own.
  public var count: Int
  /// Of A and C.
  public var rows: Int
  /// Columns of A, rows of B.
  public var inner: Int
  /// Of B and C.
  public var columns: Int
  /// Of A.
  public var first = MatrixStrides()
  /// Of B; if it is transposed, of what lies in memory.
  public var second = MatrixStrides()
  /// Of C.
  public var result = MatrixStrides()
  /// B lies in memory as `[columns][inner]`. For products of two operands.
  public var isSecondTransposed = false

  /// Matrices without gaps, and B as it is, until they are set. Nothing is checked here.
  public init(count: Int = 1, rows: Int, inner: Int, columns: Int) {
    self.count = count
    self.rows = rows
    self.inner = inner
    self.columns = columns
  }
}
