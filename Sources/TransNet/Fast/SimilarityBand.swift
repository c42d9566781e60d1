import Tensors

/// How much each frame resembles the 50 frames before it and after it, kept up to date as frames come.
///
/// A frame is a vector of length 1 (or 0), a similarity the product of two. Each pair is multiplied once: a row holds the
/// products with earlier frames, later ones are read from the later frames' rows.
struct SimilarityBand {
  static let reach = 50
  static let width = 2 * reach + 1

  private let dimension: Int
  private let capacity: Int
  /// `[capacity][dimension]`, a ring.
  private let vectors: AlignedMemory
  /// `[capacity][reach + 1]`: entry k is the product with the frame k before.
  private let products: AlignedMemory
  /// Frames appended.
  private(set) var count = 0
  /// Frames before this one do not exist: the band is zero there.
  private var first = 0

  /// - Parameter span: how many of the newest frames may still be asked for or replaced.
  init(dimension: Int, span: Int) {
    self.dimension = dimension
    capacity = span + 2 * Self.reach + 2
    vectors = AlignedMemory(byteCount: capacity * dimension * 4)
    products = AlignedMemory(byteCount: capacity * (Self.reach + 1) * 4)
  }

  private func vector(_ frame: Int) -> UnsafeMutablePointer<Float> {
    vectors.base.assumingMemoryBound(to: Float.self) + frame % capacity * dimension
  }

  private func row(_ frame: Int) -> UnsafeMutablePointer<Float> {
    products.base.assumingMemoryBound(to: Float.self) + frame % capacity * (Self.reach + 1)
  }

  mutating func reset() {
    count = 0
    first = 0
  }

  /// Takes back the newest frames, to be replaced.
  mutating func removeLast(_ number: Int) { count = max(first, count - number) }

  /// - Parameter values: `dimension` numbers; scaled to length 1 here.
  mutating func append(_ values: UnsafePointer<Float>) {
    let own = vector(count)
    var square: Float = 0
    for index in 0..<dimension { square += values[index] * values[index] }
    // PyTorch's normalize divides by at least 1e-12.
    let scale = 1 / max(square.squareRoot(), 1e-12)
    for index in 0..<dimension { own[index] = values[index] * scale }
    let products = row(count)
    for distance in 0...min(Self.reach, count - first) {
      let other = vector(count - distance)
      var sum = SIMD8<Float>(repeating: 0)
      var index = 0
      while index < dimension {
        sum +=
          UnsafeRawPointer(own + index).loadUnaligned(as: SIMD8<Float>.self)
          * UnsafeRawPointer(other + index).loadUnaligned(as: SIMD8<Float>.self)
        index += 8
      }
      products[distance] = sum.sum()
    }
    count += 1
  }

  /// Writes the band of a frame: 101 products, with the frames from 50 before to 50 after it; 0 where there is none.
  ///
  /// - Parameter after: how many later frames count.
  func write(_ frame: Int, after: Int, to target: UnsafeMutablePointer<Float>) {
    let own = row(frame)
    for distance in 0...Self.reach { target[Self.reach - distance] = frame - distance >= first ? own[distance] : 0 }
    for distance in 1...Self.reach {
      target[Self.reach + distance] = distance <= after && frame + distance < count ? row(frame + distance)[distance] : 0
    }
  }
}

/// 512 colours, counted: `(R >> 5) << 6 | (G >> 5) << 3 | (B >> 5)`.
enum ColorHistogram {
  static let bins = 512

  /// - Parameter frame: 27 × 48 pixels of red, green and blue.
  static func count(_ frame: UnsafePointer<UInt8>, into histogram: UnsafeMutablePointer<Float>) {
    histogram.update(repeating: 0, count: bins)
    for pixel in 0..<27 * 48 {
      let (red, green, blue) = (Int(frame[3 * pixel]), Int(frame[3 * pixel + 1]), Int(frame[3 * pixel + 2]))
      histogram[(red >> 5) << 6 | (green >> 5) << 3 | blue >> 5] += 1
    }
  }
}
