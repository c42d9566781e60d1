/// Sixteen pixels and their shares in a place between them, by cubic convolution (Keys 1981, Catmull and Rom's spline): sharper than
/// straight lines, which matters where a shot goes on again and again. Outside the picture is mirrored.
struct BicubicPlace {
  private var columns: SIMD4<Int>
  private var rows: SIMD4<Int>
  private var across: SIMD4<Double>
  private var down: SIMD4<Double>

  /// - Precondition: the picture has two pixels at least each way.
  init(x: Double, y: Double, width: Int, height: Int) {
    func pixels(_ place: Double, _ count: Int) -> (SIMD4<Int>, SIMD4<Double>) {
      let first = place.rounded(.down)
      let d = place - first
      func pixel(_ index: Double) -> Int { Int(folded(first + index, Double(count - 1))) }
      return (
        SIMD4(pixel(-1), pixel(0), pixel(1), pixel(2)),
        SIMD4(((2 - d) * d - 1) * d / 2, ((3 * d - 5) * d * d + 2) / 2, ((4 - 3 * d) * d + 1) * d / 2, (d - 1) * d * d / 2)
      )
    }
    (columns, across) = pixels(x, width)
    (rows, down) = pixels(y, height)
    rows = SIMD4(rows[0] * width, rows[1] * width, rows[2] * width, rows[3] * width)
  }

  @inline(__always)
  func value(_ pixel: (Int) -> Double) -> Double {
    var sum = 0.0
    for row in 0..<4 {
      var line = 0.0
      for column in 0..<4 { line += across[column] * pixel(rows[row] + columns[column]) }
      sum += down[row] * line
    }
    return sum
  }
}

/// Four pixels and their shares in a place between them; outside the picture is mirrored at its first and last pixels.
struct BilinearPlace {
  private var first: Int
  private var width: Int
  private var right: Double
  private var below: Double

  /// - Precondition: the picture has two pixels at least each way.
  init(x: Double, y: Double, width: Int, height: Int) {
    let (x, y) = (folded(x, Double(width - 1)), folded(y, Double(height - 1)))
    let (column, row) = (min(Int(x), width - 2), min(Int(y), height - 2))
    (first, self.width, right, below) = (row * width + column, width, x - Double(column), y - Double(row))
  }

  @inline(__always)
  func value(_ pixel: (Int) -> Double) -> Double {
    let upper = pixel(first) * (1 - right) + pixel(first + 1) * right
    let lower = pixel(first + width) * (1 - right) + pixel(first + width + 1) * right
    return upper * (1 - below) + lower * below
  }
}

/// A place in a picture that is mirrored at its first and its last pixel.
private func folded(_ place: Double, _ last: Double) -> Double {
  let place = abs(place).truncatingRemainder(dividingBy: 2 * last)
  return min(place, 2 * last - place)
}
