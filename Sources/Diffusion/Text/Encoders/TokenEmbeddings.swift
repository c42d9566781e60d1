import Tensors

/// The vectors of a vocabulary's tokens: `[vocabulary][width]`, read row by row out of the file as they are needed.
struct TokenEmbeddings {
  private let table: TensorView
  private let name: String
  private let path: String

  /// - Throws: the tensor is missing, or of another shape or type.
  init(_ name: String, vocabulary: Int, width: Int, in weights: WeightFiles) throws(WeightsError) {
    table = try weights.tensor(name, shape: [vocabulary, width])
    self.name = name
    path = weights.path
  }

  /// - Returns: `[width]`
  /// - Throws: the row has an infinite value or a NaN.
  func row(_ index: Int) throws(WeightsError) -> [Float] {
    guard let row = try table.row(index)?.floats() else {
      throw WeightsError(.malformed, path: path, tensor: name, "has an infinite value or a NaN in row \(index)")
    }
    return row
  }

  /// The row of a token, checked against the vocabulary.
  func row(token: Int32, position: Int) throws -> [Float] {
    guard let index = Int(exactly: token), index >= 0, index < table.shape[0] else {
      throw TextEncoderError.unknownToken(token, position: position, vocabulary: table.shape[0])
    }
    return try row(index)
  }
}

extension Matrix {
  /// Overwrites a row of float32.
  func setRow(_ index: Int, _ values: [Float]) {
    precondition(type == .float32 && values.count == columns && index >= 0 && index < rows, "a row of another shape")
    values.withUnsafeBytes { bytes in
      if let source = bytes.baseAddress { row(index).copyMemory(from: source, byteCount: bytes.count) }
    }
  }
}
