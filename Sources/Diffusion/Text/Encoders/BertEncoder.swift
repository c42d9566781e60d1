import Tensors

/// BERT: token ids in, a vector for each token out, or one for the text.
///
/// ```swift
/// let encoder = try BertEncoder(folder: "all-MiniLM-L6-v2", compute: compute)
/// let vectors = try encoder.encode(tokens)  // [tokens][384]
/// let sentence = try encoder.embedSentence(tokens)  // [384], of length 1
/// ```
///
/// A text is computed by itself and without pads, so there is no mask. All weights stay in memory, in the order that
/// products read, from the first text on.
/// Source: Devlin et al., https://arxiv.org/abs/1810.04805; transformers' `BertModel`. To be used by one caller at a time.
public final class BertEncoder {
  /// From `config.json`: numbers of a vector, layers, and the longest text.
  public let configuration: BertEncoderConfiguration
  private let compute: Compute
  private let words: TokenEmbeddings
  private let positions: TokenEmbeddings
  /// What the first kind of segment adds to each token.
  private let segment: [Float]
  private let normalization: LayerNormalization
  private let blocks: [BertEncoderBlock]

  /// Opens a folder with a `config.json` and safetensors files.
  ///
  /// - Throws: a file is missing or damaged, of another model, or lacks a tensor.
  public convenience init(folder: String, compute: Compute) throws(WeightsError) {
    try self.init(BertEncoderConfiguration(path: folder + "/config.json"), WeightFiles(folder: folder), compute: compute)
  }

  /// - Throws: a tensor is missing, of another shape or type, or has a NaN or an infinite value where it is small; the large
  ///   ones are read with the first text.
  public init(_ configuration: BertEncoderConfiguration, _ weights: WeightFiles, compute: Compute) throws(WeightsError) {
    let prefix = weights.contains("bert.embeddings.word_embeddings.weight") ? "bert." : ""
    let tables = [("word", configuration.vocabulary), ("position", configuration.mostTokens), ("token_type", configuration.segmentKinds)]
      .map { (name: "\(prefix)embeddings.\($0)_embeddings.weight", rows: $1) }
    func layers(_ reader: WeightReader) throws(WeightsError) -> (LayerNormalization, [BertEncoderBlock]) {
      for table in tables { reader.expect(table.name, [table.rows, configuration.width]) }
      return (
        try LayerNormalization(prefix + "embeddings.LayerNorm", configuration, reader),
        try (0..<configuration.blocks).map { (index) throws(WeightsError) in
          try BertEncoderBlock(prefix: "\(prefix)encoder.layer.\(index).", configuration, reader, type: compute.type)
        }
      )
    }
    try weights.check(WeightReader.demand(of: weights) { (reader) throws(WeightsError) in _ = try layers(reader) }.tensors)
    let embeddings = try tables.map { (table) throws(WeightsError) in
      try TokenEmbeddings(table.name, vocabulary: table.rows, width: configuration.width, in: weights)
    }
    self.configuration = configuration
    self.compute = compute
    (words, positions) = (embeddings[0], embeddings[1])
    segment = try embeddings[2].row(0)
    (normalization, blocks) = try layers(WeightReader(weights))
  }

  /// The last block's vectors.
  ///
  /// - Parameters:
  ///   - tokens: 1 to ``BertEncoderConfiguration/mostTokens`` ids, without pads.
  ///   - check: called before each block; what it throws ends the encoding.
  /// - Returns: `[tokens][width]` of float32.
  /// - Throws: ``TextEncoderError`` for tokens that cannot be encoded, `WeightsError` for weights with a NaN or an infinite value.
  public func encode(_ tokens: [Int32], check: () throws -> Void = {}) throws -> Matrix {
    guard (1...configuration.mostTokens).contains(tokens.count) else {
      throw TextEncoderError.tokenCount(tokens.count, most: configuration.mostTokens)
    }
    // Texts are of any length, and kernels are kept for each number of rows: a few rows more make those few.
    let rows = (tokens.count + 15) / 16 * 16
    var x = Matrix(rows: rows, columns: configuration.width)  // [T, D]
    for (position, token) in tokens.enumerated() {
      let word = try words.row(token: token, position: position)
      let place = try positions.row(position)
      x.setRow(position, (0..<word.count).map { word[$0] + segment[$0] + place[$0] })
    }
    x = try normalization(x, on: compute)
    for block in blocks {
      try check()
      x = try block(x, tokens: tokens.count, on: compute)
    }
    return Matrix(x.floats(0..<tokens.count), rows: tokens.count, columns: configuration.width)
  }

  /// The mean of the tokens' vectors, of length 1: sentences mean the more alike, the larger the products of theirs.
  ///
  /// - Parameters: as for ``encode(_:check:)``.
  /// - Returns: `[width]`
  /// - Source: Reimers and Gurevych, https://arxiv.org/abs/1908.10084; sentence-transformers' `Pooling` and `Normalize`.
  public func embedSentence(_ tokens: [Int32], check: () throws -> Void = {}) throws -> [Float] {
    let vectors = try encode(tokens, check: check)
    var sums = [Double](repeating: 0, count: vectors.columns)
    for (index, value) in vectors.floats().enumerated() { sums[index % vectors.columns] += Double(value) }
    // Of the sum as of the mean.
    let length = sums.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return sums.map { Float($0 / max(length, .leastNormalMagnitude)) }
  }
}
