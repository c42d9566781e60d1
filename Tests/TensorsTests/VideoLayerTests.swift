import Tensors
import Testing

@Suite("Layers of networks over video")
struct VideoLayerTests {
  private func values(_ count: Int, seed: UInt64) -> [Float] {
    var generator = Seeded(state: seed)
    return (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
  }

  /// The largest |a − b| relative to the largest |b|.
  private func difference(_ a: [Float], _ b: [Double]) -> Double {
    guard a.count == b.count else { return .infinity }
    let scale = b.reduce(1e-30) { max($0, abs($1)) }
    return zip(a, b).reduce(0) { max($0, abs(Double($1.0) - $1.1)) } / scale
  }

  /// Σ w·x + b over frames `[C][T][H][W]` that are as they are before the first, with zeros around them.
  private func convolved(
    _ x: [Float], _ w: [Float], _ b: [Float], frames: Int, inputs: Int, height: Int, width: Int, taps: Int, scale: Int = 1
  ) -> [Double] {
    let outputs = b.count
    let (tall, wide) = (scale * height, scale * width)
    var result = [Double](repeating: 0, count: frames * outputs * tall * wide)
    for place in result.indices {
      let (column, row, frame, output) = (place % wide, place / wide % tall, place / (wide * tall) % frames, place / (wide * tall * frames))
      var sum = Double(b[output])
      for input in 0..<inputs {
        for tap in 0..<taps {
          let from = max(0, frame + tap - taps + 1)
          for dy in 0..<3 {
            for dx in 0..<3 {
              let (y, x0) = (row + dy - 1, column + dx - 1)
              guard (0..<tall).contains(y), (0..<wide).contains(x0) else { continue }
              let value = x[((input * frames + from) * height + y / scale) * width + x0 / scale]
              sum += Double(value) * Double(w[(((output * inputs + input) * taps + tap) * 3 + dy) * 3 + dx])
            }
          }
        }
      }
      result[place] = sum
    }
    return result
  }

  @Test("A causal convolution is its sum, whole or in chunks, of any number of frames", arguments: [1, 2, 3, 5, 6])
  func causal(count: Int) throws {
    let (inputs, outputs, height, width) = (5, 7, 9, 6)
    let compute = try Compute(.float32, threads: 2)
    let (w, b) = (values(outputs * inputs * 27, seed: 1), values(outputs, seed: 2))
    let x = values(count * inputs * height * width, seed: 3)
    let convolution = CausalConvolution(inputs: inputs, outputs: outputs, bias: b, type: .float32) { w }
    let source = Frames(planes: x, channels: inputs, count: count, height: height, width: width)
    let expected = convolved(x, w, b, frames: count, inputs: inputs, height: height, width: width, taps: 3)
    var past: Frames?
    #expect(difference(try convolution(source, past: &past, on: compute).planes(), expected) < 1e-5)
    for size in [1, 2, 3] {
      past = nil
      let parts = Frames(count: count, height: height, width: width, channels: outputs)
      for first in stride(from: 0, to: count, by: size) {
        let part = try convolution(source.copy(first..<min(first + size, count)), past: &past, on: compute).matrix
        parts.matrix.row(first * height * width).copyMemory(from: part.base, byteCount: part.rows * part.rowSize)
      }
      #expect(difference(parts.planes(), expected) < 1e-5, "chunks of \(size)")
    }
  }

  @Test("A causal convolution is added to what is there", arguments: [1, 4])
  func causalAdding(count: Int) throws {
    let compute = try Compute(.float32, threads: 2)
    let (w, b) = (values(3 * 3 * 27, seed: 1), values(3, seed: 2))
    let convolution = CausalConvolution(inputs: 3, outputs: 3, bias: b, type: .float32) { w }
    let (x, y) = (values(count * 3 * 20, seed: 3), values(count * 3 * 20, seed: 4))
    let source = Frames(planes: x, channels: 3, count: count, height: 4, width: 5)
    let base = Frames(planes: y, channels: 3, count: count, height: 4, width: 5)
    var past: Frames?
    let sum = try convolution(source, past: &past, addingTo: base, on: compute)
    let expected = zip(convolved(x, w, b, frames: count, inputs: 3, height: 4, width: 5, taps: 3), y).map { $0 + Double($1) }
    #expect(sum.matrix === base.matrix && difference(sum.planes(), expected) < 1e-5)
  }

  @Test("A convolution of enlarged frames is the one of frames that were enlarged first")
  func upsampling() throws {
    let (inputs, outputs, height, width) = (4, 6, 5, 3)
    let compute = try Compute(.float32, threads: 2)
    let (w, b) = (values(outputs * inputs * 9, seed: 1), values(outputs, seed: 2))
    let x = values(2 * inputs * height * width, seed: 3)
    let convolution = UpsamplingConvolution(inputs: inputs, outputs: outputs, bias: b, type: .float32) { w }
    let source = Frames(planes: x, channels: inputs, count: 2, height: height, width: width)
    let expected = convolved(x, w, b, frames: 2, inputs: inputs, height: height, width: width, taps: 1, scale: 2)
    #expect(difference(try convolution(source, on: compute).planes(), expected) < 1e-5)
    // The second frame twice.
    let area = 4 * height * width
    var repeated: [Double] = []
    for output in 0..<outputs {
      for frame in [0, 1, 1] {
        let first = (2 * output + frame) * area
        repeated += expected[first..<first + area]
      }
    }
    #expect(difference(try convolution(source, repeated: [0, 1, 1], on: compute).planes(), repeated) < 1e-5)
  }

  @Test("A group's deviation is found beside a mean a thousand times as large")
  func groups() throws {
    let (rows, channels, groups) = (700, 6, 2)
    let compute = try Compute(.float32, threads: 2)
    let x = values(rows * channels, seed: 1).enumerated().map { 1000 + Float($0.offset % channels) + $0.element }
    let (scale, shift) = (values(channels, seed: 2), values(channels, seed: 3))
    let source = Frames(Matrix(x, rows: rows, columns: channels), count: 7, height: 10, width: 10)
    let result = try compute.groupNormalize(source, groups: groups, scale: scale, shift: shift, epsilon: 1e-6, activation: .relu)
    var expected = [Double](repeating: 0, count: x.count)
    let size = channels / groups
    for group in 0..<groups {
      let places = x.indices.filter { $0 % channels / size == group }
      let mean = places.reduce(0) { $0 + Double(x[$1]) } / Double(places.count)
      let variance = places.reduce(0) { $0 + (Double(x[$1]) - mean) * (Double(x[$1]) - mean) } / Double(places.count)
      for place in places {
        let y =
          (Double(x[place]) - mean) / (variance + 1e-6).squareRoot() * Double(scale[place % channels]) + Double(shift[place % channels])
        expected[place] = max(0, y)
      }
    }
    // What float32 leaves of numbers about 1000.
    #expect(difference(result.matrix.floats(), expected) < 3e-4)
  }
}
