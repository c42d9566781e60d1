import Diffusion
import FoundationEssentials
import Tensors
import Testing

/// Texts and what other libraries make of them, as `training/fixtures/make_tokenizers.py` writes them.
struct ExpectedTokens: Decodable {
  struct Text: Decodable {
    var text: String
    var tokens: [Int]?
    /// What is left out is equal to `tokens`.
    var tokenizers: [Int]?
    var older: [Int]?
    var uncased: [Int]?
    /// What is left out is equal to `uncased`.
    var cased: [Int]?
    var accents: [Int]?
    var stripped: [Int]?
  }

  struct Long: Decodable {
    var text: String
    var times: Int
    var count: Int
    var digest: UInt32
  }

  struct Padded: Decodable {
    var text: String
    var length: Int
    var tokens: [Int]
  }

  var texts: [Text]
  var long: [Long]?
  var padded: [Padded]?
  var characters: [UInt32]?
  var tokenizersCharacters: [UInt32]?
  var characterMap: [Int]?

  init(_ fixture: Fixture) throws { try self.init(folder: fixture.folder) }

  init(folder: String) throws { self = try ConfigurationFile.read(path: folder + "/expected.json") }

  private enum CodingKeys: String, CodingKey { case texts, long, padded, characters, tokenizersCharacters, characterMap }
}

/// Expects the tokens of all texts to be what another library made of them.
func expectTokens(
  of tokenizer: any Tokenizer, _ texts: [ExpectedTokens.Text], _ expected: (ExpectedTokens.Text) -> [Int]?,
  location: SourceLocation = #_sourceLocation
) {
  var wrong = 0
  for text in texts {
    let tokens = tokenizer.encode(text.text, maximum: 1_000_000)
    if tokens.tokens == expected(text), !tokens.isTruncated { continue }
    wrong += 1
    guard wrong <= 5 else { continue }
    let scalars = text.text.unicodeScalars.prefix(60).map { String($0.value, radix: 16) }.joined(separator: " ")
    Issue.record("\(scalars): \(tokens.tokens.prefix(60)), not \(expected(text)?.prefix(60) ?? [])", sourceLocation: location)
  }
  #expect(wrong == 0, sourceLocation: location)
}

/// FNV-1a over 32-bit words, with one of all ones between sequences.
func digest(_ sequences: some Sequence<[Int]>) -> UInt32 {
  var value: UInt32 = 2_166_136_261
  for sequence in sequences {
    for token in sequence { value = (value ^ UInt32(truncatingIfNeeded: token)) &* 16_777_619 }
    value = (value ^ .max) &* 16_777_619
  }
  return value
}

/// A digest for each 4,096 code points: of what becomes of `a`, the character and `b`, surrogates left out.
func everyCharacter(_ tokenizer: any Tokenizer) -> [UInt32] {
  stride(from: 0, to: 0x110000, by: 0x1000).map { start in
    let scalars = (start..<start + 0x1000).lazy.compactMap(Unicode.Scalar.init)
    return digest(scalars.map { tokenizer.encode("a\(Character($0))b", maximum: 1000).tokens })
  }
}

/// Where two lists differ, as hexadecimal numbers of blocks.
func differingBlocks(_ a: [UInt32], _ b: [UInt32]?) -> [String] {
  guard let b, a.count == b.count else { return ["count"] }
  return zip(a, b).enumerated().filter { $1.0 != $1.1 }.map { String($0.offset, radix: 16) }
}

/// A file's bytes.
func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

extension TemporaryFolder {
  @discardableResult
  func write(_ text: String, name: String) -> String { write(Array(text.utf8), name: name) }
}
