import Diffusion
import Tensors
import Testing

let transformerFixture = Fixture("transformer")

func loadTransformer(_ kind: String, _ type: DataType = .float32, threads: Int = 2, residency: Residency = .all) throws
  -> CogVideoXTransformer
{
  try CogVideoXTransformer(folder: transformerFixture.folder + "/" + kind, compute: Compute(type, threads: threads), residency: residency)
}

func latents(_ name: String) throws -> Latents {
  let (values, shape) = try transformerFixture.floats(name)
  try #require(shape.count == 4)
  return Latents(values, frames: shape[0], channels: shape[1], height: shape[2], width: shape[3])
}

/// Text embeddings of the fixture, the first so many tokens of each.
func texts(_ tokens: [Int]) throws -> [Matrix] {
  let (values, shape) = try transformerFixture.floats("texts")
  return tokens.enumerated().map { index, count in
    let first = index * shape[1] * shape[2]
    return Matrix(Array(values[first..<first + count * shape[2]]), rows: count, columns: shape[2])
  }
}

@Suite("CogVideoX's transformer")
struct TransformerTests {
  static let kinds = ["2b", "5b", "v15"]
  static let cases = kinds.flatMap { kind in [("base", 999.0), ("late", 19), ("wide", 500), ("tall", 500)].map { (kind, $0.0, $0.1) } }

  func run(_ model: CogVideoXTransformer, _ kind: String, _ name: String, _ time: Double) throws -> [Float] {
    let input = try latents("\(kind).\(name).latents")
    let (values, shape) = try transformerFixture.floats("text")
    let text = try model.project(text: Matrix(values, rows: shape[0], columns: shape[1]))
    let layout = try model.layout(texts: [5], shots: [input.frames], height: input.height, width: input.width)
    return try model(TransformerPass(layout: layout, latents: input, projected: [text], time: time) { _ in .full(layout) }).prediction
      .values
  }

  @Test("Its prediction is diffusers', at every size, timestep and kind of positions", arguments: cases)
  func plain(kind: String, name: String, time: Double) throws {
    let expected = try transformerFixture.floats("\(kind).\(name).output").values
    #expect(difference(try run(loadTransformer(kind), kind, name, time), from: expected) < 1e-4)
  }

  @Test("In bfloat16 it is within 2 % of float32", .enabled(if: !ComputeLibrary.hasOnlyFloat32), arguments: kinds)
  func narrow(kind: String) throws {
    let expected = try transformerFixture.floats("\(kind).base.output").values
    #expect(relativeRMS(try run(loadTransformer(kind, .bfloat16), kind, "base", 999), from: expected) < 0.02)
  }

  @Test("With weights of bytes it is within 2 % of float32", .enabled(if: ComputeLibrary.hasInt8), arguments: kinds)
  func bytes(kind: String) throws {
    let expected = try transformerFixture.floats("\(kind).base.output").values
    let result = try run(loadTransformer(kind, .int8), kind, "base", 999)
    #expect(relativeRMS(result, from: expected) < 0.02)
    #expect(try run(loadTransformer(kind, .int8, threads: 1, residency: .block), kind, "base", 999) == result)
    // Bytes were multiplied indeed.
    #expect(try run(loadTransformer(kind, .bfloat16), kind, "base", 999) != result)
  }

  @Test("It computes the same whatever stays in memory, and on however many threads", arguments: kinds)
  func residency(kind: String) throws {
    let all = try run(loadTransformer(kind), kind, "base", 999)
    let block = try loadTransformer(kind, residency: .block)
    #expect(try run(block, kind, "base", 999) == all)
    #expect(try run(block, kind, "base", 999) == all)
    #expect(try run(loadTransformer(kind, threads: 1), kind, "base", 999) == all)
    #expect(try run(loadTransformer(kind, threads: 5), kind, "base", 999) == all)
  }

  /// Three scenes of which the first two are conditions at timestep 0.
  func scenes(_ model: CogVideoXTransformer, _ mask: (SequenceLayout) -> AttentionMask, _ positions: PositionRule) throws -> [Float] {
    let input = try latents("scenes.latents")
    let layout = try model.layout(texts: [5, 5, 5], shots: [3, 3, 3], height: input.height, width: input.width)
    let mask = mask(layout)
    var pass = TransformerPass(layout: layout, latents: input, projected: try texts([5, 5, 5]).map(model.project), time: 700) { _ in mask }
    (pass.textTimes, pass.shotTimes) = ([0, 0, 700], [0, 0, 700])
    pass.positions = positions
    return try model(pass).prediction.values
  }

  static let variants = ["2b", "5b"].flatMap { kind in AttentionMask.Mask2DiT.allCases.map { (kind, $0) } }

  @Test("Mask²DiT's masks and segment-level condition are those of a dense mask and a timestep a token", arguments: variants)
  func mask2dit(kind: String, variant: AttentionMask.Mask2DiT) throws {
    let expected = try transformerFixture.floats("\(kind).\(variant.rawValue)").values
    let result = try scenes(loadTransformer(kind), { .mask2dit(variant, $0) }, kind == "2b" ? .stretched(sceneFrames: 3) : .continuous)
    #expect(difference(result, from: expected) < 1e-5)
  }

  @Test("The segment-causal mask is that of a dense mask", arguments: ["2b", "5b"])
  func causal(kind: String) throws {
    let expected = try transformerFixture.floats("\(kind).causal").values
    #expect(difference(try scenes(loadTransformer(kind), { .segmentCausal($0) }, .continuous), from: expected) < 1e-5)
  }

  @Test("CineTrans's masks on some layers are those of a dense mask", arguments: [("visible", true), ("hidden", false)])
  func cineTrans(name: String, isVisible: Bool) throws {
    let model = try loadTransformer("5b")
    let input = try latents("scenes.latents")
    let tokens = [5, 3, 4, 2]
    let layout = try model.layout(texts: tokens, shots: [2, 4, 3], height: input.height, width: input.width)
    let mask = CineTrans(layers: 1...1, isFirstFrameVisible: isVisible).mask(layout)
    let pass = TransformerPass(layout: layout, latents: input, projected: try texts(tokens).map(model.project), time: 700) {
      $0 == 1 ? mask : .full(layout)
    }
    let expected = try transformerFixture.floats("5b.cinetrans.\(name)").values
    #expect(difference(try model(pass).prediction.values, from: expected) < 1e-5)
  }

  @Test("Kept keys give what computing all anew gives", arguments: ["2b", "5b"])
  func kept(kind: String) throws {
    let model = try loadTransformer(kind)
    let input = try latents("scenes.latents")
    let expected = try scenes(model, { .segmentCausal($0) }, .continuous)
    let projected = try texts([5, 5, 5]).map(model.project)
    let layout = try model.layout(texts: [5, 5, 5], shots: [3, 3, 3], height: input.height, width: input.width)
    let mask = AttentionMask.segmentCausal(layout)
    // One scene after the other, each with what was kept of those before it.
    var kept: [KeptKeys] = []
    var result: [Float] = []
    for scene in 0..<3 {
      let frames = layout.frames(ofShot: scene)
      var pass = TransformerPass(layout: layout, latents: input[frames], projected: [projected[scene]], time: 700) { _ in mask }
      (pass.frames, pass.texts, pass.textTimes, pass.shotTimes) = (frames, scene..<scene + 1, [0, 0, 700], [0, 0, 700])
      (pass.kept, pass.keeps) = (kept, true)
      let (prediction, keys) = try model(pass)
      kept.append(try #require(keys))
      result += prediction.values
    }
    #expect(difference(result, from: expected) < 1e-6)
  }

  @Test(
    "With no mask and one segment Mask²DiT's path is plain CogVideoX to the bit", arguments: ["2b", "5b"], [DataType.float32, .bfloat16])
  func single(kind: String, type: DataType) throws {
    let model = try loadTransformer(kind, type)
    let plain = try run(model, kind, "base", 999)
    let input = try latents("\(kind).base.latents")
    let (values, shape) = try transformerFixture.floats("text")
    let text = try model.project(text: Matrix(values, rows: shape[0], columns: shape[1]))
    let layout = try model.layout(texts: [5], shots: [3], height: input.height, width: input.width)
    for variant in AttentionMask.Mask2DiT.allCases {
      let mask = AttentionMask.mask2dit(variant, layout)
      var pass = TransformerPass(layout: layout, latents: input, projected: [text], time: 999) { _ in mask }
      pass.positions = .stretched(sceneFrames: 3)
      #expect(try model(pass).prediction.values == plain)
    }
  }

  @Test("The published models have as many parameters as published")
  func parameters() throws {
    var configuration = TransformerConfiguration()
    #expect(try configuration.parameters() == 1_693_783_872)
    (configuration.heads, configuration.layers, configuration.isRotary) = (48, 42, true)
    #expect(try configuration.parameters() == 5_570_283_072)
  }

  @Test("What stays in memory of the published models is what the README says, in megabytes")
  func residentBytes() throws {
    var configuration = TransformerConfiguration()
    for expected in [[4100, 6780, 160, 270], [12740, 22280, 350, 600]] {
      let found = try [Residency.all, .block].flatMap { residency in
        try [DataType.bfloat16, .float32].map { try configuration.residentBytes($0, blocks: $0, residency) }
      }
      #expect(zip(found, expected).allSatisfy { abs($0 - $1 * 1_000_000) <= 5_000_000 }, "\(found)")
      (configuration.heads, configuration.layers, configuration.isRotary) = (48, 42, true)
    }
    // Of a block four square matrices, and two that are four times as large, are bytes then.
    let (wide, narrow) = (
      try configuration.residentBytes(.bfloat16, blocks: .bfloat16, .all), try configuration.residentBytes(.bfloat16, blocks: .int8, .all)
    )
    #expect(wide - narrow == 42 * 12 * configuration.width * configuration.width)
  }

  @Test("A pass can be stopped before each block")
  func cancelled() throws {
    let model = try loadTransformer("2b")
    let input = try latents("2b.base.latents")
    let layout = try model.layout(texts: [5], shots: [3], height: 6, width: 8)
    let pass = TransformerPass(layout: layout, latents: input, projected: try texts([5]).map(model.project), time: 1) { _ in .full(layout) }
    for blocks in 0...2 {
      var left = blocks
      #expect(throws: DiffusionError.cancelled) {
        try model(
          pass,
          check: {
            if left == 0 { throw DiffusionError.cancelled }
            left -= 1
          })
      }
    }
  }

  @Test("Latents and texts of another size are errors")
  func sizes() throws {
    let model = try loadTransformer("2b")
    #expect(throws: DiffusionError.self) { try model.layout(texts: [5], shots: [3], height: 5, width: 8) }
    #expect(throws: DiffusionError.self) { try model.layout(texts: [5], shots: [], height: 6, width: 8) }
    #expect(throws: DiffusionError.self) { try model.layout(texts: [5], shots: [0], height: 6, width: 8) }
    #expect(throws: DiffusionError.self) { try loadTransformer("v15").layout(texts: [5], shots: [3], height: 6, width: 8) }
    #expect(throws: DiffusionError.self) { try model.project(text: Matrix(rows: 5, columns: 25)) }
    let layout = try model.layout(texts: [5], shots: [3], height: 6, width: 8)
    let text = try texts([5]).map(model.project)
    let other = Latents([Float](repeating: 0, count: 2 * 4 * 6 * 8), frames: 2, channels: 4, height: 6, width: 8)
    #expect(throws: DiffusionError.self) {
      try model(TransformerPass(layout: layout, latents: other, projected: text, time: 1) { _ in .full(layout) })
    }
    #expect(throws: DiffusionError.self) {
      try model(TransformerPass(layout: layout, latents: latents("2b.base.latents"), projected: [], time: 1) { _ in .full(layout) })
    }
  }
}
