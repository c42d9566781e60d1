import COneDNN

/// Weights in the orders that kernels asked for: each order is made once, and kernels that want the same one share it.
///
/// Not to be used by several threads at once.
public final class PackedWeights {
  /// nil: there are none, or no more.
  private var values: (() -> [Float]?)?
  private let shape: [Int]
  private let type: DataType
  /// As the values lie in memory.
  private let strides: [Int]?
  private var packed: [(layout: Layout, operand: Operand)] = []

  /// - Parameters:
  ///   - values: row-major, for `int8` whole numbers from −128 to 127.
  ///   - shape: oneDNN's: outputs, inputs, then rows and columns if it is a convolution.
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

  var anyLayout: Layout {
    get throws(OneDNNError) { try .any(shape, type) }
  }

  /// As a single matrix, which has better orders than the only one of several; the weights must be one.
  var anyMatrixLayout: Layout {
    get throws(OneDNNError) { try .any(Array(shape.suffix(2)), type) }
  }

  /// - Parameter isMatrix: the order is one of ``anyMatrixLayout``'s.
  func operand(_ layout: Layout, isMatrix: Bool = false) throws(OneDNNError) -> Operand {
    if let known = packed.first(where: { $0.layout == layout }) { return known.operand }
    guard let values = values?(), let strides else { throw OneDNNError(call: "packing weights that were sealed", status: 2) }
    guard Extent(shape: shape, type: .float32)?.count == values.count else {
      throw OneDNNError(call: "weights of another number than their shape says", status: 2)
    }
    // A matrix asked for as such leaves out the axis of one.
    let axes = isMatrix ? 2 : shape.count
    let from = try Layout(Array(shape.suffix(axes)), .float32, strides: Array(strides.suffix(axes)))
    let source = try Operand(from, storage: nil)
    let target = try Operand(layout, storage: AlignedMemory(byteCount: layout.byteCount))
    // Only read: the address is a variable's for oneDNN's sake.
    let status = values.withUnsafeBytes { bytes in
      Result { () throws(OneDNNError) in
        if let base = bytes.baseAddress { source.point(to: UnsafeMutableRawPointer(mutating: base)) }
        try Reorder.run(source, from, target, layout)
      }
    }
    try status.get()
    packed.append((layout, target))
    return target
  }
}

extension Kernel {
  static func bias(_ values: [Float]?, shape: [Int]) throws(OneDNNError) -> [(argument: Int32, operand: Operand)] {
    guard let values else { return [] }
    return [(DNNL_ARG_BIAS, try constant(values, shape: shape))]
  }

  /// An operand of float32 that stays what it is.
  static func constant(_ values: [Float], shape: [Int]) throws(OneDNNError) -> Operand {
    let layout = try Layout.dense(shape, .float32)
    guard values.count * 4 == layout.byteCount else { throw OneDNNError(call: "a value for each channel", status: 2) }
    let memory = AlignedMemory(byteCount: layout.byteCount)
    values.withUnsafeBytes { memory.base.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(memory.base), byteCount: $0.count) }
    return try Operand(layout, storage: memory)
  }
}
