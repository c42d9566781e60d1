/// `cv2.Canny(value, low, high)`: aperture 3, L1 gradient, borders replicated.
///
/// J. Canny, "A computational approach to edge detection", 1986; sectors and ties as in OpenCV's canny.cpp.
final class Canny {
  private let width: Int
  private let height: Int
  /// Samples from one row to the next in the planes below, which have a margin of one row and `margin` columns.
  private let rowLength: Int
  private static let margin = 8
  private let horizontal: OwnedBuffer<Int16>
  private let vertical: OwnedBuffer<Int16>
  /// |horizontal| + |vertical|, 0 in the margin.
  private let magnitude: OwnedBuffer<Int16>
  /// 0: no edge, 1: edge, 2: an edge if it touches one.
  private let marks: OwnedBuffer<UInt8>
  /// Indices of edges whose neighbours are still to be looked at.
  private let pending: OwnedBuffer<Int32>
  /// Column sums of three rows: smoothed (1 2 1), and the last row minus the first.
  private let smoothed: OwnedBuffer<Int16>
  private let sloped: OwnedBuffer<Int16>

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    rowLength = (width + 15) / 16 * 16 + 2 * Self.margin
    let count = rowLength * (height + 2) + 16
    horizontal = OwnedBuffer(count: count, zero: 0)
    vertical = OwnedBuffer(count: count, zero: 0)
    magnitude = OwnedBuffer(count: count, zero: 0)
    marks = OwnedBuffer(count: count, zero: 0)
    pending = OwnedBuffer(count: width * height, zero: 0)
    smoothed = OwnedBuffer(count: rowLength, zero: 0)
    sloped = OwnedBuffer(count: rowLength, zero: 0)
  }

  /// Row `y` of the edges: odd bytes are edges; `margin` readable bytes of nothing lie on either side.
  func row(_ y: Int) -> UnsafePointer<UInt8> { UnsafePointer(marks.base + index(y)) }

  private func index(_ y: Int) -> Int { (y &+ 1) &* rowLength &+ Self.margin }

  func find(_ value: UnsafePointer<Int16>, stride: Int, low: Int16, high: Int16) {
    guard width > 0, height > 0 else { return }
    for y in 0..<height {
      differentiate(
        value + max(0, y &- 1) &* stride, value + y &* stride, value + min(height &- 1, y &+ 1) &* stride, at: index(y))
    }
    suppress(low: low, high: high)
  }

  /// Sobel's derivatives of one row.
  private func differentiate(
    _ above: UnsafePointer<Int16>, _ here: UnsafePointer<Int16>, _ below: UnsafePointer<Int16>, at start: Int
  ) {
    let smooth = smoothed.base + Self.margin
    let slope = sloped.base + Self.margin
    for x in stride(from: 0, to: width, by: laneCount) {
      let (first, last) = (load(above, x), load(below, x))
      store(first &+ last &+ (load(here, x) &<< 1), smooth, x)
      store(last &- first, slope, x)
    }
    smooth[-1] = smooth[0]
    slope[-1] = slope[0]
    smooth[width] = smooth[width &- 1]
    slope[width] = slope[width &- 1]
    for x in stride(from: 0, to: width, by: laneCount) {
      let across = load(UnsafePointer(smooth), x &+ 1) &- load(UnsafePointer(smooth), x &- 1)
      let down =
        load(UnsafePointer(slope), x &- 1) &+ load(UnsafePointer(slope), x &+ 1) &+ (load(UnsafePointer(slope), x) &<< 1)
      store(across, horizontal.base + start, x)
      store(down, vertical.base + start, x)
      store(larger(across, 0 &- across) &+ larger(down, 0 &- down), magnitude.base + start, x)
    }
    // What the last vector wrote beyond the row.
    for x in width..<((width &+ laneCount &- 1) / laneCount &* laneCount) { magnitude.base[start &+ x] = 0 }
  }

  /// Keeps the ridges of the gradient, and of them those that are strong or touch a strong one.
  private func suppress(low: Int16, high: Int16) {
    let (magnitude, horizontal, vertical) = (magnitude.base, horizontal.base, vertical.base)
    let (marks, pending, rowLength) = (marks.base, pending.base, rowLength)
    var waiting = 0
    for y in 0..<height {
      let start = index(y)
      for x in 0..<width {
        let here = start &+ x
        let strength = magnitude[here]
        marks[here] = 0
        guard strength > low, isRidge(here, strength, Int(horizontal[here]), Int(vertical[here]), magnitude) else {
          continue
        }
        if strength > high {
          marks[here] = 1
          pending[waiting] = Int32(truncatingIfNeeded: here)
          waiting &+= 1
        } else {
          marks[here] = 2
        }
      }
    }
    // A pixel is put here once, when it becomes an edge, so `pending` never holds more than there are pixels.
    while waiting > 0 {
      waiting &-= 1
      let here = Int(truncatingIfNeeded: pending[waiting])
      for step in -1...1 {
        let row = here &+ step &* rowLength
        for neighbor in (row &- 1)...(row &+ 1) where marks[neighbor] == 2 {
          marks[neighbor] = 1
          pending[waiting] = Int32(truncatingIfNeeded: neighbor)
          waiting &+= 1
        }
      }
    }
  }

  /// Whether no neighbour across the edge is stronger; tan 22.5° and tan 67.5° in 15 bits as OpenCV has them.
  @inline(__always)
  private func isRidge(
    _ here: Int, _ strength: Int16, _ across: Int, _ down: Int, _ magnitude: UnsafeMutablePointer<Int16>
  ) -> Bool {
    let (x, y) = (abs(across), abs(down) &<< 15)
    let shallow = x &* 13573
    if y < shallow {
      return strength > magnitude[here &- 1] && strength >= magnitude[here &+ 1]
    }
    if y > shallow &+ x &<< 16 {
      return strength > magnitude[here &- rowLength] && strength >= magnitude[here &+ rowLength]
    }
    let side = (across ^ down) < 0 ? -1 : 1
    return strength > magnitude[here &- rowLength &- side] && strength > magnitude[here &+ rowLength &+ side]
  }
}
