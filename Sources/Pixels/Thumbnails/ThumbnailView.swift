/// A thumbnail in memory that somebody else owns: what can be told of a picture from its 3,888 bytes.
///
/// Each measure costs a few microseconds.
public struct ThumbnailView {
  private let bytes: UnsafePointer<UInt8>
  private static let pixelCount = Thumbnailer.width * Thumbnailer.height

  /// - Parameter bytes: R, G, B of 48 × 27 pixels, valid as long as the view is used; nil comes of fewer than `Thumbnailer.byteCount`.
  public init?(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let base = bytes.baseAddress, bytes.count >= Thumbnailer.byteCount else { return nil }
    self.bytes = base
  }

  /// Levels, 0 … 255.
  public struct Levels: Hashable, Sendable {
    /// Means of the channels.
    public var red, green, blue: Double
    /// Mean and standard deviation of BT.601 luma.
    public var luma, deviation: Double
  }

  /// What the thumbnail looks like as a whole.
  public var levels: Levels {
    var sums = (red: 0, green: 0, blue: 0)
    var squares = 0
    for index in 0..<Self.pixelCount {
      let (red, green, blue) = color(index)
      sums = (sums.red &+ red, sums.green &+ green, sums.blue &+ blue)
      let luma = Self.luma(red, green, blue)
      squares &+= luma &* luma
    }
    let count = Double(Self.pixelCount)
    let mean = Double(Self.luma(sums.red, sums.green, sums.blue)) / count
    let variance = max(0, Double(squares) / count - mean * mean)
    return Levels(
      red: Double(sums.red) / count, green: Double(sums.green) / count, blue: Double(sums.blue) / count,
      luma: mean / 1000, deviation: variance.squareRoot() / 1000)
  }

  /// Mean |difference| of all samples, 0 … 255.
  public func difference(from other: ThumbnailView) -> Double {
    var sum = 0
    for index in 0..<Thumbnailer.byteCount { sum &+= abs(Int(bytes[index]) &- Int(other.bytes[index])) }
    return Double(sum) / Double(Thumbnailer.byteCount)
  }

  /// Mean |difference| of the samples in each cell of a grid, 0 … 255, rows from the top: where a picture changed, and whether
  /// the change travels.
  ///
  /// - Parameters:
  ///   - columns: cells across, kept inside 1 … 48; pixels fall to cells as evenly as they can.
  ///   - rows: cells down, kept inside 1 … 27.
  public func differences(from other: ThumbnailView, columns: Int, rows: Int) -> [Double] {
    let (columns, rows) = (min(max(columns, 1), Thumbnailer.width), min(max(rows, 1), Thumbnailer.height))
    var sums = Array(repeating: (sum: 0, count: 0), count: columns * rows)
    for index in 0..<Self.pixelCount {
      let (x, y) = (index % Thumbnailer.width, index / Thumbnailer.width)
      let cell = y * rows / Thumbnailer.height * columns + x * columns / Thumbnailer.width
      let (a, b) = (color(index), other.color(index))
      sums[cell].sum += abs(a.red - b.red) + abs(a.green - b.green) + abs(a.blue - b.blue)
      sums[cell].count += 3
    }
    return sums.map { Double($0.sum) / Double(max(1, $0.count)) }
  }

  @inline(__always)
  private func color(_ index: Int) -> (red: Int, green: Int, blue: Int) {
    (Int(bytes[3 &* index]), Int(bytes[3 &* index &+ 1]), Int(bytes[3 &* index &+ 2]))
  }

  /// In thousandths of a level.
  @inline(__always)
  private static func luma(_ red: Int, _ green: Int, _ blue: Int) -> Int { 299 &* red &+ 587 &* green &+ 114 &* blue }
}
