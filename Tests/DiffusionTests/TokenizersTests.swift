import Diffusion
import FoundationEssentials
import Tensors
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite("T5's tokenizer")
struct SentencePieceTokenizerTests {
  private let fixture = Fixture("tokenizers/t5")

  /// `tokenizer.json` or one like it with the character map of `spiece.model`, in a folder of its own.
  private func folder(with name: String) throws -> TemporaryFolder {
    let range = try #require(try ExpectedTokens(fixture).characterMap)
    let map = Data(try bytes(fixture.folder + "/spiece.model")[range[0]..<range[1]]).base64EncodedString()
    let json = String(decoding: try bytes("\(fixture.folder)/\(name)"), as: UTF8.self)
    let parts = json.split(separator: "\"precompiled_charsmap\":\"\"")
    try #require(parts.count == 2)
    let folder = TemporaryFolder()
    folder.write(parts.joined(separator: "\"precompiled_charsmap\":\"\(map)\""), name: "tokenizer.json")
    return folder
  }

  @Test("spiece.model gives the tokens that sentencepiece gives, and added tokens as transformers has them")
  func sentencePiece() throws {
    let expected = try ExpectedTokens(fixture)
    let tokenizer = try SentencePieceTokenizer(folder: fixture.folder)
    expectTokens(of: tokenizer, expected.texts, \.tokens)
    #expect(differingBlocks(everyCharacter(tokenizer), expected.characters) == [])
  }

  @Test("tokenizer.json gives the tokens that tokenizers gives")
  func tokenizers() throws {
    let expected = try ExpectedTokens(fixture)
    let folder = try folder(with: "tokenizer.json")
    let tokenizer = try SentencePieceTokenizer(folder: folder.path)
    expectTokens(of: tokenizer, expected.texts) { $0.tokenizers ?? $0.tokens }
    #expect(differingBlocks(everyCharacter(tokenizer), expected.tokenizersCharacters) == [])
  }

  @Test("A tokenizer.json of transformers 4, with the spaces' rules in its normalizer, gives the tokens that tokenizers gives")
  func older() throws {
    let folder = try folder(with: "older.json")
    try expectTokens(of: SentencePieceTokenizer(folder: folder.path), try ExpectedTokens(fixture).texts) { $0.older ?? $0.tokens }
  }

  @Test("Models that write bytes, keep spaces and have user-defined pieces give the tokens that sentencepiece gives")
  func bytesAndUserDefinedPieces() throws {
    try expectSentencePiece("tokenizers/bytes")
  }

  @Test("Characters that are no pieces of their own are weighed against longer pieces as sentencepiece does")
  func unknownCharacters() throws {
    try expectSentencePiece("tokenizers/sparse")
  }

  private func expectSentencePiece(_ name: String) throws {
    let fixture = Fixture(name)
    try expectTokens(of: SentencePieceTokenizer(folder: fixture.folder), try ExpectedTokens(fixture).texts, \.tokens)
  }

  @Test("Texts are cut and padded as transformers does with max_length")
  func padding() throws {
    let folder = try folder(with: "tokenizer.json")
    for tokenizer in [try SentencePieceTokenizer(folder: fixture.folder), try SentencePieceTokenizer(folder: folder.path)] {
      #expect(tokenizer.paddingToken == 0)
      #expect(tokenizer.vocabularySize == 1300)
      for padded in try #require(try ExpectedTokens(fixture).padded) {
        #expect(tokenizer.encode(padded.text, paddedTo: padded.length) == padded.tokens, "\(padded.text)")
      }
    }
  }

  @Test("Long texts give the tokens that sentencepiece gives, and cut they give the first of these")
  func longTexts() throws {
    let tokenizer = try SentencePieceTokenizer(folder: fixture.folder)
    for long in try #require(try ExpectedTokens(fixture).long) {
      let text = String(repeating: long.text, count: long.times)
      let whole = tokenizer.encode(text, maximum: .max)
      #expect(whole.tokens.count == long.count)
      #expect(digest([whole.tokens]) == long.digest, "\(long.text)")
      #expect(!whole.isTruncated)
      for maximum in [-1, 0, 1, 2, 3, 226] {
        let cut = tokenizer.encode(text, maximum: maximum)
        #expect(cut.tokens == (maximum < 1 ? [] : Array(whole.tokens.dropLast().prefix(maximum - 1)) + [1]))
        #expect(cut.isTruncated == (maximum < whole.tokens.count))
      }
    }
  }

  @Test("Extra tokens have the numbers that the configuration gives them, and follow the pieces without one")
  func extraTokens() throws {
    let folder = TemporaryFolder()
    folder.write(try bytes(fixture.folder + "/spiece.model"), name: "spiece.model")
    func tokens(_ text: String) throws -> [Int] { try SentencePieceTokenizer(folder: folder.path).encode(text, maximum: 99).tokens }

    #expect(try tokens("<extra_id_0><extra_id_99>") == [1299, 1200, 1])
    folder.write("{\"extra_ids\": 2, \"pad_token\": {\"content\": \"</s>\"}}", name: "tokenizer_config.json")
    #expect(try tokens("<extra_id_0><extra_id_1>") == [1201, 1200, 1])
    #expect(try SentencePieceTokenizer(folder: folder.path).paddingToken == 1)
    folder.write("{\"<extra_id_0>\": 1500}", name: "added_tokens.json")
    #expect(try tokens("<extra_id_0><extra_id_1>") == [1500, 1200, 1])
    folder.write("{\"extra_ids\": 2, \"added_tokens_decoder\": {\"1400\": {\"content\": \"<extra_id_0>\"}}}", name: "tokenizer_config.json")
    #expect(try tokens("<extra_id_0><extra_id_1>") == [1400, 1200, 1])
    #expect(try SentencePieceTokenizer(folder: folder.path).vocabularySize == 1401)
  }
}

@Suite("BERT's tokenizer")
struct WordPieceTokenizerTests {
  private let fixture = Fixture("tokenizers/bert")

  private func tokenizer(_ configuration: String) throws -> WordPieceTokenizer {
    let folder = TemporaryFolder()
    folder.write(try bytes(fixture.folder + "/vocab.txt"), name: "vocab.txt")
    folder.write(configuration, name: "tokenizer_config.json")
    return try WordPieceTokenizer(folder: folder.path)
  }

  @Test("vocab.txt gives the tokens that transformers gives, for all ways to treat case, accents and ideographs")
  func transformers() throws {
    let expected = try ExpectedTokens(fixture)
    let tokenizer = try WordPieceTokenizer(folder: fixture.folder)
    expectTokens(of: tokenizer, expected.texts, \.uncased)
    #expect(differingBlocks(everyCharacter(tokenizer), expected.characters) == [])
    let cased = try self.tokenizer("{\"do_lower_case\": false, \"tokenize_chinese_chars\": false}")
    expectTokens(of: cased, expected.texts) { $0.cased ?? $0.uncased }
    try expectTokens(of: self.tokenizer("{\"strip_accents\": false}"), expected.texts) { $0.accents ?? $0.uncased }
    let stripped = try self.tokenizer("{\"do_lower_case\": false, \"strip_accents\": true}")
    expectTokens(of: stripped, expected.texts) { $0.stripped ?? $0.uncased }
  }

  @Test("tokenizer.json gives the same tokens as vocab.txt")
  func tokenizerFile() throws {
    let folder = TemporaryFolder()
    folder.write(try bytes(fixture.folder + "/tokenizer.json"), name: "tokenizer.json")
    let tokenizer = try WordPieceTokenizer(folder: folder.path)
    expectTokens(of: tokenizer, try ExpectedTokens(fixture).texts, \.uncased)
    #expect(tokenizer.vocabularySize == (try WordPieceTokenizer(folder: fixture.folder).vocabularySize))
  }

  @Test("Texts are cut and padded as transformers does with max_length")
  func padding() throws {
    let tokenizer = try WordPieceTokenizer(folder: fixture.folder)
    for padded in try #require(try ExpectedTokens(fixture).padded) {
      #expect(tokenizer.encode(padded.text, paddedTo: padded.length) == padded.tokens, "\(padded.text)")
    }
    #expect(tokenizer.encode("a", maximum: 1).tokens.count == 1)
    #expect(tokenizer.encode("a b", maximum: 3).isTruncated)
    #expect(!tokenizer.encode("a b", maximum: 4).isTruncated)
  }

  @Test("MiniLM's own vocabulary gives the tokens that transformers gives", .enabled(if: getenv("SHOTS_MINILM_TOKENIZER") != nil))
  func whole() throws {
    let folder = String(cString: try #require(getenv("SHOTS_MINILM_TOKENIZER")))
    let expected = try ExpectedTokens(folder: folder)
    let tokenizer = try WordPieceTokenizer(folder: folder)
    expectTokens(of: tokenizer, expected.texts, \.uncased)
    #expect(differingBlocks(everyCharacter(tokenizer), expected.characters) == [])
    let file = TemporaryFolder()
    file.write(try bytes(folder + "/tokenizer.json"), name: "tokenizer.json")
    try expectTokens(of: WordPieceTokenizer(folder: file.path), expected.texts, \.uncased)
  }
}
