import Glibc
import Tensors
import Testing

@Suite("Activations and normalizations")
struct KernelRowTests {
  static let types = [DataType.float32] + (ComputeLibrary.hasBFloat16 ? [.bfloat16] : [])

  static func value(_ function: Activation, _ x: Double) -> Double {
    switch function {
    case .relu: max(x, 0)
    case .geluTanh: x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .gelu: x / 2 * (1 + erf(x / 2.0.squareRoot()))
    case .swish: x / (1 + exp(-x))
    case .logistic: 1 / (1 + exp(-x))
    case .tanh: tanh(x)
    case .exp: exp(x)
    }
  }

  @Test("Activations are the functions they are called, far out too", arguments: Activation.allCases, types)
  func activation(_ function: Activation, _ type: DataType) throws {
    let x = rounded(noise(1003).map { $0 * 12 } + [0, -0.0, 1e-6, -1e-6, 80, -80, 1e4, -1e4], to: type)
    let kernel = try Kernel.activation(function, count: x.count, type: type)
    let expected = x.map { Float(Self.value(function, Double($0))) }
    #expect(distance(try run(kernel, stored(x, type), count: x.count, type), expected) < (type == .bfloat16 ? 1.0 / 256 : 1e-5))
    let memory = stored(x, type)
    try kernel.run(memory.base, to: memory.base, on: Stream())
    #expect(distance(loaded(memory, x.count, type), expected) < (type == .bfloat16 ? 1.0 / 256 : 1e-5))
  }

  @Test("Softmax makes each row's shares of 1, of large numbers too", arguments: [1, 3, 101, 128], types)
  func softmax(_ columns: Int, _ type: DataType) throws {
    let rows = 7
    let x = rounded(noise(rows * columns).enumerated().map { $1 * 10 + ($0 / columns == 3 ? 500 : 0) }, to: type)
    let kernel = try Kernel.softmax(rows: rows, columns: columns, type: type)
    var expected: [Float] = []
    for row in 0..<rows {
      let values = x[row * columns..<(row + 1) * columns].map(Double.init)
      let powers = values.map { exp($0 - (values.max() ?? 0)) }
      expected += powers.map { Float($0 / powers.reduce(0, +)) }
    }
    #expect(distance(try run(kernel, stored(x, type), count: x.count, type), expected) < (type == .bfloat16 ? 1.0 / 256 : 1e-6))
  }

  @Test("Layer normalization makes each row's mean and variance those of its scale and shift", arguments: [1, 3, 101, 128], types)
  func layerNormalization(_ columns: Int, _ type: DataType) throws {
    let rows = 5
    let x = rounded(noise(rows * columns).enumerated().map { $1 * 3 + Float($0 / columns) }, to: type)
    let (scale, shift) = (noise(columns, seed: 2), noise(columns, seed: 3))
    let kernel = try Kernel.layerNormalization(rows: rows, columns: columns, scale: scale, shift: shift, epsilon: 1e-3, type: type)
    var expected: [Float] = []
    for row in 0..<rows {
      let values = x[row * columns..<(row + 1) * columns].map(Double.init)
      let mean = values.reduce(0, +) / Double(columns)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
      for (column, value) in values.enumerated() {
        expected.append(Float(Double(scale[column]) * (value - mean) / (variance + 1e-3).squareRoot() + Double(shift[column])))
      }
    }
    #expect(distance(try run(kernel, stored(x, type), count: x.count, type), expected) < (type == .bfloat16 ? 1.0 / 128 : 1e-5))
  }

  @Test("Impossible sizes and types are errors")
  func refused() {
    #expect(refusal { () throws(ComputeError) in try Kernel.activation(.relu, count: -1, type: .float32) } != nil)
    #expect(refusal { () throws(ComputeError) in try Kernel.activation(.tanh, count: 1, type: .int64) } != nil)
    #expect(refusal { () throws(ComputeError) in try Kernel.softmax(rows: .max, columns: 2, type: .float32) } != nil)
    #expect(refusal { () throws(ComputeError) in try Kernel.softmax(rows: 2, columns: -2, type: .float32) } != nil)
    func normalization(columns: Int, scale: Int, shift: Int) -> UInt32? {
      refusal { () throws(ComputeError) in
        try Kernel.layerNormalization(rows: 2, columns: columns, scale: noise(scale), shift: noise(shift), epsilon: 1e-5, type: .float32)
      }
    }
    #expect(normalization(columns: 3, scale: 3, shift: 3) == nil)
    #expect(normalization(columns: 3, scale: 2, shift: 3) == 2)
    #expect(normalization(columns: 3, scale: 3, shift: 4) == 2)
    #expect(normalization(columns: -3, scale: 3, shift: 3) != nil)
  }

  @Test("An error says which call failed and how")
  func description() {
    #expect("\(ComputeError(call: "dnnl_matmul_desc_init", status: 2))" == "oneDNN's dnnl_matmul_desc_init failed with status 2")
    #expect(ComputeLibrary.version.split(separator: ".").count >= 3)
  }
}
