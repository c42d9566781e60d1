import Glibc
import Tensors
import Testing

/// Numbers from −1 to 1 that are the same in every run.
private func values(_ count: Int, seed: UInt64) -> [Float] {
  var generator = Seeded(state: seed)
  return (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
}

/// What bfloat16 keeps of numbers.
private func rounded(_ values: [Float], _ type: DataType) -> [Float] {
  Matrix(values, rows: 1, columns: values.count, type: type).floats()
}

/// The largest |a − b| relative to the largest |b|.
private func difference(_ a: [Float], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  let scale = b.reduce(1e-30) { max($0, abs($1)) }
  return zip(a, b).reduce(0) { max($0, abs(Double($1.0) - $1.1)) } / scale
}

@Suite("Networks' arithmetic")
struct ComputeTests {
  static let types: [(DataType, Double)] = [(.float32, 1e-5)] + (ComputeLibrary.hasOnlyFloat32 ? [] : [(.bfloat16, 1e-2)])

  @Test("A linear layer is x·Wᵀ + b for any number of rows", arguments: types)
  func linear(type: DataType, tolerance: Double) throws {
    let compute = try Compute(type, threads: 2)
    let (inputs, outputs) = (48, 72)
    let (w, b) = (values(inputs * outputs, seed: 1), values(outputs, seed: 2))
    let linear = Linear(inputs: inputs, outputs: outputs, bias: b, type: type) { w }
    for rows in [1, 15, 33, 700] {
      let x = values(rows * inputs, seed: 3)
      let y = try linear(Matrix(x, rows: rows, columns: inputs, type: type), type: .float32, on: compute).floats()
      let (x2, w2) = (rounded(x, type), rounded(w, type))
      let expected = (0..<rows * outputs).map { place in
        let (row, column) = (place / outputs, place % outputs)
        return (0..<inputs).reduce(Double(b[column])) { $0 + Double(x2[row * inputs + $1]) * Double(w2[column * inputs + $1]) }
      }
      #expect(difference(y, expected) < 1e-5)
    }
  }

  @Test(
    "A linear layer serves computes of any number of threads, one after the other",
    arguments: [.float32] + (ComputeLibrary.hasInt8 ? [.int8] : []) as [DataType])
  func shared(type: DataType) throws {
    let (inputs, outputs, rows) = (48, 72, 700)
    let w = values(inputs * outputs, seed: 1)
    let linear = Linear(inputs: inputs, outputs: outputs, bias: nil, type: type) { w }
    var results: [[Float]] = []
    for threads in [1, 5, 2] {
      let compute = try Compute(type, threads: threads)
      let source = Matrix(values(rows * inputs, seed: 3), rows: rows, columns: inputs)
      let x = try linear.sourceType() == .bfloat16 ? source.converted(to: .bfloat16, on: compute) : source
      results.append(try linear(x, activation: .geluTanh, type: .float32, on: compute).floats())
    }
    #expect(results[1] == results[0] && results[2] == results[0])
  }

  @Test(
    "A linear layer of bytes multiplies what rounding to bytes, row by row, keeps of rows and weights",
    .enabled(if: ComputeLibrary.hasInt8),
    arguments: [nil, Activation.geluTanh])
  func bytes(activation: Activation?) throws {
    let compute = try Compute(.int8, threads: 2)
    #expect(compute.weights == .int8)
    let (inputs, outputs) = (52, 75)
    let (w, b) = (values(inputs * outputs, seed: 1), values(outputs, seed: 2))
    let linear = Linear(inputs: inputs, outputs: outputs, bias: b, type: .int8) { w }
    #expect(try linear.sourceType() == .int8)
    let w2 = try Matrix(w, rows: outputs, columns: inputs).converted(to: .int8, on: compute).floats()
    for rows in [1, 33, 150] {
      // Rows of zeros and of very different sizes.
      let x = values(rows * inputs, seed: 3).enumerated().map { $1 * Float([1, 0, 1e-3, 40][$0 / inputs % 4]) }
      let matrix = Matrix(x, rows: rows, columns: inputs)
      let narrow = try matrix.converted(to: .int8, on: compute)
      let x2 = narrow.floats()
      for row in 0..<rows {
        let line = row * inputs..<(row + 1) * inputs
        let scale = (x[line].map(abs).max() ?? 0) / 127
        #expect(zip(x[line], x2[line]).allSatisfy { abs($0 - $1) <= 0.501 * scale })
      }
      let expected = (0..<rows * outputs).map { place in
        let (row, column) = (place / outputs, place % outputs)
        let y = (0..<inputs).reduce(Double(b[column])) { $0 + Double(x2[row * inputs + $1]) * Double(w2[column * inputs + $1]) }
        return activation == nil ? y : y / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (y + 0.044715 * y * y * y)))
      }
      let wide = try linear(narrow, activation: activation, type: .float32, on: compute).floats()
      #expect(difference(wide, expected) < 1e-5)
      // What is not bytes yet is made bytes; results are what a narrower type keeps of them.
      #expect(try linear(matrix, activation: activation, type: .float32, on: compute).floats() == wide)
      #expect(try linear(narrow, activation: activation, on: compute).floats() == rounded(wide, compute.type))
      let again = try linear(narrow, activation: activation, type: .int8, on: compute).floats()
      #expect(try again == Matrix(wide, rows: rows, columns: outputs).converted(to: .int8, on: compute).floats())
      let some = rows / 3..<rows
      #expect(
        try linear(narrow, rows: some, activation: activation, type: .float32, on: compute).floats()
          == Array(wide[some.lowerBound * outputs..<rows * outputs]))
    }
  }

  @Test("Weights that bytes would lose too much of stay wider, and their errors are the caller's", .enabled(if: ComputeLibrary.hasInt8))
  func wideWeights() throws {
    let compute = try Compute(.int8, threads: 1)
    var w = values(512 * 8, seed: 1)
    for row in 0..<8 { w[row * 512] = 10 }
    let linear = Linear(inputs: 512, outputs: 8, bias: nil, type: .int8) { w }
    #expect(try linear.sourceType() == compute.type)
    let x = Matrix(values(512, seed: 2), rows: 1, columns: 512, type: compute.type)
    #expect(
      try linear(x, on: compute).floats() == Linear(inputs: 512, outputs: 8, bias: nil, type: compute.type) { w }(x, on: compute).floats())
    let missing = Linear(inputs: 512, outputs: 8, bias: nil, type: .int8) { throw WeightsError(.malformed, path: "a", "b") }
    #expect(throws: WeightsError.self) { try missing(x, on: compute) }
    let damaged = Linear(inputs: 512, outputs: 8, bias: nil, type: .int8) { Array(repeating: .infinity, count: 512 * 8) }
    #expect(try damaged.sourceType() == compute.type)
  }

  @Test("Weights that cannot be read are the caller's error")
  func unreadable() throws {
    let compute = try Compute(.float32, threads: 1)
    let linear = Linear(inputs: 4, outputs: 4, bias: nil, type: .float32) { throw WeightsError(.malformed, path: "a", "b") }
    #expect(throws: WeightsError.self) { try linear(Matrix(rows: 1, columns: 4), on: compute) }
  }

  @Test("Attention is the softmax over the keys that each group sees", arguments: types)
  func attention(type: DataType, tolerance: Double) throws {
    let compute = try Compute(type, threads: 2)
    let (tokens, heads, size) = (150, 3, 20)
    let width = heads * size
    // Scores well apart, so that a wrong maximum shows.
    let q = rounded(values(tokens * width, seed: 4).map { $0 * 4 }, type)
    let matrices = [rounded(values(tokens * width, seed: 5), type), rounded(values(40 * width, seed: 7), type)]
    let others = [rounded(values(tokens * width, seed: 6), type), rounded(values(40 * width, seed: 8), type)]
    let groups = [
      AttentionGroup(queries: 0..<10, keys: [.init(0..<10), .init(30..<90)]),
      AttentionGroup(queries: 10..<139, keys: [.init(10..<30), .init(5..<40, of: 1), .init(90..<150)]),
      AttentionGroup(queries: 139..<140, keys: [.init(3..<4)]),
      AttentionGroup(queries: 140..<145, keys: []),
    ]
    func matrix(_ v: [Float]) -> Matrix { Matrix(v, rows: v.count / width, columns: width, type: type) }
    let keyValues = zip(matrices, others).map { (keys: matrix($0), values: matrix($1)) }
    let result = try compute.attend(matrix(q), keyValues, heads: heads, groups: groups).floats()
    var expected = [Double](repeating: 0, count: tokens * width)
    for group in groups {
      for query in group.queries {
        for head in 0..<heads {
          let keys = group.keys.flatMap { part in part.rows.map { (part.matrix, $0) } }
          func dot(_ key: (Int, Int)) -> Double {
            (0..<size).reduce(0) {
              $0 + Double(q[query * width + head * size + $1]) * Double(matrices[key.0][key.1 * width + head * size + $1])
            }
          }
          let scores = keys.map(dot)
          let largest = scores.max() ?? 0
          let weights = scores.map { exponential($0 - largest) }
          let sum = weights.reduce(0, +)
          for column in 0..<size where sum > 0 {
            expected[query * width + head * size + column] = zip(keys, weights).reduce(0) {
              $0 + $1.1 / sum * Double(others[$1.0.0][$1.0.1 * width + head * size + column])
            }
          }
        }
      }
    }
    #expect(difference(result, expected) < tolerance)
  }

  @Test(
    "Keys of several blocks and scores of any size are one softmax", .enabled(if: !ComputeLibrary.hasOnlyFloat32),
    arguments: [Float(1), 30, 3000], [4095, 4097, 9000])
  func manyKeys(scale: Float, keys: Int) throws {
    let compute = try Compute(.bfloat16, threads: 2)
    let (queries, size) = (70, 16)
    let q = rounded(values(queries * size, seed: 20).map { $0 * scale }, .bfloat16)
    let (k, v) = (rounded(values(keys * size, seed: 21), .bfloat16), rounded(values(keys * size, seed: 22), .bfloat16))
    let result = try compute.attend(
      Matrix(q, rows: queries, columns: size, type: .bfloat16),
      [(Matrix(k, rows: keys, columns: size, type: .bfloat16), Matrix(v, rows: keys, columns: size, type: .bfloat16))], heads: 1,
      groups: [AttentionGroup(queries: 0..<queries, keys: [.init(0..<keys)])]
    ).floats()
    // A few rows stand for all: the last is of the second strip.
    for query in [0, 33, 69] {
      let scores = (0..<keys).map { key in (0..<size).reduce(0.0) { $0 + Double(q[query * size + $1]) * Double(k[key * size + $1]) } }
      let largest = scores.max() ?? 0
      let weights = scores.map { exponential($0 - largest) }
      let sum = weights.reduce(0, +)
      let expected = (0..<size).map { column in
        zip(weights, 0..<keys).reduce(0.0) { $0 + $1.0 / sum * Double(v[$1.1 * size + column]) }
      }
      #expect(difference(Array(result[query * size..<(query + 1) * size]), expected) < 0.02)
    }
  }

  @Test("A bias is added to the scores", arguments: types)
  func bias(type: DataType, tolerance: Double) throws {
    let compute = try Compute(type, threads: 3)
    let (tokens, width) = (130, 16)
    let x = Matrix(values(tokens * width, seed: 9), rows: tokens, columns: width, type: type)
    // Each token of head 0 is made to see the one behind it only, of head 1 itself only.
    let biases = (0..<2).map { head in
      (0..<tokens * tokens).map { $0 % tokens == ($0 / tokens + 1 - head) % tokens ? Float(60) : 0 }
    }
    let memory = biases.map { Matrix($0, rows: tokens, columns: tokens) }
    let result = try compute.attend(
      x, [(x, x)], heads: 2, groups: [AttentionGroup(queries: 0..<tokens, keys: [.init(0..<tokens)])],
      bias: { UnsafePointer(memory[$0].base.assumingMemoryBound(to: Float.self)) }
    ).floats()
    let source = x.floats()
    let expected = (0..<tokens * width).map { place in
      let (row, column) = (place / width, place % width)
      return Double(source[(column < 8 ? (row + 1) % tokens : row) * width + column])
    }
    #expect(difference(result, expected) < tolerance)
  }

  @Test("Rows are normalised and modulated, whatever their width", arguments: [8, 13, 64, 3])
  func normalization(columns: Int) throws {
    let compute = try Compute(.float32, threads: 2)
    let rows = 70
    let x = values(rows * columns, seed: 10).map { $0 * 3 + 5 }
    let (gamma, beta) = (values(columns, seed: 11), values(columns, seed: 12))
    let (shift, scale) = (values(columns, seed: 13), values(columns, seed: 14))
    let result = try shift.withUnsafeBufferPointer { shift in
      try scale.withUnsafeBufferPointer { scale in
        try compute.normalize(
          Matrix(x, rows: rows, columns: columns), scale: gamma, shift: beta, epsilon: 1e-5,
          modulations: [.init(rows: 20..<50, shift: try #require(shift.baseAddress), scale: try #require(scale.baseAddress))]
        ).floats()
      }
    }
    var expected: [Double] = []
    for row in 0..<rows {
      let line = x[row * columns..<(row + 1) * columns].map { Double($0) }
      let mean = line.reduce(0, +) / Double(columns)
      let variance = line.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
      for (column, value) in line.enumerated() {
        var y = (value - mean) / (variance + 1e-5).squareRoot() * Double(gamma[column]) + Double(beta[column])
        if 20..<50 ~= row { y = y * (1 + Double(scale[column])) + Double(shift[column]) }
        expected.append(y)
      }
    }
    #expect(difference(result, expected) < 1e-5)
  }

  @Test("Work that fails ends with its error, on whatever thread")
  func failure() throws {
    struct Fault: Error {}
    let compute = try Compute(.float32, threads: 3)
    #expect(throws: Fault.self) { try compute.forEach(100) { piece, _ in if piece == 57 { throw Fault() } } }
  }
}

/// e^x without a mathematics library: (1 + x/2ⁿ + …)^(2ⁿ), to about 1e-12.
private func exponential(_ x: Double) -> Double {
  if x < -700 { return 0 }
  let small = x / 1024
  var term = 1.0
  var sum = 1.0
  for n in 1...10 {
    term *= small / Double(n)
    sum += term
  }
  for _ in 0..<10 { sum *= sum }
  return sum
}
