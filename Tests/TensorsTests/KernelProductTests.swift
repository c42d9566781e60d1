import Tensors
import Testing

/// Element (i, j) of matrix m lies at `base + m·matrix + i·row + j·column`.
struct Place {
  var matrix: Int
  var row: Int
  var column = 1
}

func product(_ shape: ProductShape, _ a: [Float], _ placeA: Place, _ b: [Float], _ placeB: Place) -> [Float] {
  var result: [Float] = []
  for m in 0..<shape.count {
    for i in 0..<shape.rows {
      for j in 0..<shape.columns {
        var sum = 0.0
        for k in 0..<shape.inner {
          sum +=
            Double(a[m * placeA.matrix + i * placeA.row + k * placeA.column])
            * Double(b[m * placeB.matrix + k * placeB.row + j * placeB.column])
        }
        result.append(Float(sum))
      }
    }
  }
  return result
}

@Suite("Products of matrices")
struct KernelProductTests {
  static let shapes = [(1, 1, 1, 1), (1, 7, 33, 5), (3, 17, 64, 31), (2, 50, 101, 128), (4, 1, 19, 3)]

  static func place(_ shape: (Int, Int, Int, Int)) -> (ProductShape, Place, Place) {
    let shape = ProductShape(count: shape.0, rows: shape.1, inner: shape.2, columns: shape.3)
    return (
      shape, Place(matrix: shape.rows * shape.inner, row: shape.inner), Place(matrix: shape.inner * shape.columns, row: shape.columns)
    )
  }

  @Test("In float32 and bfloat16 they are the sums that the definition says, B as it is or transposed", arguments: shapes)
  func floats(_ numbers: (Int, Int, Int, Int)) throws {
    var (shape, placeA, placeB) = Self.place(numbers)
    let (a, b) = (noise(shape.count * placeA.matrix), noise(shape.count * placeB.matrix, seed: 2))
    let count = shape.count * shape.rows * shape.columns
    for type in [DataType.float32] + (ComputeLibrary.hasBFloat16 ? [.bfloat16] : []) {
      for isTransposed in [false, true] {
        shape.isSecondTransposed = isTransposed
        (placeB.row, placeB.column) = isTransposed ? (1, shape.inner) : (shape.columns, 1)
        let kernel = try Kernel.product(shape, source: type, second: type, destination: .float32)
        let expected = product(shape, rounded(a, to: type), placeA, rounded(b, to: type), placeB)
        #expect(distance(try run(kernel, stored(a, type), stored(b, type), count: count), expected) < 1e-5)
      }
    }
  }

  @Test("Sums of bytes are exact, and scaled column by column", .enabled(if: ComputeLibrary.hasInt8), arguments: shapes)
  func bytes(_ numbers: (Int, Int, Int, Int)) throws {
    let (shape, placeA, placeB) = Self.place(numbers)
    let (a, b) = (wholes(shape.count * placeA.matrix, 0...255), wholes(shape.count * placeB.matrix, -128...127, seed: 3))
    let sums = product(shape, a, placeA, b, placeB)
    let plain = try Kernel.product(shape, source: .uint8, second: .int8, destination: .float32)
    #expect(try run(plain, stored(a, .uint8), stored(b, .int8), count: sums.count) == sums)
    let scales = (0..<shape.columns).map { Float(1 << ($0 % 3)) }
    let packed = PackedWeights(b, shape: [shape.count, shape.inner, shape.columns], type: .int8)
    let scaled = try Kernel.product(shape, packed, bias: nil, source: .uint8, destination: .float32, finish: Finish(scales: scales))
    #expect(try run(scaled, stored(a, .uint8), count: sums.count) == sums.enumerated().map { $1 * scales[$0 % shape.columns] })
  }

  @Test("Packed weights serve one matrix each or all, with an offset a column", arguments: shapes)
  func packed(_ numbers: (Int, Int, Int, Int)) throws {
    var (shape, placeA, placeB) = Self.place(numbers)
    let bias = noise(shape.columns, seed: 3)
    let a = noise(shape.count * placeA.matrix)
    for matrices in Set([1, shape.count]) {
      let b = noise(matrices * shape.inner * shape.columns, seed: 2)
      let weights = PackedWeights(b, shape: [matrices, shape.inner, shape.columns], type: .float32)
      let kernel = try Kernel.product(
        shape, weights, bias: bias, source: .float32, destination: .float32, finish: Finish(activation: .relu))
      placeB.matrix = matrices == 1 ? 0 : shape.inner * shape.columns
      let expected = product(shape, a, placeA, b, placeB).enumerated().map { max(0, $1 + bias[$0 % shape.columns]) }
      #expect(distance(try run(kernel, stored(a, .float32), count: expected.count), expected) < 1e-5)
    }
  }

  @Test("Heads that lie side by side in rows are matrices of their own", arguments: [DataType.float32, .bfloat16])
  func strides(_ type: DataType) throws {
    guard type == .float32 || ComputeLibrary.hasBFloat16 else { return }
    // Queries and keys [T][heads][D] → scores [heads][T][T], in rows that are longer than they must be.
    let (time, heads, depth, row) = (9, 3, 16, 11)
    let (queries, keys) = (noise(time * heads * depth), noise(time * heads * depth, seed: 2))
    var shape = ProductShape(count: heads, rows: time, inner: depth, columns: time)
    shape.first = MatrixStrides(row: heads * depth, matrix: depth)
    shape.second = shape.first
    shape.isSecondTransposed = true
    shape.result.row = row
    let kernel = try Kernel.product(shape, source: type, second: type, destination: .float32)
    let found = try run(kernel, stored(queries, type), stored(keys, type), count: heads * time * row)
    let expected = product(
      shape, rounded(queries, to: type), Place(matrix: depth, row: heads * depth), rounded(keys, to: type),
      Place(matrix: depth, row: 1, column: heads * depth))
    #expect(distance(found.indices.filter { $0 % row < time }.map { found[$0] }, expected) < 1e-5)
    #expect(found.indices.allSatisfy { $0 % row < time || found[$0] == 0 })
  }

  @Test("An inner product is W·x + b of each vector", arguments: [DataType.float32, .bfloat16, .uint8])
  func innerProduct(_ type: DataType) throws {
    guard type == .float32 || (type == .bfloat16 ? ComputeLibrary.hasBFloat16 : ComputeLibrary.hasInt8) else { return }
    let isWhole = type == .uint8
    for (count, inputs, outputs) in [(1, 1, 1), (1, 101, 7), (3, 33, 128), (8, 128, 31)] {
      let x = isWhole ? wholes(count * inputs, 0...255) : rounded(noise(count * inputs), to: type)
      let w = isWhole ? wholes(outputs * inputs, -128...127, seed: 3) : rounded(noise(outputs * inputs, seed: 2), to: type)
      let bias = wholes(outputs, -3...3)
      let weights = PackedWeights(w, shape: [outputs, inputs], type: isWhole ? .int8 : type)
      let kernel = try Kernel.innerProduct(
        count: count, inputs: inputs, outputs: outputs, weights, bias: bias, source: type, destination: .float32)
      let shape = ProductShape(rows: count, inner: inputs, columns: outputs)
      let sums = product(shape, x, Place(matrix: 0, row: inputs), w, Place(matrix: 0, row: 1, column: inputs))
      let expected = sums.enumerated().map { $1 + bias[$0 % outputs] }
      let found = try run(kernel, stored(x, type), count: expected.count)
      #expect(isWhole ? found == expected : distance(found, expected) < 1e-5)
    }
  }

  @Test("Impossible products are errors")
  func refused() throws {
    func status(_ change: (inout ProductShape) -> Void) -> UInt32? {
      var shape = ProductShape(count: 2, rows: 3, inner: 4, columns: 5)
      change(&shape)
      return refusal { () throws(ComputeError) in try Kernel.product(shape, source: .float32, second: .float32, destination: .float32) }
    }
    #expect(status { _ in } == nil)
    #expect(status { $0.rows = -1 } != nil)
    #expect(status { $0.count = .max } != nil)
    #expect(status { ($0.rows, $0.inner) = (1 << 40, 1 << 40) } != nil)
    #expect(status { $0.first.row = .max } != nil)
    #expect(status { $0.second.row = -1 } != nil)
    let weights = PackedWeights(noise(20), shape: [1, 4, 5], type: .float32)
    func packed(_ shape: ProductShape, bias: Int) -> UInt32? {
      refusal { () throws(ComputeError) in try Kernel.product(shape, weights, bias: noise(bias), source: .float32, destination: .float32) }
    }
    #expect(packed(ProductShape(rows: 3, inner: 4, columns: 5), bias: 5) == nil)
    #expect(packed(ProductShape(rows: 3, inner: 4, columns: 5), bias: 4) == 2)
    #expect(packed(ProductShape(rows: 3, inner: 5, columns: 5), bias: 5) == 2)
    #expect(packed(ProductShape(rows: 3, inner: 4, columns: 6), bias: 6) == 2)
  }

  @Test("A kernel wants as many operands as it was made for")
  func operands() throws {
    let shape = ProductShape(rows: 2, inner: 2, columns: 2)
    let two = try Kernel.product(shape, source: .float32, second: .float32, destination: .float32)
    let weights = PackedWeights([1, 2, 3, 4], shape: [1, 2, 2], type: .float32)
    let one = try Kernel.product(shape, weights, bias: nil, source: .float32, destination: .float32)
    let (memory, stream) = (AlignedMemory(byteCount: 64), try Stream())
    #expect(refusal { () throws(ComputeError) in try two.run(memory.base, to: memory.base, on: stream) } == 2)
    #expect(refusal { () throws(ComputeError) in try one.run(memory.base, memory.base, to: memory.base, on: stream) } == 2)
  }
}
