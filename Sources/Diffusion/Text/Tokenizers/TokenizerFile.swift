import Tensors

/// A `tokenizer.json`, as Hugging Face's tokenizers write it, read but not yet understood.
///
/// Its lengths of truncation and padding are not used: whoever encodes says how long a sequence is to be.
struct TokenizerFile: Sendable {
  let path: String
  let listing: Listing

  init(path: String) throws(WeightsError) {
    self.path = path
    listing = try FileBytes.json(path: path)
  }

  /// Older files do not say which model they have.
  var kind: String {
    if let type = listing.model.type { return type }
    switch listing.model.vocabulary {
    case .scores: return "Unigram"
    case .numbers: return listing.model.continuation == nil ? "nameless" : "WordPiece"
    }
  }

  func flaw(_ reason: String) -> WeightsError { WeightsError(.malformed, path: path, reason) }

  struct Listing: Decodable, Sendable {
    var addedTokens: [AddedTokenListing]?
    var normalizer: Step?
    var preTokenizer: Step?
    var postProcessor: PostProcessor?
    var padding: Padding?
    var model: Model

    enum CodingKeys: String, CodingKey {
      case padding, model, normalizer
      case addedTokens = "added_tokens"
      case preTokenizer = "pre_tokenizer"
      case postProcessor = "post_processor"
    }
  }

  struct Padding: Decodable, Sendable {
    var token: Int?
    enum CodingKeys: String, CodingKey { case token = "pad_id" }
  }

  struct Model: Decodable, Sendable {
    var type: String?
    var vocabulary: Vocabulary
    var unknown: Int?
    var unknownName: String?
    var writesBytes: Bool?
    var continuation: String?
    var longestWord: Int?

    enum CodingKeys: String, CodingKey {
      case type
      case vocabulary = "vocab"
      case unknown = "unk_id"
      case unknownName = "unk_token"
      case writesBytes = "byte_fallback"
      case continuation = "continuing_subword_prefix"
      case longestWord = "max_input_chars_per_word"
    }
  }

  enum Vocabulary: Decodable, Sendable {
    /// Unigram: pieces with their scores, numbered by their places.
    case scores([Piece])
    /// WordPiece: pieces with their numbers.
    case numbers([String: Int])

    init(from decoder: any Decoder) throws {
      if (try? decoder.unkeyedContainer()) != nil {
        self = .scores(try decoder.singleValueContainer().decode([Piece].self))
      } else {
        self = .numbers(try decoder.singleValueContainer().decode([String: Int].self))
      }
    }
  }

  struct Piece: Decodable, Sendable {
    var text: String
    var score: Double

    init(from decoder: any Decoder) throws {
      var list = try decoder.unkeyedContainer()
      text = try list.decode(String.self)
      score = try list.decode(Double.self)
    }
  }

  /// A normalizer or a pre-tokenizer; what a type does not have is nil.
  struct Step: Decodable, Sendable {
    var type: String
    var normalizers: [Step]?
    var preTokenizers: [Step]?
    var characterMap: String?
    var stripsLeft: Bool?
    var stripsRight: Bool?
    var pattern: Pattern?
    var content: String?
    var replacement: String?
    var prependScheme: String?
    var addsPrefixSpace: Bool?
    var splits: Bool?
    var cleansText: Bool?
    var spacesIdeographs: Bool?
    var stripsAccents: Bool?
    var lowercases: Bool?

    enum CodingKeys: String, CodingKey {
      case type, normalizers, pattern, content, replacement
      case preTokenizers = "pretokenizers"
      case characterMap = "precompiled_charsmap"
      case stripsLeft = "strip_left"
      case stripsRight = "strip_right"
      case prependScheme = "prepend_scheme"
      case addsPrefixSpace = "add_prefix_space"
      case splits = "split"
      case cleansText = "clean_text"
      case spacesIdeographs = "handle_chinese_chars"
      case stripsAccents = "strip_accents"
      case lowercases = "lowercase"
    }
  }

  struct Pattern: Decodable, Sendable {
    var string: String?
    var regularExpression: String?

    enum CodingKeys: String, CodingKey {
      case string = "String"
      case regularExpression = "Regex"
    }
  }

  struct PostProcessor: Decodable, Sendable {
    var type: String
    var single: [Item]?
    var specialTokens: [String: Special]?
    var separator: NamedToken?
    var classification: NamedToken?

    enum CodingKeys: String, CodingKey {
      case type, single
      case specialTokens = "special_tokens"
      case separator = "sep"
      case classification = "cls"
    }

    struct Item: Decodable, Sendable {
      var token: Reference?
      var sequence: Reference?

      enum CodingKeys: String, CodingKey {
        case token = "SpecialToken"
        case sequence = "Sequence"
      }
    }

    struct Reference: Decodable, Sendable { var id: String }
    struct Special: Decodable, Sendable { var ids: [Int] }

    struct NamedToken: Decodable, Sendable {
      var token: Int

      init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        _ = try list.decode(String.self)
        token = try list.decode(Int.self)
      }
    }
  }
}

extension TokenizerFile {
  /// The steps of a normalizer or pre-tokenizer, with sequences laid out flat.
  func flat(_ step: Step?) throws(WeightsError) -> [Step] {
    var steps: [Step] = []
    var open = step.map { [$0] } ?? []
    while let step = open.popLast() {
      if step.type == "Sequence" {
        open += (step.normalizers ?? step.preTokenizers ?? []).reversed()
      } else {
        steps.append(step)
      }
    }
    // Each passes over the whole text.
    guard steps.count <= 16 else { throw flaw("has \(steps.count) steps of one kind, where 16 are the most") }
    return steps
  }

  func addedTokens() throws(WeightsError) -> [AddedTokens.Entry] {
    try (listing.addedTokens ?? []).map { entry throws(WeightsError) in
      guard let token = entry.id, 0..<TokenizerConfiguration.tokenLimit ~= token, !entry.content.isEmpty else {
        throw flaw("has \"added_tokens\" with a token \"\(entry.content)\" numbered \(entry.id.map(String.init) ?? "nothing")")
      }
      return entry.numbered(token)
    }
  }

  /// What the post-processor puts around a single text.
  func frame() throws(WeightsError) -> TokenFrame {
    guard let processor = listing.postProcessor else { return TokenFrame(before: [], after: []) }
    var frame = TokenFrame(before: [], after: [])
    switch processor.type {
    case "TemplateProcessing":
      var isBehind = false
      for item in processor.single ?? [] {
        guard let name = item.token?.id else {
          isBehind = isBehind || item.sequence != nil
          continue
        }
        guard let tokens = processor.specialTokens?[name]?.ids else { throw flaw("has a post-processor with no number for \"\(name)\"") }
        if isBehind { frame.after += tokens } else { frame.before += tokens }
      }
    case "BertProcessing":
      guard let first = processor.classification, let last = processor.separator else {
        throw flaw("has a post-processor without \"cls\" or \"sep\"")
      }
      frame = TokenFrame(before: [first.token], after: [last.token])
    default: throw flaw("has a \"\(processor.type)\" post-processor, where TemplateProcessing or BertProcessing can be used")
    }
    guard (frame.before + frame.after).allSatisfy({ 0..<TokenizerConfiguration.tokenLimit ~= $0 }) else {
      throw flaw("has a post-processor with a token number out of range")
    }
    return frame
  }
}
