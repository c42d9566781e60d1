import Tensors

/// BERT's tokenizer: words, each cut from the left into the longest pieces that its vocabulary has, between `[CLS]` and
/// `[SEP]`.
///
/// Equal to transformers' `BertTokenizer`. Source: Devlin et al., "BERT" (2018); Wu et al., "Google's Neural Machine
/// Translation System" (2016), section 4.1.
public struct WordPieceTokenizer: Tokenizer {
  /// Added tokens are counted too.
  public let vocabularySize: Int
  /// That of `[PAD]`, or of the name that the folder's files give it.
  public let paddingToken: Int

  private let normalizer: BertNormalizer
  private let addedTokens: AddedTokens
  private let frame: TokenFrame
  /// The pieces that a word begins with.
  private let beginnings: ByteTrie
  /// The pieces that go on with it, without the `##` that marks them.
  private let continuations: ByteTrie
  private let unknown: Int
  /// In code points; what is longer is unknown.
  private let longestWord: Int

  /// - Parameter folder: Holds `vocab.txt` or else `tokenizer.json`, and where they are needed `tokenizer_config.json`,
  ///   `special_tokens_map.json` and `added_tokens.json`.
  public init(folder: String) throws(WeightsError) {
    let path = folder + "/vocab.txt"
    if FileBytes.exists(path) || !FileBytes.exists(folder + "/tokenizer.json") {
      try self.init(vocabulary: path, configuration: TokenizerConfiguration(folder: folder))
    } else {
      try self.init(TokenizerFile(path: folder + "/tokenizer.json"), folder: folder)
    }
  }

  /// - Parameter path: A file with a piece a line, numbered from 0.
  private init(vocabulary path: String, configuration: TokenizerConfiguration) throws(WeightsError) {
    let pieces = try Self.lines(of: FileBytes.read(path)).enumerated().filter { !$1.isEmpty }.map { (bytes: $1, value: $0) }
    guard !pieces.isEmpty, pieces.count <= SentencePieceModel.pieceLimit else {
      throw WeightsError(.malformed, path: path, "has \(pieces.count) pieces")
    }
    beginnings = try .of(pieces, path: path)
    continuations = try Self.continuations(of: pieces, marked: Array("##".utf8), path: path)
    longestWord = 100

    let listing = configuration.listing
    var entries = configuration.addedTokens
    let added = Dictionary(entries.map { ($0.content, $0.token) }, uniquingKeysWith: { first, _ in first })
    let all = Dictionary(pieces.map { ($0.bytes, $0.value) }, uniquingKeysWith: { first, _ in first }).merging(added) { _, added in added }
    func number(_ name: TokenizerConfiguration.Name?, _ usual: String) throws(WeightsError) -> Int {
      let name = name?.content ?? usual
      guard let number = all[Array(name.utf8)] else { throw WeightsError(.malformed, path: path, "has no piece \"\(name)\"") }
      return number
    }
    unknown = try number(listing.unknown, "[UNK]")
    paddingToken = try number(listing.padding, "[PAD]")
    frame = TokenFrame(before: [try number(listing.classification, "[CLS]")], after: [try number(listing.separator, "[SEP]")])

    var known = Set(entries.map(\.content))
    let names = [
      listing.unknown?.content ?? "[UNK]", listing.padding?.content ?? "[PAD]", listing.classification?.content ?? "[CLS]",
      listing.separator?.content ?? "[SEP]", listing.mask?.content ?? "[MASK]",
    ]
    for name in names.map({ Array($0.utf8) }) where known.insert(name).inserted {
      if let token = all[name] { entries.append(AddedTokens.Entry(content: name, token: token)) }
    }
    addedTokens = try .of(entries, path: configuration.path)
    vocabularySize = 1 + (pieces.map(\.value) + entries.map(\.token)).reduce(0) { max($0, $1) }
    let lowercases = listing.lowercases ?? true
    normalizer = BertNormalizer(
      spacesIdeographs: listing.spacesIdeographs ?? true, stripsAccents: listing.stripsAccents ?? lowercases, lowercases: lowercases)
  }

  init(_ file: TokenizerFile, folder: String) throws(WeightsError) {
    guard case .numbers(let numbers) = file.listing.model.vocabulary, !numbers.isEmpty, numbers.count <= SentencePieceModel.pieceLimit,
      numbers.values.allSatisfy({ 0..<TokenizerConfiguration.tokenLimit ~= $0 })
    else { throw file.flaw("has a WordPiece model whose \"vocab\" is no object of pieces with numbers") }
    let pieces = numbers.map { (bytes: Array($0.utf8), value: $1) }.filter { !$0.bytes.isEmpty }
    let entries = try file.addedTokens()
    // Pieces that only look alike are one key to the decoder, which leaves a gap.
    let taken = Set(numbers.values).union(entries.map(\.token))
    guard taken.count == 1 + (taken.max() ?? 0) else {
      throw file.flaw("has a WordPiece model whose \"vocab\" leaves numbers out or has pieces that differ in their normal form only")
    }
    beginnings = try .of(pieces, path: file.path)
    continuations = try Self.continuations(of: pieces, marked: Array((file.listing.model.continuation ?? "##").utf8), path: file.path)
    longestWord = file.listing.model.longestWord ?? 100

    guard let unknown = numbers[file.listing.model.unknownName ?? "[UNK]"] else {
      throw file.flaw("has a WordPiece model whose \"unk_token\" is not in its \"vocab\"")
    }
    self.unknown = unknown
    frame = try file.frame()
    addedTokens = try .of(entries, path: file.path)
    let name = try TokenizerConfiguration(folder: folder).listing.padding?.content ?? "[PAD]"
    guard let padding = file.listing.padding?.token ?? numbers[name], 0..<TokenizerConfiguration.tokenLimit ~= padding else {
      throw file.flaw("has no token \"\(name)\" to pad with")
    }
    paddingToken = padding
    vocabularySize = 1 + (Array(numbers.values) + entries.map(\.token) + frame.before + frame.after + [padding]).reduce(0) { max($0, $1) }
    normalizer = try Self.normalizer(file)
  }

  private static func normalizer(_ file: TokenizerFile) throws(WeightsError) -> BertNormalizer {
    let steps = try file.flat(file.listing.normalizer)
    guard steps.count == 1, steps[0].type == "BertNormalizer" else {
      throw file.flaw("has the normalizers \(steps.map(\.type)), where a WordPiece model can have BertNormalizer")
    }
    let cuts = try file.flat(file.listing.preTokenizer).map(\.type)
    guard cuts == ["BertPreTokenizer"] else {
      throw file.flaw("has the pre-tokenizers \(cuts), where a WordPiece model can have BertPreTokenizer")
    }
    let lowercases = steps[0].lowercases ?? true
    return BertNormalizer(
      cleansText: steps[0].cleansText ?? true, spacesIdeographs: steps[0].spacesIdeographs ?? true,
      stripsAccents: steps[0].stripsAccents ?? lowercases, lowercases: lowercases)
  }

  private static func continuations(
    of pieces: [(bytes: [UInt8], value: Int)], marked mark: [UInt8], path: String
  ) throws(WeightsError) -> ByteTrie {
    let marked = pieces.filter { $0.bytes.count > mark.count && $0.bytes.starts(with: mark) }
    return try .of(marked.map { (Array($0.bytes.dropFirst(mark.count)), $0.value) }, path: path)
  }

  /// Lines that end with `\n`, `\r` or both, as Python reads them.
  private static func lines(of bytes: [UInt8]) -> [[UInt8]] {
    var lines: [[UInt8]] = [[]]
    for (index, byte) in bytes.enumerated() {
      switch byte {
      case UInt8(ascii: "\n") where index > 0 && bytes[index - 1] == UInt8(ascii: "\r"): break
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"): lines.append([])
      default: lines[lines.count - 1].append(byte)
      }
    }
    return lines
  }

  /// The words' pieces between `[CLS]` and `[SEP]`; a word that pieces do not make up, or of more than 100 code points, is `[UNK]`.
  public func encode(_ text: String, maximum: Int) -> TokenSequence {
    frame.encode(maximum: maximum) { collector in
      let bytes = Array(text.utf8)
      addedTokens.split(bytes, in: 0..<bytes.count) { part in
        switch part {
        case .token(let token): collector.append(token)
        case .text(let range):
          let scalars = normalizer.normalize(String(decoding: bytes[range], as: UTF8.self))
          BertNormalizer.forEachWord(of: scalars) { word in
            encode(word, into: &collector)
            return !collector.isTruncated
          }
        }
        return !collector.isTruncated
      }
    }
  }

  private func encode(_ word: ArraySlice<Unicode.Scalar>, into collector: inout TokenCollector) {
    guard word.count <= longestWord else { return collector.append(unknown) }
    let bytes = word.flatMap { UTF8.encode($0).map(Array.init) ?? [] }
    var tokens: [Int] = []
    var position = 0
    while position < bytes.count {
      let trie = position == 0 ? beginnings : continuations
      guard let (end, token) = trie.longestPrefix(of: bytes, in: position..<bytes.count) else { return collector.append(unknown) }
      tokens.append(token)
      position = end
    }
    for token in tokens { collector.append(token) }
  }
}
