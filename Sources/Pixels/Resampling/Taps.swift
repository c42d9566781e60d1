/// The size that PySceneDetect 0.7.2 measures in: `auto_downscale`, its longer side 256 or less.
package struct SmallSize: Equatable {
  package let width: Int
  package let height: Int

  /// - Parameters: a picture's size in pixels; nothing (0 × 0) comes of a size below 1 or above 65,535.
  package init(width: Int, height: Int) {
    guard (1...65535).contains(width), (1...65535).contains(height) else {
      self.width = 0
      self.height = 0
      return
    }
    let longer = max(width, height)
    let factor = longer < 256 ? 1 : Double(longer) / 256
    // Python's round: ties to even.
    self.width = max(1, Int((Double(width) / factor).rounded(.toNearestOrEven)))
    self.height = max(1, Int((Double(height) / factor).rounded(.toNearestOrEven)))
  }
}

/// The two source samples of each output sample along one axis, where `cv2.resize` with `INTER_LINEAR` takes them.
struct AxisTap {
  var first: Int
  var second: Int
  /// Weight of `second`, 0 ..< 1.
  var fraction: Double

  static func along(source: Int, output: Int) -> [AxisTap] {
    // cv::resize computes the position in double and keeps it as float.
    let scale = 1 / (Double(output) / Double(source))
    return (0..<output).map { index in
      let position = Float((Double(index) + 0.5) * scale - 0.5)
      let floor = position.rounded(.down)
      if floor < 0 { return AxisTap(first: 0, second: min(1, source - 1), fraction: 0) }
      let first = Int(floor)
      guard first < source - 1 else { return AxisTap(first: source - 1, second: source - 1, fraction: 0) }
      return AxisTap(first: first, second: first + 1, fraction: Double(position - floor))
    }
  }

  /// Where an adjacent pair is to be read, and the weight of its second sample, so that no read passes the row's end.
  ///
  /// - Parameters:
  ///   - shift: log₂ of the samples that share one of this channel (chroma is replicated, not interpolated).
  ///   - count: samples in the row.
  func pair(shift: Int, count: Int) -> (offset: Int, fraction: Double) {
    let near = first >> shift
    let far = second >> shift
    if count < 2 { return (0, 0) }
    if near >= count - 1 { return (count - 2, 1) }
    return (near, near == far ? 0 : fraction)
  }
}
