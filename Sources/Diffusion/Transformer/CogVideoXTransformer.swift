import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How much of a model's weights stays in memory between uses.
public enum Residency: String, CaseIterable, Hashable, Sendable {
  /// All of them, in the order and the type that products read.
  case all
  /// Those of one block at a time: each is read from the file again when its turn comes.
  case block
}

/// CogVideoX's transformer: latents, texts and a timestep in, the model's prediction for the latents out.
///
/// ```swift
/// let transformer = try CogVideoXTransformer(folder: "CogVideoX-2b/transformer", compute: compute)
/// let layout = try transformer.layout(texts: [226], shots: [13], height: 60, width: 90)
/// let text = try transformer.project(text: embedding)
/// let pass = TransformerPass(layout: layout, latents: latents, projected: [text], time: 999) { _ in .full(layout) }
/// let velocity = try transformer(pass).prediction
/// ```
///
/// Memory besides ``residentBytes`` is ``activationBytes(tokens:)``, linear in the tokens.
///
/// Source: diffusers, `CogVideoXTransformer3DModel`; Yang et al., https://arxiv.org/abs/2408.06072.
public final class CogVideoXTransformer {
  /// From `config.json`: channels, layers, patches and the kind of positions.
  public let configuration: TransformerConfiguration
  /// Names of tensors in the files that this model has no use for.
  public let unused: [String]
  private let weights: WeightReader
  private let compute: Compute
  private let residency: Residency
  private var blocks: [Int: TransformerBlock] = [:]
  /// Timesteps whose modulations are there already, and SiLU of their embeddings.
  private var known: (times: [Double], activated: Matrix)?
  private let ends: TransformerEnds

  /// - Parameters:
  ///   - folder: with `config.json` and weights, as diffusers saves them.
  ///   - adapters: LoRA files that are merged as the weights are read, each with a factor.
  /// - Throws: `WeightsError` for whatever in the folder is not as the configuration says; all is checked before this returns,
  ///   but for numbers that are not finite, which are found when a layer is read.
  public convenience init(
    folder: String, compute: Compute, residency: Residency = .all, adapters: [(LowRankAdapter, scale: Float)] = []
  ) throws {
    let configuration = try TransformerConfiguration(path: folder + "/config.json")
    let files = try WeightFiles(folder: folder)
    let unused = try files.check(configuration.tensors(of: files))
    try self.init(configuration, adapters.isEmpty ? files : files.merging(adapters), unused: unused, compute: compute, residency: residency)
  }

  private init(
    _ configuration: TransformerConfiguration, _ weights: WeightFiles, unused: [String], compute: Compute, residency: Residency
  ) throws {
    self.configuration = configuration
    self.weights = WeightReader(weights)
    self.unused = unused
    self.compute = compute
    self.residency = residency
    ends = try TransformerEnds(configuration, self.weights, type: compute.type)
  }

  /// Bytes of the weights that stay in memory once they were all used.
  ///
  /// With `int8`, layers whose weights stay wider take more than is counted here.
  public var residentBytes: Int {
    get throws(WeightsError) {
      try configuration.residentBytes(compute.type, blocks: compute.weights, residency)
    }
  }

  /// Bytes that a pass over so many tokens takes at most besides the weights, what is kept for later and some megabytes a thread.
  ///
  /// With N tokens of width D and e bytes of the products' type: 4·N·D each for the hidden state and what is added to it, and
  /// e·N·D for the normalised tokens, keys and values each; and beside them either queries and what attention gave, e·N·D each, or
  /// the feed-forward layer's inner numbers of at most 4,096 tokens at once, 4·e·D a token.
  public func activationBytes(tokens: Int) -> Int {
    let (size, width) = (compute.type.size, configuration.width)
    return (8 + 3 * size) * tokens * width + max(2 * size * tokens, 4 * size * min(tokens, TransformerBlock.tokensAtOnce)) * width
  }

  /// The sequence for latents of a size.
  ///
  /// - Parameters:
  ///   - texts: tokens of each text block.
  ///   - shots: latent frames of each shot.
  ///   - height, width: of latents.
  /// - Throws: ``DiffusionError/size(_:)`` if the latents do not come out even in patches.
  public func layout(texts: [Int], shots: [Int], height: Int, width: Int) throws -> SequenceLayout {
    let (patch, depth) = (configuration.patch, configuration.patchFrames ?? 1)
    guard height > 0, width > 0, height % patch == 0, width % patch == 0 else {
      throw DiffusionError.size("latents of \(width) × \(height) are no whole number of patches of \(patch) × \(patch)")
    }
    guard !shots.isEmpty, shots.allSatisfy({ $0 > 0 && $0 % depth == 0 }) else {
      throw DiffusionError.size("shots of \(shots) latent frames are no whole number of patches of \(depth) frames")
    }
    return SequenceLayout(texts: texts, shots: shots.map { $0 / depth }, tokensPerFrame: (height / patch) * (width / patch))
  }

  /// A text's embedding as the blocks take it, which is the same in every step: `[tokens][text_embed_dim]` → `[tokens][D]`.
  ///
  /// - Parameter text: float32 or the products' type.
  public func project(text: Matrix) throws -> Matrix {
    guard text.columns == configuration.textWidth else {
      throw DiffusionError.size("a text embedding of \(text.columns) numbers a token, not \(configuration.textWidth)")
    }
    return try ends.textProjection(text.converted(to: compute.type, on: compute), type: .float32, on: compute)
  }

  /// Runs the transformer once.
  ///
  /// - Parameters:
  ///   - probe: measures attention; the pass must be over all of its sequence.
  ///   - check: called before each block; what it throws ends the pass.
  /// - Returns: the prediction for the frames of `pass.outputs`, with none for an empty range; and the keys and values of what
  ///   was computed if the pass keeps them.
  public func callAsFunction(
    _ pass: TransformerPass, probe: AttentionProbe? = nil, check: () throws -> Void = {}
  ) throws -> (prediction: Latents, kept: KeptKeys?) {
    try validate(pass, probe)
    let layout = pass.layout
    let patch = configuration.patch
    let depth = configuration.patchFrames ?? 1
    let (rows, columns) = (pass.latents.height / patch, pass.latents.width / patch)
    let positions = Positions(configuration: configuration, rows: rows, columns: columns)
    let absolute = pass.firstFrame + pass.frames.lowerBound..<pass.firstFrame + pass.frames.upperBound
    let count = pass.firstFrame + layout.frames
    let firstVideo = pass.projected.reduce(0) { $0 + $1.rows }

    // [texts; video] → [N, D]
    let hidden = try embed(pass, positions, absolute, of: count, firstVideo: firstVideo)
    let rotation = configuration.isRotary ? positions.rotary(frames: absolute, of: count, pass.positions) : nil

    let (times, spans) = try spans(pass, firstVideo: firstVideo)
    var kept: [(keys: Matrix, values: Matrix)] = []
    var groups: (mask: AttentionMask, groups: [AttentionGroup])?
    for layer in 0..<configuration.layers {
      try check()
      let mask = pass.mask(layer)
      if groups?.mask != mask { groups = (mask, mask.attentionGroups(rows: pass.rows, kept: pass.kept.map(\.tokens))) }
      let keyValues = try block(layer)(
        hidden, times: times, spans: spans, rotation: rotation, firstVideo: firstVideo, groups: groups?.groups ?? [],
        kept: pass.kept.map { $0.layers[layer] },
        probe: probe.map { probe in { try probe.see(layer, $0, $1, heads: self.configuration.heads, layout, mask, on: self.compute) } },
        on: compute)
      if pass.keeps { kept.append(keyValues) }
    }
    try check()

    let outputs = pass.outputs ?? pass.frames
    let prediction = try finish(hidden, outputs, pass, times: times, spans: spans, firstVideo: firstVideo, tokensPerFrame: rows * columns)
    return (
      Patches(channels: configuration.outChannels, size: patch, frames: configuration.patchFrames)
        .latents(prediction, height: outputs.isEmpty ? patch : pass.latents.height, width: outputs.isEmpty ? patch : pass.latents.width)
        .trimmed(to: outputs.count * depth),
      pass.keeps ? KeptKeys(tokens: pass.rows, layers: kept) : nil
    )
  }

  private func validate(_ pass: TransformerPass, _ probe: AttentionProbe?) throws {
    let depth = configuration.patchFrames ?? 1
    let layout = try layout(
      texts: pass.layout.texts, shots: pass.layout.shots.map { $0 * depth }, height: pass.latents.height, width: pass.latents.width)
    guard layout == pass.layout, pass.latents.channels == configuration.inChannels, pass.latents.frames == pass.frames.count * depth,
      pass.frames.upperBound <= layout.frames
    else {
      throw DiffusionError.size(
        """
        \(pass.latents.frames) latent frames of \(pass.latents.channels) channels for frames \(pass.frames) of \
        \(layout.frames), of \(configuration.inChannels) channels
        """
      )
    }
    let bytes = activationBytes(tokens: layout.tokens)
    guard bytes < physicalMemory else {
      throw DiffusionError.size("\(layout.tokens) tokens take \(bytes >> 20) MiB, where this machine has \(physicalMemory >> 20)")
    }
    guard pass.projected.count == pass.texts.count,
      zip(pass.projected, pass.texts).allSatisfy({ $0.rows == layout.texts[$1] && $0.columns == configuration.width }),
      pass.textTimes.count == layout.texts.count, pass.shotTimes.count == layout.shots.count
    else { throw DiffusionError.size("texts or timesteps that do not match the sequence") }
    guard probe == nil || pass.rows.reduce(0, { $0 + $1.count }) == layout.tokens else {
      throw DiffusionError.setting("an attention probe for a part of a sequence")
    }
    guard pass.kept.allSatisfy({ $0.layers.count == configuration.layers }) else { throw DiffusionError.size("keys of another model") }
  }

  /// Tokens with their positions: `[N][D]` of float32.
  private func embed(_ pass: TransformerPass, _ positions: Positions, _ frames: Range<Int>, of count: Int, firstVideo: Int) throws -> Matrix
  {
    let patches = Patches(channels: configuration.inChannels, size: configuration.patch, frames: configuration.patchFrames)
    let tokens = try patches.tokens(pass.latents, type: compute.type, on: compute)
    let hidden = Matrix(rows: firstVideo + tokens.rows, columns: configuration.width)
    var row = 0
    for text in pass.projected {
      hidden.row(row).copyMemory(from: text.base, byteCount: text.rows * text.rowSize)
      row += text.rows
    }
    try ends.patchProjection(tokens, rows: 0..<tokens.rows, to: hidden, row: firstVideo, on: compute)
    guard !configuration.isRotary else { return hidden }
    let (time, space) = positions.sincos(frames: frames, of: count, pass.positions)
    let (width, timeWidth, perFrame) = (configuration.width, configuration.width / 4, positions.rows * positions.columns)
    try compute.forEachRow(tokens.rows) { token, _ in
      let numbers = hidden.row(firstVideo + token).assumingMemoryBound(to: Float.self)
      for index in 0..<timeWidth { numbers[index] += time[token / perFrame * timeWidth + index] }
      for index in timeWidth..<width { numbers[index] += space[token % perFrame * (width - timeWidth) + index - timeWidth] }
    }
    return hidden
  }

  /// SiLU of the embeddings of all timesteps that there are, `[times][time_embed_dim]`, and which rows have which.
  private func spans(_ pass: TransformerPass, firstVideo: Int) throws -> (times: Matrix, spans: [TransformerBlock.Span]) {
    var times: [Double] = []
    func index(_ time: Double) -> Int {
      if let index = times.firstIndex(of: time) { return index }
      times.append(time)
      return times.count - 1
    }
    var spans: [TransformerBlock.Span] = []
    func append(_ span: TransformerBlock.Span) {
      if let last = spans.last, last.time == span.time, last.isText == span.isText, last.rows.upperBound == span.rows.lowerBound {
        spans[spans.count - 1].rows = last.rows.lowerBound..<span.rows.upperBound
      } else if !span.rows.isEmpty {
        spans.append(span)
      }
    }
    var row = 0
    for text in pass.texts {
      append(.init(rows: row..<row + pass.layout.texts[text], time: index(pass.textTimes[text]), isText: true))
      row += pass.layout.texts[text]
    }
    for shot in pass.layout.shots.indices {
      let frames = pass.layout.frames(ofShot: shot).clamped(to: pass.frames)
      let first = firstVideo + (frames.lowerBound - pass.frames.lowerBound) * pass.layout.tokensPerFrame
      append(.init(rows: first..<first + frames.count * pass.layout.tokensPerFrame, time: index(pass.shotTimes[shot]), isText: false))
    }
    if let known, times.allSatisfy(known.times.contains) {
      for index in spans.indices { spans[index].time = known.times.firstIndex(of: times[spans[index].time]) ?? 0 }
      return (known.activated, spans)
    }
    return (try activated(times), spans)
  }

  /// linear → SiLU → linear, and the SiLU that every layer begins with: `[times][time_embed_dim]`
  private func activated(_ times: [Double]) throws -> Matrix {
    let embedded = Matrix(
      times.flatMap { timestepEmbedding($0, width: configuration.width) }, rows: times.count, columns: configuration.width)
    let inner = try ends.timeLayers.0(embedded, activation: .swish, on: compute)
    return try ends.timeLayers.1(inner, activation: .swish, on: compute)
  }

  /// Makes the modulations of all timesteps that there will be, which then cost nothing in each step, if they are few enough to be
  /// kept and all weights are.
  func prepare(times: [Double]) throws {
    let times = Set(times).sorted()
    guard residency == .all, known?.times != times else { return }
    known = nil
    guard times.count * 12 * configuration.width * configuration.layers * 4 <= Self.largestKept else { return }
    let activated = try activated(times)
    for layer in 0..<configuration.layers { try block(layer).prepare(activated, on: compute) }
    known = (times, activated)
  }

  /// Bytes: those of 50 steps of a model of 12 layers 384 wide are 11 MB, those of CogVideoX-2B 138 MB.
  private static let largestKept = 32 << 20

  /// The last normalisations and the projection, of the frames that come out: `[tokens][outputs]` of float32.
  private func finish(
    _ hidden: Matrix, _ outputs: Range<Int>, _ pass: TransformerPass, times: Matrix, spans: [TransformerBlock.Span], firstVideo: Int,
    tokensPerFrame: Int
  ) throws -> Matrix {
    let first = firstVideo + (outputs.lowerBound - pass.frames.lowerBound) * tokensPerFrame
    let rows = first..<first + outputs.count * tokensPerFrame
    guard !rows.isEmpty else { return Matrix(rows: 0, columns: configuration.outputs) }
    let part = Matrix(rows: rows.count, columns: configuration.width)
    part.base.copyMemory(from: hidden.row(first), byteCount: rows.count * hidden.rowSize)
    let normal = try compute.normalize(
      part, scale: ends.finalNorm.scale, shift: ends.finalNorm.shift, epsilon: configuration.epsilon, type: .float32)
    let factors = try ends.outputModulation(times, on: compute)
    let modulated = try compute.normalize(
      normal, scale: ends.outputNorm.scale, shift: ends.outputNorm.shift, epsilon: configuration.epsilon,
      modulations: spans.compactMap { span in
        let both = span.rows.clamped(to: rows)
        guard !both.isEmpty else { return nil }
        let factor = UnsafePointer(factors.row(span.time).assumingMemoryBound(to: Float.self))
        return .init(rows: both.lowerBound - first..<both.upperBound - first, shift: factor, scale: factor + configuration.width)
      })
    defer { withExtendedLifetime(factors) {} }
    return try ends.outputProjection(modulated, type: .float32, on: compute)
  }

  private func block(_ layer: Int) throws -> TransformerBlock {
    if let block = blocks[layer] { return block }
    let block = try TransformerBlock(layer, configuration, weights, type: compute.weights)
    if residency == .all { blocks[layer] = block }
    return block
  }
}

extension Latents {
  /// No frames at all keep their size in name only.
  fileprivate func trimmed(to count: Int) -> Latents { frames == count ? self : self[0..<count] }
}

/// Bytes that the machine has; no request for more can be fulfilled.
let physicalMemory = max(1, sysconf(Int32(_SC_PHYS_PAGES))) * max(1, sysconf(Int32(_SC_PAGESIZE)))
