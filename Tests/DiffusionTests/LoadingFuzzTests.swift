import Diffusion
import Tensors
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Sound files, and hostile pieces to put into them.
private struct Mutator {
  var random: SeededNumbers

  static let hostile: [String] = [
    "-1", "0", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551616", "1e308", "1e999", "-0", "2.5",
    "4294967296",
    "null", "true", "\"\"", "[]", "{}", "\"..\"", "\"../../etc/passwd\"", "\"\\u0000\"", "\"\\ud800\"", "\"model-00009.safetensors\"",
    "\"F64\"", "\"BF16\"",
    String(repeating: "[", count: 5000), String(repeating: "{\"a\":", count: 3000), String(repeating: "9", count: 400), "\u{1}", "NaN",
    "\"lora_A\"",
  ]

  /// JSON's words, each in its bytes: strings, numbers, brackets.
  static func tokens(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
    var tokens: [ArraySlice<UInt8>] = []
    var start = 0
    while start < text.count {
      var end = start + 1
      if text[start] == UInt8(ascii: "\"") {
        while end < text.count, text[end] != UInt8(ascii: "\"") { end += text[end] == UInt8(ascii: "\\") ? 2 : 1 }
        end = min(end + 1, text.count)
      } else if !"{}[]:,".utf8.contains(text[start]) {
        while end < text.count, !"{}[]:,\"".utf8.contains(text[end]) { end += 1 }
      }
      tokens.append(text[start..<end])
      start = end
    }
    return tokens
  }

  mutating func mutate(_ text: [UInt8]) -> [UInt8] {
    var text = text
    for _ in 0..<([1, 1, 1, 2, 3].randomElement(using: &random) ?? 1) where !text.isEmpty {
      switch Int.random(in: 0..<6, using: &random) {
      case 0: text[Int.random(in: text.indices, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: text.removeLast(Int.random(in: 1...text.count, using: &random))
      case 2:
        let index = Int.random(in: text.indices, using: &random)
        text.insert(UInt8.random(in: 0...255, using: &random), at: index)
      default:
        var tokens = Self.tokens(text)
        let index = Int.random(in: tokens.indices, using: &random)
        let other = tokens[Int.random(in: tokens.indices, using: &random)]
        switch Int.random(in: 0..<5, using: &random) {
        case 0: tokens[index] = other
        case 1: tokens.insert(other, at: index)
        case 2: tokens.remove(at: index)
        case 3: tokens[index...index] = [tokens[index], [UInt8(ascii: ",")], tokens[index]]
        default: tokens[index] = ArraySlice((Self.hostile.randomElement(using: &random) ?? "").utf8)
        }
        text = Array(tokens.joined())
      }
    }
    return text
  }

  /// A safetensors file whose header's length is its own, mostly.
  mutating func mutateFile(_ file: [UInt8]) -> [UInt8] {
    let length = file[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = mutate(Array(file[8..<8 + length]))
    var data = Array(file[(8 + length)...])
    if Int.random(in: 0..<8, using: &random) == 0 { data.removeLast(min(data.count, Int.random(in: 1...8, using: &random))) }
    var claimed = UInt64(header.count)
    if Int.random(in: 0..<16, using: &random) == 0 { claimed ^= 1 << UInt64.random(in: 0..<64, using: &random) }
    return (0..<8).map { UInt8(truncatingIfNeeded: claimed >> (8 * $0)) } + header + data
  }
}

/// Random numbers that are the same in every run (SplitMix64).
private struct SeededNumbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

@Suite("Hostile model files", .serialized)
struct LoadingFuzzTests {
  private let folder = TemporaryFolder()
  private let rounds = 4000
  private static let gross = 1 << 30

  private let base = safetensors([("m.weight", [2, 2], [1, 2, 3, 4]), ("n.weight", [2, 2], [1, 2, 3, 4]), ("n.bias", [2], [0, 0])])
  private let lora = safetensors(
    [
      ("transformer.m.lora_A.weight", [1, 2], [1, 2]), ("transformer.m.lora_B.weight", [2, 1], [3, 5]), ("transformer.m.alpha", [], [1]),
    ],
    metadata: [
      "format": "pt",
      "lora_adapter_metadata": "{\"transformer.r\": 1, \"transformer.lora_alpha\": 2, \"transformer.rank_pattern\": {\"m\": 1}}",
    ])

  /// Peak memory of this process so far, in bytes. Other tests run beside these, so that only what is gross can be told.
  private func peak() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }

  /// Runs every round; all throw typed errors or none, and none takes much memory.
  private func fuzz(_ seed: UInt64, least: Int, _ round: (inout Mutator) throws(WeightsError) -> Void) {
    var mutator = Mutator(random: SeededNumbers(state: seed))
    let before = peak()
    var refused = 0
    for _ in 0..<rounds {
      do throws(WeightsError) { try round(&mutator) } catch {
        refused += 1
        if !error.path.hasPrefix(folder.path) || error.reason.isEmpty || error.reason.utf8.count > 4000 { Issue.record("\(error)") }
      }
    }
    #expect(refused > least && refused < rounds)
    #expect(peak() - before < Self.gross)
  }

  /// Reads everything that can be read.
  private func read(_ weights: WeightFiles) throws(WeightsError) {
    _ = weights.byteCount
    for name in weights.names {
      guard let view = weights[name] else { continue }
      _ = try view.floats()
      try weights.check([ExpectedTensor(name, view.shape, types: DataType.allCases)])
    }
    _ = try weights.floats("m.weight", shape: [2, 2])
  }

  /// A new file in place of the old: to write over one again and again makes some file systems wait for the disk.
  @discardableResult
  private func write(_ bytes: [UInt8], name: String) -> String {
    unlink("\(folder.path)/\(name)")
    return folder.write(bytes, name: name)
  }

  @Test("A mutated header is refused with one typed error, or all its tensors lie within the file")
  func headers() {
    fuzz(1, least: rounds / 2) { mutator throws(WeightsError) in
      let path = write(mutator.mutateFile(base), name: "model.safetensors")
      try read(try WeightFiles(file: path))
    }
  }

  @Test("A mutated index is refused with one typed error, or names what is there")
  func indexes() {
    folder.write(base, name: "model-1.safetensors")
    folder.write(lora, name: "model-2.safetensors")
    let map = Array(
      "{\"metadata\":{\"total_size\":60},\"weight_map\":{\"m.weight\":\"model-1.safetensors\",\"n.bias\":\"model-1.safetensors\",\"transformer.m.alpha\":\"model-2.safetensors\"}}"
        .utf8)
    fuzz(2, least: rounds / 2) { mutator throws(WeightsError) in
      write(mutator.mutate(map), name: "model.safetensors.index.json")
      try read(try WeightFiles(folder: folder.path))
    }
  }

  @Test("A mutated model index is refused with one typed error, or its components lie within the folder")
  func modelIndexes() {
    let index = Array(
      "{\"_class_name\":\"CogVideoXPipeline\",\"tokenizer\":[null,null],\"transformer\":[\"diffusers\",\"T\"],\"vae\":[\"diffusers\",\"V\"],\"x\":true}"
        .utf8)
    fuzz(3, least: rounds / 4) { mutator throws(WeightsError) in
      write(mutator.mutate(index), name: "model_index.json")
      let model = try ModelFolder(path: folder.path)
      for (name, known) in model.components {
        let path = try model.component(name, classes: [known])
        if path.dropFirst(folder.path.count + 1).contains("/") || path.hasSuffix("/..") || path.utf8.contains(0) { Issue.record("\(path)") }
      }
      _ = try model.component("transformer", classes: ["T"])
    }
  }

  @Test("A mutated configuration is refused with one typed error, or its fields are in range")
  func configurations() {
    let configuration = Array(
      "{\"_class_name\":\"T\",\"num_layers\":30,\"norm_eps\":1e-05,\"channels\":[128,256],\"bias\":true,\"act\":\"gelu\",\"scale\":[0.5,1.5],\"types\":[\"A\"]}"
        .utf8)
    fuzz(4, least: rounds / 4) { mutator throws(WeightsError) in
      let path = write(mutator.mutate(configuration), name: "config.json")
      let fields = try ConfigurationFields(path: path)
      try fields.className(["T"])
      let layers = try fields.integer("num_layers", default: 30, in: 1...100)
      let epsilon = try fields.number("norm_eps", default: 1e-5, in: 0...1)
      let channels = try fields.integers("channels", default: [128], in: 1...4096, count: 1...8)
      _ = try fields.boolean("bias", default: true)
      _ = try fields.choice("act", ["gelu"], default: "gelu")
      _ = try fields.optionalNumbers("scale", in: -10...10, count: 1...64)
      _ = try fields.words("types", default: [], known: ["A"], count: 0...8)
      if !(1...100).contains(layers) || !(0...1).contains(epsilon) || !(1...8).contains(channels.count) { Issue.record("out of range") }
    }
  }

  @Test("A mutated adapter or its configuration is refused with one typed error, or merged")
  func adapters() throws {
    let weights = try WeightFiles(file: folder.write(base, name: "model.safetensors"))
    let configuration = Array(
      "{\"peft_type\":\"LORA\",\"r\":1,\"lora_alpha\":2,\"alpha_pattern\":{\"m\":3},\"rank_pattern\":{},\"use_rslora\":false,\"bias\":\"none\",\"use_dora\":false}"
        .utf8)
    fuzz(5, least: rounds / 2) { mutator throws(WeightsError) in
      let path = write(mutator.mutateFile(lora), name: "lora.safetensors")
      let merged = try weights.merging([(try LowRankAdapter(path: path), scale: 0.5)])
      _ = try merged.floats("m.weight", shape: [2, 2])
    }
    folder.write(lora, name: "adapter_model.safetensors")
    fuzz(6, least: rounds / 4) { mutator throws(WeightsError) in
      write(mutator.mutate(configuration), name: "adapter_config.json")
      let merged = try weights.merging([(try LowRankAdapter(path: folder.path + "/adapter_model.safetensors"), scale: 0.5)])
      _ = try merged.floats("m.weight", shape: [2, 2])
    }
  }

  @Test("An index of nothing but tensors takes little memory and time")
  func indexBomb() {
    var index = "{\"weight_map\":{"
    for number in 0..<600_000 { index += "\"\(number)\":\"model-1.safetensors\"," }
    folder.write(Array(index.utf8), name: "model.safetensors.index.json")
    let before = peak()
    let time = processorTime {
      #expect(failure { () throws(WeightsError) in _ = try WeightFiles(folder: folder.path) }?.reason.contains("more than") == true)
    }
    #expect(time < .seconds(5))
    #expect(peak() - before < Self.gross)
  }

  @Test("A header of nothing but tensors, of brackets or of numbers takes little memory and time")
  func bombs() {
    let entry = "\"%\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
    var many = "{"
    for index in 0..<300_000 { many += entry.replacing("%", with: "\(index)") }
    var texts = "{\"__metadata__\":{"
    for index in 0..<300_000 { texts += "\"\(index)\":\"\"," }
    let bombs = [
      many, texts, String(repeating: "[", count: 20_000_000), "{\"a\":" + String(repeating: "[0,", count: 5_000_000),
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[" + String(repeating: "1,", count: 5_000_000),
      "{\"a\":{\"x\":[" + String(repeating: "1,", count: 5_000_000),
    ]
    for bomb in bombs {
      let path = folder.write(safetensors(header: bomb, data: []), name: "model.safetensors")
      let before = peak()
      let time = processorTime {
        #expect(failure { () throws(WeightsError) in _ = try WeightFiles(file: path) }?.kind == .malformed)
      }
      #expect(time < .seconds(5))
      #expect(peak() - before < Self.gross)
    }
  }
}
