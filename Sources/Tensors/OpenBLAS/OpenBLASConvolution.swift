#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A convolution as products of matrices.
///
/// Where a tap's pixels are rows of a matrix as they lie in memory, each tap is a product that is added to those of the taps
/// before. Otherwise strips of pixels are gathered, each with all that its kernel sees, `[pixels][rows][columns][inputs]`, and
/// multiplied by all taps at once.
final class OpenBLASConvolution: KernelBody {
  var implementation: String { isDirect ? "openblas:sgemm, a tap at a time" : "openblas:sgemm, gathered" }
  let takesSecond = false
  private let library: OpenBLAS
  private let shape: ConvolutionShape
  private let height: Int
  private let width: Int
  private let weights: AlignedMemory
  private let finish: OpenBLASFinish
  private let isDirect: Bool
  /// Pixels at once.
  private let strip: Int
  /// Rows of taps at once.
  private let group: Int

  /// About what a core's second cache holds, for the pixels that are gathered, and for sums.
  private static let cache = 384 << 10
  /// Fewer pixels at once would have the weights read too often.
  private static let leastStrip = 96

  init(_ shape: ConvolutionShape, _ weights: PackedWeights, bias: [Float]?, finish: Finish) throws(ComputeError) {
    let result = shape.result
    let after = shape.paddingAfter ?? shape.padding
    let counts = [
      shape.kernel.0, shape.kernel.1, shape.stride.0, shape.stride.1, shape.dilation.0, shape.dilation.1, result.height, result.width,
    ]
    let sizes = [shape.count, shape.height, shape.width, shape.inputs, shape.outputs, shape.padding.0, shape.padding.1, after.0, after.1]
    guard counts.allSatisfy({ 1...1 << 30 ~= $0 }), sizes.allSatisfy({ 0...1 << 30 ~= $0 }),
      Extent(shape: [shape.count, shape.height, shape.width, shape.inputs], type: .float32) != nil,
      Extent(shape: [shape.count, result.height, result.width, shape.outputs], type: .float32) != nil,
      let taps = Extent(shape: [shape.kernel.0, shape.kernel.1, shape.inputs], type: .float32), taps.byteCount <= Int(Int32.max),
      shape.stride.1 <= Int(Int32.max) / max(1, shape.inputs)
    else { throw ComputeError(call: "a convolution of this shape", status: 2) }
    self.finish = try OpenBLASFinish(finish, bias: bias, columns: shape.outputs)
    self.weights = try weights.operand([shape.outputs, shape.inputs, shape.kernel.0, shape.kernel.1], isTransposed: true)
    library = try OpenBLAS.loaded.get()
    (height, width) = result
    // A pixel's right neighbour is as far away as the first pixel of the next row is from the last of this one.
    isDirect =
      shape.kernel.1 == 1 && shape.padding.1 == 0 && after.1 == 0 && shape.stride.0 == 1
      && (shape.width == result.width * shape.stride.1 || result.height == 1)
    let rowBytes = shape.kernel.1 * shape.inputs * 4
    if isDirect {
      group = 1
      strip = max(Self.leastStrip, Self.cache / 2 / max(1, (shape.inputs + shape.outputs) * 4))
    } else {
      // Rows of taps that are multiplied apart have their sums read again.
      group = min(shape.kernel.0, max(1, 4096 / rowBytes))
      strip = max(Self.leastStrip, Self.cache / max(1, group * rowBytes))
    }
    self.shape = shape
  }

  func run(
    _ source: UnsafeMutableRawPointer, _ second: UnsafeMutableRawPointer?, to destination: UnsafeMutableRawPointer, on stream: Stream
  ) throws(ComputeError) {
    let images = shape.count
    let (pixels, outputs) = (height * width, shape.outputs)
    if isDirect {
      for image in 0..<images {
        let from = source + image * shape.height * shape.width * shape.inputs * 4
        let to = (destination + image * pixels * outputs * 4).assumingMemoryBound(to: Float.self)
        for first in stride(from: 0, to: pixels, by: strip) { direct(from, first..<min(first + strip, pixels), to: to + first * outputs) }
      }
      return
    }
    let memory = stream.scratchpad(byteCount: strip * group * shape.kernel.1 * shape.inputs * 4)
    for first in stride(from: 0, to: images * pixels, by: strip) {
      let some = first..<min(first + strip, images * pixels)
      gathered(source, some, to: destination.assumingMemoryBound(to: Float.self) + first * outputs, memory)
    }
  }

  /// Some neighbouring pixels of an image, a row of taps at a time.
  private func direct(_ source: UnsafeRawPointer, _ pixels: Range<Int>, to target: UnsafeMutablePointer<Float>) {
    let (inputs, outputs) = (shape.inputs, shape.outputs)
    var accumulates = finish.accumulates
    for tap in 0..<shape.kernel.0 {
      // Rows of the result for which this tap is inside of the image.
      let shift = tap * shape.dilation.0 - shape.padding.0
      let inside = (max(0, -shift) * width..<max(max(0, -shift), min(height, shape.height - shift)) * width).clamped(to: pixels)
      if !accumulates, inside != pixels {
        memset(target, 0, pixels.count * outputs * 4)
        accumulates = true
      }
      guard !inside.isEmpty else { continue }
      let (y, x) = (inside.lowerBound / width, inside.lowerBound % width)
      let place = source + ((y + shift) * shape.width + x * shape.stride.1) * inputs * 4
      library.multiply(
        OpenBLAS.Operand(place, row: shape.stride.1 * inputs), OpenBLAS.Operand(weights.base + tap * inputs * outputs * 4, row: outputs),
        to: target + (inside.lowerBound - pixels.lowerBound) * outputs, row: outputs, rows: inside.count, inner: inputs, columns: outputs,
        accumulates: accumulates)
      accumulates = true
    }
    finish.apply(pixels.count, outputs, target, row: outputs)
  }

  /// Some neighbouring pixels of all images.
  private func gathered(
    _ source: UnsafeRawPointer, _ pixels: Range<Int>, to target: UnsafeMutablePointer<Float>, _ memory: UnsafeMutableRawPointer
  ) {
    let outputs = shape.outputs
    let tapRow = shape.kernel.1 * shape.inputs
    var accumulates = finish.accumulates
    for first in stride(from: 0, to: shape.kernel.0, by: group) {
      let taps = first..<min(first + group, shape.kernel.0)
      gather(source, pixels, taps, to: memory)
      library.multiply(
        OpenBLAS.Operand(memory, row: taps.count * tapRow), OpenBLAS.Operand(weights.base + first * tapRow * outputs * 4, row: outputs),
        to: target, row: outputs, rows: pixels.count, inner: taps.count * tapRow, columns: outputs, accumulates: accumulates)
      accumulates = true
    }
    finish.apply(pixels.count, outputs, target, row: outputs)
  }

  /// What some rows of taps see at some pixels of the result: `[pixels][taps][columns][inputs]`.
  private func gather(_ source: UnsafeRawPointer, _ pixels: Range<Int>, _ taps: Range<Int>, to memory: UnsafeMutableRawPointer) {
    let pixelBytes = shape.inputs &* 4
    let tapBytes = shape.kernel.1 &* pixelBytes
    let rowBytes = shape.width &* pixelBytes
    var target = memory
    var pixel = pixels.lowerBound
    while pixel < pixels.upperBound {
      let (line, x) = (pixel / width, pixel % width)
      let (image, y) = (line / height, line % height)
      let count = min(width &- x, pixels.upperBound &- pixel)
      for tap in taps {
        let from = y &* shape.stride.0 &+ tap &* shape.dilation.0 &- shape.padding.0
        let place = target + (tap &- taps.lowerBound) &* tapBytes
        if from < 0 || from >= shape.height {
          for index in 0..<count { memset(place + index &* taps.count &* tapBytes, 0, tapBytes) }
        } else {
          gatherRow(source + (image &* shape.height &+ from) &* rowBytes, x..<x &+ count, to: place, step: taps.count &* tapBytes)
        }
      }
      target += count &* taps.count &* tapBytes
      pixel &+= count
    }
  }

  /// What one row of taps sees of a row of an image.
  ///
  /// - Parameter step: bytes from what one pixel's taps see to what the next one's do.
  private func gatherRow(_ row: UnsafeRawPointer, _ columns: Range<Int>, to target: UnsafeMutableRawPointer, step: Int) {
    let pixelBytes = shape.inputs &* 4
    let (taps, dilation) = (shape.kernel.1, shape.dilation.1)
    var target = target
    for x in columns {
      let first = x &* shape.stride.1 &- shape.padding.1
      if dilation == 1, first >= 0, first &+ taps <= shape.width {
        target.copyMemory(from: row + first &* pixelBytes, byteCount: taps &* pixelBytes)
      } else {
        for tap in 0..<taps {
          let from = first &+ tap &* dilation
          if from >= 0, from < shape.width {
            (target + tap &* pixelBytes).copyMemory(from: row + from &* pixelBytes, byteCount: pixelBytes)
          } else {
            memset(target + tap &* pixelBytes, 0, pixelBytes)
          }
        }
      }
      target += step
    }
  }
}
