import Tensors

/// T5's tokenizer: a Unigram model over pieces of text, with `</s>` behind a text.
///
/// It follows the library that the folder's file belongs to. `spiece.model` is cut as sentencepiece cuts it, with the added
/// tokens of transformers' `T5Tokenizer`; `tokenizer.json` as Hugging Face's tokenizers do. The two differ for text whose
/// accents or syllables are written as several code points, which sentencepiece composes and tokenizers does not.
public struct SentencePieceTokenizer: Tokenizer {
  /// Added tokens are counted too.
  public let vocabularySize: Int
  /// That of `<pad>`, or of the name that the folder's files give it.
  public let paddingToken: Int

  private enum Preparation: Sendable {
    case sentencePiece(SentencePieceNormalizer)
    case pipeline(TextPipeline, normalizedTokens: AddedTokens)
  }

  private let unigram: Unigram
  private let addedTokens: AddedTokens
  private let preparation: Preparation
  private let frame: TokenFrame

  /// - Parameter folder: Holds `spiece.model` or else `tokenizer.json`, and where they are needed `tokenizer_config.json`,
  ///   `special_tokens_map.json` and `added_tokens.json`.
  public init(folder: String) throws(WeightsError) {
    let path = folder + "/spiece.model"
    if FileBytes.exists(path) || !FileBytes.exists(folder + "/tokenizer.json") {
      try self.init(SentencePieceModel(path: path), path: path, configuration: TokenizerConfiguration(folder: folder))
    } else {
      try self.init(TokenizerFile(path: folder + "/tokenizer.json"), folder: folder)
    }
  }

  /// T5's `<extra_id_N>` follow the pieces, the last one first; all that the configuration names has its own number.
  private init(_ model: SentencePieceModel, path: String, configuration: TokenizerConfiguration) throws(WeightsError) {
    unigram = try Unigram(model, path: path)
    var numbers = Dictionary(model.pieces.enumerated().map { ($1.text, $0) }, uniquingKeysWith: { first, _ in first })
    var entries = configuration.addedTokens
    let extra = configuration.listing.extraTokens ?? 100
    guard 0...10_000 ~= extra else { throw WeightsError(.malformed, path: configuration.path, "has \"extra_ids\" of \(extra)") }
    var names = (0..<extra).map { number in
      let name = Array("<extra_id_\(number)>".utf8)
      if numbers[name] == nil { numbers[name] = model.pieces.count + extra - 1 - number }
      return name
    }
    names += model.pieces.filter { $0.kind == .control }.map(\.text)
    for entry in entries { numbers[entry.content] = entry.token }

    let listing = configuration.listing
    func number(_ name: TokenizerConfiguration.Name?, _ usual: String) throws(WeightsError) -> Int {
      let name = name?.content ?? usual
      names.append(Array(name.utf8))
      guard let number = numbers[Array(name.utf8)] else { throw WeightsError(.malformed, path: path, "has no piece \"\(name)\"") }
      return number
    }
    paddingToken = try number(listing.padding, "<pad>")
    frame = TokenFrame(before: [], after: [try number(listing.end, "</s>")])
    _ = try number(listing.unknown, "<unk>")

    var known = Set(entries.map(\.content))
    for name in names where known.insert(name).inserted {
      if let token = numbers[name] { entries.append(AddedTokens.Entry(content: name, token: token)) }
    }
    addedTokens = try .of(entries, path: configuration.path)
    vocabularySize = max(model.pieces.count, 1 + (entries.map(\.token).max() ?? 0))

    let userDefined = model.pieces.enumerated().filter { $1.kind == .userDefined }.map { ($1.text, $0) }
    preparation = .sentencePiece(
      SentencePieceNormalizer(
        characterMap: model.characterMap.isEmpty ? nil : try CharacterMap(model.characterMap, path: path),
        userDefined: userDefined.isEmpty ? nil : try .of(userDefined, path: path), addsSpace: model.addsSpace,
        putsSpaceBehind: model.putsSpaceBehind, joinsSpaces: model.joinsSpaces, escapesSpaces: model.escapesSpaces))
  }

  init(_ file: TokenizerFile, folder: String) throws(WeightsError) {
    unigram = try Unigram(file)
    frame = try file.frame()
    let pipeline = try TextPipeline(file)
    let entries = try file.addedTokens()
    addedTokens = try .of(entries.filter { !$0.isNormalized }, path: file.path)
    let normalized = entries.filter(\.isNormalized).map { entry in
      var entry = entry
      entry.content = pipeline.normalize(entry.content)
      return entry
    }
    preparation = .pipeline(pipeline, normalizedTokens: try .of(normalized.filter { !$0.content.isEmpty }, path: file.path))

    let name = try TokenizerConfiguration(folder: folder).listing.padding?.content ?? "<pad>"
    let numbers = Dictionary(entries.map { ($0.content, $0.token) }, uniquingKeysWith: { first, _ in first })
    guard let padding = file.listing.padding?.token ?? numbers[Array(name.utf8)] ?? unigram.token(Array(name.utf8)),
      0..<TokenizerConfiguration.tokenLimit ~= padding
    else { throw file.flaw("has no token \"\(name)\" to pad with") }
    paddingToken = padding
    vocabularySize =
      1 + (entries.map(\.token) + frame.before + frame.after + [unigram.scores.count - 1, padding]).reduce(0) { max($0, $1) }
  }

  /// The text's tokens with `</s>`, or what `tokenizer.json` says, behind them.
  public func encode(_ text: String, maximum: Int) -> TokenSequence {
    frame.encode(maximum: maximum) { collector in
      let bytes = Array(text.utf8)
      addedTokens.split(bytes, in: 0..<bytes.count) { part in
        switch part {
        case .token(let token): collector.append(token)
        case .text(let range): encode(bytes, range, into: &collector)
        }
        return !collector.isTruncated
      }
    }
  }

  private func encode(_ bytes: [UInt8], _ range: Range<Int>, into collector: inout TokenCollector) {
    switch preparation {
    case .sentencePiece(let normalizer):
      let text = normalizer.normalize(bytes, in: range)
      unigram.encode(text, in: 0..<text.count, into: &collector)
    case .pipeline(let pipeline, let normalizedTokens):
      let text = pipeline.normalize(Array(bytes[range]))
      normalizedTokens.split(text, in: 0..<text.count) { part in
        switch part {
        case .token(let token): collector.append(token)
        case .text(let words):
          pipeline.forEachWord(of: text, in: words, isFirst: range.lowerBound == 0 && words.lowerBound == 0) { word in
            unigram.encode(word, in: 0..<word.count, into: &collector)
            return !collector.isTruncated
          }
        }
        return !collector.isTruncated
      }
    }
  }
}

extension AddedTokens {
  static func of(_ entries: [Entry], path: String) throws(WeightsError) -> AddedTokens {
    do {
      return try AddedTokens(entries)
    } catch {
      switch error {
      case .duplicate(let index, _), .empty(let index), .tooLong(let index):
        let name = String(decoding: entries[index].content.prefix(40), as: UTF8.self)
        throw WeightsError(.malformed, path: path, "adds the token \"\(name)\" twice, or it is more than \(ByteTrie.longestKey) bytes long")
      case .tooMany: throw WeightsError(.malformed, path: path, "adds tokens of more than \(ByteTrie.totalBytes) bytes in all")
      }
    }
  }
}

extension Unigram {
  /// The vocabulary of a `tokenizer.json`, as Hugging Face's tokenizers search it.
  init(_ file: TokenizerFile) throws(WeightsError) {
    guard case .scores(let pieces) = file.listing.model.vocabulary, !pieces.isEmpty, pieces.count <= SentencePieceModel.pieceLimit else {
      throw file.flaw("has a Unigram model whose \"vocab\" is no list of pieces with scores")
    }
    guard let unknown = file.listing.model.unknown, pieces.indices.contains(unknown) else {
      throw file.flaw("has a Unigram model whose \"unk_id\" is not in its \"vocab\"")
    }
    guard pieces.allSatisfy({ $0.score.isFinite }) else { throw file.flaw("has a piece whose score is no finite number") }
    let texts = pieces.map { Array($0.text.utf8) }
    trie = try .of(texts.enumerated().map { ($1, $0) }, path: file.path)
    scores = pieces.map(\.score)
    self.unknown = unknown
    unknownScore = scores.reduce(.infinity) { min($0, $1) } - Self.unknownPenalty
    if file.listing.model.writesBytes == true {
      let bytes = (0...255).compactMap { token(Self.name(ofByte: $0)) }
      bytePieces = bytes.count == 256 ? bytes : nil
    }
  }

  /// The token of exactly this piece.
  func token(_ piece: [UInt8]) -> Int? {
    guard let (end, token) = trie.longestPrefix(of: piece, in: 0..<piece.count), end == piece.count else { return nil }
    return token
  }
}
