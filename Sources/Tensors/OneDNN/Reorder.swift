import COneDNN

/// Copies a tensor from one order in memory to another, or from one element type to another.
final class Reorder: KernelBody {
  private let primitive: dnnl_primitive_t
  private let source: Operand
  private let target: Operand
  private let scratchpad: (operand: Operand, byteCount: Int)?
  let implementation: String
  let takesSecond = false

  convenience init(from: Layout, to: Layout) throws(ComputeError) {
    try self.init(Operand(from, storage: nil), from, Operand(to, storage: nil), to)
  }

  private init(_ source: Operand, _ from: Layout, _ target: Operand, _ to: Layout) throws(ComputeError) {
    let engine = try OneDNN.engine.get()
    var description: dnnl_primitive_desc_t?
    let attributes = try Finish().makeAttributes()
    defer { dnnl_primitive_attr_destroy(attributes) }
    let status = try OneDNN.whileMaking { () throws(ComputeError) in
      dnnl_reorder_primitive_desc_create(&description, from.handle, engine, to.handle, engine, attributes)
    }
    try OneDNN.check(status, "dnnl_reorder_primitive_desc_create")
    defer { dnnl_primitive_desc_destroy(description) }
    var name: UnsafePointer<CChar>?
    dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name)
    implementation = name.map { String(cString: $0) } ?? "unknown"
    var primitive: dnnl_primitive_t?
    let made = try OneDNN.whileMaking { () throws(ComputeError) in dnnl_primitive_create(&primitive, description) }
    try OneDNN.check(made, "dnnl_primitive_create")
    guard let primitive else { throw ComputeError(call: "dnnl_primitive_create", status: 0) }
    self.primitive = primitive
    self.source = source
    self.target = target
    let workspace = try Layout(dnnl_query_scratchpad_md, of: description)
    scratchpad = workspace.byteCount > 0 ? (try Operand(workspace, storage: nil), workspace.byteCount) : nil
  }

  deinit { dnnl_primitive_destroy(primitive) }

  /// Once, between operands that have their memory.
  static func run(_ source: Operand, _ from: Layout, _ target: Operand, _ to: Layout) throws(ComputeError) {
    try Reorder(source, from, target, to).execute(on: Stream())
  }

  func run(
    _ source: UnsafeMutableRawPointer, _ second: UnsafeMutableRawPointer?, to target: UnsafeMutableRawPointer, on stream: Stream
  ) throws(ComputeError) {
    self.source.point(to: source)
    self.target.point(to: target)
    try execute(on: stream)
  }

  private func execute(on stream: Stream) throws(ComputeError) {
    var arguments = [
      dnnl_exec_arg_t(arg: DNNL_ARG_FROM, memory: source.handle), dnnl_exec_arg_t(arg: DNNL_ARG_TO, memory: target.handle),
    ]
    if let scratchpad {
      scratchpad.operand.point(to: stream.scratchpad(byteCount: scratchpad.byteCount))
      arguments.append(dnnl_exec_arg_t(arg: DNNL_ARG_SCRATCHPAD, memory: scratchpad.operand.handle))
    }
    try OneDNN.check(dnnl_primitive_execute(primitive, stream.oneDNN?.handle, Int32(arguments.count), arguments), "dnnl_primitive_execute")
    try OneDNN.check(dnnl_stream_wait(stream.oneDNN?.handle), "dnnl_stream_wait")
  }
}
