/// A 3×3×3 convolution of a video that looks back and never ahead: yₜ = w₀·xₜ₋₂ + w₁·xₜ₋₁ + w₂·xₜ + b.
///
/// Frames before the first are the first; a video in chunks goes on with the last two frames of the chunk before. In a
/// frame there are zeros around it. Two frames are made with four 2D convolutions where the sum above takes six:
///
///     y₀ = w₀·(x₀ − x₂) + ½(w₀ + w₁ + w₂)·(x₁ + x₂) + ½(w₀ − w₁ + w₂)·(x₂ − x₁)
///     y₁ = w₂·(x₃ − x₁) + ½(w₀ + w₁ + w₂)·(x₁ + x₂) − ½(w₀ − w₁ + w₂)·(x₂ − x₁)
///
/// Source: CogVideoXCausalConv3d of diffusers; Winograd's F(2, 3) as in Lavin and Gray, https://arxiv.org/abs/1509.09308,
/// along time.
public final class CausalConvolution {
  /// Channels of the frames that go in.
  public let inputs: Int
  /// Channels of the frames that come out.
  public let outputs: Int
  private let type: DataType
  private let weights: DerivedWeights
  /// Those of x₀ − x₂, x₁ + x₂, x₂ − x₁ and x₃ − x₁.
  private let old: BandedConvolution
  private let sum: BandedConvolution
  private let change: BandedConvolution
  private let new: BandedConvolution

  /// - Parameters:
  ///   - bias: `outputs` values.
  ///   - weights: `[outputs][inputs][3][3][3]`, frames before rows and columns; asked for once, or again if frames of another
  ///     size want another order.
  public init(inputs: Int, outputs: Int, bias: [Float], type: DataType, weights: @escaping () throws -> [Float]) {
    self.inputs = inputs
    self.outputs = outputs
    self.type = type
    let derived = DerivedWeights(weights)
    self.weights = derived
    let settings = BandedConvolution.Settings(inputs: inputs, outputs: outputs, type: type)
    func convolution(_ factors: (Float, Float, Float), bias: [Float]? = nil) -> BandedConvolution {
      BandedConvolution(
        settings, bias: bias, weights: derived.packed(shape: [outputs, inputs, 3, 3], type: type) { Self.taps($0, factors) })
    }
    old = convolution((1, 0, 0))
    // Both frames have this one's bias.
    sum = convolution((0.5, 0.5, 0.5), bias: bias)
    change = convolution((0.5, -0.5, 0.5))
    new = convolution((0, 0, 1))
  }

  /// Σ factorₜ·wₜ for each output, input, row and column.
  private static func taps(_ weights: [Float], _ factors: (Float, Float, Float)) -> [Float] {
    let kernels = weights.count / 27
    return [Float](unsafeUninitializedCapacity: kernels * 9) { taps, initialized in
      for kernel in 0..<kernels {
        for place in 0..<9 {
          let first = kernel * 27 + place
          taps[kernel * 9 + place] = factors.0 * weights[first] + factors.1 * weights[first + 9] + factors.2 * weights[first + 18]
        }
      }
      initialized = kernels * 9
    }
  }

  /// - Parameters:
  ///   - source: in the products' element type, at least one frame.
  ///   - past: the last two frames of the chunk before, nil for the first chunk; then those of this chunk.
  ///   - base: what the result is added to, in its place; nil for nothing.
  ///   - check: called by the caller's thread before each band of rows; what it throws ends the work.
  /// - Returns: `[count][height][width][outputs]` in float32.
  public func callAsFunction(
    _ source: Frames, past: inout Frames?, addingTo base: Frames? = nil, on compute: Compute, check: () throws -> Void = {}
  ) throws -> Frames {
    precondition(source.channels == inputs && source.type == type && source.count > 0, "frames of other channels or another type")
    if let past {
      precondition(past.count == 2 && past.area == source.area && past.channels == inputs && past.type == type, "a past of another shape")
    }
    let result = base ?? Frames(count: source.count, height: source.height, width: source.width, channels: outputs)
    precondition(
      result.count == source.count && result.area == source.area && result.channels == outputs && result.type == .float32,
      "a base of another shape")

    // x₋₂, x₋₁, x₀, …
    let frames = (0..<2).map { past?.frame($0) ?? source.frame(0) } + (0..<source.count).map { source.frame($0) }
    // A first frame that has nothing before it is w₀ + w₁ + w₂ times itself; others come in pairs as far as they do.
    let isAlone = past == nil && source.count % 2 == 1
    let firsts = (isAlone ? [0] : []) + stride(from: isAlone ? 1 : 0, to: source.count, by: 2)
    let bands = sum.bands(height: source.height, width: source.width, most: BandedConvolution.most(source.height, source.width))
    let hasPairs = firsts.count > (isAlone ? 1 : 0)
    try weights.whileHeld {
      try sum.prepare(bands, accumulates: Set((hasPairs ? [false] : []) + (isAlone ? [base != nil] : [])), threads: compute.threads)
      if hasPairs {
        try change.prepare(bands, accumulates: [false], threads: compute.threads)
        for convolution in [old, new] { try convolution.prepare(bands, accumulates: [true], threads: compute.threads) }
      }
    }
    try compute.forEach(firsts.count * bands.count) { piece, thread in
      if thread == 0 { try check() }
      let first = firsts[piece / bands.count]
      let band = bands[piece % bands.count]
      let start = band.source.lowerBound * source.width * source.matrix.rowSize
      let place = BandPlace(
        band: band, result: result, isAdded: base != nil, first: first, count: band.source.count * source.width * inputs, thread: thread)
      if isAlone, first == 0 {
        try alone(frames[2] + start, place, on: compute)
      } else {
        // x₃ is read only where there is a second frame.
        let last = first + 1 < source.count ? frames[first + 3] + start : nil
        try pair((frames[first] + start, frames[first + 1] + start, frames[first + 2] + start, last), place, on: compute)
      }
    }
    let pairs = source.count / 2
    let products = 4 * pairs + (isAlone ? 1 : 3 * (source.count % 2))
    compute.count(operations: Double(products) * sum.operations(height: source.height, width: source.width))

    let kept = Frames(count: 2, height: source.height, width: source.width, channels: inputs, type: type)
    for (index, frame) in frames.suffix(2).enumerated() {
      kept.frame(index).copyMemory(from: frame, byteCount: source.area * source.matrix.rowSize)
    }
    past = kept
    return result
  }

  /// A band of one or two frames of the result.
  private struct BandPlace {
    var band: BandedConvolution.Band
    var result: Frames
    var isAdded: Bool
    var first: Int
    /// Numbers of the band in one frame of the source.
    var count: Int
    var thread: Int

    func row(_ frame: Int) -> UnsafeMutableRawPointer {
      result.matrix.row((first + frame) * result.area + band.rows.lowerBound * result.width)
    }

    /// Numbers of the band in one frame of the result.
    var resultCount: Int { band.rows.count * result.width * result.channels }
  }

  /// ½(w₀ + w₁ + w₂)·(x + x) + b
  private func alone(_ x: UnsafeMutableRawPointer, _ place: BandPlace, on compute: Compute) throws {
    let doubled = compute.scratch(place.thread, byteCount: place.count * type.size)
    if type == .bfloat16 {
      mapRow(place.count, x, BFloat16.self, to: doubled, BFloat16.self) { $1 + $1 }
    } else {
      mapRow(place.count, x, Float32.self, to: doubled, Float32.self) { $1 + $1 }
    }
    try sum.run(place.band, doubled, to: place.row(0), accumulates: place.isAdded, thread: place.thread, on: compute)
  }

  private typealias Pointer = UnsafeMutableRawPointer

  private func pair(_ x: (Pointer, Pointer, Pointer, Pointer?), _ place: BandPlace, on compute: Compute) throws {
    let (count, resultCount, thread) = (place.count, place.resultCount, place.thread)
    let sourceSize = (count * type.size + 63) / 64 * 64
    let resultSize = (resultCount * 4 + 63) / 64 * 64
    let mixed = compute.scratch(thread, byteCount: sourceSize + 2 * resultSize)
    let (sums, changes) = (mixed + sourceSize, mixed + sourceSize + resultSize)
    func run(_ convolution: BandedConvolution, to target: Pointer, accumulates: Bool) throws {
      try convolution.run(place.band, mixed, to: target, accumulates: accumulates, thread: thread, on: compute)
    }
    mix(x.1, x.2, count, to: mixed, +)
    try run(sum, to: sums, accumulates: false)
    mix(x.2, x.1, count, to: mixed, -)
    try run(change, to: changes, accumulates: false)
    let sumOf = UnsafePointer(sums.assumingMemoryBound(to: Float.self))
    add(sumOf, changes, resultCount, to: place.row(0), isAdded: place.isAdded, +)
    if x.3 != nil { add(sumOf, changes, resultCount, to: place.row(1), isAdded: place.isAdded, -) }
    mix(x.0, x.2, count, to: mixed, -)
    try run(old, to: place.row(0), accumulates: true)
    if let last = x.3 {
      mix(last, x.1, count, to: mixed, -)
      try run(new, to: place.row(1), accumulates: true)
    }
  }

  /// a ± b in the products' type.
  @inline(__always)
  private func mix(_ a: Pointer, _ b: Pointer, _ count: Int, to target: Pointer, _ operation: (Floats, Floats) -> Floats) {
    if type == .bfloat16 {
      zipRows(count, a, b, BFloat16.self, to: target, operation)
    } else {
      zipRows(count, a, b, Float32.self, to: target, operation)
    }
  }

  /// y ← s ± c, or y + s ± c.
  @inline(__always)
  private func add(
    _ sums: UnsafePointer<Float>, _ changes: Pointer, _ count: Int, to target: Pointer, isAdded: Bool,
    _ operation: (Floats, Floats) -> Floats
  ) {
    if isAdded {
      let base = UnsafePointer(target.assumingMemoryBound(to: Float.self))
      mapRow(count, changes, Float32.self, to: target, Float32.self) { eight(base, $0, count) + operation(eight(sums, $0, count), $1) }
    } else {
      mapRow(count, changes, Float32.self, to: target, Float32.self) { operation(eight(sums, $0, count), $1) }
    }
  }
}

/// z[i] = f(x[i], y[i]), all in one type.
@inline(__always)
func zipRows<E: NumberFormat>(
  _ count: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _: E.Type, to target: UnsafeMutableRawPointer,
  _ operation: (Floats, Floats) -> Floats
) {
  var index = 0
  while index &+ 8 <= count {
    E.store(operation(E.load(a + index &* E.size), E.load(b + index &* E.size)), target + index &* E.size)
    index &+= 8
  }
  while index < count {
    let value = operation(Floats(repeating: E.loadOne(a + index &* E.size)), Floats(repeating: E.loadOne(b + index &* E.size)))
    E.storeOne(value[0], target + index &* E.size)
    index &+= 1
  }
}
