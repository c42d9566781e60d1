/// Latent frames `[frames][channels][height][width]`, in the units in which the transformer sees them.
public struct Latents: Hashable, Sendable {
  public var frames: Int
  public var channels: Int
  public var height: Int
  public var width: Int
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

  public subscript(frames: Range<Int>) -> Latents {
    get {
      Latents(
        Array(values[frames.lowerBound * frameSize..<frames.upperBound * frameSize]), frames: frames.count, channels: channels, height: height,
        width: width)
    }
    set { values.replaceSubrange(frames.lowerBound * frameSize..<frames.upperBound * frameSize, with: newValue.values) }
  }

  /// These frames, then others of the same size.
  public func followed(by next: Latents) -> Latents {
    Latents(values + next.values, frames: frames + next.frames, channels: channels, height: height, width: width)
  }
}
