import Tensors

/// What `tokenizer_config.json` and the small files beside it say; nil where they say nothing.
struct TokenizerConfiguration: Sendable {
  /// No encoder's embedding has so many rows.
  static let tokenLimit = 10_000_000

  private(set) var listing = Listing()
  /// Tokens by name that the folder gives a number of its own.
  private(set) var addedTokens: [AddedTokens.Entry] = []
  let path: String

  init(folder: String) throws(WeightsError) {
    path = folder + "/tokenizer_config.json"
    if FileBytes.exists(path) { listing = try FileBytes.json(path: path) }
    let names = folder + "/special_tokens_map.json"
    if FileBytes.exists(names) { try listing.fillNames(from: FileBytes.json(path: names)) }

    for (key, entry) in (listing.addedTokens ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard let token = Int(key), 0..<Self.tokenLimit ~= token, !entry.content.isEmpty else {
        throw WeightsError(.malformed, path: path, "has \"added_tokens_decoder\" with a token \"\(entry.content)\" numbered \"\(key)\"")
      }
      addedTokens.append(entry.numbered(token))
    }
    let more = folder + "/added_tokens.json"
    guard FileBytes.exists(more) else { return }
    let known = Set(addedTokens.map(\.content))
    for (name, token) in try FileBytes.json([String: Int].self, path: more).sorted(by: { $0.value < $1.value }) {
      guard 0..<Self.tokenLimit ~= token, !name.isEmpty else {
        throw WeightsError(.malformed, path: more, "numbers the token \"\(name)\" \(token)")
      }
      if !known.contains(Array(name.utf8)) { addedTokens.append(AddedTokens.Entry(content: Array(name.utf8), token: token)) }
    }
  }

  struct Listing: Decodable, Sendable {
    var padding: Name?
    var end: Name?
    var unknown: Name?
    var classification: Name?
    var separator: Name?
    var mask: Name?
    /// T5's `<extra_id_N>`.
    var extraTokens: Int?
    var lowercases: Bool?
    var stripsAccents: Bool?
    var spacesIdeographs: Bool?
    var addedTokens: [String: AddedTokenListing]?

    enum CodingKeys: String, CodingKey {
      case padding = "pad_token"
      case end = "eos_token"
      case unknown = "unk_token"
      case classification = "cls_token"
      case separator = "sep_token"
      case mask = "mask_token"
      case extraTokens = "extra_ids"
      case lowercases = "do_lower_case"
      case stripsAccents = "strip_accents"
      case spacesIdeographs = "tokenize_chinese_chars"
      case addedTokens = "added_tokens_decoder"
    }

    mutating func fillNames(from other: Listing) {
      padding = padding ?? other.padding
      end = end ?? other.end
      unknown = unknown ?? other.unknown
      classification = classification ?? other.classification
      separator = separator ?? other.separator
      mask = mask ?? other.mask
    }
  }

  /// A token's name, written as a string or as an object with `content`.
  struct Name: Decodable, Sendable {
    var content: String

    init(from decoder: any Decoder) throws {
      if let name = try? decoder.singleValueContainer().decode(String.self) {
        content = name
      } else {
        content = try decoder.container(keyedBy: Key.self).decode(String.self, forKey: .content)
      }
    }

    private enum Key: CodingKey { case content }
  }
}

/// A token as `tokenizer_config.json` and `tokenizer.json` describe it.
struct AddedTokenListing: Decodable, Sendable {
  var id: Int?
  var content: String
  var lstrip: Bool?
  var rstrip: Bool?
  var normalized: Bool?
  var isWord: Bool?

  enum CodingKeys: String, CodingKey {
    case id, content, lstrip, rstrip, normalized
    case isWord = "single_word"
  }

  func numbered(_ token: Int) -> AddedTokens.Entry {
    AddedTokens.Entry(
      content: Array(content.utf8), token: token, stripsLeft: lstrip ?? false, stripsRight: rstrip ?? false, isWord: isWord ?? false,
      isNormalized: normalized ?? false)
  }
}
