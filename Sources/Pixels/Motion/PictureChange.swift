/// How much two pictures differ, pixel by pixel: each pixel's largest difference of a colour, averaged over 3 × 3 pixels twice, edges
/// repeated. As training/scene/reference.py.
public struct PictureChange {
  private let values: [Float]

  /// - Parameter difference: the largest of a pixel, whose number counts row by row.
  public init(width: Int, height: Int, difference: (Int) -> Float) {
    let pixels = 0..<max(0, width * height)
    /// Means over 3 × 3.
    func averaged(_ values: [Float]) -> [Float] {
      let sums = pixels.map { pixel -> Float in
        let (x, row) = (pixel % width, pixel / width * width)
        return values[row + max(0, x - 1)] + values[pixel] + values[row + min(width - 1, x + 1)]
      }
      return pixels.map { pixel in
        let (x, y) = (pixel % width, pixel / width)
        return (sums[max(0, y - 1) * width + x] + sums[pixel] + sums[min(height - 1, y + 1) * width + x]) / 9
      }
    }
    values = averaged(averaged(pixels.map(difference)))
  }

  /// How much of a change of this pixel counts: 0 up to the first limit, 1 from the second on, smoothly between.
  public func share(_ pixel: Int, between limits: ClosedRange<Float>) -> Float {
    let part = min(max((values[pixel] - limits.lowerBound) / (limits.upperBound - limits.lowerBound), 0), 1)
    return part * part * (3 - 2 * part)
  }
}
