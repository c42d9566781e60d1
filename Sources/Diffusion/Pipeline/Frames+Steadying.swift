import Tensors

extension Frames {
  /// Takes a small model's unrest out of these frames: where they differ little from those that they were drawn over they become those.
  ///
  /// What a pixel differs by is the largest difference of its colours, averaged over 3 × 3 pixels twice. As training/scene/reference.py.
  ///
  /// - Parameters:
  ///   - others: of the same size, of −1…1 as these are.
  ///   - first: which of them the first of these was drawn over.
  ///   - unrest: levels of 255: up to the first nothing is different, from the second on all is.
  /// - Precondition: there are as many of the others from `first` on, of the same size.
  public func steady(over others: Frames, from first: Int, unrest: (none: Float, all: Float)) {
    guard unrest.all > unrest.none else { return }
    precondition(first >= 0 && others.count - first >= count && (others.height, others.width, others.channels) == (height, width, channels), "frames of another size")
    let area = height * width
    for frame in 0..<count {
      let drawn = matrix.row(frame * area).assumingMemoryBound(to: Float.self)
      let below = others.matrix.row((first + frame) * area).assumingMemoryBound(to: Float.self)
      var change = (0..<area).map { pixel in
        (0..<channels).reduce(Float(0)) { max($0, abs(drawn[pixel * channels + $1] - below[pixel * channels + $1])) } * 127.5
      }
      for _ in 0..<2 { change = averaged(change) }
      for pixel in 0..<area {
        let part = min(max((change[pixel] - unrest.none) / (unrest.all - unrest.none), 0), 1)
        let share = part * part * (3 - 2 * part)
        for number in pixel * channels..<(pixel + 1) * channels { drawn[number] = below[number] + share * (drawn[number] - below[number]) }
      }
    }
  }

  /// Means over 3 × 3, edges repeated.
  private func averaged(_ values: [Float]) -> [Float] {
    let columns = (0..<height * width).map { index -> Float in
      let (x, row) = (index % width, index / width * width)
      return values[row + max(0, x - 1)] + values[index] + values[row + min(width - 1, x + 1)]
    }
    return (0..<height * width).map { index in
      let (x, y) = (index % width, index / width)
      return (columns[max(0, y - 1) * width + x] + columns[index] + columns[min(height - 1, y + 1) * width + x]) / 9
    }
  }
}
