/// Activations: `[rows][columns]` in one element type, row-major without gaps.
///
/// The memory belongs to the matrix and is zeros at first. Who writes when is its owner's affair.
public final class Matrix: @unchecked Sendable {
  /// One for each token, pixel or the like; 0 for none.
  public let rows: Int
  /// Elements of a row.
  public let columns: Int
  /// `float32`, `bfloat16`, or `int8` with a scale a row.
  public let type: DataType
  private let memory: AlignedMemory
  private let scaleMemory: AlignedMemory

  /// - Precondition: the size fits in memory.
  public init(rows: Int, columns: Int, type: DataType = .float32) {
    precondition(rows >= 0 && columns >= 0 && type.size > 0, "a matrix of an impossible size")
    self.rows = rows
    self.columns = columns
    self.type = type
    memory = AlignedMemory(byteCount: rows * columns * type.size)
    scaleMemory = AlignedMemory(byteCount: type == .int8 ? rows * 4 : 0)
  }

  /// - Precondition: as many values as the shape has; the type is `float32` or `bfloat16`.
  public convenience init(_ values: [Float], rows: Int, columns: Int, type: DataType = .float32) {
    precondition(type == .float32 || type == .bfloat16, "values of another type")
    self.init(rows: rows, columns: columns, type: type)
    precondition(values.count == rows * columns, "a matrix of another number of values")
    values.withUnsafeBytes { bytes in
      guard let source = bytes.baseAddress else { return }
      if type == .bfloat16 {
        mapRow(values.count, source, Float32.self, to: base, BFloat16.self) { $1 }
      } else {
        base.copyMemory(from: source, byteCount: bytes.count)
      }
    }
  }

  /// Where row 0 begins, at a multiple of 64 bytes; valid as long as the matrix lives.
  public var base: UnsafeMutableRawPointer { memory.base }

  /// What the bytes of each row are to be multiplied by, if they are bytes.
  var scales: UnsafeMutablePointer<Float> { scaleMemory.base.assumingMemoryBound(to: Float.self) }

  /// Bytes from one row to the next.
  public var rowSize: Int { columns * type.size }

  /// Where a row begins.
  public func row(_ index: Int) -> UnsafeMutableRawPointer { memory.base + index &* rowSize }

  /// The rows as float32.
  public func floats(_ range: Range<Int>? = nil) -> [Float] {
    let range = range ?? 0..<rows
    if type == .int8 {
      return range.flatMap { row in
        (0..<columns).map { Float(self.row(row).load(fromByteOffset: $0, as: Int8.self)) * scales[row] }
      }
    }
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows beyond a matrix")
    let count = range.count * columns
    return [Float](unsafeUninitializedCapacity: count) { floats, initialized in
      if let target = floats.baseAddress {
        if type == .bfloat16 {
          mapRow(count, row(range.lowerBound), BFloat16.self, to: target, Float32.self) { $1 }
        } else {
          UnsafeMutableRawPointer(target).copyMemory(from: row(range.lowerBound), byteCount: count * 4)
        }
      }
      initialized = count
    }
  }

  /// The same numbers in another element type; itself if it is in that type.
  ///
  /// - Precondition: it is not bytes.
  public func converted(to type: DataType, on compute: Compute) throws -> Matrix {
    guard type != self.type else { return self }
    guard type != .int8 else { return try compute.quantized(self) }
    precondition(self.type != .int8, "bytes are for products only")
    let result = Matrix(rows: rows, columns: columns, type: type)
    try compute.forEachRow(rows) { row, _ in
      if type == .bfloat16 {
        mapRow(columns, self.row(row), Float32.self, to: result.row(row), BFloat16.self) { $1 }
      } else {
        mapRow(columns, self.row(row), BFloat16.self, to: result.row(row), Float32.self) { $1 }
      }
    }
    return result
  }
}
