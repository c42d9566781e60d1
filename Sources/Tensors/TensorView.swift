/// A tensor in memory that somebody else owns: where it begins, its shape, its strides and its element type.
///
/// Reading is all it is for. It keeps its owner, such as a ``SafetensorsFile``, alive, and copies nothing: a view of a
/// tensor of gigabytes costs what its shape costs.
public struct TensorView: @unchecked Sendable {  // the memory is only ever read, and the owner is Sendable
  /// Need not be aligned to the element.
  public let base: UnsafeRawPointer
  /// Elements along each axis, the outermost first; empty for a scalar.
  public let shape: [Int]
  /// Elements from one entry of an axis to its next.
  public let strides: [Int]
  /// How each element is stored.
  public let type: DataType
  /// The number of elements.
  public let count: Int
  private let owner: any AnyObject & Sendable

  /// A view of `shape` elements at `base` without gaps, the last axis innermost.
  ///
  /// - Parameter owner: keeps the memory valid and unchanged for as long as it lives.
  /// - Precondition: the shape's elements fit in the memory; nil if their number overflows or an extent is negative.
  public init?(_ base: UnsafeRawPointer, shape: [Int], type: DataType, owner: any AnyObject & Sendable) {
    guard let extent = Extent(shape: shape, type: type) else { return nil }
    self.base = base
    self.shape = shape
    self.type = type
    self.owner = owner
    strides = extent.strides
    count = extent.count
  }

  /// The bytes from the first element to the end of the last.
  public var byteCount: Int { count * type.size }
}

/// How much a shape holds.
struct Extent {
  var count = 1
  var byteCount = 0
  var strides: [Int] = []

  /// nil if an extent is negative or the number of bytes overflows.
  init?(shape: [Int], type: DataType) {
    strides = Array(repeating: 1, count: shape.count)
    for axis in shape.indices.reversed() {
      strides[axis] = count
      let (product, overflow) = count.multipliedReportingOverflow(by: shape[axis])
      guard shape[axis] >= 0, !overflow else { return nil }
      count = product
    }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: type.size)
    guard !overflow else { return nil }
    byteCount = bytes
  }
}
