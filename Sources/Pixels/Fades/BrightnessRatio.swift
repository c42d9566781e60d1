import Glibc

/// How much brighter one look is than another, told from cells that stayed where they were.
struct BrightnessRatio {
  /// ln(second / first).
  var log: Double
  /// How far cells scatter around it, relative: 0.003 of a still picture, 0.1 of one that moves.
  var scatter: Double

  /// The weighted median of all cells' ratios: half of the picture may change. nil if it is too dark to tell.
  static func median(_ first: FadeDistance, _ second: FadeDistance) -> BrightnessRatio? {
    var ratios: [(value: Double, weight: Double)] = []
    for (a, b) in zip(first.cells, second.cells) where isMeasurable(a, b) {
      // Symmetric in both: weights of the first alone would take the cells that happened to be bright in it.
      ratios.append((Glibc.log(b / a), (a * b).squareRoot()))
    }
    guard ratios.count >= leastCells(of: first), let middle = weightedMedian(&ratios) else { return nil }
    for index in ratios.indices { ratios[index].value = abs(ratios[index].value - middle) }
    return BrightnessRatio(log: middle, scatter: 1.48 * (weightedMedian(&ratios) ?? 0))
  }

  /// The same for frames that follow each other, in which the picture as a whole may travel or grow by less than a cell.
  ///
  /// second ≈ ratio · first + dx · ∂x + dy · ∂y + zoom · (x ∂x + y ∂y), ∂ the gradient of both's mean, least absolute
  /// residuals by reweighted least squares: the brightness constancy equation of optical flow with a gain in it. Falls
  /// back on the median for grids too small to have a gradient.
  static func travelling(_ first: FadeDistance, _ second: FadeDistance) -> BrightnessRatio? {
    guard let still = median(first, second) else { return nil }
    let (columns, rows) = (first.columns, first.rows)
    guard columns >= 8, rows >= 8 else { return still }
    let gain = exp(still.log)
    let mean = zip(first.cells, second.cells).map { ($0 + $1 / gain) / 2 }
    var terms: [(SIMD4<Double>, Double)] = []
    terms.reserveCapacity(columns * rows)
    var level = 0.0
    for y in 1..<rows - 1 {
      for x in 1..<columns - 1 {
        let cell = y * columns + x
        let dx = (mean[cell + 1] - mean[cell - 1]) / 2
        let dy = (mean[cell + columns] - mean[cell - columns]) / 2
        let zoom = (dx * (Double(2 * x - columns + 1)) + dy * Double(2 * y - rows + 1)) / Double(columns)
        terms.append((SIMD4(first.cells[cell], dx, dy, zoom), second.cells[cell]))
        level += second.cells[cell]
      }
    }
    level /= Double(terms.count)
    var solution = SIMD4<Double>(gain, 0, 0, 0)
    for _ in 0..<8 {
      var matrix = Array(repeating: 0.0, count: 16)
      var right = Array(repeating: 0.0, count: 4)
      var weights = 0.0
      for (row, value) in terms {
        let weight = 1 / (abs(value - (row * solution).sum()) + 1e-3 * level + 1e-9)
        weights += weight
        for i in 0..<4 {
          for j in 0...i { matrix[4 * i + j] += weight * row[i] * row[j] }
          right[i] += weight * row[i] * value
        }
      }
      // Holds motion at zero where a picture is too flat to show any.
      for i in 1..<4 { matrix[5 * i] += 1e-4 * weights / Double(terms.count) }
      guard let next = Cholesky.solve(matrix, right, band: 3) else { return still }
      solution = SIMD4(next[0], next[1], next[2], next[3])
    }
    guard solution[0] > 1e-4 else { return still }
    var residuals: [(value: Double, weight: Double)] = terms.map { row, value in
      let expected = max(row[0] * solution[0], 1e-6)
      return (abs(value - (row * solution).sum()) / expected, max(row[0], 1e-9))
    }
    return BrightnessRatio(log: Glibc.log(solution[0]), scatter: 1.48 * (weightedMedian(&residuals) ?? 0))
  }

  /// A cell closer to the level than a rounded sample can say tells nothing.
  private static func isMeasurable(_ a: Double, _ b: Double) -> Bool { a > 0.004 && b > 0.001 }

  private static func leastCells(of look: FadeDistance) -> Int { max(1, look.cells.count / 72) }
}

/// A look as distances from the level that it fades to, 0 … 1: what a gain multiplies.
struct FadeDistance {
  var columns: Int
  var rows: Int
  var cells: [Double]
  var mean: Double

  init(_ look: FadeLook, from level: FadeLevel) {
    (columns, rows) = (look.columns, look.rows)
    cells = look.levels.map { max(0, level == .black ? Double($0) : 1 - Double($0)) }
    mean = cells.reduce(0, +) / Double(max(1, cells.count))
  }
}

/// The value at which half the weight is reached; nil of nothing. Sorts.
private func weightedMedian(_ values: inout [(value: Double, weight: Double)]) -> Double? {
  values.sort { $0.value < $1.value }
  var left = values.reduce(0) { $0 + $1.weight } / 2
  for (value, weight) in values {
    left -= weight
    if left <= 0 { return value }
  }
  return values.last?.value
}
