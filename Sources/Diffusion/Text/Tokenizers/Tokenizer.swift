import Tensors

/// Turns a prompt into the tokens that a text encoder reads.
///
/// Any text in any script is encoded; none fails. Time and memory grow with the text's length at most, and little is
/// done for what lies behind the last token that is asked for.
public protocol Tokenizer: Sendable {
  /// One more than the largest token: the rows that the encoder's embedding must have at least.
  var vocabularySize: Int { get }

  /// What fills a sequence up to a length.
  var paddingToken: Int { get }

  /// - Parameter maximum: The number of tokens to return at most, with those that the model puts around a text; these are
  ///   kept when the text is cut.
  func encode(_ text: String, maximum: Int) -> TokenSequence
}

extension Tokenizer {
  /// Exactly `count` tokens, as `padding="max_length", truncation=True` gives in transformers.
  public func encode(_ text: String, paddedTo count: Int) -> [Int] {
    let tokens = encode(text, maximum: count).tokens
    return tokens + [Int](repeating: paddingToken, count: max(0, count - tokens.count))
  }
}

/// What a text encoder reads of a prompt.
public struct TokenSequence: Hashable, Sendable {
  /// Rows of the encoder's embedding, with the tokens that the model puts around a text, without padding.
  public var tokens: [Int]

  /// Whether the text has more tokens than were asked for.
  public var isTruncated: Bool
}

/// Which tokenizer a folder is for.
public enum Tokenizers {
  /// Finds out from a folder's files which tokenizer it holds, and loads it.
  ///
  /// `spiece.model` is a ``SentencePieceTokenizer``, `vocab.txt` a ``WordPieceTokenizer``; without either, `tokenizer.json`
  /// names its own kind.
  public static func load(folder: String) throws(WeightsError) -> any Tokenizer {
    if FileBytes.exists(folder + "/spiece.model") { return try SentencePieceTokenizer(folder: folder) }
    if FileBytes.exists(folder + "/vocab.txt") { return try WordPieceTokenizer(folder: folder) }
    let path = folder + "/tokenizer.json"
    guard FileBytes.exists(path) else {
      throw WeightsError(.notFound, path: folder, "holds no spiece.model, vocab.txt or tokenizer.json")
    }
    let file = try TokenizerFile(path: path)
    switch file.kind {
    case "Unigram": return try SentencePieceTokenizer(file, folder: folder)
    case "WordPiece": return try WordPieceTokenizer(file, folder: folder)
    default: throw WeightsError(.malformed, path: path, "has a \"\(file.kind)\" model, where Unigram or WordPiece can be read")
    }
  }
}

/// Tokens up to a number, and whether there were more.
struct TokenCollector {
  private(set) var tokens: [Int] = []
  private(set) var isTruncated = false
  private let limit: Int

  /// - Parameter limit: None at all if it is negative.
  init(limit: Int) { self.limit = max(0, limit) }

  mutating func append(_ token: Int) {
    if tokens.count < limit { tokens.append(token) } else { isTruncated = true }
  }
}

/// The tokens that a model puts around a text.
struct TokenFrame: Sendable {
  var before: [Int]
  var after: [Int]

  /// Runs `body` with room for the text's tokens, and puts the frame around them.
  ///
  /// Where not even the frame fits, its first tokens are returned.
  func encode(maximum: Int, _ body: (inout TokenCollector) -> Void) -> TokenSequence {
    // A negative maximum is as good as none.
    let maximum = max(0, maximum)
    var collector = TokenCollector(limit: maximum - before.count - after.count)
    body(&collector)
    let tokens = before + collector.tokens + after
    return TokenSequence(tokens: Array(tokens.prefix(maximum)), isTruncated: collector.isTruncated || tokens.count > maximum)
  }
}
