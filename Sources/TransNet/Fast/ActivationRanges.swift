import Tensors

/// The largest values that activations take, which bytes are scaled by: measured on a film by the float32 network.
///
/// Source of the method: post-training quantization with static ranges, one a tensor (Jacob et al.,
/// https://arxiv.org/abs/1712.05877).
public struct ActivationRanges: Hashable, Sendable, Codable {
  /// Of the first cell of each stack, after ReLU.
  public var cells: [Float]
  /// Of the first two stacks, pooled.
  public var stacks: [Float]

  /// For ranges that are measured: three of cells and two of stacks, all above 0, which is not checked here.
  public init(cells: [Float], stacks: [Float]) {
    self.cells = cells
    self.stacks = stacks
  }
}

extension ActivationRanges {
  /// Reads `{"cells": [3 numbers], "stacks": [2 numbers]}`.
  init(path: String) throws(WeightsError) {
    self = try ConfigurationFile.read(ActivationRanges.self, path: path)
    guard cells.count == 3, stacks.count == 2, (cells + stacks).allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw WeightsError(.malformed, path: path, "does not hold three and two positive numbers")
    }
  }
}

extension TransNetWeights {
  /// Measures them over `[frames][27][48][3]` levels.
  public func measureRanges(_ frames: UnsafeBufferPointer<UInt8>, threads: Int) throws(ComputeError) -> ActivationRanges {
    let count = 8
    let network = try Network(self, flow: .delayed, precision: .float32, team: WorkerTeam(count: threads), counts: [count])
    network.reset()
    var result = ActivationRanges(cells: [0, 0, 0], stacks: [0, 0])
    guard let base = frames.baseAddress else { return result }
    for frame in stride(from: 0, through: frames.count / Network.frameBytes - count, by: count) {
      try network.step(base + frame * Network.frameBytes, count: count, advance: count)
      let largest = network.largestActivations(count)
      for stack in 0..<3 { result.cells[stack] = max(result.cells[stack], largest[2 * stack]) }
      for stack in 0..<2 { result.stacks[stack] = max(result.stacks[stack], largest[2 * stack + 1]) }
    }
    return result
  }
}
