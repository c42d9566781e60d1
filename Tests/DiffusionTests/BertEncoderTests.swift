import Diffusion
import Tensors
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite("BERT")
struct BertEncoderTests {
  private let fixture = EncoderFixture("bert")

  private let compute: Compute

  init() throws { compute = try Compute(.float32, threads: 2) }

  private func encode(_ name: String, _ type: DataType, threads: Int) throws -> [Float] {
    let tokens = try fixture.tokens(name)
    let result = try BertEncoder(folder: fixture.folder, compute: Compute(type, threads: threads)).encode(tokens)
    #expect(result.type == .float32 && result.rows == tokens.count && result.columns == 32)
    return result.floats()
  }

  @Test("Vectors are those of transformers", arguments: ["one", "seven", "sixty-four"], [1, 2])
  func vectors(name: String, threads: Int) throws {
    #expect(difference(try encode(name, .float32, threads: threads), from: try fixture.expected(name)) < 1e-5)
  }

  @Test(
    "In bfloat16 vectors are within 2% of those in float32", .enabled(if: ComputeLibrary.hasBFloat16),
    arguments: ["one", "seven", "sixty-four"])
  func bfloat16(name: String) throws {
    #expect(relativeRMS(try encode(name, .bfloat16, threads: 2), from: try fixture.expected(name)) < 0.02)
  }

  @Test("A text has the same vectors after others of other lengths")
  func severalTexts() throws {
    let encoder = try BertEncoder(folder: fixture.folder, compute: compute)
    for name in ["seven", "sixty-four", "one", "seven"] {
      #expect(difference(try encoder.encode(fixture.tokens(name)).floats(), from: try fixture.expected(name)) < 1e-5)
    }
  }

  @Test("A sentence's vector is the mean of its tokens', of length 1")
  func sentence() throws {
    let vectors = try fixture.expected("seven")
    let mean = (0..<32).map { column in (0..<7).reduce(0) { $0 + vectors[$1 * 32 + column] } / 7 }
    let length = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let encoder = try BertEncoder(folder: fixture.folder, compute: compute)
    let sentence = try encoder.embedSentence(fixture.tokens("seven"))
    #expect(difference(sentence, from: mean.map { $0 / length }) < 1e-5)
    #expect(abs(sentence.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
  }

  @Test("Weights of a model with a head on top are found behind their prefix")
  func prefix() throws {
    let copy = try fixture.copy { ("bert." + $0, $1) }
    let result = try BertEncoder(folder: copy.path, compute: compute).encode(fixture.tokens("seven"))
    #expect(difference(result.floats(), from: try fixture.expected("seven")) < 1e-5)
  }

  @Test(
    "A missing tensor is an error that names it, before anything is computed",
    arguments: ["embeddings.word_embeddings.weight", "encoder.layer.1.output.LayerNorm.bias", "encoder.layer.0.attention.self.value.bias"])
  func missing(name: String) throws {
    let copy = try fixture.copy { $0 == name ? nil : ($0, $1) }
    #expect(failure { () throws(WeightsError) in _ = try BertEncoder(folder: copy.path, compute: compute) }?.tensor == name)
  }

  @Test("A weight that is not a number is an error that names its tensor when it is used")
  func notANumber() throws {
    let name = "encoder.layer.1.intermediate.dense.weight"
    let copy = try fixture.copy { ($0, $0 == name ? [.infinity] + $1.dropFirst() : $1) }
    let encoder = try BertEncoder(folder: copy.path, compute: compute)
    let error = #expect(throws: WeightsError.self) { _ = try encoder.encode([1]) }
    #expect(error?.tensor == name)
  }

  @Test("Tokens that the vocabulary does not have, and texts of impossible lengths, are errors")
  func tokens() throws {
    let encoder = try BertEncoder(folder: fixture.folder, compute: compute)
    func error(_ tokens: [Int32]) -> TextEncoderError? {
      #expect(throws: TextEncoderError.self) { _ = try encoder.encode(tokens) }
    }
    #expect(error([1, 100]) == .unknownToken(100, position: 1, vocabulary: 100))
    #expect(error([-1]) == .unknownToken(-1, position: 0, vocabulary: 100))
    #expect(error([]) == .tokenCount(0, most: 64))
    #expect(error(Array(repeating: 1, count: 65)) == .tokenCount(65, most: 64))
  }

  @Test("It asks before each block whether to go on, and stops when it shall")
  func cancellation() throws {
    let encoder = try BertEncoder(folder: fixture.folder, compute: compute)
    var asked = 0
    #expect(throws: Stopped.self) {
      try encoder.encode([1, 2]) {
        asked += 1
        if asked == 2 { throw Stopped() }
      }
    }
    #expect(asked == 2)
  }

  @Test(
    "A configuration that no model can have is an error that names the field",
    arguments: [
      ("num_hidden_layers", "1000000000000"), ("num_hidden_layers", "0"), ("num_attention_heads", "0"), ("num_attention_heads", "-4"),
      ("hidden_size", "33"), ("intermediate_size", "0"), ("max_position_embeddings", "-1"), ("vocab_size", "9223372036854775807"),
      ("type_vocab_size", "0"), ("layer_norm_eps", "-1"), ("hidden_act", "\"sin\""), ("is_decoder", "true"), ("model_type", "\"t5\""),
      ("position_embedding_type", "\"relative_key\""),
    ])
  func hostile(field: String, value: String) throws {
    let (path, owner) = try fixture.configuration(field, value)
    withExtendedLifetime(owner) {
      let error = failure { () throws(WeightsError) in _ = try BertEncoderConfiguration(path: path) }
      #expect(error?.path == path)
      #expect(error?.reason.contains("\"\(field)\"") == true)
    }
  }

  private static let folder = root + "/models/all-MiniLM-L6-v2"

  @Test(
    "MiniLM embeds sentences as transformers does",
    .enabled(if: access(folder + "/model.safetensors", R_OK) == 0, "launch/fetch-text-encoder gets MiniLM"),
    arguments: [DataType.float32, .bfloat16])
  func miniLM(type: DataType) throws {
    guard type == .float32 || ComputeLibrary.hasBFloat16 else { return }
    let encoder = try BertEncoder(folder: Self.folder, compute: Compute(type, threads: 2))
    let file = Fixture("encoders").folder + "/minilm.safetensors"
    var sentences: [[Float]] = []
    for index in 0..<3 {
      let sentence = try encoder.embedSentence(EncoderFixture.integers("\(index).ids", in: file))
      let expected = try Fixture("encoders").floats("\(index)", in: "minilm.safetensors").values
      if type == .float32 { #expect(difference(sentence, from: expected) < 1e-5) }
      #expect(relativeRMS(sentence, from: expected) < 0.02)
      sentences.append(sentence)
    }
    func likeness(_ a: Int, _ b: Int) -> Float { zip(sentences[a], sentences[b]).reduce(0) { $0 + $1.0 * $1.1 } }
    // The first two say the same.
    #expect(likeness(0, 1) > 0.4 && likeness(0, 2) < 0.2)
  }
}
