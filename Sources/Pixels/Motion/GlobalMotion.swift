#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How the camera moved over the last pictures of a shot, and where it will be if it goes on: a zoom about the middle and a shift.
///
/// ```swift
/// let motion = GlobalMotion(of: shot.map { GrayPicture(rgb: $0, width: 112, height: 64) })
/// let path = motion.path(count: 8, damping: 0.95, width: 112, height: 64)
/// ```
///
/// Measured over the last four pictures by registration from coarse to fine; what moves by itself counts for little. The same numbers
/// as training/scene/reference.py, to rounding. About 15 ms for pictures of 112 × 64.
///
/// Sources: Lucas and Kanade, "An iterative image registration technique", 1981, by Gauss-Newton in the inverse composition; Geman
/// and McClure's weights.
public struct GlobalMotion: Hashable, Sendable {
  /// A point p of a picture, in pixels from its middle, was at e^`logZoom` · p + (`x`, `y`) a picture earlier. −0.1 … 0.1.
  public private(set) var logZoom = 0.0
  /// Pixels to the right, at most an eighth of the width either way.
  public private(set) var x = 0.0
  /// Pixels down, at most an eighth of the width either way.
  public private(set) var y = 0.0

  /// How many pictures are looked at.
  public static let mostPictures = 4

  /// - Parameter pictures: of one shot and one size, the last one last; those before the last ``mostPictures`` do not matter. A single
  ///   one has no motion, and neither have pictures below 2 pixels a side.
  public init(of pictures: [GrayPicture]) {
    let seen = pictures.suffix(Self.mostPictures)
    guard let last = seen.last, last.width >= 2, last.height >= 2,
      seen.allSatisfy({ ($0.width, $0.height) == (last.width, last.height) })
    else { return }
    var pyramid = [Array(seen)]
    while pyramid.count < Self.levels, let finest = pyramid.last?.first, min(finest.width, finest.height) >= 16 {
      pyramid.append(pyramid[pyramid.count - 1].map(\.halved))
    }
    for level in pyramid.indices.reversed() {
      if level < pyramid.count - 1 { (x, y) = (2 * x, 2 * y) }
      register(pyramid[level], scale: Self.scale * Double(1 << level), isCoarsest: level == pyramid.count - 1)
    }
    // No camera is quicker: what is beyond comes of pictures without a common move.
    let farthest = Double(last.width) / 8
    logZoom = limited(logZoom, to: 0.1)
    x = limited(x, to: farthest)
    y = limited(y, to: farthest)
  }

  /// What the camera sees 1 … `count` pictures later: for each a zoom and a shift, as a point p there is at zoom · p + (x, y) now.
  ///
  /// - Parameters:
  ///   - damping: of the speed, a picture. It is less, down to 0, where the camera would see beyond more than 15 % of a side.
  ///   - width, height: of a picture.
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

  /// A picture, from where the camera will be 1 … `count` pictures later.
  ///
  /// - Parameters:
  ///   - levels: `[H, W, C]`, 0…255.
  ///   - damping: of the speed, a picture.
  /// - Returns: `[count, H, W, C]`, 0…255 at sampled places; what was not seen is mirrored. Black for a picture below 2 pixels a side, or
  ///   for other levels than it has.
  public func continuing(_ levels: [Double], width: Int, height: Int, channels: Int, count: Int, damping: Double) -> [Double] {
    var result = [Double](repeating: 0, count: count * height * width * channels)
    guard width >= 2, height >= 2, levels.count == height * width * channels else { return result }
    let (middleX, middleY) = (Double(width - 1) / 2, Double(height - 1) / 2)
    var number = 0
    for ahead in path(count: count, damping: damping, width: width, height: height) {
      for row in 0..<height {
        for column in 0..<width {
          let atX = ahead.zoom * (Double(column) - middleX) + ahead.x + middleX
          let atY = ahead.zoom * (Double(row) - middleY) + ahead.y + middleY
          let place = BicubicPlace(x: atX, y: atY, width: width, height: height)
          for channel in 0..<channels {
            result[number] = min(max(place.value { levels[$0 * channels + channel] }, 0), 255)
            number += 1
          }
        }
      }
    }
    return result
  }

  // MARK: Registration

  /// Of a side.
  private static let beyond = 0.15
  private static let levels = 3
  private static let iterations = 8
  /// Of the weights at the finest level, in levels of 255; twice as much at each coarser one.
  private static let scale = 6.0

  /// Gauss-Newton steps over one level of the pyramid: `images`, the last one last.
  private mutating func register(_ images: [GrayPicture], scale: Double, isCoarsest: Bool) {
    guard let last = images.last, images.count > 1 else { return }
    let (width, height) = (last.width, last.height)
    let (middleX, middleY) = (Double(width - 1) / 2, Double(height - 1) / 2)
    for iteration in 0..<Self.iterations {
      // A quick move is found between neighbours, which are not so far apart.
      let known = isCoarsest && iteration < 5 ? iteration < 3 ? 1 : 2 : Self.mostPictures - 1
      // Of the symmetric matrix over zoom, x and y what is on and below the diagonal, row by row.
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
            let place = BilinearPlace(x: atX + middleX, y: atY + middleY, width: width, height: height)
            let index = row * width + column
            let error = place.value { earlier.values[$0] } - last.values[index]
            let part = error / scale
            let weight = 1 / ((1 + part * part) * (1 + part * part))
            let (slopeX, slopeY) = (times * last.slopeX(column, row), times * last.slopeY(column, row))
            let slopeZoom = slopeX * px + slopeY * py
            normal[0] += weight * slopeZoom * slopeZoom
            normal[1] += weight * slopeZoom * slopeX
            normal[2] += weight * slopeX * slopeX
            normal[3] += weight * slopeZoom * slopeY
            normal[4] += weight * slopeX * slopeY
            normal[5] += weight * slopeY * slopeY
            right -= weight * error * SIMD3(slopeZoom, slopeX, slopeY)
          }
        }
      }
      // Where a picture has no detail nothing moves.
      let least = 1e-5 * Double(width * height)
      normal[0] += least * Double(width * width)
      normal[2] += least
      normal[5] += least
      let lower = [normal[0], 0, 0, normal[1], normal[2], 0, normal[3], normal[4], normal[5]]
      guard let step = Cholesky.solve(lower, [right.x, right.y, right.z], band: 2), step.allSatisfy(\.isFinite) else { return }
      (logZoom, x, y) = (logZoom + step[0], x + step[1], y + step[2])
    }
  }
}

private func limited(_ value: Double, to limit: Double) -> Double { min(max(value, -limit), limit) }
