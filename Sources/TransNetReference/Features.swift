import Tensors
import TensorsOpenBLAS
import TransNet

/// Feature maps of consecutive frames, `[T][height][width][channels]`, and what a stack of DDCNN cells does to them.
struct Features {
  let frames: Int
  let height: Int
  let width: Int
  let channels: Int
  var values: [Float]

  init(frames: Int, height: Int, width: Int, channels: Int) {
    (self.frames, self.height, self.width, self.channels) = (frames, height, width, channels)
    values = [Float](repeating: 0, count: frames * height * width * channels)
  }

  var pixels: Int { height * width }

  /// relu(second(h)) + h, where h = relu(first(x)).
  func stack(_ first: TransNetWeights.Cell, _ second: TransNetWeights.Cell) -> Features {
    var h = cell(first)
    for index in h.values.indices { h.values[index] = max(h.values[index], 0) }
    var sum = h.cell(second)
    for index in sum.values.indices { sum.values[index] = max(sum.values[index], 0) + h.values[index] }
    return sum
  }

  /// Both convolutions and BatchNorm, before any ReLU.
  func cell(_ cell: TransNetWeights.Cell) -> Features {
    let wide = convolved(cell)  // [T, H·W, 8F]
    var output = Features(frames: frames, height: height, width: width, channels: 4 * cell.filters)
    output.values = (0..<frames * pixels).flatMap { _ in cell.bias }
    for (branch, (dilation, weights)) in zip(TransNetWeights.Cell.dilations, cell.temporal).enumerated() {
      for tap in 0..<3 {
        // Frame t of the output reads frame t + shift; all frames for which there is one are one product.
        let shift = (tap - 1) * dilation
        let (first, count) = (max(-shift, 0), max(frames - abs(shift), 0))
        addProduct(
          wide.values,
          MatrixPlace(
            rows: count * pixels, columns: 2 * cell.filters,
            offset: (first + shift) * pixels * wide.channels + 2 * cell.filters * branch, stride: wide.channels),
          weights,
          MatrixPlace(rows: 2 * cell.filters, columns: cell.filters, offset: tap * 2 * cell.filters * cell.filters),
          to: &output.values,
          MatrixPlace(
            rows: count * pixels, columns: cell.filters,
            offset: first * pixels * output.channels + cell.filters * branch, stride: output.channels))
      }
    }
    return output
  }

  /// The spatial convolution of all four branches: 3×3, one pixel of zeros around.
  private func convolved(_ cell: TransNetWeights.Cell) -> Features {
    var output = Features(frames: frames, height: height, width: width, channels: 8 * cell.filters)
    let columns = 9 * channels
    for frame in 0..<frames {
      let patches = patches(of: frame)  // [H·W, 9·C]
      addProduct(
        patches, MatrixPlace(rows: pixels, columns: columns),
        cell.spatial, MatrixPlace(rows: columns, columns: output.channels),
        to: &output.values, MatrixPlace(rows: pixels, columns: output.channels, offset: frame * pixels * output.channels))
    }
    return output
  }

  /// The 3×3 neighbourhood of every pixel of a frame, `[H·W][3][3][C]`; zeros outside the picture.
  private func patches(of frame: Int) -> [Float] {
    var patches = [Float](repeating: 0, count: pixels * 9 * channels)
    for y in 0..<height {
      for x in 0..<width {
        for tap in 0..<9 {
          let (row, column) = (y + tap / 3 - 1, x + tap % 3 - 1)
          guard 0..<height ~= row, 0..<width ~= column else { continue }
          let source = ((frame * height + row) * width + column) * channels
          let target = ((y * width + x) * 9 + tap) * channels
          for channel in 0..<channels { patches[target + channel] = values[source + channel] }
        }
      }
    }
    return patches
  }

  /// Means of 2×2 pixels; an odd last row or column is left out.
  func pooled() -> Features {
    var output = Features(frames: frames, height: height / 2, width: width / 2, channels: channels)
    var target = 0
    for frame in 0..<frames {
      for y in 0..<output.height {
        for x in 0..<output.width {
          let source = ((frame * height + 2 * y) * width + 2 * x) * channels
          for channel in source..<source + channels {
            let above = values[channel] + values[channel + channels]
            let below = values[channel + width * channels] + values[channel + (width + 1) * channels]
            output.values[target] = (above + below) / 4
            target += 1
          }
        }
      }
    }
    return output
  }

  /// Writes each frame's mean over its pixels: channel c to `means[frame · stride + first + c]`.
  func writeMeans(to means: inout [Float], at first: Int, stride: Int) {
    for frame in 0..<frames {
      let target = frame * stride + first
      for pixel in 0..<pixels {
        for channel in 0..<channels { means[target + channel] += values[(frame * pixels + pixel) * channels + channel] }
      }
      for channel in 0..<channels { means[target + channel] /= Float(pixels) }
    }
  }
}
