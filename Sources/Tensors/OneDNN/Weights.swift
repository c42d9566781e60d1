import COneDNN

/// Weights in the orders that kernels asked for: each order is made once, and kernels that want the same one share it.
///
/// Not to be used by several threads at once.
public final class PackedWeights {
  private var values: [Float]
  private let shape: [Int]
  private let type: DataType
  private var packed: [(layout: Layout, operand: Operand)] = []
  /// As many values as the shape has elements.
  private let isWhole: Bool

  /// - Parameters:
  ///   - values: row-major, for `int8` whole numbers from −128 to 127.
  ///   - shape: oneDNN's: outputs, inputs, then rows and columns if it is a convolution.
  ///   - type: what they are stored and multiplied as.
  public init(_ values: [Float], shape: [Int], type: DataType) {
    self.values = values
    self.shape = shape
    self.type = type
    isWhole = Extent(shape: shape, type: type)?.count == values.count
  }

  /// Lets go of the values. Kernels that are made later find the orders that are there already, and fail for others.
  public func seal() { values = [] }

  var anyLayout: Layout {
    get throws(OneDNNError) {
      guard isWhole else { throw OneDNNError(call: "weights of another number than their shape says", status: 2) }
      return try .any(shape, type)
    }
  }

  func operand(_ layout: Layout) throws(OneDNNError) -> Operand {
    if let known = packed.first(where: { $0.layout == layout }) { return known.operand }
    guard !values.isEmpty else { throw OneDNNError(call: "packing weights that were sealed", status: 2) }
    let plain = AlignedMemory(byteCount: values.count * 4)
    values.withUnsafeBytes { plain.base.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(plain.base), byteCount: $0.count) }
    let source = try Operand(.dense(shape, .float32), storage: plain)
    let target = try Operand(layout, storage: AlignedMemory(byteCount: layout.byteCount))
    try reorder(source, .dense(shape, .float32), target, layout)
    packed.append((layout, target))
    return target
  }

  private func reorder(_ source: Operand, _ from: Layout, _ target: Operand, _ to: Layout) throws(OneDNNError) {
    let engine = try OneDNN.engine.get()
    var (from, to) = (from.descriptor, to.descriptor)
    var description: dnnl_primitive_desc_t?
    try OneDNN.check(dnnl_reorder_primitive_desc_create(&description, &from, engine, &to, engine, nil), "dnnl_reorder_primitive_desc_create")
    defer { dnnl_primitive_desc_destroy(description) }
    var primitive: dnnl_primitive_t?
    try OneDNN.check(dnnl_primitive_create(&primitive, description), "dnnl_primitive_create")
    defer { dnnl_primitive_destroy(primitive) }
    let arguments = [
      dnnl_exec_arg_t(arg: DNNL_ARG_FROM, memory: source.handle), dnnl_exec_arg_t(arg: DNNL_ARG_TO, memory: target.handle),
    ]
    let stream = try Stream()
    try OneDNN.check(dnnl_primitive_execute(primitive, stream.handle, 2, arguments), "dnnl_primitive_execute")
    try OneDNN.check(dnnl_stream_wait(stream.handle), "dnnl_stream_wait")
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
