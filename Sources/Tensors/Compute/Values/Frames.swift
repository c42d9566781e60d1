/// Frames of a video, or of its latents: `[count·height·width][channels]`, channels innermost.
public struct Frames {
  /// The numbers, a row a pixel (or latent); copies of the frames share them.
  public let matrix: Matrix
  /// How many frames there are; 0 for none.
  public let count: Int
  /// Pixels (or latents) of a frame's column.
  public let height: Int
  /// Pixels (or latents) of a frame's row.
  public let width: Int

  /// - Precondition: the matrix has as many rows.
  public init(_ matrix: Matrix, count: Int, height: Int, width: Int) {
    precondition(
      count >= 0 && height >= 0 && width >= 0 && matrix.rows == count * height * width, "frames of another size than their matrix")
    self.matrix = matrix
    self.count = count
    self.height = height
    self.width = width
  }

  /// Zeros.
  public init(count: Int, height: Int, width: Int, channels: Int, type: DataType = .float32) {
    self.init(Matrix(rows: count * height * width, columns: channels, type: type), count: count, height: height, width: width)
  }

  /// From values in the order in which PyTorch has them.
  ///
  /// - Parameter values: `[channels][count][height][width]`.
  /// - Precondition: as many values as that.
  public init(planes values: [Float], channels: Int, count: Int, height: Int, width: Int) {
    self.init(count: count, height: height, width: width, channels: channels)
    let rows = matrix.rows
    precondition(values.count == rows * channels, "planes of another number of values")
    for row in 0..<rows {
      let target = matrix.row(row).assumingMemoryBound(to: Float.self)
      for channel in 0..<channels { target[channel] = values[channel * rows + row] }
    }
  }

  /// The same as `[channels][count][height][width]` in float32.
  public func planes() -> [Float] {
    let (values, rows, channels) = (matrix.floats(), matrix.rows, channels)
    return [Float](unsafeUninitializedCapacity: values.count) { planes, initialized in
      for row in 0..<rows { for channel in 0..<channels { planes[channel * rows + row] = values[row * channels + channel] } }
      initialized = values.count
    }
  }

  /// Numbers of a pixel (or latent).
  public var channels: Int { matrix.columns }
  /// Of each number.
  public var type: DataType { matrix.type }

  /// Rows of the matrix in a frame.
  var area: Int { height * width }

  /// Where a frame begins.
  func frame(_ index: Int) -> UnsafeMutableRawPointer { matrix.row(index * area) }

  /// A copy of some of the frames.
  public func copy(_ range: Range<Int>) -> Frames {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "frames beyond the last")
    let result = Frames(count: range.count, height: height, width: width, channels: channels, type: type)
    if !range.isEmpty { result.matrix.base.copyMemory(from: frame(range.lowerBound), byteCount: range.count * area * matrix.rowSize) }
    return result
  }

  /// A copy of a part of some of the frames.
  public func copy(_ range: Range<Int>, rows: Range<Int>, columns: Range<Int>) -> Frames {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "frames beyond the last")
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= height && columns.lowerBound >= 0 && columns.upperBound <= width, "a part beyond the frame"
    )
    let result = Frames(count: range.count, height: rows.count, width: columns.count, channels: channels, type: type)
    for (frame, source) in range.enumerated() {
      for (row, y) in rows.enumerated() {
        result.matrix.row((frame * rows.count + row) * columns.count).copyMemory(
          from: matrix.row(source * area + y * width + columns.lowerBound), byteCount: columns.count * matrix.rowSize)
      }
    }
    return result
  }

  /// The same numbers in another element type; the same memory if they are in that type.
  ///
  /// - Precondition: they are not bytes.
  public func converted(to type: DataType, on compute: Compute) throws -> Frames {
    Frames(try matrix.converted(to: type, on: compute), count: count, height: height, width: width)
  }
}
