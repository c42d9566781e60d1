/// Latent frames `[frames][channels][height][width]`, in the units in which the transformer sees them.
public struct Latents: Hashable, Sendable {
  /// Latent frames, about a quarter of the video's for CogVideoX.
  public var frames: Int
  /// Numbers of a latent.
  public var channels: Int
  /// Latents of a column: a frame's pixels / 8 for CogVideoX.
  public var height: Int
  /// Latents of a row.
  public var width: Int
  /// All numbers, as many as the shape has.
  public var values: [Float]

  /// - Precondition: as many values as the shape has.
  public init(_ values: [Float], frames: Int, channels: Int, height: Int, width: Int) {
    precondition(values.count == frames * channels * height * width, "latents of another number of values")
    self.values = values
    self.frames = frames
    self.channels = channels
    self.height = height
    self.width = width
  }

  /// Numbers of a frame.
  public var frameSize: Int { channels * height * width }

  /// Some of the frames; what they are set to has as many frames of the same shape.
  ///
  /// - Precondition: the range lies within the frames.
  public subscript(frames: Range<Int>) -> Latents {
    get {
      Latents(
        Array(values[frames.lowerBound * frameSize..<frames.upperBound * frameSize]), frames: frames.count, channels: channels,
        height: height,
        width: width)
    }
    set { values.replaceSubrange(frames.lowerBound * frameSize..<frames.upperBound * frameSize, with: newValue.values) }
  }

  /// With further channels beside its own, frame by frame; zeros where `other` is nil.
  ///
  /// - Precondition: `other` has as many frames of the same height and width.
  func beside(_ other: Latents?, channels more: Int) -> Latents {
    precondition(other.map { $0.frames == frames && $0.frameSize == more * height * width } ?? true, "channels of other frames")
    guard more > 0 else { return self }
    var result: [Float] = []
    result.reserveCapacity(frames * (channels + more) * height * width)
    for frame in 0..<frames {
      result += values[frame * frameSize..<(frame + 1) * frameSize]
      if let other {
        result += other.values[frame * other.frameSize..<(frame + 1) * other.frameSize]
      } else {
        result += repeatElement(0, count: more * height * width)
      }
    }
    return Latents(result, frames: frames, channels: channels + more, height: height, width: width)
  }

  /// These frames, then others of the same size.
  public func followed(by next: Latents) -> Latents {
    Latents(values + next.values, frames: frames + next.frames, channels: channels, height: height, width: width)
  }
}
