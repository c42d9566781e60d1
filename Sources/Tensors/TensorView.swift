/// A tensor where it is stored, mostly in a file: its shape, its strides and its element type.
///
/// Reading is all it is for. It keeps what stores it, such as a file, open, and holds nothing of it in memory: a view of a tensor of
/// gigabytes costs what its shape costs.
public struct TensorView: Sendable {
  /// Elements along each axis, the outermost first; empty for a scalar.
  public let shape: [Int]
  /// Elements from one entry of an axis to its next.
  public let strides: [Int]
  /// How each element is stored.
  public let type: DataType
  /// The number of elements.
  public let count: Int
  private let storage: any TensorStorage
  /// Of the first element.
  private let offset: Int

  /// A view of `shape` elements without gaps, the last axis innermost.
  ///
  /// - Parameter offset: where the first element is stored, in bytes, at any alignment.
  /// - Precondition: the shape's elements are stored from there on; nil if their number overflows or an extent is negative.
  package init?(_ storage: any TensorStorage, at offset: Int, shape: [Int], type: DataType) {
    guard let extent = Extent(shape: shape, type: type) else { return nil }
    self.storage = storage
    self.offset = offset
    self.shape = shape
    self.type = type
    strides = extent.strides
    count = extent.count
  }

  /// The bytes from the first element to the end of the last.
  public var byteCount: Int { count * type.size }

  /// The entry `index` of the outermost axis, such as a row of a table of embeddings; nil if there is none.
  ///
  /// Costs no reading of the others.
  public func row(_ index: Int) -> TensorView? {
    guard let rows = shape.first, index >= 0, index < rows else { return nil }
    // Strides without gaps: a row's elements, whose bytes are a part of the tensor's.
    return TensorView(storage, at: offset + index * strides[0] * type.size, shape: Array(shape.dropFirst()), type: type)
  }

  /// Copies a part of the bytes, as they are stored.
  ///
  /// - Parameter start: from the tensor's first byte on; as many are read as there is room for.
  /// - Throws: they cannot be read any more.
  /// - Precondition: they are the tensor's.
  package func read(from start: Int, into room: UnsafeMutableRawBufferPointer) throws(WeightsError) {
    precondition(start >= 0 && start <= byteCount && room.count <= byteCount - start, "bytes that are not the tensor's")
    if room.count > 0 { try storage.read(at: offset + start, into: room) }
  }

  /// All bytes, as they are stored.
  ///
  /// - Throws: they cannot be read any more, of a file that was written to in place.
  public func bytes() throws(WeightsError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    try bytes.withUnsafeMutableBufferPointer { room throws(WeightsError) in
      try read(from: 0, into: UnsafeMutableRawBufferPointer(room))
    }
    return bytes
  }
}

/// Where tensors are stored.
package protocol TensorStorage: AnyObject, Sendable {
  /// Copies as many bytes as there is room for, from `offset` on.
  ///
  /// - Throws: they cannot be read, or are not what they were.
  func read(at offset: Int, into room: UnsafeMutableRawBufferPointer) throws(WeightsError)
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
