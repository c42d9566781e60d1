import Pixels

/// A picture in 8-bit 4:2:0 that owns its memory: three planes Y, U, V, the two of chroma half as wide and high, rounded up.
///
/// It is filled once, when it is made, and never changes: threads share it without a copy. Chroma lies as in MPEG-2 and H.264,
/// beside every other luma sample and between rows; matrix and range are whatever its owner takes them for.
///
/// ```swift
/// let picture = PlanarPicture(width: 1920, height: 1080) { planes in
///   convert(frame, to: planes.y, planes.u, planes.v)
/// }
/// ```
public final class PlanarPicture: @unchecked Sendable {  // the memory is only read once `init` is over
  /// Largest width and height.
  public static let largestSide = 32768

  /// Luma samples.
  public let width, height: Int
  /// Of all planes with their padding.
  public let byteCount: Int
  private let base: UnsafeMutableRawPointer
  private let layout: Layout

  private struct Layout {
    let lumaStride, chromaStride, chromaOffset, chromaSize: Int

    init(width: Int, height: Int) {
      // Rows begin where vectors like to.
      lumaStride = (width + 15) & ~15
      chromaStride = ((width + 1) / 2 + 15) & ~15
      chromaOffset = lumaStride * height
      chromaSize = chromaStride * ((height + 1) / 2)
    }
  }

  /// How many bytes a picture of this size holds; 0 for a size that none can have.
  public static func byteCount(width: Int, height: Int) -> Int {
    guard (1...largestSide).contains(width), (1...largestSide).contains(height) else { return 0 }
    let layout = Layout(width: width, height: height)
    return layout.chromaOffset + 2 * layout.chromaSize
  }

  /// Makes a picture of what `fill` writes; black where it writes nothing.
  ///
  /// nil for a width or height outside 1 … ``largestSide``.
  ///
  /// - Parameter fill: gets planes that it must not keep.
  public init?<Failure: Error>(width: Int, height: Int, fill: (OutputPlanes) throws(Failure) -> Void) throws(Failure) {
    let bytes = Self.byteCount(width: width, height: height)
    guard bytes > 0 else { return nil }
    self.width = width
    self.height = height
    byteCount = bytes
    layout = Layout(width: width, height: height)
    base = .allocate(byteCount: bytes, alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 16, count: layout.chromaOffset)
    (base + layout.chromaOffset).initializeMemory(as: UInt8.self, repeating: 128, count: 2 * layout.chromaSize)
    try fill(
      OutputPlanes(
        width: width, height: height, y: .init(base: base, stride: layout.lumaStride),
        u: .init(base: base + layout.chromaOffset, stride: layout.chromaStride),
        v: .init(base: base + layout.chromaOffset + layout.chromaSize, stride: layout.chromaStride)))
  }

  deinit { base.deallocate() }

  /// Y, U and V, valid as long as the picture lives.
  public var planes: (PlaneView, PlaneView, PlaneView) {
    let chroma = base + layout.chromaOffset
    return (
      PlaneView(base: base, stride: layout.lumaStride), PlaneView(base: chroma, stride: layout.chromaStride),
      PlaneView(base: chroma + layout.chromaSize, stride: layout.chromaStride)
    )
  }
}

/// Memory of an 8-bit 4:2:0 picture that somebody else owns, to be written to.
public struct OutputPlanes {
  /// One plane.
  public struct Plane {
    public let base: UnsafeMutableRawPointer
    /// Bytes from one row to the next, at least the plane's width.
    public let stride: Int

    public init(base: UnsafeMutableRawPointer, stride: Int) {
      self.base = base
      self.stride = stride
    }
  }

  /// Luma samples; U and V have half as many each way, rounded up.
  public let width, height: Int
  public let y, u, v: Plane

  public init(width: Int, height: Int, y: Plane, u: Plane, v: Plane) {
    self.width = width
    self.height = height
    (self.y, self.u, self.v) = (y, u, v)
  }
}
