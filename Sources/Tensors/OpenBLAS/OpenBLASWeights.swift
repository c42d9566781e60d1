extension PackedWeights {
  /// `[…][inputs][outputs]` for products, of as many matrices as there are; `[rows][columns][inputs][outputs]` for convolutions: each
  /// tap is a matrix, and all of them below each other are one.
  ///
  /// - Parameter isTransposed: they are `[outputs][inputs]`, with the rows and columns of a convolution if it is one.
  func operand(_ wanted: [Int], isTransposed: Bool) throws(ComputeError) -> AlignedMemory {
    guard type == .float32 else { throw ComputeError(call: "weights of another type than float32", status: 2) }
    guard shape == wanted else { throw ComputeError(call: "weights of another shape", status: 2) }
    if let plain { return plain }
    let (values, strides) = try read()
    let memory = AlignedMemory(byteCount: values.count * 4)
    let target = memory.base.assumingMemoryBound(to: Float.self)
    let axes = shape.count
    // Which axes follow each other in memory: taps, inputs, outputs.
    let order = isTransposed ? Array(2..<axes) + [1, 0] : Array(0..<axes)
    let extents = order.map { shape[$0] } + Array(repeating: 1, count: max(0, 4 - axes))
    let steps = order.map { strides[$0] } + Array(repeating: 0, count: max(0, 4 - axes))
    var next = 0
    for a in 0..<extents[0] {
      for b in 0..<extents[1] {
        for c in 0..<extents[2] {
          let first = a * steps[0] + b * steps[1] + c * steps[2]
          for d in 0..<extents[3] {
            target[next] = values[first + d * steps[3]]
            next += 1
          }
        }
      }
    }
    plain = memory
    return memory
  }
}
