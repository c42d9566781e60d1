import Diffusion
import Glibc
import Tensors
import Testing

@Suite("Models that say that they are enormous", .serialized)
struct EnormousModelTests {
  /// A part of a model, the fixture's folder, and what its configuration says in place of what it said.
  struct Part: Sendable, CustomTestStringConvertible {
    var name: String
    var fixture: String
    var fields: [String: String]
    var open: @Sendable (String) throws -> Void
    var testDescription: String {
      "\(name) with \(fields.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))"
    }

    static let all: [Part] =
      [
        ["num_layers": "512", "num_attention_heads": "64", "attention_head_dim": "1024", "time_embed_dim": "65536"],
        ["time_embed_dim": "65536"], ["num_layers": "512"], ["patch_size": "64", "in_channels": "4096", "out_channels": "4096"],
        ["num_layers": "1e30"], ["num_layers": "-1"], ["num_layers": "1.5"], ["num_layers": "NaN"],
        ["attention_head_dim": "9223372036854775807"],
        ["norm_eps": "1e999"], ["num_layers": "18446744073709551615"], ["num_layers": "[1]"],
      ].map { Part(name: "transformer", fixture: "pipeline/transformer", fields: $0) { _ = try transformer($0) } }
      + [
        ["num_layers": "1024", "d_model": "65536", "d_ff": "262144", "num_heads": "256", "d_kv": "4096", "vocab_size": "16777216"],
        ["num_layers": "1024"], ["d_model": "0"], ["vocab_size": "-5"], ["relative_attention_num_buckets": "4096"], ["d_ff": "2.5"],
      ].map { Part(name: "T5", fixture: "encoders/t5-gated", fields: $0) { _ = try T5Encoder(folder: $0, compute: compute()) } }
      + [
        ["num_hidden_layers": "1024", "hidden_size": "65536", "intermediate_size": "262144", "vocab_size": "16777216"],
        ["max_position_embeddings": "16384"], ["num_hidden_layers": "1024"],
      ].map { Part(name: "BERT", fixture: "encoders/bert", fields: $0) { _ = try BertEncoder(folder: $0, compute: compute()) } }
      + [
        ["block_out_channels": "[8192,8192,8192,8192]", "norm_num_groups": "8192", "layers_per_block": "16"], ["latent_channels": "1024"],
        ["layers_per_block": "16"], ["block_out_channels": "[-4]"],
      ].map { Part(name: "autoencoder", fixture: "pipeline/vae", fields: $0) { _ = try VideoAutoencoder(folder: $0, compute: compute()) } }

    private static func compute() throws -> Compute { try Compute(.float32, threads: 1) }
    private static func transformer(_ folder: String) throws -> CogVideoXTransformer {
      try CogVideoXTransformer(folder: folder, compute: compute())
    }
  }

  private struct Wrong: Error {}

  private static func text(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .string(let value): "\"\(value)\""
    case .array(let elements): "[\(elements.map(text).joined(separator: ","))]"
    case .object(let members): "{\(members.map { "\"\($0.name)\": \(text($0.value))" }.joined(separator: ","))}"
    }
  }

  /// Peak memory of this process so far, in bytes.
  private func peak() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss << 10
  }

  @Test("A size that the files cannot fill is refused before memory is taken for it", arguments: Part.all)
  func sizes(part: Part) throws {
    let source = Fixture(part.fixture).folder
    let folder = TemporaryFolder()
    for name in ["model.safetensors", "diffusion_pytorch_model.safetensors"] where access("\(source)/\(name)", R_OK) == 0 {
      symlink("\(source)/\(name)", "\(folder.path)/\(name)")
    }
    guard case .object(let members) = try ConfigurationFile.value(path: source + "/config.json") else { throw Wrong() }
    let kept = members.filter { part.fields[$0.name] == nil }.map { "\"\($0.name)\": \(Self.text($0.value))" }
    let fields = kept + part.fields.map { "\"\($0.key)\": \($0.value)" }
    folder.write(Array("{\(fields.joined(separator: ","))}".utf8), name: "config.json")
    let before = peak()
    let clock = ContinuousClock()
    var failure: (any Error)?
    let time = clock.measure { do { try part.open(folder.path) } catch { failure = error } }
    let error = try #require(failure as? WeightsError)
    #expect(error.kind == .malformed && (part.fields.values.contains("NaN") || !error.reason.contains("no JSON")), "\(error)")
    #expect(time < .seconds(5))
    #expect(peak() - before < 256 << 20, "other tests run beside these")
  }

  @Test("A shot that the machine cannot hold is refused when the model is opened")
  func shots() throws {
    for fields in [["width": "8192", "height": "8192", "frames": "4096"], ["frames": "4096", "width": "8192", "height": "2048"]] {
      let folder = SceneFolder(fields)
      let error = #expect(throws: WeightsError.self) { _ = try folder.open() }
      #expect(error?.path.hasSuffix("/scene.json") == true, "\(error?.description ?? "")")
    }
    #expect(throws: Never.self) { _ = try SceneFolder().open() }
  }
}
