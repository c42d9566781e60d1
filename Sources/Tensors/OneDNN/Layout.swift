import COneDNN

/// A tensor's shape, type and order in memory, as oneDNN describes it.
final class Layout {
  let handle: cdnn_memory_desc

  private init(_ status: dnnl_status_t, _ handle: cdnn_memory_desc?, _ call: String) throws(ComputeError) {
    try OneDNN.check(status, call)
    guard let handle else { throw ComputeError(call: call, status: 0) }
    self.handle = handle
  }

  deinit { dnnl_memory_desc_destroy(handle) }

  /// That of an operand which a kernel, with its implementation chosen, has.
  convenience init(_ what: dnnl_query_t, of kernel: dnnl_primitive_desc_t?) throws(ComputeError) {
    var handle: cdnn_memory_desc?
    guard let known = dnnl_primitive_desc_query_md(kernel, what, 0) else {
      throw ComputeError(call: "dnnl_primitive_desc_query_md", status: 2)
    }
    let status = dnnl_memory_desc_clone(&handle, known)
    try self.init(status, handle, "dnnl_memory_desc_clone")
  }

  /// The axes in the order of `shape`, at `strides` elements, or in whatever order the kernel likes best if `strides` is nil.
  convenience init(_ shape: [Int], _ type: DataType, strides: [Int]?) throws(ComputeError) {
    guard shape.count <= Int(DNNL_MAX_NDIMS), let type = type.oneDNN else { throw ComputeError(call: "a layout", status: 2) }
    var handle: cdnn_memory_desc?
    let extents = shape.map { dnnl_dim_t($0) }
    if let strides {
      let status = dnnl_memory_desc_create_with_strides(&handle, Int32(shape.count), extents, type, strides.map { dnnl_dim_t($0) })
      try self.init(status, handle, "dnnl_memory_desc_create_with_strides")
    } else {
      let status = dnnl_memory_desc_create_with_tag(&handle, Int32(shape.count), extents, type, dnnl_format_tag_any)
      try self.init(status, handle, "dnnl_memory_desc_create_with_tag")
    }
  }

  /// Without gaps, the last axis innermost.
  static func dense(_ shape: [Int], _ type: DataType) throws(ComputeError) -> Layout {
    try Layout(shape, type, strides: extent(shape, type).strides)
  }

  private static func extent(_ shape: [Int], _ type: DataType) throws(ComputeError) -> Extent {
    guard let extent = Extent(shape: shape, type: type) else { throw ComputeError(call: "a shape beyond memory", status: 2) }
    return extent
  }

  /// `[count][channels][height][width]` in oneDNN's order of axes; in memory channels are innermost.
  static func images(_ count: Int, _ height: Int, _ width: Int, _ channels: Int, _ type: DataType) throws(ComputeError) -> Layout {
    let strides = try extent([count, height, width, channels], type).strides
    return try Layout([count, channels, height, width], type, strides: [strides[0], strides[3], strides[1], strides[2]])
  }

  /// `[count][rows][columns]`, each matrix or its transpose in rows of memory; `[rows][columns]` if it is one, for which
  /// oneDNN has better orders.
  static func matrices(
    _ count: Int, _ rows: Int, _ columns: Int, _ type: DataType, _ strides: MatrixStrides, isTransposed: Bool = false
  ) throws(ComputeError) -> Layout {
    let (height, width) = isTransposed ? (columns, rows) : (rows, columns)
    let row = strides.row ?? width
    // Rows and matrices without gaps, or checked as if they were.
    let dense = try extent([count, height, row], type)
    let matrix = strides.matrix ?? dense.strides[0]
    let strides = isTransposed ? [1, row] : [row, 1]
    return count == 1
      ? try Layout([rows, columns], type, strides: strides) : try Layout([count, rows, columns], type, strides: [matrix] + strides)
  }

  /// The kernel's choice.
  static func any(_ shape: [Int], _ type: DataType) throws(ComputeError) -> Layout { try Layout(shape, type, strides: nil) }

  var byteCount: Int { dnnl_memory_desc_get_size(handle) }

  static func == (left: Layout, right: Layout) -> Bool { dnnl_memory_desc_equal(left.handle, right.handle) != 0 }
}

/// A tensor that kernels read or write: a layout at an address, which may be changed between runs.
final class Operand {
  let handle: dnnl_memory_t
  /// Kept for operands that own what they point to.
  private let storage: AlignedMemory?

  /// - Parameter storage: nil if the address is set before each run.
  init(_ layout: Layout, storage: AlignedMemory?) throws(ComputeError) {
    var handle: dnnl_memory_t?
    try OneDNN.check(dnnl_memory_create(&handle, layout.handle, OneDNN.engine.get(), storage?.base), "dnnl_memory_create")
    guard let handle else { throw ComputeError(call: "dnnl_memory_create", status: 0) }
    self.handle = handle
    self.storage = storage
  }

  deinit { dnnl_memory_destroy(handle) }

  func point(to address: UnsafeMutableRawPointer) { dnnl_memory_set_data_handle(handle, address) }
}
