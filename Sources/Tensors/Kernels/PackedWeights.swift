/// Weights in the orders that kernels asked for: each order is made once, and kernels that want the same one share it.
///
/// Not to be used by several threads at once.
public final class PackedWeights {
  /// nil: there are none, or no more.
  private var values: (() -> [Float]?)?
  let shape: [Int]
  let type: DataType
  /// As the values lie in memory.
  let strides: [Int]?
  /// In oneDNN's orders.
  var packed: [(layout: Layout, operand: Operand)] = []
  /// For OpenBLAS, which likes one order.
  var plain: AlignedMemory?

  /// - Parameters:
  ///   - values: row-major, for `int8` whole numbers from −128 to 127.
  ///   - shape: outputs, inputs, then rows and columns if it is a convolution.
  ///   - type: what they are stored and multiplied as.
  public convenience init(_ values: [Float], shape: [Int], type: DataType) {
    self.init(shape: shape, type: type) { values }
  }

  /// Weights that are fetched whenever a kernel asks for an order that is not there yet, and let go of at once.
  ///
  /// - Parameters:
  ///   - isTransposed: the last two axes of the values are in the other order than those of `shape`.
  ///   - values: nil if they cannot be had, which fails the kernel.
  package init(shape: [Int], type: DataType, isTransposed: Bool = false, values: @escaping () -> [Float]?) {
    self.values = values
    self.shape = shape
    self.type = type
    var strides = Extent(shape: shape, type: .float32)?.strides
    if isTransposed, shape.count >= 2 {
      strides?[shape.count - 2] = 1
      strides?[shape.count - 1] = shape[shape.count - 2]
    }
    self.strides = strides
  }

  /// Lets go of the values. Kernels that are made later find the orders that are there already, and fail for others.
  public func seal() { values = nil }

  /// The values, which must be as many as the shape says.
  func read() throws(ComputeError) -> (values: [Float], strides: [Int]) {
    guard let values = values?(), let strides else { throw ComputeError(call: "packing weights that were sealed", status: 2) }
    guard Extent(shape: shape, type: .float32)?.count == values.count else {
      throw ComputeError(call: "weights of another number than their shape says", status: 2)
    }
    return (values, strides)
  }
}
