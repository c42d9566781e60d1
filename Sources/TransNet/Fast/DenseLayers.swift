import Tensors

/// What follows the convolutions: projection, bands and the hidden layer with its two heads.
final class DenseLayers {
  private let precision: Precision
  private let groups: Int
  /// Inputs and outputs of the hidden layer.
  private let width: Int
  private let outputs: Int
  private let oneHot: TransNetWeights.Dense
  private let manyHot: TransNetWeights.Dense
  /// `[largest][4864]`: histogram, similarity, features.
  private let inputs: AlignedMemory
  private let bands: AlignedMemory
  private let projected: AlignedMemory
  /// `[groups][largest][1024 / groups]`.
  private let hidden: [AlignedMemory]
  private var kernels: [Int: Kernels] = [:]

  private struct Kernels {
    var projection: Kernel
    var similarity: Kernel
    var histogram: Kernel
    var hidden: [Kernel]
  }

  init(_ weights: TransNetWeights, precision: Precision, groups: Int, counts: [Int]) throws(ComputeError) {
    self.precision = precision
    self.groups = groups
    width = weights.hidden.inputs
    outputs = weights.hidden.outputs
    oneHot = weights.oneHot
    manyHot = weights.manyHot
    let largest = counts.max() ?? 1
    inputs = AlignedMemory(byteCount: largest * weights.hidden.inputs * precision.inner.size)
    bands = AlignedMemory(byteCount: largest * 128 * 4)
    projected = AlignedMemory(byteCount: largest * 128 * 4)
    let part = weights.hidden.outputs / groups
    let byteCount = largest * part * 4
    hidden = (0..<groups).map { _ in AlignedMemory(byteCount: byteCount) }
    func pack(_ layer: TransNetWeights.Dense) -> PackedWeights {
      PackedWeights(layer.weights, shape: [layer.outputs, layer.inputs], type: .float32)
    }
    let layers = [(weights.similarityProjection, false), (weights.similarity, true), (weights.histogram, true)]
    let packed = layers.map { pack($0.0) }
    let hiddenWeights = (0..<groups).map { group in
      PackedWeights(
        Array(weights.hidden.weights[group * part * width..<(group + 1) * part * width]), shape: [part, width], type: precision.inner)
    }
    for count in counts {
      var plain: [Kernel] = []
      for ((layer, isRectified), packed) in zip(layers, packed) {
        plain.append(
          try .innerProduct(
            count: count, inputs: layer.inputs, outputs: layer.outputs, packed, bias: layer.bias, source: .float32, destination: .float32,
            finish: Finish(activation: isRectified ? .relu : nil)))
      }
      var hidden: [Kernel] = []
      for group in 0..<groups {
        hidden.append(
          try .innerProduct(
            count: count, inputs: width, outputs: part, hiddenWeights[group],
            bias: Array(weights.hidden.bias[group * part..<(group + 1) * part]),
            source: precision.inner, destination: .float32, finish: Finish(activation: .relu)))
      }
      kernels[count] = Kernels(projection: plain[0], similarity: plain[1], histogram: plain[2], hidden: hidden)
    }
  }

  private func kernels(_ count: Int) throws(ComputeError) -> Kernels {
    guard let kernels = kernels[count] else { throw ComputeError(call: "dense layers of \(count) frames", status: 2) }
    return kernels
  }

  /// `[count][448]` → `[count][128]`.
  func project(_ means: UnsafeMutablePointer<Float>, count: Int, on stream: Stream) throws(ComputeError) -> UnsafePointer<Float> {
    try kernels(count).projection.run(UnsafeMutableRawPointer(means), to: projected.base, on: stream)
    return UnsafePointer(projected.base.assumingMemoryBound(to: Float.self))
  }

  /// Puts the hidden layer's inputs together.
  func prepare(
    _ features: UnsafeRawPointer, histogram: UnsafeMutablePointer<Float>, similarity: UnsafeMutablePointer<Float>, count: Int,
    on stream: Stream
  ) throws(ComputeError) {
    let kernels = try kernels(count)
    let size = precision.inner.size
    let row = width * size
    for (slot, (kernel, band)) in [(kernels.histogram, histogram), (kernels.similarity, similarity)].enumerated() {
      try kernel.run(UnsafeMutableRawPointer(band), to: bands.base, on: stream)
      for frame in 0..<count { store(bands.base + frame * 128 * 4, count: 128, to: inputs.base + frame * row + slot * 128 * size) }
    }
    let featureBytes = Network.featureCount * size
    for frame in 0..<count {
      (inputs.base + frame * row + 256 * size).copyMemory(from: features + frame * featureBytes, byteCount: featureBytes)
    }
  }

  private func store(_ source: UnsafeMutableRawPointer, count: Int, to target: UnsafeMutableRawPointer) {
    for index in stride(from: 0, to: count, by: 8) {
      let values = (source + index * 4).loadUnaligned(as: Floats.self)
      if precision.inner == .bfloat16 {
        BFloat16Activation.store(values, target + index * 2, inverse: 1)
      } else {
        Float32Activation.store(values, target + index * 4, inverse: 1)
      }
    }
  }

  /// A worker's share of the hidden layer.
  func hidden(_ count: Int, group: Int, on stream: Stream) throws(ComputeError) {
    try kernels(count).hidden[group].run(inputs.base, to: hidden[group].base, on: stream)
  }

  func heads(_ count: Int, into logits: inout [Logits]) {
    let part = outputs / groups
    for frame in 0..<count {
      var one = oneHot.bias[0]
      var many = manyHot.bias[0]
      for group in 0..<groups {
        let values = hidden[group].base.assumingMemoryBound(to: Float.self) + frame * part
        for index in 0..<part {
          one += values[index] * oneHot.weights[group * part + index]
          many += values[index] * manyHot.weights[group * part + index]
        }
      }
      logits.append(Logits(oneHot: one, manyHot: many))
    }
  }
}
