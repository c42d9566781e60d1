import Tensors

/// What one adapter adds to one weight: factor·B·A.
struct LowRankChange: Sendable {
  /// `[rank, columns…]`.
  var down: TensorView
  /// `[rows, rank]`.
  var up: TensorView
  var factor: Float
  /// The adapter's file and the names of its tensors there, for errors.
  var path: String
  var downName: String
  var upName: String

  /// W ← W + factor·B·A.
  ///
  /// - Parameters:
  ///   - weights: `[rows, columns…]`, as many as `rows` and the adapter's columns say.
  func add(to weights: inout [Float], rows: Int) throws(WeightsError) {
    let rank = down.shape.first ?? 0
    guard rank > 0, rows > 0, !weights.isEmpty else { return }
    let columns = weights.count / rows
    guard up.count == rows * rank, down.count == rank * columns else {
      throw WeightsError(.malformed, path: path, tensor: downName, "does not fit its weight")
    }
    guard var down = try down.floats() else {
      throw WeightsError(.malformed, path: path, tensor: downName, "has an infinite value or a NaN")
    }
    guard var up = try up.floats() else { throw WeightsError(.malformed, path: path, tensor: upName, "has an infinite value or a NaN") }
    for index in up.indices { up[index] *= factor }
    do throws(ComputeError) {
      ComputeLibrary.useOneThread()
      let product = try Kernel.product(
        ProductShape(rows: rows, inner: rank, columns: columns), source: .float32, second: .float32, destination: .float32,
        finish: Finish(accumulates: true))
      let stream = try Stream()
      // [rows, rank]·[rank, columns] → [rows, columns]
      try up.withUnsafeMutableBufferPointer { up throws(ComputeError) in
        try down.withUnsafeMutableBufferPointer { down throws(ComputeError) in
          try weights.withUnsafeMutableBufferPointer { weights throws(ComputeError) in
            guard let up = up.baseAddress, let down = down.baseAddress, let weights = weights.baseAddress else { return }
            try product.run(up, down, to: weights, on: stream)
          }
        }
      }
    } catch {
      throw WeightsError(.unreadable, path: path, tensor: downName, "cannot be merged: \(error)")
    }
  }
}

/// Numbers in memory that a view can be of.
final class FloatStorage: TensorStorage {
  private let floats: [Float]

  init(_ floats: [Float]) { self.floats = floats }

  /// - Precondition: the bytes are those of the numbers.
  func read(at offset: Int, into room: UnsafeMutableRawBufferPointer) throws(WeightsError) {
    floats.withUnsafeBytes { room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + room.count])) }
  }
}
