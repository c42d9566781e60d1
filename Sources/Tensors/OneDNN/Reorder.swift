import COneDNN

/// Copies a tensor from one order in memory to another, or from one element type to another.
final class Reorder {
  private let primitive: dnnl_primitive_t
  private let source: Operand
  private let target: Operand
  let implementation: String

  convenience init(from: Layout, to: Layout) throws(OneDNNError) {
    try self.init(Operand(from, storage: nil), from, Operand(to, storage: nil), to)
  }

  private init(_ source: Operand, _ from: Layout, _ target: Operand, _ to: Layout) throws(OneDNNError) {
    let engine = try OneDNN.engine.get()
    var (from, to) = (from.descriptor, to.descriptor)
    var description: dnnl_primitive_desc_t?
    try OneDNN.check(dnnl_reorder_primitive_desc_create(&description, &from, engine, &to, engine, nil), "dnnl_reorder_primitive_desc_create")
    defer { dnnl_primitive_desc_destroy(description) }
    var name: UnsafePointer<CChar>?
    dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name)
    implementation = name.map { String(cString: $0) } ?? "unknown"
    var primitive: dnnl_primitive_t?
    try OneDNN.check(dnnl_primitive_create(&primitive, description), "dnnl_primitive_create")
    guard let primitive else { throw OneDNNError(call: "dnnl_primitive_create", status: 0) }
    self.primitive = primitive
    self.source = source
    self.target = target
  }

  deinit { dnnl_primitive_destroy(primitive) }

  /// Once, between operands that have their memory.
  static func run(_ source: Operand, _ from: Layout, _ target: Operand, _ to: Layout) throws(OneDNNError) {
    try Reorder(source, from, target, to).execute(on: Stream())
  }

  func run(_ source: UnsafeMutableRawPointer, to target: UnsafeMutableRawPointer, on stream: Stream) throws(OneDNNError) {
    self.source.point(to: source)
    self.target.point(to: target)
    try execute(on: stream)
  }

  private func execute(on stream: Stream) throws(OneDNNError) {
    let arguments = [
      dnnl_exec_arg_t(arg: DNNL_ARG_FROM, memory: source.handle), dnnl_exec_arg_t(arg: DNNL_ARG_TO, memory: target.handle),
    ]
    try OneDNN.check(dnnl_primitive_execute(primitive, stream.handle, 2, arguments), "dnnl_primitive_execute")
    try OneDNN.check(dnnl_stream_wait(stream.handle), "dnnl_stream_wait")
  }
}
