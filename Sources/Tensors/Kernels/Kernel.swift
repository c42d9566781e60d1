/// One operation for given shapes, with its weights in the order that the library that computes it likes best.
///
/// Making one takes about a millisecond, running it allocates nothing. A kernel is run by one thread at a time.
public final class Kernel {
  private let body: any KernelBody

  private init(_ body: any KernelBody) { self.body = body }

  /// The name of the implementation that runs, such as `brgconv:avx512_core_bf16`.
  public var implementation: String { body.implementation }

  /// Reads from one address, or from two, and writes to another.
  ///
  /// - Parameter second: for kernels of two operands.
  /// - Precondition: all hold what the shapes and types that the kernel was made with say.
  public func run(
    _ source: UnsafeMutableRawPointer, _ second: UnsafeMutableRawPointer? = nil, to destination: UnsafeMutableRawPointer, on stream: Stream
  ) throws(ComputeError) {
    guard body.takesSecond == (second != nil) else { throw ComputeError(call: "a kernel with another number of operands", status: 2) }
    try body.run(source, second, to: destination, on: stream)
  }

  private static func make(
    oneDNN: () throws(ComputeError) -> OneDNNKernel, openBLAS: () throws(ComputeError) -> any KernelBody
  ) throws(ComputeError) -> Kernel {
    switch ComputeLibrary.current {
    case .oneDNN: Kernel(try oneDNN())
    case .openBLAS: Kernel(try openBLAS())
    }
  }
}

/// What a library made of an operation.
protocol KernelBody: AnyObject {
  var implementation: String { get }
  /// Whether two operands are given with each run.
  var takesSecond: Bool { get }

  func run(
    _ source: UnsafeMutableRawPointer, _ second: UnsafeMutableRawPointer?, to destination: UnsafeMutableRawPointer, on stream: Stream
  ) throws(ComputeError)
}

extension Kernel {
  /// y = Σ w·x + b: `[count][height][width][inputs]` → `[count][height′][width′][outputs]`.
  ///
  /// - Parameters:
  ///   - weights: of shape `[outputs][inputs][rows][columns]`.
  ///   - bias: `outputs` values, or nil for none.
  ///   - source, destination: element types; with weights of `int8` the source is `uint8` or `int8`.
  public static func convolution(
    _ shape: ConvolutionShape, _ weights: PackedWeights, bias: [Float]?, source: DataType, destination: DataType, finish: Finish = Finish()
  ) throws(ComputeError) -> Kernel {
    try make(
      oneDNN: { () throws(ComputeError) in
        try .convolution(shape, weights, bias: bias, source: source, destination: destination, finish: finish)
      },
      openBLAS: { () throws(ComputeError) in
        try OpenBLAS.checkTypes(source, destination)
        return try OpenBLASConvolution(shape, weights, bias: bias, finish: finish)
      })
  }

  /// y = W·x + b for `count` vectors: `[count][inputs]` → `[count][outputs]`.
  ///
  /// - Parameter weights: of shape `[outputs][inputs]`.
  public static func innerProduct(
    count: Int, inputs: Int, outputs: Int, _ weights: PackedWeights, bias: [Float]?, source: DataType, destination: DataType,
    finish: Finish = Finish()
  ) throws(ComputeError) -> Kernel {
    try make(
      oneDNN: { () throws(ComputeError) in
        try .innerProduct(
          count: count, inputs: inputs, outputs: outputs, weights, bias: bias, source: source, destination: destination, finish: finish)
      },
      openBLAS: { () throws(ComputeError) in
        try OpenBLAS.checkTypes(source, destination)
        return try OpenBLASProduct(
          ProductShape(rows: count, inner: inputs, columns: outputs), weights, isTransposed: true, bias: bias, finish: finish)
      })
  }

  /// C = A·B, both given with each run: `[count][rows][inner]` and `[count][inner][columns]` → `[count][rows][columns]`.
  ///
  /// - Parameters:
  ///   - source, second, destination: element types; with a second of `int8` the source is `uint8` or `int8`.
  public static func product(
    _ shape: ProductShape, source: DataType, second: DataType, destination: DataType, finish: Finish = Finish()
  ) throws(ComputeError) -> Kernel {
    try make(
      oneDNN: { () throws(ComputeError) in try .product(shape, source: source, second: second, destination: destination, finish: finish) },
      openBLAS: { () throws(ComputeError) in
        try OpenBLAS.checkTypes(source, second, destination)
        return try OpenBLASProduct(shape, finish: finish)
      })
  }

  /// C = A·W + b: `[count][rows][inner]` → `[count][rows][columns]`.
  ///
  /// - Parameters:
  ///   - weights: of shape `[count][inner][columns]`, or `[1][inner][columns]` for the same with every matrix.
  ///   - bias: `columns` values, or nil for none.
  public static func product(
    _ shape: ProductShape, _ weights: PackedWeights, bias: [Float]?, source: DataType, destination: DataType, finish: Finish = Finish()
  ) throws(ComputeError) -> Kernel {
    try make(
      oneDNN: { () throws(ComputeError) in
        try .product(shape, weights, bias: bias, source: source, destination: destination, finish: finish)
      },
      openBLAS: { () throws(ComputeError) in
        try OpenBLAS.checkTypes(source, destination)
        return try OpenBLASProduct(shape, weights, isTransposed: false, bias: bias, finish: finish)
      })
  }

  /// C = A·B, both given with each run, B in the order of ``packedOrder(_:source:)``.
  static func product(
    _ shape: ProductShape, packed: PackedOrder, source: DataType, destination: DataType, finish: Finish = Finish()
  ) throws(ComputeError) -> Kernel {
    switch packed {
    case .oneDNN(let layout):
      Kernel(try OneDNNKernel.product(shape, packed: layout, source: source, destination: destination, finish: finish))
    case .rows: try product(shape, source: source, second: source, destination: destination, finish: finish)
    }
  }

  /// The order in which B is multiplied fastest.
  static func packedOrder(_ shape: ProductShape, source: DataType) throws(ComputeError) -> PackedOrder {
    switch ComputeLibrary.current {
    case .oneDNN: return .oneDNN(try OneDNNKernel.packedOrder(shape, source: source))
    case .openBLAS:
      guard let extent = Extent(shape: [shape.inner, shape.columns], type: source) else {
        throw ComputeError(call: "a shape beyond memory", status: 2)
      }
      return .rows(byteCount: extent.byteCount)
    }
  }

  /// Puts B of `[inner][columns]`, or of `[columns][inner]` if it is transposed, in the order of ``packedOrder(_:source:)``.
  static func packer(inner: Int, columns: Int, isTransposed: Bool, type: DataType, to order: PackedOrder) throws(ComputeError) -> Kernel {
    switch order {
    case .oneDNN(let layout):
      Kernel(try Reorder(from: .matrices(1, inner, columns, type, MatrixStrides(), isTransposed: isTransposed), to: layout))
    case .rows: Kernel(try RowKernel.copy(rows: inner, columns: columns, isTransposed: isTransposed, type: type))
    }
  }

  /// yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ) of each row: `[rows][columns]`, which may be written over itself if the types are one.
  ///
  /// - Parameters:
  ///   - type: `float32` or `bfloat16`.
  ///   - destination: the result's type; nil for the same.
  public static func softmax(rows: Int, columns: Int, type: DataType, destination: DataType? = nil) throws(ComputeError) -> Kernel {
    try make(
      oneDNN: { () throws(ComputeError) in try .softmax(rows: rows, columns: columns, type: type, destination: destination) },
      openBLAS: { () throws(ComputeError) in
        try OpenBLAS.checkTypes(type, destination ?? type)
        return try RowKernel.softmax(rows: rows, columns: columns)
      })
  }

  /// y = γ · (x − μ) / √(σ² + ε) + β of each row, with its mean μ and its variance σ²: `[rows][columns]`, which may be
  /// written over itself.
  ///
  /// - Parameters:
  ///   - scale, shift: γ and β, `columns` values each.
  ///   - type: `float32` or `bfloat16`.
  /// - Source: Ba, Kiros and Hinton, "Layer Normalization" (https://arxiv.org/abs/1607.06450).
  public static func layerNormalization(
    rows: Int, columns: Int, scale: [Float], shift: [Float], epsilon: Float, type: DataType
  ) throws(ComputeError) -> Kernel {
    try make(
      oneDNN: { () throws(ComputeError) in
        try .layerNormalization(rows: rows, columns: columns, scale: scale, shift: shift, epsilon: epsilon, type: type)
      },
      openBLAS: { () throws(ComputeError) in
        try OpenBLAS.checkTypes(type)
        return try RowKernel.layerNormalization(rows: rows, columns: columns, scale: scale, shift: shift, epsilon: epsilon)
      })
  }

  /// yᵢ = Σⱼ xᵢⱼ, in float32: `[rows][columns]` → `[rows]`.
  ///
  /// - Parameter type: `float32` or `bfloat16`.
  static func rowSums(rows: Int, columns: Int, type: DataType) throws(ComputeError) -> Kernel {
    try make(
      oneDNN: { () throws(ComputeError) in try .rowSums(rows: rows, columns: columns, type: type) },
      openBLAS: { () throws(ComputeError) in
        try OpenBLAS.checkTypes(type)
        return try RowKernel.rowSums(rows: rows, columns: columns)
      })
  }

  /// y = f(x) of `count` elements, which may be written over themselves.
  ///
  /// - Parameter type: `float32` or `bfloat16`.
  public static func activation(_ function: Activation, count: Int, type: DataType) throws(ComputeError) -> Kernel {
    try make(
      oneDNN: { () throws(ComputeError) in try .activation(function, count: count, type: type) },
      openBLAS: { () throws(ComputeError) in
        try OpenBLAS.checkTypes(type)
        return try RowKernel.activation(function, count: count)
      })
  }
}

/// The order in memory of the second operand of a product.
enum PackedOrder {
  case oneDNN(Layout)
  /// `[inner][columns]`
  case rows(byteCount: Int)

  var byteCount: Int {
    switch self {
    case .oneDNN(let layout): layout.byteCount
    case .rows(let byteCount): byteCount
    }
  }
}
