/// Brightness in float64: what motion is measured in.
public struct GrayPicture: Sendable {
  /// Pixels, from 0.
  public let width, height: Int
  /// `[H, W]`, 0…255.
  public let values: [Double]

  /// - Parameter values: `[H, W]`, 0…255.
  /// - Precondition: there are as many.
  public init(width: Int, height: Int, values: [Double]) {
    precondition(width >= 0 && height >= 0 && values.count == width * height, "a picture of another size")
    (self.width, self.height, self.values) = (width, height, values)
  }

  /// BT.601's luma.
  ///
  /// - Parameter levels: R′G′B′, `[H, W, 3]`, 0…255.
  /// - Precondition: there are as many.
  public init(rgb levels: [Double], width: Int, height: Int) {
    precondition(width >= 0 && height >= 0 && levels.count == 3 * width * height, "a picture of another size")
    let luma = LumaCoefficients.bt601
    self.init(
      width: width, height: height,
      values: (0..<height * width).map { luma(levels[3 * $0], levels[3 * $0 + 1], levels[3 * $0 + 2]) })
  }

  /// The next level of a pyramid: means of 2 × 2 pixels; an odd last row or column is dropped.
  var halved: GrayPicture {
    let (columns, rows) = (width / 2, height / 2)
    return GrayPicture(
      width: columns, height: rows,
      values: (0..<rows * columns).map { index in
        let first = index / columns * 2 * width + index % columns * 2
        return (values[first] + values[first + width] + values[first + 1] + values[first + width + 1]) / 4
      })
  }

  func slopeX(_ column: Int, _ row: Int) -> Double {
    let (left, right) = (max(0, column - 1), min(width - 1, column + 1))
    return (values[row * width + right] - values[row * width + left]) / Double(right - left)
  }

  func slopeY(_ column: Int, _ row: Int) -> Double {
    let (above, below) = (max(0, row - 1), min(height - 1, row + 1))
    return (values[below * width + column] - values[above * width + column]) / Double(below - above)
  }
}
