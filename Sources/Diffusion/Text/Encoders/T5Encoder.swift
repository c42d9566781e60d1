import Tensors

/// The encoder of T5, of its versions 1.0 and 1.1, mT5 and UMT5: token ids in, a vector for each token out.
///
/// ```swift
/// let encoder = try T5Encoder(folder: "CogVideoX-2b/text_encoder", compute: compute, residency: .block)
/// let embeddings = try encoder.encode(tokens)  // [226][4096]
/// ```
///
/// Source: Raffel et al., https://arxiv.org/abs/1910.10683; transformers' `T5EncoderModel` and `UMT5EncoderModel`.
/// To be used by one caller at a time.
public final class T5Encoder {
  /// A text's biases take `heads · tokens²` numbers, which this keeps below a gigabyte for the largest published models.
  public static let mostTokens = 1024

  /// From `config.json`: numbers of a vector, blocks, and the kind of biases.
  public let configuration: T5EncoderConfiguration
  private let weights: WeightFiles
  private let compute: Compute
  private let residency: Residency
  private let embeddings: TokenEmbeddings
  private let finalScale: [Float]
  private var blocks: [Int: T5EncoderBlock] = [:]

  /// Opens a folder with a `config.json` and safetensors files.
  ///
  /// - Throws: a file is missing or damaged, of another model, or lacks a tensor.
  public convenience init(folder: String, compute: Compute, residency: Residency = .all) throws(WeightsError) {
    let configuration = try T5EncoderConfiguration(path: folder + "/config.json")
    try self.init(configuration, WeightFiles(folder: folder), compute: compute, residency: residency)
  }

  /// - Throws: a tensor is missing, or of another shape or type.
  public init(
    _ configuration: T5EncoderConfiguration, _ weights: WeightFiles, compute: Compute, residency: Residency = .all
  ) throws(WeightsError) {
    try weights.check(Self.demand(configuration, type: compute.type, blocks: configuration.blocks, of: weights).tensors)
    let names = T5EncoderConfiguration.embeddingNames
    embeddings = try TokenEmbeddings(
      names.first(where: weights.contains) ?? names[0], vocabulary: configuration.vocabulary, width: configuration.width, in: weights)
    finalScale = try Self.finalScale(configuration, WeightReader(weights))
    self.configuration = configuration
    self.weights = weights
    self.compute = compute
    self.residency = residency
  }

  private static func finalScale(_ configuration: T5EncoderConfiguration, _ reader: WeightReader) throws(WeightsError) -> [Float] {
    try reader.floats("encoder.final_layer_norm.weight", [configuration.width])
  }

  /// What is read of a file, besides the vocabulary's table.
  private static func demand(
    _ configuration: T5EncoderConfiguration, type: DataType, blocks: Int, of files: WeightFiles? = nil
  ) throws(WeightsError) -> WeightReader.Demand {
    try WeightReader.demand(of: files) { (reader) throws(WeightsError) in
      _ = try finalScale(configuration, reader)
      for index in 0..<blocks { _ = try T5EncoderBlock(index, configuration, reader, type: type) }
    }
  }

  /// Bytes of the weights that stay in memory once they were all used.
  public var residentBytes: Int {
    get throws(WeightsError) {
      try Self.demand(configuration, type: compute.type, blocks: residency == .block ? min(1, configuration.blocks) : configuration.blocks)
        .residentBytes
    }
  }

  /// The vectors of a text's tokens.
  ///
  /// - Parameters:
  ///   - tokens: 1 to ``mostTokens`` ids, pads included.
  ///   - attended: how many of the first are attended to, the rest being pads; nil for all, pads too, as CogVideoX has it.
  ///   - check: called before each block; what it throws ends the encoding.
  /// - Returns: `[tokens][width]` of float32.
  /// - Throws: ``TextEncoderError`` for tokens that cannot be encoded, `WeightsError` for weights with a NaN or an infinite value.
  public func encode(_ tokens: [Int32], attended: Int? = nil, check: () throws -> Void = {}) throws -> Matrix {
    guard (1...Self.mostTokens).contains(tokens.count) else { throw TextEncoderError.tokenCount(tokens.count, most: Self.mostTokens) }
    let attended = attended ?? tokens.count
    guard (1...tokens.count).contains(attended) else { throw TextEncoderError.attendedCount(attended, tokens: tokens.count) }
    let x = Matrix(rows: tokens.count, columns: configuration.width)  // [T, D]
    for (position, token) in tokens.enumerated() { x.setRow(position, try embeddings.row(token: token, position: position)) }
    var positions = try self.positions(block: 0, tokens: tokens.count, attended: attended)
    for index in 0..<configuration.blocks {
      try check()
      if index > 0, configuration.hasBiasPerBlock { positions = try self.positions(block: index, tokens: tokens.count, attended: attended) }
      try block(index)(x, attended: attended, positions, on: compute)
    }
    return try compute.normalizeByRootMeanSquare(x, scale: finalScale, epsilon: configuration.epsilon, type: .float32)
  }

  private func positions(block: Int, tokens: Int, attended: Int) throws(WeightsError) -> T5EncoderPositions {
    let table = try weights.floats(T5EncoderBlock.biasName(block), shape: [configuration.buckets, configuration.heads])
    return T5EncoderPositions(table: table, configuration, queries: tokens, keys: attended)
  }

  private func block(_ index: Int) throws(WeightsError) -> T5EncoderBlock {
    if let kept = blocks[index] { return kept }
    let block = try T5EncoderBlock(index, configuration, WeightReader(weights), type: compute.type)
    if residency == .all { blocks[index] = block }
    return block
  }
}
