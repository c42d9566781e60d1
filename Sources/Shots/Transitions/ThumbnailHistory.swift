/// What is known of one thumbnail beside its samples.
struct ThumbnailFacts {
  /// Σ luma and Σ luma² over the picture.
  var total = 0
  var squares = 0
  /// Sums over the picture of what HSV changed since the frame before.
  var hue = 0
  var saturation = 0
  var value = 0
  /// Length of the best shift since the frame before, pixels, and how much of the difference is left: each mean absolute
  /// luma difference a pixel.
  var shift: Double = 0
  var shifted: Double = 0
  var unshifted: Double = 0

  var mean: Double { Double(total) / Double(TransitionCues.pixels) }
  var variance: Double { max(Double(squares) / Double(TransitionCues.pixels) - mean * mean, 0) }
}

/// The newest 64 thumbnails of a stream and what was computed of each when it came. Memory is taken once.
struct ThumbnailHistory {
  /// More than the 2·26 + 1 frames that a row of cues needs; a power of two.
  static let capacity = 64

  /// [capacity, 27, 48, 3]
  private(set) var samples: [UInt8]
  /// [capacity, 27, 48]: (77·R + 150·G + 29·B) >> 8.
  private(set) var luma: [UInt8]
  /// [capacity, 64]: pixels by the two upper bits of R, G and B.
  private(set) var histograms: [Int32]
  /// [capacity, 48] and [capacity, 27]: Σ |change of R, G, B| since the frame before.
  private(set) var columns: [Int32]
  private(set) var rows: [Int32]
  private(set) var facts: [ThumbnailFacts]
  /// HSV of the newest frame and of the one before, [2, 27·48].
  private var hue: [Int16]
  private var saturation: [Int16]
  private var value: [Int16]
  /// Frames seen; the newest is `count - 1`.
  private(set) var count = 0
  private let shiftMeter = ShiftMeter()

  init() {
    let pixels = TransitionCues.pixels
    samples = [UInt8](repeating: 0, count: Self.capacity * TransitionCues.samples)
    luma = [UInt8](repeating: 0, count: Self.capacity * pixels)
    histograms = [Int32](repeating: 0, count: Self.capacity * 64)
    columns = [Int32](repeating: 0, count: Self.capacity * TransitionCues.width)
    rows = [Int32](repeating: 0, count: Self.capacity * TransitionCues.height)
    facts = [ThumbnailFacts](repeating: ThumbnailFacts(), count: Self.capacity)
    hue = [Int16](repeating: 0, count: 2 * pixels)
    saturation = hue
    value = hue
  }

  /// The samples of the newest thumbnail; there must be one.
  var newest: [UInt8] {
    let start = Self.slot(count - 1) * TransitionCues.samples
    return Array(samples[start..<start + TransitionCues.samples])
  }

  static func slot(_ frame: Int) -> Int { frame & (capacity - 1) }

  mutating func removeAll() { count = 0 }

  /// Takes the next thumbnail, `TransitionCues.samples` bytes.
  mutating func append(_ thumbnail: UnsafeBufferPointer<UInt8>) {
    let slot = Self.slot(count), before = count > 0 ? Self.slot(count - 1) : slot
    let size = TransitionCues.samples
    samples.withUnsafeMutableBufferPointer { all in
      for i in 0..<size { all[slot * size + i] = thumbnail[i] }
    }
    var new = ThumbnailFacts()
    measureLevels(slot, into: &new)
    measureColours(slot, into: &new)
    measureProfiles(slot, before: before)
    luma.withUnsafeBufferPointer { all in
      let pixels = TransitionCues.pixels
      shiftMeter.measure(
        UnsafeBufferPointer(rebasing: all[before * pixels..<(before + 1) * pixels]),
        UnsafeBufferPointer(rebasing: all[slot * pixels..<(slot + 1) * pixels]), into: &new)
    }
    facts[slot] = new
    count += 1
  }

  /// Luma, its sums and the histogram.
  private mutating func measureLevels(_ slot: Int, into new: inout ThumbnailFacts) {
    let pixels = TransitionCues.pixels, size = TransitionCues.samples
    for i in slot * 64..<(slot + 1) * 64 { histograms[i] = 0 }
    var total = 0, squares = 0
    samples.withUnsafeBufferPointer { samples in
      luma.withUnsafeMutableBufferPointer { luma in
        histograms.withUnsafeMutableBufferPointer { histograms in
          for i in 0..<pixels {
            let r = Int(samples[slot * size + 3 * i]), g = Int(samples[slot * size + 3 * i + 1]), b = Int(samples[slot * size + 3 * i + 2])
            let y = (77 * r + 150 * g + 29 * b) >> 8
            luma[slot * pixels + i] = UInt8(truncatingIfNeeded: y)
            total += y
            squares += y * y
            histograms[slot * 64 + ((r >> 6) << 4 | (g >> 6) << 2 | b >> 6)] += 1
          }
        }
      }
    }
    new.total = total
    new.squares = squares
  }

  /// How far hue (circular, of 180), saturation and value moved.
  private mutating func measureColours(_ slot: Int, into new: inout ThumbnailFacts) {
    let pixels = TransitionCues.pixels, size = TransitionCues.samples
    let here = (count & 1) * pixels, there = count > 0 ? pixels - here : here
    for i in 0..<pixels {
      let at = slot * size + 3 * i
      let (h, s, v) = Self.hsv(Int(samples[at]), Int(samples[at + 1]), Int(samples[at + 2]))
      hue[here + i] = h
      saturation[here + i] = s
      value[here + i] = v
      let turn = Int(abs(h - hue[there + i]))
      new.hue += min(turn, 180 - turn)
      new.saturation += Int(abs(s - saturation[there + i]))
      new.value += Int(abs(v - value[there + i]))
    }
  }

  /// PySceneDetect's 8-bit HSV (H 0–179, S and V 0–255), rounded down.
  static func hsv(_ r: Int, _ g: Int, _ b: Int) -> (Int16, Int16, Int16) {
    let v = max(r, g, b), span = v - min(r, g, b)
    guard span > 0 else { return (0, 0, Int16(truncatingIfNeeded: v)) }
    var h = v == r ? 30 * (g - b) : v == g ? 60 * span + 30 * (b - r) : 120 * span + 30 * (r - g)
    if h < 0 { h += 180 * span }
    return (Int16(truncatingIfNeeded: h / span), Int16(truncatingIfNeeded: 255 * span / v), Int16(truncatingIfNeeded: v))
  }

  /// Where the picture changed since the frame before, by column and by row.
  private mutating func measureProfiles(_ slot: Int, before: Int) {
    let width = TransitionCues.width, height = TransitionCues.height, size = TransitionCues.samples
    for x in 0..<width { columns[slot * width + x] = 0 }
    for y in 0..<height {
      var row: Int32 = 0
      for x in 0..<width {
        let at = 3 * (y * width + x)
        var change: Int32 = 0
        for k in at..<at + 3 { change += abs(Int32(samples[slot * size + k]) - Int32(samples[before * size + k])) }
        columns[slot * width + x] += change
        row += change
      }
      rows[slot * height + y] = row
    }
  }
}
