import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How the camera moved over the last frames of a shot, and what it would see if it went on: a zoom about the middle and a shift.
///
/// ```swift
/// let motion = CameraMotion(of: shot)
/// let ahead = motion.continuing(shot, count: 8, damping: 0.95)
/// ```
///
/// Measured over the last four frames by registration from coarse to fine; what moves by itself counts for little. The same numbers
/// as training/scene/reference.py, to rounding. About 15 ms for frames of 112 × 64.
///
/// Sources: Lucas and Kanade, "An iterative image registration technique", 1981, by Gauss-Newton in the inverse composition; Geman
/// and McClure's weights.
public struct CameraMotion: Hashable, Sendable {
  /// A point p of a frame, in pixels from its middle, was at e^`logZoom` · p + (`x`, `y`) a frame earlier.
  public private(set) var logZoom = 0.0
  public private(set) var x = 0.0
  public private(set) var y = 0.0

  /// - Parameter frames: `[T, H, W, 3]`, −1…1, of one shot. A single frame has no motion.
  public init(of frames: Frames) {
    guard frames.channels == 3, frames.height >= 2, frames.width >= 2 else { return }
    let first = max(0, frames.count - 1 - Self.span)
    var pyramid = [(first..<max(first, frames.count)).map { Luma(frames, $0) }]
    while pyramid.count < Self.levels, let finest = pyramid.last?.first, min(finest.width, finest.height) >= 16 {
      pyramid.append(pyramid[pyramid.count - 1].map(\.halved))
    }
    for level in pyramid.indices.reversed() {
      if level < pyramid.count - 1 { (x, y) = (2 * x, 2 * y) }
      register(pyramid[level], scale: Self.scale * Double(1 << level), isCoarsest: level == pyramid.count - 1)
    }
    // No camera is quicker: what is beyond comes of pictures without a common move.
    let farthest = Double(frames.width) / 8
    logZoom = limited(logZoom, to: 0.1)
    x = limited(x, to: farthest)
    y = limited(y, to: farthest)
  }

  /// What the camera sees 1 … `count` frames later: for each a zoom and a shift, as a point p there is at zoom · p + (x, y) now.
  ///
  /// - Parameters:
  ///   - damping: of the speed, a frame. It is less, down to 0, where the camera would see beyond more than 15 % of a side.
  ///   - width, height: of a frame.
  public func path(count: Int, damping: Double, width: Int, height: Int) -> [(zoom: Double, x: Double, y: Double)] {
    func places(_ damping: Double) -> [SIMD3<Double>] {
      var (ahead, speed) = (SIMD3<Double>(repeating: 0), SIMD3<Double>(logZoom, x, y))
      return (0..<count).map { _ in
        ahead += speed
        speed *= damping
        return ahead
      }
    }
    func staysNear(_ places: [SIMD3<Double>]) -> Bool {
      guard let last = places.last else { return true }
      return (exp(last.x) - 1) / 2 + max(abs(last.y) / Double(width), abs(last.z) / Double(height)) <= Self.beyond
    }
    var result = places(damping)
    if !staysNear(result) {
      var (low, high) = (0.0, damping)
      for _ in 0..<20 {
        let middle = (low + high) / 2
        (low, high) = staysNear(places(middle)) ? (middle, high) : (low, middle)
      }
      result = places(low)
    }
    return result.map { (exp($0.x), $0.y, $0.z) }
  }

  /// The last of the frames, from where the camera will be 1 … `count` frames later.
  ///
  /// - Parameters:
  ///   - frames: `[T, H, W, 3]`, −1…1.
  ///   - damping: of the speed, a frame.
  /// - Returns: as many frames as asked for, of values of 8 bits at sampled places; what no frame has seen is mirrored.
  public func continuing(_ frames: Frames, count: Int, damping: Double) -> Frames {
    let (height, width, channels) = (frames.height, frames.width, frames.channels)
    let result = Frames(count: count, height: height, width: width, channels: channels)
    guard frames.count > 0, height >= 2, width >= 2 else { return result }
    let last = frames.matrix.row((frames.count - 1) * height * width).assumingMemoryBound(to: Float.self)
    let levels = (0..<height * width * channels).map { byte(last[$0]) }
    let (middleX, middleY) = (Double(width - 1) / 2, Double(height - 1) / 2)
    for (frame, ahead) in path(count: count, damping: damping, width: width, height: height).enumerated() {
      for row in 0..<height {
        let target = result.matrix.row((frame * height + row) * width).assumingMemoryBound(to: Float.self)
        for column in 0..<width {
          let atX = ahead.zoom * (Double(column) - middleX) + ahead.x + middleX
          let atY = ahead.zoom * (Double(row) - middleY) + ahead.y + middleY
          let place = CubicPlace(x: atX, y: atY, width: width, height: height)
          for channel in 0..<channels {
            let level = place.value { levels[$0 * channels + channel] }
            target[column * channels + channel] = Float(min(max(level, 0), 255)) / 127.5 - 1
          }
        }
      }
    }
    return result
  }

  // MARK: Registration

  /// Of a side.
  private static let beyond = 0.15
  private static let span = 3
  private static let levels = 3
  private static let iterations = 8
  /// Of the weights at the finest level, in levels of 255; twice as much at each coarser one.
  private static let scale = 6.0

  /// Gauss-Newton steps over one level of the pyramid: `images`, the last one last.
  private mutating func register(_ images: [Luma], scale: Double, isCoarsest: Bool) {
    guard let last = images.last, images.count > 1 else { return }
    let (width, height) = (last.width, last.height)
    let (middleX, middleY) = (Double(width - 1) / 2, Double(height - 1) / 2)
    for iteration in 0..<Self.iterations {
      // A quick move is found between neighbours, which are not so far apart.
      let known = isCoarsest ? iteration < 3 ? 1 : iteration < 5 ? 2 : Self.span : Self.span
      // Of the symmetric matrix: zoom zoom, zoom x, zoom y, x x, x y, y y.
      var normal = [Double](repeating: 0, count: 6)
      var right = SIMD3(0.0, 0, 0)
      for back in 1...min(images.count - 1, known) {
        let earlier = images[images.count - 1 - back]
        let times = Double(back)
        let zoom = exp(times * logZoom)
        for row in 0..<height {
          let py = Double(row) - middleY
          let atY = zoom * py + times * y
          guard abs(atY) <= middleY else { continue }
          for column in 0..<width {
            let px = Double(column) - middleX
            let atX = zoom * px + times * x
            guard abs(atX) <= middleX else { continue }
            let place = Place(x: atX + middleX, y: atY + middleY, width: width, height: height)
            let index = row * width + column
            let error = place.value { earlier.values[$0] } - last.values[index]
            let part = error / scale
            let weight = 1 / ((1 + part * part) * (1 + part * part))
            let (slopeX, slopeY) = (times * last.slopeX(column, row), times * last.slopeY(column, row))
            let slopeZoom = slopeX * px + slopeY * py
            normal[0] += weight * slopeZoom * slopeZoom
            normal[1] += weight * slopeZoom * slopeX
            normal[2] += weight * slopeZoom * slopeY
            normal[3] += weight * slopeX * slopeX
            normal[4] += weight * slopeX * slopeY
            normal[5] += weight * slopeY * slopeY
            right -= weight * error * SIMD3(slopeZoom, slopeX, slopeY)
          }
        }
      }
      // Where a picture has no detail nothing moves.
      let least = 1e-5 * Double(width * height)
      normal[0] += least * Double(width * width)
      normal[3] += least
      normal[5] += least
      let step = solved(normal, right)
      guard step.x.isFinite, step.y.isFinite, step.z.isFinite else { return }
      (logZoom, x, y) = (logZoom + step.x, x + step.y, y + step.z)
    }
  }
}

/// The solution of a symmetric positive definite system of three equations, by Cholesky's decomposition.
private func solved(_ a: [Double], _ b: SIMD3<Double>) -> SIMD3<Double> {
  let l00 = a[0].squareRoot()
  let (l10, l20) = (a[1] / l00, a[2] / l00)
  let l11 = (a[3] - l10 * l10).squareRoot()
  let l21 = (a[4] - l20 * l10) / l11
  let l22 = (a[5] - l20 * l20 - l21 * l21).squareRoot()
  let first = b.x / l00
  let second = (b.y - l10 * first) / l11
  let third = (b.z - l20 * first - l21 * second) / l22
  let z = third / l22
  let y = (second - l21 * z) / l11
  return SIMD3((first - l10 * y - l20 * z) / l00, y, z)
}

private func limited(_ value: Double, to limit: Double) -> Double { min(max(value, -limit), limit) }

/// −1…1 as the nearest of 0…255, which is what is shown of it; what is not a number is 0.
private func byte(_ value: Float) -> Double {
  let level = (value + 1) * 127.5
  return level > 0 ? Double(min(255, level.rounded())) : 0
}

/// A place in a picture that is mirrored at its first and its last pixel.
private func folded(_ place: Double, _ last: Double) -> Double {
  let place = abs(place).truncatingRemainder(dividingBy: 2 * last)
  return min(place, 2 * last - place)
}

/// Sixteen pixels and their shares in a place between them, by cubic convolution (Keys 1981, Catmull and Rom's spline): sharper than
/// straight lines, which matters where a shot goes on again and again. Outside the picture is mirrored.
private struct CubicPlace {
  private var columns: SIMD4<Int>
  private var rows: SIMD4<Int>
  private var across: SIMD4<Double>
  private var down: SIMD4<Double>

  /// - Precondition: the picture has two pixels at least each way.
  init(x: Double, y: Double, width: Int, height: Int) {
    func pixels(_ place: Double, _ count: Int) -> (SIMD4<Int>, SIMD4<Double>) {
      let first = place.rounded(.down)
      let d = place - first
      func pixel(_ index: Double) -> Int { Int(folded(first + index, Double(count - 1))) }
      return (
        SIMD4(pixel(-1), pixel(0), pixel(1), pixel(2)),
        SIMD4(((2 - d) * d - 1) * d / 2, ((3 * d - 5) * d * d + 2) / 2, ((4 - 3 * d) * d + 1) * d / 2, (d - 1) * d * d / 2)
      )
    }
    (columns, across) = pixels(x, width)
    (rows, down) = pixels(y, height)
    rows = SIMD4(rows[0] * width, rows[1] * width, rows[2] * width, rows[3] * width)
  }

  @inline(__always)
  func value(_ pixel: (Int) -> Double) -> Double {
    var sum = 0.0
    for row in 0..<4 {
      var line = 0.0
      for column in 0..<4 { line += across[column] * pixel(rows[row] + columns[column]) }
      sum += down[row] * line
    }
    return sum
  }
}

/// Four pixels and their shares in a place between them; outside the picture is mirrored at its first and last pixels.
private struct Place {
  var first: Int
  var width: Int
  var right: Double
  var below: Double

  /// - Precondition: the picture has two pixels at least each way.
  init(x: Double, y: Double, width: Int, height: Int) {
    let (x, y) = (folded(x, Double(width - 1)), folded(y, Double(height - 1)))
    let (column, row) = (min(Int(x), width - 2), min(Int(y), height - 2))
    (first, self.width, right, below) = (row * width + column, width, x - Double(column), y - Double(row))
  }

  @inline(__always)
  func value(_ pixel: (Int) -> Double) -> Double {
    let upper = pixel(first) * (1 - right) + pixel(first + 1) * right
    let lower = pixel(first + width) * (1 - right) + pixel(first + width + 1) * right
    return upper * (1 - below) + lower * below
  }
}

/// Brightness, 0…255.
private struct Luma {
  var width: Int
  var height: Int
  var values: [Double]

  init(_ frames: Frames, _ frame: Int) {
    (width, height) = (frames.width, frames.height)
    let pixels = frames.matrix.row(frame * height * width).assumingMemoryBound(to: Float.self)
    values = (0..<height * width).map { 0.299 * byte(pixels[3 * $0]) + 0.587 * byte(pixels[3 * $0 + 1]) + 0.114 * byte(pixels[3 * $0 + 2]) }
  }

  private init(width: Int, height: Int, values: [Double]) { (self.width, self.height, self.values) = (width, height, values) }

  /// Means of 2 × 2 pixels; an odd last row or column is dropped.
  var halved: Luma {
    let (columns, rows) = (width / 2, height / 2)
    return Luma(
      width: columns, height: rows,
      values: (0..<rows * columns).map { index in
        let first = index / columns * 2 * width + index % columns * 2
        return (values[first] + values[first + width] + values[first + 1] + values[first + width + 1]) / 4
      })
  }

  func slopeX(_ column: Int, _ row: Int) -> Double {
    let (left, right) = (max(0, column - 1), min(width - 1, column + 1))
    return (values[row * width + right] - values[row * width + left]) / Double(right - left)
  }

  func slopeY(_ column: Int, _ row: Int) -> Double {
    let (above, below) = (max(0, row - 1), min(height - 1, row + 1))
    return (values[below * width + column] - values[above * width + column]) / Double(below - above)
  }
}
