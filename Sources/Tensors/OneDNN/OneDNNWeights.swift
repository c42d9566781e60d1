import COneDNN

extension PackedWeights {
  var anyLayout: Layout {
    get throws(ComputeError) { try .any(shape, type) }
  }

  /// As a single matrix, which has better orders than the only one of several; the weights must be one.
  var anyMatrixLayout: Layout {
    get throws(ComputeError) { try .any(Array(shape.suffix(2)), type) }
  }

  /// - Parameter isMatrix: the order is one of ``anyMatrixLayout``'s.
  func operand(_ layout: Layout, isMatrix: Bool = false) throws(ComputeError) -> Operand {
    if let known = packed.first(where: { $0.layout == layout }) { return known.operand }
    let (values, strides) = try read()
    // A matrix asked for as such leaves out the axis of one.
    let axes = isMatrix ? 2 : shape.count
    let from = try Layout(Array(shape.suffix(axes)), .float32, strides: Array(strides.suffix(axes)))
    let source = try Operand(from, storage: nil)
    let target = try Operand(layout, storage: AlignedMemory(byteCount: layout.byteCount))
    // Only read: the address is a variable's for oneDNN's sake.
    let status = values.withUnsafeBytes { bytes in
      Result { () throws(ComputeError) in
        if let base = bytes.baseAddress { source.point(to: UnsafeMutableRawPointer(mutating: base)) }
        try Reorder.run(source, from, target, layout)
      }
    }
    try status.get()
    packed.append((layout, target))
    return target
  }
}

extension OneDNNKernel {
  static func bias(_ values: [Float]?, shape: [Int]) throws(ComputeError) -> [(argument: Int32, operand: Operand)] {
    guard let values else { return [] }
    return [(DNNL_ARG_BIAS, try constant(values, shape: shape))]
  }

  /// An operand of float32 that stays what it is.
  static func constant(_ values: [Float], shape: [Int]) throws(ComputeError) -> Operand {
    let layout = try Layout.dense(shape, .float32)
    guard values.count * 4 == layout.byteCount else { throw ComputeError(call: "a value for each channel", status: 2) }
    let memory = AlignedMemory(byteCount: layout.byteCount)
    values.withUnsafeBytes { memory.base.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(memory.base), byteCount: $0.count) }
    return try Operand(layout, storage: memory)
  }
}
