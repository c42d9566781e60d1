import Tensors

extension Frames {
  /// Takes a small model's unrest out of these frames: where they differ little from those that they were drawn over they become those.
  ///
  /// What a pixel differs by is ``PictureChange``.
  ///
  /// - Parameters:
  ///   - others: of the same size, of −1…1 as these are.
  ///   - first: which of them the first of these was drawn over.
  ///   - unrest: levels of 255: up to the first nothing is different, from the second on all is.
  /// - Precondition: there are as many of the others from `first` on, of the same size.
  public func steady(over others: Frames, from first: Int, unrest: ClosedRange<Float>) {
    guard unrest.upperBound > unrest.lowerBound else { return }
    precondition(
      first >= 0 && others.count - first >= count && (others.height, others.width, others.channels) == (height, width, channels),
      "frames of another size")
    let area = height * width
    for frame in 0..<count {
      let drawn = matrix.row(frame * area).assumingMemoryBound(to: Float.self)
      let below = others.matrix.row((first + frame) * area).assumingMemoryBound(to: Float.self)
      let change = PictureChange(width: width, height: height) { pixel in
        (0..<channels).reduce(Float(0)) { max($0, abs(drawn[pixel * channels + $1] - below[pixel * channels + $1])) } * 127.5
      }
      for pixel in 0..<area {
        let share = change.share(pixel, between: unrest)
        for number in pixel * channels..<(pixel + 1) * channels { drawn[number] = below[number] + share * (drawn[number] - below[number]) }
      }
    }
  }
}
