import Diffusion
import FoundationEssentials
import Tensors
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A protocol buffers field of bytes.
private func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
  var length: [UInt8] = []
  var rest = bytes.count
  repeat {
    length.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
    rest >>= 7
  } while rest > 0
  return [number << 3 | 2] + length + bytes
}

private func piece(_ text: String, _ score: Float = -1, kind: UInt8 = 1) -> [UInt8] {
  let bits = withUnsafeBytes(of: score.bitPattern.littleEndian, Array.init)
  return field(1, field(1, Array(text.utf8)) + [2 << 3 | 5] + bits + [3 << 3, kind])
}

/// A character map with one rule: Q becomes q.
private func characterMap(
  _ change: (inout [UInt32]) -> Void = { _ in }, replacements: [UInt8] = Array("q\0".utf8), size: UInt32? = nil
) -> [UInt8] {
  var units = [UInt32](repeating: 0, count: 512)
  let rule = 0x100 ^ 0x51
  units[0] = 0x100 << 10
  units[rule] = 0x51 | 1 << 8 | UInt32(rule ^ 2) << 10
  units[2] = 1 << 31
  change(&units)
  func bytes(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }
  return bytes(size ?? UInt32(units.count * 4)) + units.flatMap(bytes) + replacements
}

private let standard = piece("<pad>", 0, kind: 3) + piece("</s>", 0, kind: 3) + piece("<unk>", 0, kind: 2)
private let letters = ["▁", "a", "b", "q", "▁a", "ab", "aab"].enumerated().flatMap { piece($1, -Float($0) - 1) }

private func model(map: [UInt8] = characterMap()) -> [UInt8] { standard + letters + field(3, field(2, map)) }

private func json(
  map: [UInt8] = characterMap(), vocabulary: String = #"[["<pad>",0],["</s>",0],["<unk>",0],["▁",-1],["a",-2.5],["▁a",-3]]"#,
  unknown: String = "2", normalizer: String? = nil, type: String = "Unigram",
  preTokenizer: String = #"{"type":"Metaspace","replacement":"▁","add_prefix_space":true}"#,
  processor: String = #"""
  {"type":"TemplateProcessing","single":[{"Sequence":{"id":"A"}},{"SpecialToken":{"id":"</s>"}}],
  "special_tokens":{"</s>":{"ids":[1]}}}
  """#,
  added: String = #"""
  [{"id":0,"content":"<pad>"},{"id":9,"content":"Bb","normalized":true,"single_word":true,"lstrip":true,"rstrip":true}]
  """#
) -> [UInt8] {
  let usual = #"""
    {"type":"Sequence","normalizers":[{"type":"Precompiled","precompiled_charsmap":"\#(Data(map).base64EncodedString())"},
    {"type":"Strip","strip_left":false,"strip_right":true},{"type":"Replace","pattern":{"Regex":" {2,}"},"content":"▁"},
    {"type":"Replace","pattern":{"String":"xyz"},"content":"a"}]}
    """#
  let file = #"""
    {"added_tokens":\#(added),"normalizer":\#(normalizer ?? usual),"pre_tokenizer":\#(preTokenizer),"post_processor":\#(processor),
    "model":{"type":"\#(type)","unk_id":\#(unknown),"vocab":\#(vocabulary)}}
    """#
  return Array(file.utf8)
}

private let bertVocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##a\n##b\nab\n"
private let bertJSON = #"""
  {"added_tokens":[{"id":2,"content":"[CLS]"}],"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},
  "post_processor":{"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]},
  "model":{"unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
  "vocab":{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"a":4,"##a":5}}}
  """#

/// Files that must not load, and a word of the error that says why.
private struct Damage: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var files: [String: [UInt8]]
  var word: String

  init(_ name: String, _ file: String, _ bytes: [UInt8], _ word: String, with others: [String: [UInt8]] = [:]) {
    testDescription = name
    files = others.merging([file: bytes]) { $1 }
    self.word = word
  }

  static func model(_ name: String, _ bytes: [UInt8], _ word: String) -> Damage { Damage(name, "spiece.model", bytes, word) }
  static func json(_ name: String, _ bytes: [UInt8], _ word: String) -> Damage { Damage(name, "tokenizer.json", bytes, word) }
  static func vocabulary(_ name: String, _ text: String, _ word: String) -> Damage { Damage(name, "vocab.txt", Array(text.utf8), word) }
  static func configuration(_ name: String, _ file: String, _ text: String, _ word: String) -> Damage {
    Damage(name, file, Array(text.utf8), word, with: ["spiece.model": DiffusionTests.model()])
  }

  static let endless = [UInt8](repeating: UInt8(ascii: "["), count: 200_000)

  static let models = [
    model("a message cut in a piece", Array(DiffusionTests.model().prefix(40)), "left"),
    model("a field of a billion bytes", standard + [0x0A, 0x80, 0x94, 0xEB, 0xDC, 0x03], "1000000000 bytes"),
    model("a field of more bytes than Int has", standard + [0x0A] + [UInt8](repeating: 0xFF, count: 9) + [0x01], "bytes with"),
    model("an integer without end", standard + [UInt8](repeating: 0x80, count: 100), "10 bytes"),
    model("a group", standard + [0x0B], "wire type 3"),
    model("a field numbered 0", standard + [0x02, 0x00], "number 0"),
    model("no pieces", field(3, []), "no pieces"),
    model("no unknown piece", piece("a") + letters, "0 pieces"),
    model("two unknown pieces", standard + piece("<unk2>", 0, kind: 2), "2 pieces"),
    model("a score that is no number", standard + piece("c", .nan), "no finite number"),
    model("an infinite score", standard + piece("c", -.infinity), "no finite number"),
    model("the same piece twice", standard + letters + piece("ab"), "twice"),
    model("an empty piece", standard + piece(""), "empty piece"),
    model("a piece of 2,000 bytes", standard + piece(String(repeating: "a", count: 2000)), "1024"),
    model("a piece of an unknown type", standard + piece("c", kind: 7), "type 7"),
    model("a BPE model", standard + letters + field(2, [3 << 3, 2]), "BPE"),
    model("bytes without their pieces", standard + letters + field(2, [0x98, 0x02, 1]), "<0x00>"),
    model("no end piece", piece("<pad>", 0, kind: 3) + piece("<unk>", 0, kind: 2), "</s>"),
    model("no padding piece", piece("</s>", 0, kind: 3) + piece("<unk>", 0, kind: 2), "<pad>"),
    model("a map of three bytes", DiffusionTests.model(map: [1, 2, 3]), "3 bytes"),
    model("a trie longer than the map", DiffusionTests.model(map: characterMap(size: 0x7FFF_FFF0)), "should have"),
    model("a trie of no whole units", DiffusionTests.model(map: characterMap(size: 1023)), "1023"),
    model("no trie", DiffusionTests.model(map: characterMap(size: 0)), "have 0"),
    model("a root that points outside", DiffusionTests.model(map: characterMap { $0[0] = 0x1F_FFFF << 10 }), "outside"),
    model("a root that points outside by blocks", DiffusionTests.model(map: characterMap { $0[0] = 0x1F_FFFF << 10 | 1 << 9 }), "outside"),
    model("a rule that points outside", DiffusionTests.model(map: characterMap { $0[0x151] |= 0xFFFF << 12 }), "outside"),
    model("a replacement outside", DiffusionTests.model(map: characterMap { $0[2] = 1 << 31 | 2 }), "outside"),
    model("a replacement without end", DiffusionTests.model(map: characterMap(replacements: [0x71])), "does not end"),
    model(
      "a replacement of 1,000 bytes", DiffusionTests.model(map: characterMap(replacements: [UInt8](repeating: 0x71, count: 1000) + [0])),
      "128"),
    model("an empty file", [], "is empty"),
    configuration("a billion extra tokens", "tokenizer_config.json", "{\"extra_ids\":1000000000}", "extra_ids"),
    configuration("fewer extra tokens than none", "tokenizer_config.json", "{\"extra_ids\":-1}", "extra_ids"),
    configuration("a name that is a number", "tokenizer_config.json", "{\"pad_token\":1}", "pad_token"),
    configuration("a name that is no piece", "tokenizer_config.json", "{\"pad_token\":\"<none>\"}", "<none>"),
    configuration(
      "an added token with a word for a number", "tokenizer_config.json", "{\"added_tokens_decoder\":{\"x\":{\"content\":\"y\"}}}",
      "numbered"),
    configuration("an added token with a negative number", "added_tokens.json", "{\"y\":-1}", "-1"),
    configuration("an added token with a number beyond reason", "added_tokens.json", "{\"y\":9223372036854775807}", "numbers"),
    configuration(
      "an added token twice", "tokenizer_config.json", "{\"added_tokens_decoder\":{\"20\":{\"content\":\"y\"},\"21\":{\"content\":\"y\"}}}",
      "twice"),
    configuration("an empty configuration", "tokenizer_config.json", "", "empty"),
    configuration("a configuration of endless brackets", "tokenizer_config.json", String(decoding: endless, as: UTF8.self), "nests"),
    configuration("names of endless brackets", "special_tokens_map.json", String(decoding: endless, as: UTF8.self), "nests"),
  ]

  static let others = [
    json("endless brackets", endless, "nests"),
    json("endless objects", Array(String(repeating: "{\"normalizer\":", count: 50_000).utf8), "nests"),
    json("no model", Array("{}".utf8), "model"),
    json("a BPE model", DiffusionTests.json(type: "BPE"), "BPE"),
    json("a vocabulary of another kind", DiffusionTests.json(vocabulary: "{\"a\":1}"), "vocab"),
    json("no vocabulary", DiffusionTests.json(vocabulary: "[]"), "vocab"),
    json("an unknown token out of range", DiffusionTests.json(unknown: "99"), "unk_id"),
    json("no unknown token", DiffusionTests.json(unknown: "null"), "unk_id"),
    json("an infinite score", DiffusionTests.json(vocabulary: "[[\"a\",0],[\"b\",1e999],[\"<pad>\",0]]"), ""),
    json("the same piece twice", DiffusionTests.json(vocabulary: "[[\"a\",0],[\"a\",-1],[\"<pad>\",0]]"), "twice"),
    json("a map that is no base64", DiffusionTests.json(normalizer: "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"?\"}"), "base64"),
    json("a map that points outside", DiffusionTests.json(map: characterMap { $0[0] = 0x1F_FFFF << 10 }), "outside"),
    json("an unknown normalizer", DiffusionTests.json(normalizer: "{\"type\":\"Lua\"}"), "Lua"),
    json(
      "an unknown expression", DiffusionTests.json(normalizer: "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(a*)*\"},\"content\":\"\"}"),
      "(a*)*"),
    json(
      "a replacement beyond reason",
      DiffusionTests.json(normalizer: #"{"type":"Replace","pattern":{"String":"a"},"content":"\#(String(repeating: "b", count: 1000))"}"#),
      "1000"),
    json("an unknown pre-tokenizer", DiffusionTests.json(preTokenizer: "{\"type\":\"Split\"}"), "Split"),
    json("an unknown post-processor", DiffusionTests.json(processor: "{\"type\":\"Lua\"}"), "Lua"),
    json(
      "a post-processor that names no token",
      DiffusionTests.json(processor: #"{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}}]}"#),
      "\"x\""),
    json(
      "an added token numbered beyond reason", DiffusionTests.json(added: "[{\"id\":9223372036854775807,\"content\":\"x\"}]"),
      "numbered"),
    json("a WordPiece model with a gap", Array(bertJSON.replacing("\"##a\":5", with: "\"##a\":7").utf8), "leaves"),
    json("a WordPiece model with a negative number", Array(bertJSON.replacing("\"##a\":5", with: "\"##a\":-1").utf8), "vocab"),
    json("a WordPiece model with another normalizer", Array(bertJSON.replacing("BertNormalizer", with: "NFC").utf8), "NFC"),
    json("a WordPiece model without its unknown token", Array(bertJSON.replacing("\"[UNK]\":1", with: "\"[ABC]\":1").utf8), "unk_token"),
    vocabulary("no [SEP]", "[PAD]\n[UNK]\n[CLS]\na\n", "[SEP]"),
    vocabulary("the same word twice", bertVocabulary + "ab\n", "twice"),
    vocabulary("lines only", "\n\n\n", "0 pieces"),
    vocabulary("one line of 100,000 bytes", bertVocabulary + String(repeating: "a", count: 100_000), "1024"),
    vocabulary("bytes that are no text", "\0\u{1}\u{2}", "[UNK]"),
  ]
}

@Suite("Damaged tokenizers")
struct TokenizerDamageTests {
  private func failure(loading folder: TemporaryFolder) -> WeightsError? {
    do throws(WeightsError) {
      _ = try Tokenizers.load(folder: folder.path)
      return nil
    } catch {
      return error
    }
  }

  @Test("A damaged file is refused with an error that says what is wrong", arguments: Damage.models + Damage.others)
  private func damage(_ damage: Damage) throws {
    let folder = TemporaryFolder()
    for (name, bytes) in damage.files { folder.write(bytes, name: name) }
    let error = try #require(failure(loading: folder))
    #expect(error.kind == .malformed)
    #expect(error.path.hasPrefix(folder.path + "/"))
    #expect(error.reason.contains(damage.word), "\(error)")
  }

  @Test("Each kind of file is found out, and a folder without any is told from a damaged one")
  func kinds() throws {
    let folder = TemporaryFolder()
    #expect(failure(loading: folder)?.kind == .notFound)
    mkdir(folder.path + "/vocab.txt", 0o755)
    #expect(failure(loading: folder)?.kind == .unreadable)
    rmdir(folder.path + "/vocab.txt")
    folder.write(bertJSON, name: "tokenizer.json")
    #expect(try Tokenizers.load(folder: folder.path).encode("aa é", maximum: 9).tokens == [2, 4, 5, 1, 3])
    folder.write(json(), name: "tokenizer.json")
    #expect(try Tokenizers.load(folder: folder.path).encode("a  Qa xyz Bb<pad>", maximum: 9).tokens == [5, 3, 2, 4, 5, 9, 0, 1])
    folder.write(bertVocabulary, name: "vocab.txt")
    #expect(try Tokenizers.load(folder: folder.path).encode("aba b.", maximum: 9).tokens == [2, 9, 7, 6, 1, 3])
    folder.write(model(), name: "spiece.model")
    #expect(try Tokenizers.load(folder: folder.path).encode("Q aab", maximum: 9).tokens == [3, 6, 3, 9, 1])
  }

  /// Changes a few bytes of a file: others in their place, some lost, some doubled.
  private static func mutate(_ bytes: [UInt8], _ generator: inout SplitMix) -> [UInt8] {
    var bytes = bytes
    for _ in 0...Int.random(in: 0..<4, using: &generator) {
      let place = Int.random(in: 0..<bytes.count, using: &generator)
      let end = min(bytes.count, place + Int.random(in: 1..<9, using: &generator))
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 1: bytes[place] = .random(in: 0...255, using: &generator)
      case 2: bytes[place] = Array("\0\u{7F}-9\",".utf8).randomElement(using: &generator) ?? 0xFF
      case 3: bytes.removeSubrange(place..<end)
      case 4: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &generator))
      default: if Int.random(in: 0..<10, using: &generator) == 0 { bytes.removeSubrange(max(1, place)...) }
      }
      if bytes.isEmpty { return [0] }
    }
    return bytes
  }

  @Test("6,000 changed files either load or are refused, and what loads encodes any text", arguments: 0..<4)
  func fuzz(part: Int) throws {
    let bytesModel = try bytes(Fixture("tokenizers/bytes").folder + "/spiece.model")
    let configuration = #"{"extra_ids":3,"pad_token":{"content":"<pad>"},"added_tokens_decoder":{"12":{"content":"<x>","lstrip":true}}}"#
    let files: [(name: String, bytes: [UInt8])] = [
      ("spiece.model", model()), ("tokenizer.json", json()), ("vocab.txt", Array(bertVocabulary.utf8)),
      ("tokenizer.json", Array(bertJSON.utf8)), ("spiece.model", bytesModel),
      ("tokenizer_config.json", Array(configuration.utf8)),
    ]
    let texts = [
      "", "Q aab a\u{301} QQ é<pad> </s>", "漢字 e\u{301} 🦊\u{200d}🦊 aaaaaaaaaaaaa.ab-[MASK] xyz  Bb", "\0\u{FFFD}\u{10FFFF}<x> \n",
    ]
    var generator = SplitMix(seed: UInt64(part))
    var loaded = 0
    for round in 0..<1500 {
      let (name, bytes) = files[round % files.count]
      let folder = TemporaryFolder()
      if name == "tokenizer_config.json" { folder.write(model(), name: "spiece.model") }
      folder.write(Self.mutate(bytes, &generator), name: name)
      guard let tokenizer = try? Tokenizers.load(folder: folder.path) else { continue }
      loaded += 1
      for text in texts {
        let tokens = tokenizer.encode(text, maximum: 50).tokens
        #expect(tokens.count <= 50)
        #expect(tokens.allSatisfy { 0..<tokenizer.vocabularySize ~= $0 })
      }
    }
    // Neither does everything load nor nothing.
    #expect(100..<1400 ~= loaded)
  }

  @Test("A changed character map of real size either loads or is refused")
  func fuzzRealMap() throws {
    let fixture = Fixture("tokenizers/t5")
    let whole = try bytes(fixture.folder + "/spiece.model")
    let text = String(String.UnicodeScalarView((0x20..<0x3000).compactMap(Unicode.Scalar.init)))
    var generator = SplitMix(seed: 9)
    let folder = TemporaryFolder()
    for _ in 0..<100 {
      folder.write(Self.mutate(whole, &generator), name: "spiece.model")
      guard let tokenizer = try? Tokenizers.load(folder: folder.path) else { continue }
      #expect(tokenizer.encode(text, maximum: 100_000).tokens.allSatisfy { 0..<tokenizer.vocabularySize ~= $0 })
    }
  }
}

@Suite("Prompts of a megabyte", .serialized)
struct LongPromptTests {
  static let prompts: [(name: String, text: String)] = [
    ("one letter", String(repeating: "a", count: 1 << 20)),
    ("words", String(repeating: "the camera pans left, ", count: 1 << 20 / 22)),
    ("ideographs", String(repeating: "漢", count: 1 << 20 / 3)),
    ("marks in falling order", "e" + String(repeating: "\u{345}\u{301}\u{323}\u{334}", count: 1 << 20 / 8)),
    ("joined emoji", String(repeating: "👩\u{200d}", count: 1 << 20 / 7)),
    ("spaces", String(repeating: " ", count: 1 << 20)),
    ("wide spaces", String(repeating: "\u{3000}", count: 1 << 20 / 3)),
    ("▁", String(repeating: "▁", count: 1 << 20 / 3)),
    ("added tokens", String(repeating: "</s>", count: 1 << 18)),
    ("almost added tokens", String(repeating: "<extra_id_9", count: 1 << 20 / 11)),
    ("the character that grows most", String(repeating: "\u{FDFA}", count: 1 << 20 / 3)),
    ("Hangul", String(repeating: "\u{1112}\u{1161}\u{11ab}", count: 1 << 20 / 9)),
    ("regional indicators", String(repeating: "🇩", count: 1 << 18)),
  ]

  @Test("A prompt of a megabyte is encoded in a few seconds, cut or whole", arguments: prompts.map(\.name))
  func time(name: String) throws {
    let text = try #require(Self.prompts.first { $0.name == name }).text
    let folder = TemporaryFolder()
    folder.write(json(), name: "tokenizer.json")
    let tokenizers: [any Tokenizer] = [
      try SentencePieceTokenizer(folder: Fixture("tokenizers/t5").folder),
      try WordPieceTokenizer(folder: Fixture("tokenizers/bert").folder), try SentencePieceTokenizer(folder: folder.path),
    ]
    for tokenizer in tokenizers {
      for maximum in [226, .max] {
        let time = ContinuousClock().measure { _ = tokenizer.encode(text, maximum: maximum) }
        // The bound leaves room for a machine that does much else; a quadratic step takes minutes.
        #expect(time < .seconds(8), "\(type(of: tokenizer)) \(maximum)")
        if getenv("SHOTS_TOKENIZER_TIMES") != nil { print(name, type(of: tokenizer), maximum, time) }
      }
    }
  }
}

/// Vigna's splitmix64: the same numbers on every machine.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
