import Tensors
import Testing

/// A convolution and how it is written out in loops.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
  var name: String
  var change: @Sendable (inout ConvolutionShape) -> Void
  var testDescription: String { name }

  /// Odd sizes everywhere.
  var shape: ConvolutionShape {
    var shape = ConvolutionShape(count: 3, height: 11, width: 7, inputs: 5, outputs: 19, kernel: (3, 3))
    change(&shape)
    return shape
  }

  static let all = [
    ConvolutionCase(name: "plain") { _ in },
    ConvolutionCase(name: "padded") { $0.padding = (1, 1) },
    ConvolutionCase(name: "strided") { $0.stride = (2, 3) },
    ConvolutionCase(name: "dilated") { ($0.dilation, $0.padding) = ((3, 2), (3, 2)) },
    ConvolutionCase(name: "padded more at one end") { ($0.padding, $0.paddingAfter) = ((0, 2), (3, 0)) },
    ConvolutionCase(name: "all at once") { ($0.stride, $0.dilation, $0.padding, $0.paddingAfter) = ((2, 1), (2, 3), (1, 3), (2, 4)) },
    ConvolutionCase(name: "of one tap") { $0.kernel = (1, 1) },
    ConvolutionCase(name: "over rows, in columns that are far apart") { ($0.kernel, $0.stride, $0.dilation) = ((3, 1), (1, 4), (2, 1)) },
    ConvolutionCase(name: "of one image of one channel") { ($0.count, $0.inputs, $0.outputs) = (1, 1, 1) },
  ]

  /// `[count][height][width][inputs]` and `[outputs][inputs][rows][columns]` → `[count][height′][width′][outputs]`
  func sums(_ source: [Float], _ weights: [Float], _ bias: [Float]?) -> [Float] {
    let shape = shape
    let result = shape.result
    var sums: [Float] = []
    for image in 0..<shape.count {
      for y in 0..<result.height {
        for x in 0..<result.width {
          for output in 0..<shape.outputs {
            var sum = Double(bias?[output] ?? 0)
            for row in 0..<shape.kernel.0 {
              for column in 0..<shape.kernel.1 {
                let fromY = y * shape.stride.0 + row * shape.dilation.0 - shape.padding.0
                let fromX = x * shape.stride.1 + column * shape.dilation.1 - shape.padding.1
                guard 0..<shape.height ~= fromY, 0..<shape.width ~= fromX else { continue }
                for input in 0..<shape.inputs {
                  let value = source[((image * shape.height + fromY) * shape.width + fromX) * shape.inputs + input]
                  sum += Double(value) * Double(weights[((output * shape.inputs + input) * shape.kernel.0 + row) * shape.kernel.1 + column])
                }
              }
            }
            sums.append(Float(sum))
          }
        }
      }
    }
    return sums
  }

  var sourceCount: Int { shape.count * shape.height * shape.width * shape.inputs }
  var weightShape: [Int] { [shape.outputs, shape.inputs, shape.kernel.0, shape.kernel.1] }
  var resultCount: Int { shape.count * shape.result.height * shape.result.width * shape.outputs }
}

@Suite("Convolutions")
struct KernelConvolutionTests {
  @Test("In float32 they are the sums that the definition says", arguments: ConvolutionCase.all)
  func float32(_ item: ConvolutionCase) throws {
    let (source, weights, bias) = (
      noise(item.sourceCount), noise(item.weightShape.reduce(1, *), seed: 2), noise(item.shape.outputs, seed: 3)
    )
    let packed = PackedWeights(weights, shape: item.weightShape, type: .float32)
    for bias in [bias, nil] {
      let kernel = try Kernel.convolution(item.shape, packed, bias: bias, source: .float32, destination: .float32)
      #expect(distance(try run(kernel, stored(source, .float32), count: item.resultCount), item.sums(source, weights, bias)) < 1e-5)
    }
  }

  @Test("In bfloat16 they are the sums of rounded numbers", .enabled(if: ComputeLibrary.hasBFloat16), arguments: ConvolutionCase.all)
  func bfloat16(_ item: ConvolutionCase) throws {
    let (source, weights) = (noise(item.sourceCount), noise(item.weightShape.reduce(1, *), seed: 2))
    let packed = PackedWeights(weights, shape: item.weightShape, type: .bfloat16)
    let expected = item.sums(rounded(source, to: .bfloat16), rounded(weights, to: .bfloat16), nil)
    let exact = try Kernel.convolution(item.shape, packed, bias: nil, source: .bfloat16, destination: .float32)
    #expect(distance(try run(exact, stored(source, .bfloat16), count: item.resultCount), expected) < 1e-5)
    let short = try Kernel.convolution(item.shape, packed, bias: nil, source: .bfloat16, destination: .bfloat16)
    #expect(distance(try run(short, stored(source, .bfloat16), count: item.resultCount, .bfloat16), expected) < 1.0 / 256)
  }

  @Test("Sums of bytes are exact, and scaled channel by channel", .enabled(if: ComputeLibrary.hasInt8), arguments: ConvolutionCase.all)
  func bytes(_ item: ConvolutionCase) throws {
    let weights = wholes(item.weightShape.reduce(1, *), -128...127)
    let packed = PackedWeights(weights, shape: item.weightShape, type: .int8)
    let scales = (0..<item.shape.outputs).map { Float(1 << ($0 % 3)) }
    for (type, range) in [(DataType.uint8, 0...255), (.int8, -128...127)] {
      let source = wholes(item.sourceCount, range, seed: 3)
      let sums = item.sums(source, weights, nil)
      let plain = try Kernel.convolution(item.shape, packed, bias: nil, source: type, destination: .float32)
      #expect(try run(plain, stored(source, type), count: item.resultCount) == sums)
      let scaled = try Kernel.convolution(
        item.shape, packed, bias: nil, source: type, destination: .float32, finish: Finish(scales: scales))
      let expected = sums.enumerated().map { $1 * scales[$0 % item.shape.outputs] }
      #expect(try run(scaled, stored(source, type), count: item.resultCount) == expected)
    }
  }

  @Test("Sums are added to what is there and cut off at zero when that is wished")
  func finish() throws {
    let item = ConvolutionCase.all[1]
    let (source, weights, before) = (
      noise(item.sourceCount), noise(item.weightShape.reduce(1, *), seed: 2), noise(item.resultCount, seed: 3)
    )
    let packed = PackedWeights(weights, shape: item.weightShape, type: .float32)
    let kernel = try Kernel.convolution(
      item.shape, packed, bias: nil, source: .float32, destination: .float32, finish: Finish(accumulates: true, activation: .relu))
    let (memory, values) = (stored(before, .float32), stored(source, .float32))
    try withExtendedLifetime(values) { try kernel.run(values.base, to: memory.base, on: Stream()) }
    let expected = zip(item.sums(source, weights, nil), before).map { max(0, $0 + $1) }
    #expect(distance(loaded(memory, item.resultCount, .float32), expected) < 1e-5)
  }

  @Test("Weights serve kernels of several sizes, which outlive them")
  func shared() throws {
    let weights = noise(19 * 5 * 9)
    var packed: PackedWeights? = PackedWeights(weights, shape: [19, 5, 3, 3], type: .float32)
    var kernels: [(ConvolutionCase, Kernel)] = []
    for count in [1, 2, 8] {
      let item = ConvolutionCase(name: "\(count) images") { $0.count = count }
      let kernel = try #require(
        try packed.map { try Kernel.convolution(item.shape, $0, bias: nil, source: .float32, destination: .float32) })
      kernels.append((item, kernel))
    }
    packed = nil
    for (item, kernel) in kernels {
      let source = noise(item.sourceCount)
      #expect(distance(try run(kernel, stored(source, .float32), count: item.resultCount), item.sums(source, weights, nil)) < 1e-5)
    }
  }

  @Test("One image's result does not depend on how many are computed at a time", arguments: [DataType.float32, .bfloat16, .uint8])
  func counts(_ type: DataType) throws {
    guard type == .float32 || (type == .bfloat16 ? ComputeLibrary.hasBFloat16 : ComputeLibrary.hasInt8) else { return }
    let weights = PackedWeights(wholes(64 * 32 * 9, -100...100), shape: [64, 32, 3, 3], type: type == .uint8 ? .int8 : type)
    let source = wholes(8 * 13 * 24 * 32, 0...255)
    let size = 13 * 24 * 64
    func result(_ count: Int) throws -> [Float] {
      var shape = ConvolutionShape(count: count, height: 13, width: 24, inputs: 32, outputs: 64, kernel: (3, 3))
      shape.padding = (1, 1)
      let kernel = try Kernel.convolution(shape, weights, bias: nil, source: type, destination: .float32)
      return try Array(run(kernel, stored(source, type), count: count * size)[..<size])
    }
    let alone = try result(1)
    #expect(try result(2) == alone)
    #expect(try result(8) == alone)
  }

  static let impossible: [ConvolutionCase] = [
    ConvolutionCase(name: "no stride") { $0.stride = (0, 1) },
    ConvolutionCase(name: "a stride back") { $0.stride = (1, -1) },
    ConvolutionCase(name: "no dilation") { $0.dilation = (0, 1) },
    ConvolutionCase(name: "the least dilation") { $0.dilation = (.min, 1) },
    ConvolutionCase(name: "a kernel larger than the image") { $0.dilation = (6, 1) },
    ConvolutionCase(name: "another kernel than the weights'") { $0.kernel = (3, 2) },
    ConvolutionCase(name: "other inputs than the weights'") { $0.inputs = 6 },
    ConvolutionCase(name: "other outputs than the weights'") { $0.outputs = 20 },
    ConvolutionCase(name: "a negative size") { $0.height = -11 },
    ConvolutionCase(name: "a size beyond memory") { $0.count = .max },
    ConvolutionCase(name: "a height beyond reason") { $0.height = .max },
    ConvolutionCase(name: "padding beyond reason") { $0.padding = (.max, 1) },
  ]

  @Test("Impossible shapes are errors", arguments: impossible)
  func refused(_ item: ConvolutionCase) {
    let packed = PackedWeights(noise(19 * 5 * 9), shape: [19, 5, 3, 3], type: .float32)
    #expect(
      refusal { () throws(ComputeError) in
        try Kernel.convolution(item.shape, packed, bias: nil, source: .float32, destination: .float32)
      } != nil)
  }

  @Test("Numbers of weights, offsets and factors that do not match are errors")
  func mismatch() {
    let item = ConvolutionCase.all[0]
    func status(weights: Int = 19 * 5 * 9, bias: Int = 19, scales: Int = 0) -> UInt32? {
      refusal { () throws(ComputeError) in
        let packed = PackedWeights(noise(weights), shape: [19, 5, 3, 3], type: .float32)
        return try Kernel.convolution(
          item.shape, packed, bias: noise(bias), source: .float32, destination: .float32, finish: Finish(scales: noise(scales)))
      }
    }
    #expect(status() == nil)
    #expect(status(weights: 19 * 5 * 9 - 1) == 2)
    #expect(status(weights: 0) == 2)
    #expect(status(bias: 18) == 2)
    #expect(status(bias: 20) == 2)
    #expect(status(scales: 18) == 2)
    #expect(
      refusal { () throws(ComputeError) in
        try Kernel.convolution(
          item.shape, PackedWeights(noise(19 * 5 * 9), shape: [19, 5, 3, 3], type: .int64), bias: nil, source: .float32,
          destination: .float32)
      } == 2)
  }
}
