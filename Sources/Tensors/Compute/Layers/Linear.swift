/// y = x·Wᵀ + b, with weights in the order that the processor likes best.
///
/// The weights are read when the first rows are to be multiplied, or when ``sourceType()`` is asked for.
public final class Linear {
  /// Numbers of a row of x.
  public let inputs: Int
  /// Numbers of a row of y.
  public let outputs: Int
  private let bias: [Float]?
  private let reading: Reading
  private let type: DataType
  private var settled: Settled?
  private var kernels: [KernelKey: Kernel] = [:]
  private var activations: [KernelKey: Kernel] = [:]

  /// A thread has kernels of its own, whatever `Compute` it belongs to.
  private struct KernelKey: Hashable {
    var rows: Int
    var destination: DataType
    var activation: Activation?
    var thread: Int
  }

  /// What the weights became.
  private struct Settled {
    var type: DataType
    var packed: PackedWeights
    /// A factor for each output, if the weights are bytes.
    var scales: [Float] = []
  }

  /// Where a reading that failed leaves its error, and bytes wait for being put in order.
  private final class Reading {
    let read: () throws -> [Float]
    var failure: (any Error)?
    var bytes: [Float]?
    init(_ read: @escaping () throws -> [Float]) { self.read = read }

    func callAsFunction<Result>(_ body: ([Float]) -> Result?) -> Result? {
      do { return body(try read()) } catch {
        failure = error
        return nil
      }
    }
  }

  /// - Parameters:
  ///   - bias: `outputs` values, or nil for none.
  ///   - type: that of the products. With `int8` sources are rounded to bytes, a scale a row, and weights, a scale an output; weights
  ///     that would lose more than 1 % that way stay what `Compute.type` is by default.
  ///   - weights: `[outputs][inputs]`; asked for once, or again if another number of rows wants another order.
  public init(inputs: Int, outputs: Int, bias: [Float]?, type: DataType, weights: @escaping () throws -> [Float]) {
    self.inputs = inputs
    self.outputs = outputs
    self.bias = bias
    self.type = type
    reading = Reading(weights)
    if type != .int8 { settled = plain(type) }
  }

  /// The element type that sources are multiplied in: bytes or not is known once the weights were read.
  public func sourceType() throws -> DataType { try settle().type }

  private func plain(_ type: DataType) -> Settled {
    let reading = reading
    return Settled(type: type, packed: PackedWeights(shape: [1, inputs, outputs], type: type, isTransposed: true) { reading { $0 } })
  }

  private func settle() throws -> Settled {
    if let settled { return settled }
    let (reading, inputs, outputs) = (reading, inputs, outputs)
    reading.failure = nil
    guard let quantized = reading({ .some(Quantization.quantized($0, rows: outputs, columns: inputs)) }) else {
      throw reading.failure ?? ComputeError(call: "weights that were not read", status: 2)
    }
    guard let quantized else {
      let result = plain(ComputeLibrary.hasBFloat16 ? .bfloat16 : .float32)
      settled = result
      return result
    }
    reading.bytes = quantized.values
    let packed = PackedWeights(shape: [1, inputs, outputs], type: .int8, isTransposed: true) {
      defer { reading.bytes = nil }
      return reading.bytes ?? reading { Quantization.quantized($0, rows: outputs, columns: inputs)?.values }
    }
    let result = Settled(type: .int8, packed: packed, scales: quantized.scales)
    settled = result
    return result
  }

  /// - Parameters:
  ///   - rows: of `source`; nil for all.
  ///   - type: of the result; nil for that of the products, or `compute`'s if those are of bytes.
  /// - Returns: `[rows][outputs]`
  public func callAsFunction(
    _ source: Matrix, rows: Range<Int>? = nil, activation: Activation? = nil, type: DataType? = nil, on compute: Compute
  ) throws -> Matrix {
    let rows = rows ?? 0..<source.rows
    let result = Matrix(rows: rows.count, columns: outputs, type: type ?? (self.type == .int8 ? compute.type : self.type))
    try callAsFunction(source, rows: rows, to: result, row: 0, activation: activation, on: compute)
    return result
  }

  /// - Parameters:
  ///   - source: in the products' element type; bytes, or what is to be made bytes, if the weights are bytes.
  ///   - row: the first row of `result` that is written. It may be of bytes if the weights are.
  public func callAsFunction(
    _ source: Matrix, rows: Range<Int>, to result: Matrix, row: Int, activation: Activation? = nil, on compute: Compute
  ) throws {
    precondition(source.columns == inputs && result.columns == outputs, "a matrix of another shape")
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= source.rows && row >= 0 && row + rows.count <= result.rows, "rows beyond a matrix")
    guard !rows.isEmpty else { return }
    let weights = try settle()
    let isBytes = weights.type == .int8
    let source = isBytes ? try compute.quantized(source) : source
    precondition(source.type == weights.type && (isBytes || result.type != .int8), "a matrix of another type")
    // What became of bytes needs more work while it is near.
    let strip = isBytes ? min(64, rows.count) : Self.strip(rows.count)
    let strips = (rows.count + strip - 1) / strip
    // Kernels are made here: weights are packed by one thread.
    for count in Set([strip, rows.count - (strips - 1) * strip]) {
      for thread in 0..<(strips == 1 ? 1 : compute.threads) {
        let key = KernelKey(rows: count, destination: result.type, activation: activation, thread: thread)
        guard kernels[key] == nil else { continue }
        if isBytes, let activation {
          activations[key] = try Kernel.activation(activation, count: count * outputs, type: .float32)
        }
        kernels[key] = try make(key, weights)
      }
    }
    try compute.forEach(strips) { piece, thread in
      let first = piece * strip
      let count = min(strip, rows.count - first)
      let key = KernelKey(rows: count, destination: result.type, activation: activation, thread: thread)
      guard let kernel = kernels[key] else { throw ComputeError(call: "a kernel that was not made", status: 3) }
      let (from, to) = (source.row(rows.lowerBound + first), result.row(row + first))
      guard isBytes else { return try kernel.run(from, to: to, on: compute.stream(thread)) }
      // [count][outputs] of float32, still without the rows' scales and the bias.
      let sums = result.type == .float32 ? to : compute.scratch(thread, byteCount: count * outputs * 4)
      try kernel.run(from, to: sums, on: compute.stream(thread))
      scale(sums, count, by: source.scales + rows.lowerBound + first)
      try activations[key]?.run(sums, to: sums, on: compute.stream(thread))
      for index in 0..<(result.type == .float32 ? 0 : count) {
        let (line, target) = (sums + index * outputs * 4, result.row(row + first + index))
        if result.type == .int8 {
          result.scales[row + first + index] = Quantization.quantize(outputs, line, Float32.self, to: target)
        } else {
          mapRow(outputs, line, Float32.self, to: target, BFloat16.self) { $1 }
        }
      }
    }
    compute.count(operations: 2 * Double(rows.count) * Double(inputs) * Double(outputs))
  }

  /// y = scale · y + b, row by row.
  private func scale(_ sums: UnsafeMutableRawPointer, _ rows: Int, by scales: UnsafePointer<Float>) {
    (bias ?? []).withUnsafeBufferPointer { bias in
      for row in 0..<rows {
        let line = sums + row * outputs * 4
        let factor = scales[row]
        if bias.count == outputs, let bias = bias.baseAddress {
          mapRow(outputs, line, Float32.self, to: line, Float32.self) { index, x in x * factor + eight(bias, index, outputs) }
        } else {
          mapRow(outputs, line, Float32.self, to: line, Float32.self) { $1 * factor }
        }
      }
    }
  }

  private func make(_ key: KernelKey, _ weights: Settled) throws -> Kernel {
    reading.failure = nil
    let isBytes = weights.type == .int8
    do {
      return try Kernel.product(
        ProductShape(rows: key.rows, inner: inputs, columns: outputs), weights.packed, bias: isBytes ? nil : bias, source: weights.type,
        destination: isBytes ? .float32 : key.destination,
        finish: isBytes ? Finish(scales: weights.scales) : Finish(activation: key.activation))
    } catch { throw reading.failure ?? error }
  }

  /// Enough rows at once that reading the weights costs little, few enough that all threads have work. The number of threads
  /// has no part in it: kernels of other sizes may round otherwise.
  private static func strip(_ rows: Int) -> Int { min(rows >= 4096 ? 512 : rows >= 512 ? 128 : 64, rows) }
}
