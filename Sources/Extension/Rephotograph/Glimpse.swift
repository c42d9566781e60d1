import Pixels

/// Colours of points that lie evenly in what the camera shows: so few that a shot can be looked at before it is shown, and so
/// many that a detector of cuts measures in them what it does in the frames.
struct Glimpse: Sendable {
  private static let (mostColumns, mostRows) = (64, 36)

  private let layout: PictureLayout
  /// Y, U and V of the points, rows from the top.
  private let samples: [UInt8]

  /// - Parameters:
  ///   - pictures: that of the moment's indices, all of one size.
  ///   - view: in luma samples.
  ///   - size: of the output; glimpses that are to be compared have the same.
  init?(of pictures: [PlanarPicture], at moment: Loop.Moment, in view: CameraView, size: (width: Int, height: Int)) {
    guard pictures.indices.contains(moment.frame), pictures.indices.contains(moment.other) else { return nil }
    let (columns, rows) = (min(Self.mostColumns, size.width), min(Self.mostRows, size.height))
    guard columns > 0, rows > 0 else { return nil }
    layout = PictureLayout(format: .y444, width: columns, height: rows)
    var samples = Self.samples(of: pictures[moment.frame], in: view, columns, rows)
    if moment.share > 0 {
      let others = Self.samples(of: pictures[moment.other], in: view, columns, rows)
      for (index, other) in others.enumerated() {
        samples[index] = UInt8(truncatingIfNeeded: (Int(samples[index]) * (256 - moment.share) + Int(other) * moment.share + 128) >> 8)
      }
    }
    self.samples = samples
  }

  /// Of all of a picture.
  init?(of picture: PlanarPicture, size: (width: Int, height: Int)) {
    let whole = CameraView(x: 0, y: 0, width: Double(picture.width), height: Double(picture.height))
    self.init(of: [picture], at: Loop.Moment(frame: 0, other: 0, share: 0), in: whole, size: size)
  }

  /// How far it is from another, as ``ShotRehearsal`` and detectors count: the mean of the differences of hue, saturation and value.
  ///
  /// Source: PySceneDetect's ContentDetector. Its threshold is 27 unless somebody sets another.
  func change(from other: Glimpse) -> Double {
    let meter = HSVDifference(layout: layout, edges: false)
    _ = other.measured(by: meter)
    return measured(by: meter) ?? 0
  }

  /// Between neighbours.
  static func changes(_ glimpses: [Glimpse]) -> [Double] {
    guard let first = glimpses.first else { return [] }
    let meter = HSVDifference(layout: first.layout, edges: false)
    return glimpses.map { $0.measured(by: meter) ?? 0 }.dropFirst().map { $0 }
  }

  private func measured(by meter: HSVDifference) -> Double? {
    let count = layout.width * layout.height
    let difference = samples.withUnsafeBytes { bytes -> ComponentDifference? in
      guard let base = bytes.baseAddress else { return nil }
      func plane(_ index: Int) -> PlaneView { PlaneView(base: base + index * count, stride: layout.width) }
      return meter.measure(Picture(layout: layout, planes: (plane(0), plane(1), plane(2))))
    }
    return difference.map { ($0.hue + $0.saturation + $0.value) / 3 }
  }

  // MARK: Points

  /// Between two samples of a row or column: the first, how far it is to the second, and that one's weight, of 256.
  private struct Tap {
    var first, step, weight: Int

    init(_ place: Double, count: Int) {
      let inside = min(max(place, 0), Double(count - 1))
      first = Int(inside)
      step = first + 1 < count ? 1 : 0
      weight = Int((inside - Double(first)) * 256)
    }
  }

  private static func samples(of picture: PlanarPicture, in view: CameraView, _ columns: Int, _ rows: Int) -> [UInt8] {
    let (y, u, v) = picture.planes
    let (stepX, stepY) = (view.width / Double(columns), view.height / Double(rows))
    // Where chroma lies among luma: see ``PlanarPicture``.
    func taps(_ count: Int, of size: Int, from start: Double, _ step: Double, isHalf: Bool, shift: Double) -> [Tap] {
      (0..<count).map { index in
        let place = start + (Double(index) + 0.5) * step - 0.5
        return isHalf ? Tap((place - shift) / 2, count: (size + 1) / 2) : Tap(place, count: size)
      }
    }
    let luma = (
      taps(columns, of: picture.width, from: view.x, stepX, isHalf: false, shift: 0),
      taps(rows, of: picture.height, from: view.y, stepY, isHalf: false, shift: 0)
    )
    let chroma = (
      taps(columns, of: picture.width, from: view.x, stepX, isHalf: true, shift: 0),
      taps(rows, of: picture.height, from: view.y, stepY, isHalf: true, shift: 0.5)
    )
    return [UInt8](unsafeUninitializedCapacity: 3 * columns * rows) { output, count in
      count = 3 * columns * rows
      guard let base = output.baseAddress else { return }
      write(y, at: luma, to: base)
      write(u, at: chroma, to: base + columns * rows)
      write(v, at: chroma, to: base + 2 * columns * rows)
    }
  }

  private static func write(_ plane: PlaneView, at taps: (columns: [Tap], rows: [Tap]), to output: UnsafeMutablePointer<UInt8>) {
    let samples = plane.base.assumingMemoryBound(to: UInt8.self)
    var index = 0
    for row in taps.rows {
      let upper = samples + row.first &* plane.stride
      let lower = upper + row.step &* plane.stride
      for column in taps.columns {
        let (left, right) = (column.first, column.first &+ column.step)
        let above = Int(upper[left]) &* (256 &- column.weight) &+ Int(upper[right]) &* column.weight
        let below = Int(lower[left]) &* (256 &- column.weight) &+ Int(lower[right]) &* column.weight
        output[index] = UInt8(truncatingIfNeeded: (above &* (256 &- row.weight) &+ below &* row.weight &+ 32768) >> 16)
        index &+= 1
      }
    }
  }
}
