import Diffusion
import Tensors
import Testing

@Suite("Model folders")
struct ModelFolderTests {
  private let fixture = Fixture("loading")
  private let folder = TemporaryFolder()

  @Test("A folder that diffusers saved is read: components, configuration and shards")
  func saved() throws {
    let model = try ModelFolder(path: fixture.folder + "/model")
    #expect(model.className == "CogVideoXPipeline")
    #expect(
      model.components == [
        "scheduler": "CogVideoXDPMScheduler", "transformer": "CogVideoXTransformer3DModel", "vae": "AutoencoderKLCogVideoX",
      ])
    #expect(try model.fields.boolean("force_zeros_for_empty_prompt", default: false))
    let transformer = try model.component("transformer", classes: ["WanTransformer3DModel", "CogVideoXTransformer3DModel"])
    #expect(transformer == fixture.folder + "/model/transformer")
    let fields = try ConfigurationFields(path: transformer + "/config.json")
    try fields.className(["CogVideoXTransformer3DModel"])
    #expect(try fields.integer("attention_head_dim", default: 64, in: 1...256) == 16)
    #expect(try fields.optionalInteger("patch_size_t", in: 1...16) == nil)
    #expect(try fields.number("norm_eps", default: 0, in: 0...1) == 1e-5)
    let weights = try WeightFiles(folder: transformer)
    #expect(weights.names.count == 40)
    #expect(
      try weights.check([ExpectedTensor("proj_out.weight", [16, 16]), ExpectedTensor("patch_embed.proj.weight", [16, 4, 2, 2])]).count == 38
    )
  }

  @Test("Variants of 16 bits, in one file and in shards, are read as PyTorch widens them", arguments: ["float16", "bfloat16"])
  func variants(name: String) throws {
    let weights = try WeightFiles(folder: "\(fixture.folder)/\(name)")
    let plain = try WeightFiles(folder: fixture.folder + "/model/transformer")
    #expect(weights.names == plain.names)
    #expect(2 * weights.byteCount == plain.byteCount)
    let widened = try WeightFiles(file: fixture.folder + "/widened.safetensors")
    for weight in ["transformer_blocks.0.attn1.to_q.weight", "proj_out.bias"] {
      let shape = try #require(plain[weight]?.shape)
      #expect(weights[weight]?.type.rawValue == (name == "float16" ? "F16" : "BF16"))
      #expect(try weights.floats(weight, shape: shape) == widened.floats("\(name)/\(weight)", shape: shape))
    }
  }

  @Test("A component that is absent, null or of a class that is not known is refused, and what is known is named")
  func unknownClasses() throws {
    let model = try ModelFolder(path: fixture.folder + "/model")
    for (name, words) in [
      ("transformer", "\"CogVideoXTransformer3DModel\", not \"A\" or \"B\""), ("unet", "absent"), ("tokenizer", "absent"),
    ] {
      let error = try #require(failure { () throws(WeightsError) in _ = try model.component(name, classes: ["A", "B"]) })
      #expect(error.path == fixture.folder + "/model/model_index.json")
      #expect(error.reason.contains("\"\(name)\"") && error.reason.contains(words), "\(error)")
    }
  }

  @Test(
    "An index that is damaged or leads out of the folder is refused, and its field is named",
    arguments: [
      ("{}", "_class_name"), ("{\"_class_name\":3}", "_class_name"), ("[]", "no JSON object"), ("{", "no JSON"), ("\u{0}", "no JSON"),
      ("{\"_class_name\":\"P\",\"../vae\":[\"diffusers\",\"V\"]}", "\"../vae\""),
      ("{\"_class_name\":\"P\",\"..\":[\"diffusers\",\"V\"]}", "\"..\""),
      ("{\"_class_name\":\"P\",\"/etc\":[\"diffusers\",\"V\"]}", "\"/etc\""),
      ("{\"_class_name\":\"P\",\"\":[\"diffusers\",\"V\"]}", "\"\""),
      ("{\"_class_name\":\"P\",\"vae\\u0000\":[\"diffusers\",\"V\"]}", "no name of a folder"),
      ("{\"_class_name\":\"P\",\"vae\":[\"V\"]}", "1 entries"), ("{\"_class_name\":\"P\",\"vae\":[null,\"V\"]}", "library and class"),
      ("{\"_class_name\":\"P\",\"vae\":[\"d\",1]}", "library and class"), ("{\"_class_name\":\"P\",\"_class_name\":\"P\"}", "twice"),
      ("{\"_class_name\":\"P\",\"a\":{\"b\":1,\"b\":2}}", "twice"),
    ])
  func damage(text: String, words: String) throws {
    folder.write(Array(text.utf8), name: "model_index.json")
    let error = try #require(failure { () throws(WeightsError) in _ = try ModelFolder(path: folder.path) })
    #expect(error.kind == .malformed)
    #expect(error.path == folder.path + "/model_index.json")
    #expect(error.reason.contains(words), "\(error)")
  }

  @Test("A folder without an index is told from a damaged one")
  func missing() {
    #expect(failure { () throws(WeightsError) in _ = try ModelFolder(path: folder.path) }?.kind == .notFound)
  }

  @Test("An index of bytes that are no UTF-8, or larger than any model's, is refused")
  func bytes() throws {
    for bytes in [Array("{\"_class_name\":\"".utf8) + [0xff, 0x22, 0x7d], [UInt8](repeating: 0x20, count: 5 << 20)] {
      folder.write(bytes, name: "model_index.json")
      #expect(failure { () throws(WeightsError) in _ = try ModelFolder(path: folder.path) }?.kind == .malformed)
    }
  }
}

@Suite("Configuration fields")
struct ConfigurationFieldsTests {
  private let folder = TemporaryFolder()
  private func fields(_ text: String) throws -> ConfigurationFields {
    try ConfigurationFields(path: folder.write(Array(text.utf8), name: "config.json"))
  }

  @Test("Fields are read with their types; absent and null ones are their defaults")
  func reading() throws {
    let fields = try fields(
      "{\"i\":3,\"n\":-2.5e-1,\"w\":7,\"b\":true,\"s\":\"gelu\",\"l\":[1,2],\"f\":[0.5,1],\"t\":[\"a\",\"b\"],\"null\":null,\"long\":1000000000000000019884624838656,\"_class_name\":\"M\"}"
    )
    #expect(try fields.integer("i", default: 1, in: 1...9) == 3)
    #expect(try fields.integer("none", default: 1, in: 1...9) == 1)
    #expect(try fields.integer("null", default: 1, in: 1...9) == 1)
    #expect(try fields.optionalInteger("null", in: 1...9) == nil)
    #expect(try fields.number("n", default: 1, in: -1...1) == -0.25)
    #expect(try fields.number("w", default: 1, in: 0...10) == 7)
    #expect(try fields.optionalNumber("none", in: 0...1) == nil)
    #expect(try fields.boolean("b", default: false) && !fields.boolean("none", default: false))
    #expect(try fields.choice("s", ["silu", "gelu"]) == "gelu")
    #expect(try fields.choice("none", ["silu", "gelu"], default: "silu") == "silu")
    #expect(try fields.integers("l", default: [], in: 1...9, count: 1...4) == [1, 2])
    #expect(try fields.integers("none", default: [5], in: 1...9, count: 1...4) == [5])
    #expect(try fields.optionalNumbers("f", in: 0...1, count: 1...4) == [0.5, 1])
    #expect(try fields.words("t", default: [], known: ["a", "b"], count: 1...4) == ["a", "b"])
    #expect(try fields.className(["M"]) == "M")
    #expect(fields.names.count == 11)
  }

  @Test(
    "A field of another type, out of range, negative, gigantic or unknown is refused, and named with its file",
    arguments: [
      ("i", "-1", "between 1 and 9"), ("i", "10", "between 1 and 9"), ("i", "9223372036854775807", "between 1 and 9"),
      ("i", "9223372036854775808", "not an integer"), ("i", "-99999999999999999999", "not an integer"),
      ("i", "2.5", "not an integer"),
      ("i", "\"3\"", "\"3\", not an integer"), ("i", "true", "not an integer"), ("i", "[3]", "not an integer"),
      ("n", "1e300", "between 0.0 and 1.0"), ("n", "\"x\"", "not a number"), ("b", "1", "not true or false"),
      ("s", "\"relu\"", "\"relu\", not \"silu\" or \"gelu\""), ("s", "1", "not \"silu\""), ("l", "[]", "l.count\" is 0"),
      ("l", "[1,1,1,1,1]", "l.count\" is 5"),
      ("l", "[1,10]", "l[1]"), ("l", "[1,null]", "l[1]"), ("l", "1", "not a list"), ("f", "[2]", "f[0]"), ("f", "[\"\"]", "f[0]"),
      ("f", "{}", "not a list"),
      ("t", "[\"c\"]", "t[0]"), ("t", "3", "not a list"), ("_class_name", "\"N\"", "\"N\", not \"M\""),
    ])
  func refusals(field: String, value: String, words: String) throws {
    let fields = try fields("{\"\(field)\":\(value)}")
    let error = try #require(
      failure { () throws(WeightsError) in
        _ = try fields.integer("i", default: 1, in: 1...9)
        _ = try fields.number("n", default: 1, in: 0...1)
        _ = try fields.boolean("b", default: false)
        _ = try fields.choice("s", ["silu", "gelu"], default: "silu")
        _ = try fields.integers("l", default: [], in: 1...9, count: 1...4)
        _ = try fields.optionalNumbers("f", in: 0...1, count: 1...4)
        _ = try fields.words("t", default: [], known: ["a", "b"], count: 1...4)
        if field == "_class_name" { try fields.className(["M"]) }
      })
    #expect(error.path == fields.path)
    #expect(error.reason.contains("\"\(field)") && error.reason.contains(words), "\(error)")
  }

  @Test("A number beyond float64, endless nesting and a field twice make the file unreadable")
  func hostile() throws {
    for text in [
      "{\"n\":1e400}", "{\"n\":\(String(repeating: "9", count: 400))}", "{\"i\":1,\"i\":1}", "{\"i\":01}", "{\"i\":NaN}", "{\"i\":1,}",
      "{\"i\":\"\\ud800\"}", "{\"i\":\"\u{1}\"}", String(repeating: "[", count: 3_000_000),
      "{\"a\":" + String(repeating: "{\"a\":", count: 100_000),
    ] {
      let path = folder.write(Array(text.utf8), name: "config.json")
      let error = try #require(failure { () throws(WeightsError) in _ = try ConfigurationFields(path: path) }, "\(text.prefix(40))")
      #expect(error.kind == .malformed)
      #expect(error.path == path)
    }
  }
}
