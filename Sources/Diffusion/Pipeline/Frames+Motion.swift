import Pixels
import Tensors

extension GlobalMotion {
  /// - Parameter frames: `[T, H, W, 3]`, −1…1, of one shot. A single frame has no motion.
  public init(of frames: Frames) {
    let isColour = frames.channels == 3
    let first = max(0, frames.count - Self.mostPictures)
    self.init(
      of: isColour
        ? (first..<frames.count).map { GrayPicture(rgb: frames.levels($0), width: frames.width, height: frames.height) } : [])
  }

  /// The last of the frames, from where the camera will be 1 … `count` frames later.
  ///
  /// - Parameters:
  ///   - frames: `[T, H, W, C]`, −1…1.
  ///   - damping: of the speed, a frame.
  /// - Returns: as many frames as asked for, of values of 8 bits at sampled places; what no frame has seen is mirrored.
  public func continuing(_ frames: Frames, count: Int, damping: Double) -> Frames {
    let result = Frames(count: count, height: frames.height, width: frames.width, channels: frames.channels)
    guard frames.count > 0, frames.height >= 2, frames.width >= 2 else { return result }
    let levels = continuing(
      frames.levels(frames.count - 1), width: frames.width, height: frames.height, channels: frames.channels, count: count,
      damping: damping)
    let target = result.matrix.base.assumingMemoryBound(to: Float.self)
    for (index, level) in levels.enumerated() { target[index] = Float(level) / 127.5 - 1 }
    return result
  }
}

extension Frames {
  /// A frame's values of −1…1 as the nearest of 0…255, which is what is shown of it; what is not a number is 0.
  fileprivate func levels(_ frame: Int) -> [Double] {
    let values = matrix.row(frame * height * width).assumingMemoryBound(to: Float.self)
    return (0..<height * width * channels).map { index in
      let level = (values[index] + 1) * 127.5
      return level > 0 ? Double(min(255, level.rounded())) : 0
    }
  }

  /// Takes a small model's unrest out of these frames, as ``steady(_:over:width:height:channels:unrest:)`` does out of a picture.
  ///
  /// - Parameters:
  ///   - others: of the same size, of −1…1 as these are.
  ///   - first: which of them the first of these was drawn over.
  ///   - unrest: levels of 255: up to the first nothing is different, from the second on all is.
  /// - Precondition: there are as many of the others from `first` on, of the same size.
  public func steady(over others: Frames, from first: Int, unrest: ClosedRange<Float>) {
    precondition(
      first >= 0 && others.count - first >= count && (others.height, others.width, others.channels) == (height, width, channels),
      "frames of another size")
    let area = height * width
    for frame in 0..<count {
      Pixels.steady(
        matrix.row(frame * area).assumingMemoryBound(to: Float.self),
        over: others.matrix.row((first + frame) * area).assumingMemoryBound(to: Float.self), width: width, height: height,
        channels: channels, unrest: unrest)
    }
  }
}
