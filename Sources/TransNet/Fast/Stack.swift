import Tensors

/// Two cells, the shortcut around the second, and the 2 × 2 average after them.
final class Stack {
  let first: Cell
  let second: Cell
  /// The result, `[count][height / 2][width / 2][4F]`: what the next stack reads, or the dense layers.
  let pooled: AlignedMemory
  /// `[count][4F]`: spatial means of the result.
  let means: AlignedMemory

  private let precision: Precision
  private let isLast: Bool
  private let kept: Int
  private let capacity: Int
  private let largest: Int
  private var head = 0
  /// How many of the next frames of each output lie before the first frame there is: they are zero, as convolutions expect
  /// it beyond the edge.
  private var joinedBefore = 0
  private var pooledBefore = 0
  private let index: Int
  /// The first cell's output, `[capacity][pixels][4F]`, in the type that the second cell reads.
  private let joined: AlignedMemory
  /// `[count][height / 2][4F]`: sums of the result's rows.
  private let sums: AlignedMemory
  private let joinedStep: Float
  private let pooledStep: Float
  private let resultHeight: Int
  private let resultWidth: Int

  init(
    _ index: Int, _ weights: (TransNetWeights.Cell, TransNetWeights.Cell), height: Int, width: Int, flow: Flow, precision: Precision,
    ranges: ActivationRanges, groups: Int, counts: [Int]
  ) throws(ComputeError) {
    self.precision = precision
    self.index = index
    isLast = index == 2
    let isInt8 = precision == .int8
    joinedStep = isInt8 ? ranges.cells[index] / 255 : 1
    pooledStep = isInt8 && index < 2 ? ranges.stacks[index] / 255 : 1
    // Pixels count from 0 to 255; the network wants 0 to 1.
    let inputStep = index == 0 ? 1.0 / 255 : isInt8 ? ranges.stacks[index - 1] / 255 : 1
    first = try Cell(
      weights.0, height: height, width: width, step: inputStep, flow: flow, precision: precision, groups: groups, counts: counts)
    second = try Cell(
      weights.1, height: height, width: width, step: joinedStep, flow: flow, precision: precision, groups: groups, counts: counts)
    largest = counts.max() ?? 1
    let channels = first.channels
    kept = flow == .delayed ? Cell.reach : 0
    capacity = kept + max(largest, flow == .delayed ? 24 : 0)
    resultHeight = height / 2
    resultWidth = width / 2
    joined = AlignedMemory(byteCount: capacity * first.pixels * channels * precision.activation.size)
    let resultType = isLast ? precision.inner : precision.activation
    pooled = AlignedMemory(byteCount: largest * resultHeight * resultWidth * channels * resultType.size)
    sums = AlignedMemory(byteCount: largest * resultHeight * channels * 4)
    means = AlignedMemory(byteCount: largest * channels * 4)
  }

  private var joinedFrame: Int { first.pixels * first.channels * precision.activation.size }

  /// Where the newest frames of the first cell's output lie.
  func joined(newest count: Int) -> UnsafeMutableRawPointer { joined.base + (head + kept) * joinedFrame }

  func prepare(_ count: Int) {
    first.prepare(count)
    second.prepare(count)
    if head + kept + count > capacity {
      joined.base.copyMemory(from: joined.base + head * joinedFrame, byteCount: kept * joinedFrame)
      head = 0
    }
  }

  func reset() {
    first.reset()
    second.reset()
    head = 0
    joined.base.initializeMemory(as: UInt8.self, repeating: 0, count: kept * joinedFrame)
    guard kept > 0 else { return }
    joinedBefore = (2 * index + 1) * Cell.reach
    pooledBefore = (2 * index + 2) * Cell.reach
  }

  /// Between ``join(_:part:of:)`` and the second cell, on one thread.
  func clearJoinedBefore(_ count: Int) {
    let cleared = min(joinedBefore, count)
    guard cleared > 0 else { return }
    joined(newest: count).initializeMemory(as: UInt8.self, repeating: 0, count: cleared * joinedFrame)
    joinedBefore -= cleared
  }

  private func addresses(_ cell: Cell, byte offset: Int) -> (UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer) {
    let base = cell.branches.map { UnsafeRawPointer($0.base + offset) }
    return (base[0], base[1], base[2], base[3])
  }

  /// The first cell's branches become one tensor. A part does its share of the rows.
  func join(_ count: Int, part: Int, of parts: Int) {
    let rows = count * first.height
    let range = rows * part / parts..<rows * (part + 1) / parts
    let width = first.width
    let branches = addresses(first, byte: range.lowerBound * width * first.filters * 4)
    let target = joined(newest: count) + range.lowerBound * width * first.channels * precision.activation.size
    let pixels = range.count * width
    switch precision {
    case .float32: Rows.join(branches, pixels: pixels, filters: first.filters, to: target, inverse: 1, Float32Activation.self)
    case .bfloat16: Rows.join(branches, pixels: pixels, filters: first.filters, to: target, inverse: 1, BFloat16Activation.self)
    case .int8: Rows.join(branches, pixels: pixels, filters: first.filters, to: target, inverse: 1 / joinedStep, UInt8Activation.self)
    }
  }

  /// The second cell's branches and the shortcut become the result. A part does its share of the rows.
  func pool(_ count: Int, part: Int, of parts: Int) {
    let rows = count * resultHeight
    for row in rows * part / parts..<rows * (part + 1) / parts {
      switch precision {
      case .float32: pool(row, Float32Activation.self, Float32Activation.self)
      case .bfloat16: pool(row, BFloat16Activation.self, BFloat16Activation.self)
      case .int8:
        if !isLast {
          pool(row, UInt8Activation.self, UInt8Activation.self)
        } else if precision.inner == .bfloat16 {
          pool(row, UInt8Activation.self, BFloat16Activation.self)
        } else {
          pool(row, UInt8Activation.self, Float32Activation.self)
        }
      }
    }
  }

  @inline(__always)
  private func pool<A: ActivationType, B: ActivationType>(_ row: Int, _: A.Type, _: B.Type) {
    let (frame, y) = (row / resultHeight, row % resultHeight)
    let pixel = (frame * first.height + 2 * y) * first.width
    let channels = first.channels
    let sums = sums.base.assumingMemoryBound(to: Float.self) + row * channels
    sums.update(repeating: 0, count: channels)
    // A delayed second cell puts out what lies 8 frames before its input: the oldest frames that are kept.
    Rows.pool(
      addresses(second, byte: pixel * second.filters * 4), shortcut: joined.base + head * joinedFrame + pixel * channels * A.size,
      width: first.width, filters: first.filters, step: joinedStep, to: pooled.base + row * resultWidth * channels * B.size,
      inverse: 1 / pooledStep, sums: sums, A.self, B.self)
  }

  /// After all parts of ``pool(_:part:of:)``: the means, and on to the next frames.
  func finish(_ count: Int, advance: Int) {
    let channels = first.channels
    let sums = sums.base.assumingMemoryBound(to: Float.self)
    let means = means.base.assumingMemoryBound(to: Float.self)
    let scale = 1 / Float(resultHeight * resultWidth)
    for frame in 0..<count {
      for channel in 0..<channels {
        var sum: Float = 0
        for row in 0..<resultHeight { sum += sums[(frame * resultHeight + row) * channels + channel] }
        means[frame * channels + channel] = sum * scale
      }
    }
    let cleared = min(pooledBefore, count)
    if cleared > 0 {
      pooled.base.initializeMemory(as: UInt8.self, repeating: 0, count: pooled.byteCount / largest * cleared)
      pooledBefore -= cleared
    }
    first.advance(advance)
    second.advance(advance)
    // Without a delay nothing of it is looked back on.
    if kept > 0 { head += advance }
  }

  /// For calibration in float32.
  func largestPooled(_ count: Int) -> Float {
    let values = UnsafeBufferPointer(
      start: pooled.base.assumingMemoryBound(to: Float.self), count: count * resultHeight * resultWidth * first.channels)
    return values.reduce(0, max)
  }
}
