/// Why token ids cannot be encoded.
public enum TextEncoderError: Error, Hashable, Sendable, CustomStringConvertible {
  /// There are no tokens, or more than the model takes.
  case tokenCount(Int, most: Int)
  /// More tokens, or fewer than one, are to be attended to than there are.
  case attendedCount(Int, tokens: Int)
  /// An id that the model's vocabulary does not have.
  case unknownToken(Int32, position: Int, vocabulary: Int)

  public var description: String {
    switch self {
    case .tokenCount(let count, let most): "A text of \(count) tokens cannot be encoded: this model takes 1 to \(most)"
    case .attendedCount(let count, let tokens): "\(count) of \(tokens) tokens cannot be attended to"
    case .unknownToken(let token, let position, let vocabulary):
      "Token \(position) has the id \(token), but the model's vocabulary has ids from 0 to \(vocabulary - 1)"
    }
  }
}
