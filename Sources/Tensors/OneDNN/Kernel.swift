import COneDNN

/// One operation of oneDNN, compiled for its shapes, with its weights in the order that it likes best.
///
/// Making one takes about a millisecond, running it allocates nothing. A kernel is run by one thread at a time.
public final class Kernel {
  /// The name of the implementation that oneDNN chose, such as `brgconv:avx512_core_bf16`.
  public let implementation: String
  private let primitive: dnnl_primitive_t
  private let source: Operand
  private let destination: Operand
  private let constants: [(argument: Int32, operand: Operand)]
  private var arguments: [dnnl_exec_arg_t]

  init(_ description: KernelDescription, constants: [(argument: Int32, operand: Operand)]) throws(OneDNNError) {
    implementation = description.implementation
    source = try Operand(description.layout(dnnl_query_src_md), storage: nil)
    destination = try Operand(description.layout(dnnl_query_dst_md), storage: nil)
    var primitive: dnnl_primitive_t?
    try OneDNN.check(dnnl_primitive_create(&primitive, description.handle), "dnnl_primitive_create")
    guard let primitive else { throw OneDNNError(call: "dnnl_primitive_create", status: 0) }
    self.primitive = primitive
    self.constants = constants
    arguments = [dnnl_exec_arg_t(arg: DNNL_ARG_SRC, memory: source.handle), dnnl_exec_arg_t(arg: DNNL_ARG_DST, memory: destination.handle)]
    arguments += constants.map { dnnl_exec_arg_t(arg: $0.argument, memory: $0.operand.handle) }
  }

  deinit { dnnl_primitive_destroy(primitive) }

  /// Reads from one address, writes to another.
  ///
  /// - Precondition: both hold what the layouts that the kernel was made with say.
  public func run(_ source: UnsafeMutableRawPointer, to destination: UnsafeMutableRawPointer, on stream: Stream) throws(OneDNNError) {
    self.source.point(to: source)
    self.destination.point(to: destination)
    try OneDNN.check(dnnl_primitive_execute(primitive, stream.handle, Int32(arguments.count), arguments), "dnnl_primitive_execute")
  }
}

/// What is done to each sum before it is written.
public struct Finish {
  /// Factors, one for each output channel or one for all; empty for none. For kernels of bytes.
  public var scales: [Float] = []
  /// The sum is added to what is there.
  public var accumulates = false
  /// max(x, 0), last.
  public var isRectified = false

  public init(scales: [Float] = [], accumulates: Bool = false, isRectified: Bool = false) {
    self.scales = scales
    self.accumulates = accumulates
    self.isRectified = isRectified
  }

  func makeAttributes() throws(OneDNNError) -> dnnl_primitive_attr_t? {
    var attributes: dnnl_primitive_attr_t?
    try OneDNN.check(dnnl_primitive_attr_create(&attributes), "dnnl_primitive_attr_create")
    if !scales.isEmpty {
      try OneDNN.check(
        dnnl_primitive_attr_set_output_scales(attributes, dnnl_dim_t(scales.count), scales.count == 1 ? 0 : 1 << 1, scales),
        "dnnl_primitive_attr_set_output_scales")
    }
    var operations: dnnl_post_ops_t?
    try OneDNN.check(dnnl_post_ops_create(&operations), "dnnl_post_ops_create")
    defer { dnnl_post_ops_destroy(operations) }
    if accumulates { try OneDNN.check(dnnl_post_ops_append_sum(operations, 1), "dnnl_post_ops_append_sum") }
    if isRectified {
      try OneDNN.check(dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_relu, 0, 0), "dnnl_post_ops_append_eltwise")
    }
    try OneDNN.check(dnnl_primitive_attr_set_post_ops(attributes, operations), "dnnl_primitive_attr_set_post_ops")
    return attributes
  }
}

/// An operation that oneDNN has chosen an implementation for.
final class KernelDescription {
  let handle: dnnl_primitive_desc_t

  init(_ operation: UnsafeRawPointer, _ finish: Finish) throws(OneDNNError) {
    let attributes = try finish.makeAttributes()
    defer { dnnl_primitive_attr_destroy(attributes) }
    var handle: dnnl_primitive_desc_t?
    try OneDNN.check(dnnl_primitive_desc_create(&handle, operation, attributes, OneDNN.engine.get(), nil), "dnnl_primitive_desc_create")
    guard let handle else { throw OneDNNError(call: "dnnl_primitive_desc_create", status: 0) }
    self.handle = handle
  }

  deinit { dnnl_primitive_desc_destroy(handle) }

  var implementation: String {
    var name: UnsafePointer<CChar>?
    guard dnnl_primitive_desc_query(handle, dnnl_query_impl_info_str, 0, &name) == dnnl_success, let name else { return "unknown" }
    return String(cString: name)
  }

  func layout(_ what: dnnl_query_t) -> Layout {
    Layout(dnnl_primitive_desc_query_md(handle, what, 0)?.pointee ?? dnnl_memory_desc_t())
  }
}
