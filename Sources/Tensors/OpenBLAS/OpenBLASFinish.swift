/// What follows a product: an offset for each column, and a function.
struct OpenBLASFinish {
  let accumulates: Bool
  private let bias: AlignedMemory?
  private let activation: Activation?

  init(_ finish: Finish, bias: [Float]?, columns: Int) throws(ComputeError) {
    guard bias == nil || bias?.count == columns, finish.scales.count <= 1 || finish.scales.count == columns else {
      throw ComputeError(call: "a value for each channel", status: 2)
    }
    // Factors are for sums of bytes.
    guard finish.scales.isEmpty else { throw ComputeError(call: "factors of float32 sums", status: 3) }
    accumulates = finish.accumulates
    activation = finish.activation
    self.bias = bias.map { bias in
      let memory = AlignedMemory(byteCount: columns * 4)
      bias.withUnsafeBytes { if let base = $0.baseAddress { memory.base.copyMemory(from: base, byteCount: $0.count) } }
      return memory
    }
  }

  /// y ← f(y + b) of each row.
  ///
  /// - Parameter row: elements from one row to the next.
  func apply(_ rows: Int, _ columns: Int, _ base: UnsafeMutablePointer<Float>, row: Int) {
    guard bias != nil || activation != nil else { return }
    ElementRows(
      activation: activation, bias: bias.map { UnsafePointer($0.base.assumingMemoryBound(to: Float.self)) }, rows: rows, columns: columns,
      source: UnsafeRawPointer(base), target: UnsafeMutableRawPointer(base), rowSize: row * 4
    ).apply()
  }
}
