import Diffusion
import Tensors
import Testing

@Suite("LoRA")
struct LowRankTests {
  private let fixture = Fixture("loading")
  private let folder = TemporaryFolder()

  private func base() throws -> WeightFiles { try WeightFiles(folder: fixture.folder + "/model/transformer") }

  @Test(
    "Merged weights equal those of diffusers and PEFT, and all others stay as they are",
    arguments: [("plain", 0.75, 4), ("metadata", 0.75, 4), ("old", 0.75, 4), ("peft", 1, 6), ("rslora", 1, 2)] as [(String, Float, Int)])
  func merging(name: String, scale: Float, count: Int) throws {
    let base = try base()
    let adapter = try LowRankAdapter(path: "\(fixture.folder)/\(name)")
    let merged = try base.merging([(adapter, scale: scale)])
    let expected = try WeightFiles(file: fixture.folder + "/merged.safetensors")
    var changed = 0
    for weight in base.names {
      let shape = try #require(base[weight]?.shape)
      let values = try merged.floats(weight, shape: shape)
      if expected.contains("\(name)/\(weight)") {
        changed += 1
        let error = difference(values, from: try expected.floats("\(name)/\(weight)", shape: shape))
        #expect(error < 1e-6, "\(weight): \(error)")
        #expect(try merged.tensor(weight, shape: shape).floats()?.elementsEqual(values) == true)
      } else {
        #expect(try values.elementsEqual(base.floats(weight, shape: shape)), "\(weight)")
      }
    }
    #expect(changed == count)
  }

  @Test("The file of an adapter is read like its folder")
  func files() throws {
    for name in ["plain/pytorch_lora_weights.safetensors", "peft/adapter_model.safetensors"] {
      #expect(try LowRankAdapter(path: "\(fixture.folder)/\(name)").path == "\(fixture.folder)/\(name)")
    }
  }

  /// W = [[1, 2], [3, 4]] and an adapter of rank 1: A = [1, 2], B = [3, 5].
  private func weights() throws -> WeightFiles {
    try WeightFiles(
      file: folder.write(safetensors([("m.weight", [2, 2], [1, 2, 3, 4]), ("m.bias", [2], [0, 0])]), name: "base.safetensors"))
  }
  private let down = ("m.lora_A.weight", [1, 2], [1, 2]) as (String, [Int], [Float])
  private let up = ("m.lora_B.weight", [2, 1], [3, 5]) as (String, [Int], [Float])
  private func adapter(
    _ tensors: [(String, [Int], [Float])], metadata: [String: String] = [:], name: String = "lora.safetensors"
  ) throws(WeightsError) -> LowRankAdapter {
    try LowRankAdapter(
      path: folder.write(safetensors(tensors.map { (name: $0.0, shape: $0.1, values: $0.2) }, metadata: metadata), name: name))
  }
  private func merged(_ adapters: [(LowRankAdapter, scale: Float)]) throws -> [Float] {
    try weights().merging(adapters).floats("m.weight", shape: [2, 2])
  }

  @Test("Adapters of one weight add up, each with its scale")
  func several() throws {
    let adapter = try adapter([down, up])
    #expect(try merged([]) == [1, 2, 3, 4])
    #expect(try merged([(adapter, scale: 1)]) == [4, 8, 8, 14])
    #expect(try merged([(adapter, scale: 0)]) == [1, 2, 3, 4])
    #expect(try merged([(adapter, scale: 1), (adapter, scale: -1)]) == [1, 2, 3, 4])
    #expect(try merged([(adapter, scale: 2), (adapter, scale: -1)]) == [4, 8, 8, 14])
  }

  @Test("α is the tensor's, else the pattern's, else the configuration's, else the rank")
  func alphas() throws {
    let configured = ["lora_adapter_metadata": "{\"transformer.lora_alpha\":2,\"transformer.r\":1}"]
    let patterned = ["lora_adapter_metadata": "{\"lora_alpha\":2,\"alpha_pattern\":{\"x.m\":7,\"^m\":3,\"m\":4}}"]
    #expect(try merged([(adapter([down, up], metadata: configured), scale: 1)]) == [7, 14, 13, 24])
    #expect(try merged([(adapter([down, up], metadata: patterned), scale: 1)]) == [10, 20, 18, 34])
    #expect(try merged([(adapter([down, up, ("m.alpha", [], [0.5])], metadata: patterned), scale: 1)]) == [2.5, 5, 5.5, 9])
  }

  @Test("A pattern fits whole parts of a module's name")
  func patterns() throws {
    let metadata = ["lora_adapter_metadata": "{\"alpha_pattern\":{\"m\":7,\"^b.k\":9,\"b\\\\.k\":5}}"]
    for (module, alpha) in [("m", 7), ("a.m", 7), ("am", 1), ("m.a", 1), ("b.k", 9), ("a.b.k", 5), ("bxk", 1)] as [(String, Float)] {
      let weights = try WeightFiles(file: folder.write(safetensors([(module + ".weight", [1, 1], [0])]), name: "base.safetensors"))
      let adapter = try adapter([(module + ".lora_A.weight", [1, 1], [1]), (module + ".lora_B.weight", [1, 1], [1])], metadata: metadata)
      #expect(try weights.merging([(adapter, scale: 1)]).floats(module + ".weight", shape: [1, 1]) == [alpha], "\(module)")
    }
  }

  @Test("With a large rank merging takes milliseconds")
  func speed() throws {
    let (width, rank) = (3072, 128)
    let wide = safetensors(
      header: "{\"m.weight\":{\"dtype\":\"F32\",\"shape\":[\(width),\(width)],\"data_offsets\":[0,\(4 * width * width)]}}",
      data: [UInt8](repeating: 0, count: 4 * width * width))
    let weights = try WeightFiles(file: folder.write(wide, name: "wide.safetensors"))
    let adapter = try adapter([
      ("m.lora_A.weight", [rank, width], [Float](repeating: 0.5, count: rank * width)),
      ("m.lora_B.weight", [width, rank], [Float](repeating: 0.25, count: rank * width)),
    ])
    let merged = try weights.merging([(adapter, scale: 1)])
    var values: [Float] = []
    let time = try processorTime { values = try merged.floats("m.weight", shape: [width, width]) }
    #expect(values.allSatisfy { $0 == 16 })
    #expect(time < .seconds(2))
  }

  @Test("An adapter that does not fit is refused, and its tensor is named")
  func mismatches() throws {
    let weights = try weights()
    for (tensors, scale, tensor, words) in [
      ([("n.lora_A.weight", [1, 2], [1, 2]), ("n.lora_B.weight", [2, 1], [3, 5])], 1, "n.lora_A.weight", "matches no weight"),
      ([("m.lora_A.weight", [1, 3], [1, 2, 3]), up], 1, "m.lora_A.weight", "does not fit"),
      ([("m.lora_A.weight", [1, 2, 1], [1, 2]), up], 1, "m.lora_A.weight", "does not fit"),
      ([down, ("m.lora_B.weight", [3, 1], [1, 2, 3])], 1, "m.lora_B.weight", "does not fit"),
      ([down, up], .nan, nil, "scale nan"),
      ([down, up], .infinity, nil, "scale inf"),
      ([down, up, ("m.alpha", [], [1e30])], 1e20, "m.lora_A.weight", "α is too large"),
    ] as [([(String, [Int], [Float])], Float, String?, String)] {
      let adapter = try adapter(tensors)
      let error = try #require(failure { () throws(WeightsError) in _ = try weights.merging([(adapter, scale: scale)]) })
      #expect(error.path == adapter.path)
      #expect(error.tensor == tensor)
      #expect(error.reason.contains(words), "\(error)")
    }
  }

  @Test("A damaged or unsupported adapter is refused, and its tensor is named")
  func damage() throws {
    for (tensors, tensor, words) in [
      ([down], "m.lora_A.weight", "no lora_B"),
      ([up], "m.lora_B.weight", "no lora_A"),
      ([down, up, ("n.alpha", [], [1])], "n.alpha", "no lora_A"),
      ([down, ("m.lora_B.weight", [1, 2], [1, 2])], "m.lora_B.weight", "[rows, 1]"),
      ([("m.lora_A.weight", [2], [1, 2]), up], "m.lora_A.weight", "[rank, columns]"),
      ([("m.lora_A.weight", [0, 2], []), ("m.lora_B.weight", [2, 0], [])], "m.lora_A.weight", "[rank, columns]"),
      ([down, up, ("m.alpha", [2], [1, 1])], "m.alpha", "one finite number"),
      ([down, up, ("m.alpha", [], [.nan])], "m.alpha", "one finite number"),
      ([down, up, ("m.lora_magnitude_vector", [2], [1, 1])], "m.lora_magnitude_vector", "DoRA"),
      ([down, up, ("m.lora_B.bias", [2], [1, 1])], "m.lora_B.bias", "not supported"),
      ([down, up, ("transformer.m.lora_A.weight", [1, 2], [1, 2])], "transformer.m.lora_A.weight", "twice"),
      ([], nil, "no LoRA factors"),
    ] as [([(String, [Int], [Float])], String?, String)] {
      let error = try #require(failure { () throws(WeightsError) in _ = try adapter(tensors) })
      #expect(error.tensor == tensor)
      #expect(error.reason.contains(words), "\(error)")
    }
    let infinite = try adapter([down, ("m.lora_B.weight", [2, 1], [.infinity, 0])])
    let merged = try weights().merging([(infinite, scale: 1)])
    let error = try #require(failure { () throws(WeightsError) in _ = try merged.floats("m.weight", shape: [2, 2]) })
    #expect(error.tensor == "m.lora_B.weight")
  }

  @Test(
    "A configuration that is damaged, hostile, or asks for what is not supported is refused, and its field is named",
    arguments: [
      ("{\"use_dora\":true}", "use_dora"), ("{\"fan_in_fan_out\":true}", "fan_in_fan_out"), ("{\"bias\":\"all\"}", "bias"),
      ("{\"modules_to_save\":[\"proj_out\"]}", "modules_to_save"), ("{\"peft_type\":\"LOHA\"}", "peft_type"), ("{\"r\":2}", "rank 1"),
      ("{\"r\":0}", "\"r\" is 0"), ("{\"r\":-1}", "\"r\" is -1"), ("{\"r\":1.5}", "\"r\" is 1.5"),
      ("{\"r\":99999999999999999999}", "\"r\" is 1e+20"),
      ("{\"lora_alpha\":1e999}", "float64"), ("{\"lora_alpha\":1e300}", "lora_alpha"), ("{\"lora_alpha\":\"8\"}", "lora_alpha"),
      ("{\"rank_pattern\":{\"m\":2}}", "rank 1"), ("{\"rank_pattern\":{\"m.*\":2}}", "regular expression"),
      ("{\"rank_pattern\":[]}", "rank_pattern"),
      ("{\"alpha_pattern\":{\"m\":null}}", "alpha_pattern"), ("{\"r\":1,\"r\":1}", "twice"), ("[]", "no JSON object"), ("{", "no JSON"),
      (String(repeating: "[", count: 70), "deeper"),
    ])
  func badConfiguration(text: String, words: String) throws {
    let path = folder.write(Array(text.utf8), name: "adapter_config.json")
    let error = try #require(failure { () throws(WeightsError) in _ = try adapter([down, up], name: "adapter_model.safetensors") })
    #expect(error.path == path || error.tensor == "m.lora_A.weight")
    #expect(error.reason.contains(words), "\(error)")
    let inFile = try #require(
      failure { () throws(WeightsError) in _ = try adapter([down, up], metadata: ["lora_adapter_metadata": text]) })
    #expect(inFile.reason.contains(words), "\(inFile)")
  }

  @Test("A PEFT file without its configuration is refused, since its α is unknown")
  func noConfiguration() throws {
    let error = try #require(failure { () throws(WeightsError) in _ = try adapter([down, up], name: "adapter_model.safetensors") })
    #expect(error.kind == .notFound)
    #expect(error.path.hasSuffix("adapter_config.json"))
    #expect(failure { () throws(WeightsError) in _ = try LowRankAdapter(path: "/nonexistent") }?.kind == .notFound)
    #expect(failure { () throws(WeightsError) in _ = try LowRankAdapter(path: fixture.folder + "/model") }?.kind == .notFound)
  }
}
