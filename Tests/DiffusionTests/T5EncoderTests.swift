import Diffusion
import Tensors
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite("T5 encoders")
struct T5EncoderTests {
  static let cases = [
    ("t5-gated", "one"), ("t5-gated", "seven"), ("t5-gated", "padded"), ("t5-relu", "one"), ("t5-relu", "seven"),
    ("t5-bfloat16", "one"), ("t5-bfloat16", "seven"), ("umt5", "sixty-four"),
  ]

  private let gated = EncoderFixture("t5-gated")

  private let compute: Compute

  init() throws { compute = try Compute(.float32, threads: 2) }

  private func encoder(_ fixture: EncoderFixture, residency: Residency = .all) throws -> T5Encoder {
    try T5Encoder(folder: fixture.folder, compute: compute, residency: residency)
  }

  private func encode(_ encoder: T5Encoder, _ tokens: [Int32], attended: Int? = nil) throws -> [Float] {
    let result = try encoder.encode(tokens, attended: attended)
    #expect(result.type == .float32 && result.rows == tokens.count && result.columns == encoder.configuration.width)
    return result.floats()
  }

  @Test("Every version's vectors are those of transformers, pads attended to like words", arguments: cases, [1, 2])
  func vectors(of model: (String, String), threads: Int) throws {
    let fixture = EncoderFixture(model.0)
    let encoder = try T5Encoder(folder: fixture.folder, compute: Compute(.float32, threads: threads))
    let result = try encode(encoder, fixture.tokens(model.1))
    #expect(difference(result, from: try fixture.expected(model.1)) < 1e-5)
  }

  @Test("Tokens behind those that are attended to change nothing for the others")
  func attended() throws {
    let (tokens, expected) = (try gated.tokens("masked"), try gated.expected("masked"))
    let encoder = try encoder(gated)
    #expect(difference(try encode(encoder, tokens, attended: 23), from: expected) < 1e-5)
    #expect(difference(try encode(encoder, tokens), from: expected) > 1e-2)
    #expect(difference(try encode(encoder, Array(tokens[..<23])), from: Array(expected[..<(23 * 32)])) < 1e-5)
  }

  @Test("In bfloat16 vectors are within 2% of those in float32", .enabled(if: ComputeLibrary.hasBFloat16), arguments: cases)
  func bfloat16(model: (String, String)) throws {
    let fixture = EncoderFixture(model.0)
    let encoder = try T5Encoder(folder: fixture.folder, compute: Compute(.bfloat16, threads: 2))
    let result = try encode(encoder, fixture.tokens(model.1))
    #expect(relativeRMS(result, from: try fixture.expected(model.1)) < 0.02)
  }

  @Test("Vectors are the same whether weights stay or are read for each text, and for a second text too")
  func residency() throws {
    let (all, one) = (try encoder(gated), try encoder(gated, residency: .block))
    for name in ["seven", "padded", "seven"] {
      let tokens = try gated.tokens(name)
      let (a, b) = (try encode(all, tokens), try encode(one, tokens))
      #expect(a.elementsEqual(b))
      #expect(difference(a, from: try gated.expected(name)) < 1e-5)
    }
  }

  @Test("Weights that stay are read once, and those of one block at a time with each text")
  func reading() throws {
    let copy = try gated.copy { ($0, $1) }
    let all = try T5Encoder(folder: copy.path, compute: compute)
    let one = try T5Encoder(folder: copy.path, compute: compute, residency: .block)
    let tokens = try gated.tokens("seven")
    let first = try encode(all, tokens)
    #expect(first.elementsEqual(try encode(one, tokens)))
    // Damages a matrix in the file: who reads it again, sees it, if the file's time does not tell that it was written to.
    let name = "encoder.block.1.layer.0.SelfAttention.v.weight"
    let file = try #require(fopen(copy.path + "/model.safetensors", "r+b"))
    var status = stat()
    #expect(fstat(fileno(file), &status) == 0)
    let damaged = try gated.copy { ($0, $0 == name ? $1.map { _ in .nan } : $1) }
    let other = try #require(fopen(damaged.path + "/model.safetensors", "rb"))
    var byte = fgetc(other)
    while byte != EOF {
      fputc(byte, file)
      byte = fgetc(other)
    }
    fflush(file)
    for encoder in [all, one] {
      // The vocabulary's rows are read with each text.
      let error = #expect(throws: WeightsError.self) { _ = try encode(encoder, tokens) }
      #expect(error?.kind == .unreadable && error?.reason.contains("written to") == true)
    }
    #expect(futimens(fileno(file), [status.st_atim, status.st_mtim]) == 0)
    fclose(file)
    fclose(other)
    #expect(first.elementsEqual(try encode(all, tokens)))
    #expect(#expect(throws: WeightsError.self) { _ = try encode(one, tokens) }?.tensor == name)
  }

  @Test("What stays in memory is said beforehand: matrices in the products' type, vectors in float32")
  func residentBytes() throws {
    // A block: four matrices of 32 × 48, three of 32 × 64, and two vectors of 32.
    let block = 4 * (4 * 32 * 48 + 3 * 32 * 64 + 2 * 32)
    #expect(try encoder(gated).residentBytes == 2 * block + 4 * 32)
    #expect(try encoder(gated, residency: .block).residentBytes == block + 4 * 32)
    let narrow = try T5Encoder(folder: gated.folder, compute: Compute(.bfloat16, threads: 1))
    #expect(try narrow.residentBytes == (ComputeLibrary.hasOnlyFloat32 ? 2 * block : block + 2 * 4 * 32) + 4 * 32)
  }

  @Test("Offsets have transformers' buckets", arguments: [(32, 128), (8, 20), (18, 300)])
  func buckets(count: Int, largest: Int) throws {
    let expected = try EncoderFixture.integers("\(count)-\(largest)", in: Fixture("encoders").folder + "/buckets.safetensors")
    var configuration = try T5EncoderConfiguration(path: gated.folder + "/config.json")
    (configuration.buckets, configuration.largestDistance) = (count, largest)
    let buckets = (-400...400).map { Int32(T5EncoderPositions.bucket($0, configuration)) }
    let wrong = zip(-400...400, zip(buckets, expected)).first { $0.1.0 != $0.1.1 }
    #expect(expected.count == 801)
    #expect(wrong == nil)
  }

  @Test("The table of embeddings has either of its names")
  func embeddingName() throws {
    let copy = try gated.copy { ($0 == "shared.weight" ? "encoder.embed_tokens.weight" : $0, $1) }
    let result = try encode(T5Encoder(folder: copy.path, compute: compute), gated.tokens("seven"))
    #expect(difference(result, from: try gated.expected("seven")) < 1e-5)
    let none = try gated.copy { $0 == "shared.weight" ? nil : ($0, $1) }
    #expect(failure { () throws(WeightsError) in _ = try T5Encoder(folder: none.path, compute: compute) }?.tensor == "shared.weight")
  }

  @Test(
    "A missing tensor is an error that names it, before anything is computed",
    arguments: [
      "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", "encoder.block.1.layer.1.DenseReluDense.wi_1.weight",
      "encoder.block.1.layer.0.layer_norm.weight", "encoder.final_layer_norm.weight",
    ])
  func missing(name: String) throws {
    let copy = try gated.copy { $0 == name ? nil : ($0, $1) }
    #expect(failure { () throws(WeightsError) in _ = try T5Encoder(folder: copy.path, compute: compute) }?.tensor == name)
  }

  @Test("Another shape than the configuration's is an error that names the tensor")
  func shape() throws {
    var configuration = try T5EncoderConfiguration(path: gated.folder + "/config.json")
    configuration.feedForwardWidth = 63
    let weights = try WeightFiles(folder: gated.folder)
    let error = failure { () throws(WeightsError) in _ = try T5Encoder(configuration, weights, compute: compute) }
    #expect(error?.tensor == "encoder.block.0.layer.1.DenseReluDense.wi_0.weight")
  }

  @Test(
    "A weight that is not a number is an error that names its tensor, at the latest when it is used",
    arguments: ["shared.weight", "encoder.block.1.layer.1.DenseReluDense.wo.weight", "encoder.block.1.layer.0.SelfAttention.k.weight"])
  func notANumber(name: String) throws {
    let copy = try gated.copy { ($0, $0 == name ? [.nan] + $1.dropFirst() : $1) }
    let encoder = try T5Encoder(folder: copy.path, compute: compute)
    for _ in 0..<2 {
      let error = #expect(throws: WeightsError.self) { _ = try encoder.encode([0, 1]) }
      #expect(error?.tensor == name)
    }
  }

  @Test("Tokens that the vocabulary does not have, and texts of impossible lengths, are errors")
  func tokens() throws {
    let encoder = try encoder(gated)
    func error(_ tokens: [Int32], _ attended: Int? = nil) -> TextEncoderError? {
      #expect(throws: TextEncoderError.self) { _ = try encoder.encode(tokens, attended: attended) }
    }
    #expect(error([1, 100]) == .unknownToken(100, position: 1, vocabulary: 100))
    #expect(error([-1]) == .unknownToken(-1, position: 0, vocabulary: 100))
    #expect(error([.max]) == .unknownToken(.max, position: 0, vocabulary: 100))
    #expect(error([]) == .tokenCount(0, most: 1024))
    #expect(error(Array(repeating: 1, count: 1025)) == .tokenCount(1025, most: 1024))
    #expect(error([1, 2], 0) == .attendedCount(0, tokens: 2))
    #expect(error([1, 2], 3) == .attendedCount(3, tokens: 2))
    #expect(try encode(encoder, [0, 99]).allSatisfy(\.isFinite))
  }

  @Test("It asks before each block whether to go on, and stops when it shall")
  func cancellation() throws {
    let encoder = try encoder(gated)
    var asked = 0
    _ = try encoder.encode([1, 2]) { asked += 1 }
    #expect(asked == 2)
    #expect(throws: Stopped.self) {
      try encoder.encode([1, 2]) {
        asked += 1
        if asked == 4 { throw Stopped() }
      }
    }
    #expect(asked == 4)
  }

  @Test(
    "A configuration that no model can have is an error that names the field",
    arguments: [
      ("num_layers", "1000000000000"), ("num_layers", "0"), ("num_layers", "-1"), ("num_heads", "0"),
      ("num_heads", "9223372036854775807"),
      ("d_model", "0"), ("d_kv", "-8"), ("d_ff", "1e3000"), ("d_ff", "\"64\""), ("vocab_size", "99999999999999999999"),
      ("relative_attention_num_buckets", "3"), ("relative_attention_max_distance", "4"), ("layer_norm_epsilon", "-1e-6"),
      ("layer_norm_epsilon", "NaN"), ("layer_norm_epsilon", "1e999"), ("feed_forward_proj", "\"gated-\""),
      ("feed_forward_proj", "\"tanh\""),
      ("model_type", "\"clip\""),
    ])
  func hostile(field: String, value: String) throws {
    let (path, owner) = try gated.configuration(field, value)
    withExtendedLifetime(owner) {
      let error = failure { () throws(WeightsError) in _ = try T5EncoderConfiguration(path: path) }
      #expect(error?.path == path)
      #expect(error?.reason.contains("\"\(field)\"") == true || ["NaN", "1e999", "1e3000", "99999999999999999999"].contains(value))
    }
  }

  @Test("Fields that a file lacks are those of the model that it names")
  func defaults() throws {
    let folder = TemporaryFolder()
    let first = try T5EncoderConfiguration(path: folder.write(Array("{}".utf8), name: "t5.json"))
    #expect(first.width == 512 && first.heads == 8 && first.feedForwardWidth == 2048 && first.blocks == 6 && first.vocabulary == 32128)
    #expect(first.headSize == 64 && first.buckets == 32 && first.largestDistance == 128 && first.epsilon == 1e-6)
    #expect(first.activation == .relu && !first.isGated && !first.hasBiasPerBlock)
    let umt5 = try T5EncoderConfiguration(path: folder.write(Array("{\"model_type\":\"umt5\"}".utf8), name: "umt5.json"))
    #expect(umt5.width == 512 && umt5.heads == 6 && umt5.feedForwardWidth == 1024 && umt5.blocks == 8 && umt5.vocabulary == 250_112)
    #expect(umt5.activation == .geluTanh && umt5.isGated && umt5.hasBiasPerBlock)
  }
}
