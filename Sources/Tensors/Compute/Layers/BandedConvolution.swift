/// A 2D convolution over frames of which each thread does a band of rows at a time.
///
/// Channels are innermost, so that a band with the rows around it that the kernel reaches is one piece of memory.
final class BandedConvolution {
  struct Settings {
    var inputs: Int
    var outputs: Int
    /// Rows and columns.
    var kernel = (3, 3)
    var stride = 1
    /// Zeros before the first and after the last, rows and columns.
    var before = (1, 1)
    var after = (1, 1)
    /// What is multiplied: `float32` or `bfloat16`. The result is float32.
    var type: DataType

    /// Rows or columns of the result; 0 if the kernel does not fit.
    func result(height: Int, width: Int) -> (height: Int, width: Int) {
      let rows = height + before.0 + after.0 - kernel.0
      let columns = width + before.1 + after.1 - kernel.1
      return rows < 0 || columns < 0 ? (0, 0) : (rows / stride + 1, columns / stride + 1)
    }
  }

  /// Rows of the result, and the rows of the source that they are made of.
  struct Band {
    var rows: Range<Int>
    var source: Range<Int>
    fileprivate var shape: BandShape
  }

  fileprivate struct BandShape: Hashable {
    var rows: Int
    var width: Int
    /// Zeros above and below the band, which only bands at a frame's edge have.
    var above: Int
    var below: Int
  }

  private struct BandKey: Hashable {
    var shape: BandShape
    var accumulates: Bool
    var thread: Int
  }

  let settings: Settings
  private let bias: [Float]?
  private let weights: PackedWeights
  private var kernels: [BandKey: Kernel] = [:]

  /// - Parameters:
  ///   - bias: `outputs` values, or nil for none.
  ///   - weights: `[outputs][inputs][rows][columns]`.
  init(_ settings: Settings, bias: [Float]?, weights: PackedWeights) {
    self.settings = settings
    self.bias = bias
    self.weights = weights
  }

  /// Rows of a band: few enough that all threads have work and that a band stays in a core's memory, enough that the rows
  /// around it cost little. It does not depend on the threads, so that the numbers do not.
  static func most(_ height: Int, _ width: Int) -> Int {
    max(1, min((height + 3) / 4, max(4, 2048 / max(1, width))))
  }

  /// - Parameter most: rows in a band.
  func bands(height: Int, width: Int, most: Int) -> [Band] {
    let (kernel, stride, before) = (settings.kernel.0, settings.stride, settings.before.0)
    let rows = settings.result(height: height, width: width).height
    return Swift.stride(from: 0, to: rows, by: max(1, most)).map { first in
      let last = min(first + max(1, most), rows) - 1
      let (top, bottom) = (first * stride - before, last * stride - before + kernel)
      let source = max(top, 0)..<min(bottom, height)
      return Band(
        rows: first..<last + 1, source: source,
        shape: BandShape(rows: source.count, width: width, above: source.lowerBound - top, below: bottom - source.upperBound))
    }
  }

  /// Makes what ``run(_:_:to:accumulates:thread:on:)`` needs: weights are packed by one thread.
  ///
  /// - Parameters:
  ///   - accumulates: whether bands will be run so, or not, or both.
  ///   - threads: how many will run bands.
  func prepare(_ bands: [Band], accumulates: Set<Bool>, threads: Int) throws {
    // Videos of a few sizes are at work at once: what was made for earlier ones goes.
    if kernels.count > Self.most { kernels = [:] }
    for (shape, accumulates) in Set(bands.map(\.shape)).flatMap({ shape in accumulates.map { (shape, $0) } }) {
      for thread in 0..<threads {
        let key = BandKey(shape: shape, accumulates: accumulates, thread: thread)
        if kernels[key] != nil { continue }
        var shape = ConvolutionShape(
          count: 1, height: key.shape.rows, width: key.shape.width, inputs: settings.inputs, outputs: settings.outputs,
          kernel: settings.kernel)
        shape.stride = (settings.stride, settings.stride)
        shape.padding = (key.shape.above, settings.before.1)
        shape.paddingAfter = (key.shape.below, settings.after.1)
        kernels[key] = try Kernel.convolution(
          shape, weights, bias: bias, source: settings.type, destination: .float32, finish: Finish(accumulates: accumulates))
      }
    }
  }

  private static let most = 512

  /// - Parameters:
  ///   - source: the first of the band's rows of the source.
  ///   - result: the first of its rows of the result.
  func run(
    _ band: Band, _ source: UnsafeMutableRawPointer, to result: UnsafeMutableRawPointer, accumulates: Bool, thread: Int, on compute: Compute
  ) throws {
    guard let kernel = kernels[BandKey(shape: band.shape, accumulates: accumulates, thread: thread)] else {
      throw ComputeError(call: "a band that no kernel was made for", status: 3)
    }
    try kernel.run(source, to: result, on: compute.stream(thread))
  }

  /// Two for each multiply-add of a frame, taps that meet zeros included.
  func operations(height: Int, width: Int) -> Double {
    let result = settings.result(height: height, width: width)
    return 2 * Double(result.height * result.width) * Double(settings.inputs * settings.kernel.0 * settings.kernel.1)
      * Double(settings.outputs)
  }
}

/// Weights of several convolutions that are made of one tensor, which is read once for all that are packed together.
final class DerivedWeights {
  private let read: () throws -> [Float]
  private var held: [Float]?
  private var failure: (any Error)?
  private var isHolding = false

  init(_ read: @escaping () throws -> [Float]) { self.read = read }

  /// What `derive` makes of the tensor.
  func packed(shape: [Int], type: DataType, _ derive: @escaping ([Float]) -> [Float]) -> PackedWeights {
    PackedWeights(shape: shape, type: type) { [self] in
      do {
        let values = try held ?? read()
        if isHolding { held = values }
        return derive(values)
      } catch {
        failure = error
        return nil
      }
    }
  }

  /// Runs `make`, which packs weights, and lets go of the tensor after it.
  ///
  /// - Throws: what reading threw, or what `make` did.
  func whileHeld(_ make: () throws -> Void) throws {
    isHolding = true
    failure = nil
    defer {
      isHolding = false
      held = nil
    }
    do { try make() } catch { throw failure ?? error }
  }
}
