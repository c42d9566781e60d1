import Tensors

/// Turns prompts into the embeddings that a transformer was trained on: a tokenizer and T5 or BERT.
public final class PromptEncoder {
  private enum Network {
    case t5(T5Encoder)
    case bert(BertEncoder)
  }

  private let tokenizer: any Tokenizer
  private let network: Network
  private let maximalTokens: Int
  private var known: [(text: String, embedding: Matrix)] = []

  /// How many embeddings are kept: those of a show's prompts, and of its negative one.
  private static let mostKnown = 32

  /// - Parameters:
  ///   - tokenizer, encoder: folders as transformers saves them.
  ///   - isBert: whether the encoder is BERT, whose texts are not padded; T5's are, and their pads attended to.
  ///   - maximalTokens: longer texts are cut.
  init(
    tokenizer: String, encoder: String, isBert: Bool, maximalTokens: Int, compute: Compute, residency: Residency
  ) throws {
    self.tokenizer = try Tokenizers.load(folder: tokenizer)
    network =
      isBert
      ? .bert(try BertEncoder(folder: encoder, compute: compute))
      : .t5(try T5Encoder(folder: encoder, compute: compute, residency: residency))
    let vocabulary: Int
    switch network {
    case .t5(let t5):
      vocabulary = t5.configuration.vocabulary
      self.maximalTokens = min(maximalTokens, T5Encoder.mostTokens)
    case .bert(let bert):
      vocabulary = bert.configuration.vocabulary
      self.maximalTokens = min(maximalTokens, bert.configuration.mostTokens)
    }
    guard self.tokenizer.vocabularySize <= vocabulary else {
      throw WeightsError(
        .malformed, path: tokenizer, "has \(self.tokenizer.vocabularySize) tokens, but the encoder beside it knows \(vocabulary)")
    }
  }

  /// Numbers a token.
  public var width: Int {
    switch network {
    case .t5(let t5): t5.configuration.width
    case .bert(let bert): bert.configuration.width
    }
  }

  /// `[tokens][width]` of float32. A text that was encoded lately is not encoded again.
  ///
  /// - Parameter check: called before each block.
  public func embed(_ text: String, check: () throws -> Void = {}) throws -> Matrix {
    // Byte for byte: texts that Swift calls equal may differ in their normal form.
    if let known = known.first(where: { $0.text.utf8.elementsEqual(text.utf8) }) { return known.embedding }
    let embedding: Matrix
    switch network {
    case .t5(let t5):
      embedding = try t5.encode(tokenizer.encode(text, paddedTo: maximalTokens).map { Int32(truncatingIfNeeded: $0) }, check: check)
    case .bert(let bert):
      let tokens = tokenizer.encode(text, maximum: maximalTokens).tokens
      embedding = try bert.encode(tokens.map { Int32(truncatingIfNeeded: $0) }, check: check)
    }
    if known.count >= Self.mostKnown { known.removeFirst() }
    known.append((text, embedding))
    return embedding
  }
}
