/// Solves small symmetric systems.
enum Cholesky {
  /// x of A x = b.
  ///
  /// - Parameters:
  ///   - matrix: A, [n · n]; only what is on and below the diagonal is read.
  ///   - right: b, [n].
  ///   - band: how far from the diagonal A is not 0.
  /// - Returns: nil if A is not positive definite. Cost: n · band² multiplications.
  static func solve(_ matrix: [Double], _ right: [Double], band: Int) -> [Double]? {
    let n = right.count
    guard matrix.count == n * n else { return nil }
    var (l, x) = (matrix, right)
    for i in 0..<n {
      for j in max(0, i - band)...i {
        var sum = l[i * n + j]
        for k in max(0, i - band)..<j { sum -= l[i * n + k] * l[j * n + k] }
        if i == j {
          guard sum > 0, sum.isFinite else { return nil }
          l[i * n + i] = sum.squareRoot()
        } else {
          l[i * n + j] = sum / l[j * n + j]
        }
      }
    }
    for i in 0..<n {
      for k in max(0, i - band)..<i { x[i] -= l[i * n + k] * x[k] }
      x[i] /= l[i * n + i]
    }
    for i in stride(from: n - 1, through: 0, by: -1) {
      for k in stride(from: i + 1, to: min(n, i + band + 1), by: 1) { x[i] -= l[k * n + i] * x[k] }
      x[i] /= l[i * n + i]
    }
    return x
  }
}
