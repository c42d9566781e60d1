import COneDNN

/// One operation of oneDNN, compiled for its shapes, with its weights in the order that it likes best.
///
/// Making one takes about a millisecond, running it allocates nothing. A kernel is run by one thread at a time.
final class OneDNNKernel: KernelBody {
  /// The name of the implementation that oneDNN chose, such as `brgconv:avx512_core_bf16`.
  let implementation: String
  let takesSecond: Bool
  private let primitive: dnnl_primitive_t
  private let source: Operand
  /// The second operand, where it is not constant.
  private let second: Operand?
  private let destination: Operand
  private let constants: [(argument: Int32, operand: Operand)]
  /// Memory to work in, which is the stream's: primitives share oneDNN's own, unless it was built for several that run at once.
  private let scratchpad: (operand: Operand, byteCount: Int)?
  private let arguments: [dnnl_exec_arg_t]

  /// - Parameter takesSecond: the operand that other kernels have their weights in is given with each run.
  init(
    _ description: KernelDescription, takesSecond: Bool = false, constants: [(argument: Int32, operand: Operand)] = []
  ) throws(ComputeError) {
    implementation = description.implementation
    self.takesSecond = takesSecond
    source = try Operand(description.layout(dnnl_query_src_md), storage: nil)
    second = takesSecond ? try Operand(description.layout(dnnl_query_weights_md), storage: nil) : nil
    destination = try Operand(description.layout(dnnl_query_dst_md), storage: nil)
    var primitive: dnnl_primitive_t?
    let status = try OneDNN.whileMaking { () throws(ComputeError) in dnnl_primitive_create(&primitive, description.handle) }
    try OneDNN.check(status, "dnnl_primitive_create")
    guard let primitive else { throw ComputeError(call: "dnnl_primitive_create", status: 0) }
    self.primitive = primitive
    let constants = try constants + description.scales()
    self.constants = constants
    var operands = [(DNNL_ARG_SRC, source), (DNNL_ARG_DST, destination)] + constants
    if let second { operands.append((DNNL_ARG_WEIGHTS, second)) }
    let workspace = try description.layout(dnnl_query_scratchpad_md)
    scratchpad = workspace.byteCount > 0 ? (try Operand(workspace, storage: nil), workspace.byteCount) : nil
    if let scratchpad { operands.append((DNNL_ARG_SCRATCHPAD, scratchpad.operand)) }
    arguments = operands.map { dnnl_exec_arg_t(arg: $0.0, memory: $0.1.handle) }
  }

  deinit { dnnl_primitive_destroy(primitive) }

  func run(
    _ source: UnsafeMutableRawPointer, _ second: UnsafeMutableRawPointer?, to destination: UnsafeMutableRawPointer, on stream: Stream
  ) throws(ComputeError) {
    self.source.point(to: source)
    if let second { self.second?.point(to: second) }
    self.destination.point(to: destination)
    if let scratchpad { scratchpad.operand.point(to: stream.scratchpad(byteCount: scratchpad.byteCount)) }
    try OneDNN.check(dnnl_primitive_execute(primitive, stream.oneDNN?.handle, Int32(arguments.count), arguments), "dnnl_primitive_execute")
  }
}

extension Finish {
  /// - Parameters:
  ///   - axis: that of the channels in the result.
  ///   - weightsAxis: that of the channels in the weights.
  func makeAttributes(axis: Int32 = 1, weightsAxis: Int32 = 0) throws(ComputeError) -> dnnl_primitive_attr_t? {
    var attributes: dnnl_primitive_attr_t?
    try OneDNN.check(dnnl_primitive_attr_create(&attributes), "dnnl_primitive_attr_create")
    try OneDNN.check(
      dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user), "dnnl_primitive_attr_set_scratchpad_mode")
    if !scales.isEmpty {
      try OneDNN.check(cdnn_set_scales(attributes, Int32(scales.count), scales, axis, weightsAxis), "dnnl_primitive_attr_set_scales_mask")
    }
    var operations: dnnl_post_ops_t?
    try OneDNN.check(dnnl_post_ops_create(&operations), "dnnl_post_ops_create")
    defer { dnnl_post_ops_destroy(operations) }
    if accumulates { try OneDNN.check(cdnn_post_ops_append_sum(operations), "dnnl_post_ops_append_sum") }
    if let activation {
      try OneDNN.check(cdnn_post_ops_append_eltwise(operations, activation.oneDNN, activation.alpha), "dnnl_post_ops_append_eltwise")
    }
    try OneDNN.check(dnnl_primitive_attr_set_post_ops(attributes, operations), "dnnl_primitive_attr_set_post_ops")
    return attributes
  }
}

/// An operation that oneDNN has chosen an implementation for.
final class KernelDescription {
  let handle: dnnl_primitive_desc_t
  private let finish: Finish

  /// - Parameters:
  ///   - call: the name of what `choose` calls.
  ///   - channels: how many the result has, for the finish's scales.
  ///   - axis: which axis of the result they are.
  ///   - weightsAxis: which axis of the weights.
  ///   - choose: puts the implementation that it chose for an engine and for attributes to an address.
  init(
    _ call: String, _ finish: Finish = Finish(), channels: Int = 0, axis: Int32 = 1, weightsAxis: Int32 = 0,
    choose: (UnsafeMutablePointer<dnnl_primitive_desc_t?>, dnnl_engine_t, dnnl_primitive_attr_t?) -> dnnl_status_t
  ) throws(ComputeError) {
    guard finish.scales.count <= 1 || finish.scales.count == channels else {
      throw ComputeError(call: "a factor for each channel", status: 2)
    }
    let attributes = try finish.makeAttributes(axis: axis, weightsAxis: weightsAxis)
    defer { dnnl_primitive_attr_destroy(attributes) }
    var handle: dnnl_primitive_desc_t?
    let engine = try OneDNN.engine.get()
    let status = try OneDNN.whileMaking { () throws(ComputeError) in choose(&handle, engine, attributes) }
    try OneDNN.check(status, call)
    guard let handle else { throw ComputeError(call: call, status: 0) }
    self.handle = handle
    self.finish = finish
  }

  deinit { dnnl_primitive_desc_destroy(handle) }

  var implementation: String {
    var name: UnsafePointer<CChar>?
    guard dnnl_primitive_desc_query(handle, dnnl_query_impl_info_str, 0, &name) == dnnl_success, let name else { return "unknown" }
    return String(cString: name)
  }

  func layout(_ what: dnnl_query_t) throws(ComputeError) -> Layout { try Layout(what, of: handle) }

  /// The finish's factors, where they are operands of the kernel.
  func scales() throws(ComputeError) -> [(argument: Int32, operand: Operand)] {
    guard cdnn_scales_argument() != 0, !finish.scales.isEmpty else { return [] }
    return [(cdnn_scales_argument(), try OneDNNKernel.constant(finish.scales, shape: [finish.scales.count]))]
  }
}
