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

  private let memory: PlanarMemory

  /// Luma samples of a row, 1 … ``largestSide``.
  public var width: Int { memory.width }
  /// Luma samples of a column, 1 … ``largestSide``.
  public var height: Int { memory.height }
  /// Of all planes with their padding.
  public var byteCount: Int { memory.layout.size }

  /// How many bytes a picture of this size holds; 0 for a size that none can have.
  public static func byteCount(width: Int, height: Int) -> Int { PlanarMemory.Layout(width: width, height: height)?.size ?? 0 }

  /// Makes a picture of what `fill` writes; black where it writes nothing.
  ///
  /// nil for a width or height outside 1 … ``largestSide``.
  ///
  /// - Parameter fill: gets planes that it must not keep.
  public init?<Failure: Error>(width: Int, height: Int, fill: (OutputPlanes) throws(Failure) -> Void) throws(Failure) {
    guard let memory = PlanarMemory(width: width, height: height) else { return nil }
    self.memory = memory
    try fill(memory.output)
  }

  /// Y, U and V, valid as long as the picture lives.
  public var planes: (PlaneView, PlaneView, PlaneView) { memory.planes }
}

/// What a ``PlanarPicture`` lies in, black at first. By itself it can be written again and again.
package final class PlanarMemory {
  package let width, height: Int
  let layout: Layout
  private let base: UnsafeMutableRawPointer

  struct Layout {
    let lumaStride, chromaStride, chromaOffset, chromaSize: Int

    /// nil for a size that no picture can have.
    init?(width: Int, height: Int) {
      let sides = 1...PlanarPicture.largestSide
      guard sides.contains(width), sides.contains(height) else { return nil }
      // Rows begin where vectors like to.
      lumaStride = (width + 15) & ~15
      chromaStride = ((width + 1) / 2 + 15) & ~15
      chromaOffset = lumaStride * height
      chromaSize = chromaStride * ((height + 1) / 2)
    }

    /// Bytes.
    var size: Int { chromaOffset + 2 * chromaSize }
  }

  /// nil for a size that no picture can have.
  package init?(width: Int, height: Int) {
    guard let layout = Layout(width: width, height: height) else { return nil }
    (self.width, self.height, self.layout) = (width, height, layout)
    base = .allocate(byteCount: layout.size, alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 16, count: layout.chromaOffset)
    (base + layout.chromaOffset).initializeMemory(as: UInt8.self, repeating: 128, count: 2 * layout.chromaSize)
  }

  deinit { base.deallocate() }

  /// To be written to while this lives.
  package var output: OutputPlanes {
    let chroma = base + layout.chromaOffset
    return OutputPlanes(
      width: width, height: height, y: .init(base: base, stride: layout.lumaStride), u: .init(base: chroma, stride: layout.chromaStride),
      v: .init(base: chroma + layout.chromaSize, stride: layout.chromaStride))
  }

  /// Valid as long as this lives.
  package var planes: (PlaneView, PlaneView, PlaneView) {
    let output = output
    return (
      PlaneView(base: output.y.base, stride: output.y.stride), PlaneView(base: output.u.base, stride: output.u.stride),
      PlaneView(base: output.v.base, stride: output.v.stride)
    )
  }
}

/// Memory of an 8-bit 4:2:0 picture that somebody else owns, to be written to.
public struct OutputPlanes {
  /// One plane.
  public struct Plane {
    /// The first sample of the first row.
    public let base: UnsafeMutableRawPointer
    /// Bytes from one row to the next, at least the plane's width.
    public let stride: Int

    /// Keeps nothing alive and checks nothing.
    public init(base: UnsafeMutableRawPointer, stride: Int) {
      self.base = base
      self.stride = stride
    }
  }

  /// Luma samples; U and V have half as many each way, rounded up.
  public let width, height: Int
  /// Where rows are written to.
  public let y, u, v: Plane

  /// Checks nothing: the planes must have room for all their rows.
  public init(width: Int, height: Int, y: Plane, u: Plane, v: Plane) {
    self.width = width
    self.height = height
    (self.y, self.u, self.v) = (y, u, v)
  }
}
