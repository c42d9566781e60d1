import Pixels

/// A small picture in 8-bit R′G′B′, as scene models take and give them. It never changes: threads share it without a copy.
public final class RGBPicture: Sendable {
  /// Pixels.
  public let width, height: Int
  /// Bytes from one row to the next: three a pixel, rounded up to a multiple of four as GStreamer's RGB has them.
  public var stride: Int { Self.stride(width: width) }
  /// `[height][stride]`.
  public let bytes: [UInt8]
  /// The same in full size, where the frame that it goes on from is known.
  public let detail: PictureDetail?
  /// The picture before this one over the frame that this one's detail goes on from, where that was another one's before.
  public let start: PictureDetail?

  /// Bytes of a row of so many pixels: three for each, rounded up to a multiple of four.
  public static func stride(width: Int) -> Int { (3 * width + 3) & ~3 }

  /// - Returns: nil for sides outside 1 … 32,768 or another number of bytes.
  public init?(width: Int, height: Int, bytes: [UInt8], detail: PictureDetail? = nil, start: PictureDetail? = nil) {
    let sides = 1...PlanarPicture.largestSide
    guard sides.contains(width), sides.contains(height), bytes.count == Self.stride(width: width) * height else { return nil }
    (self.width, self.height, self.bytes, self.detail, self.start) = (width, height, bytes, detail, start)
  }
}
