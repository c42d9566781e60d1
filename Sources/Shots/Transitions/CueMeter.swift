import Glibc

/// Computes a row's cues from the thumbnails around it.
struct CueMeter {
  private var front = FrontMeter()

  mutating func removeAll() { front.removeAll() }

  /// Appends the pixel cues of row `t` to `row`, in the order of ``TransitionCues/names`` from `hue` on.
  ///
  /// `history` must hold frames t - 26 … t + 26 where the stream has them; an index beyond the stream means its first or
  /// its newest frame.
  mutating func measure(_ t: Int, _ history: borrowing ThumbnailHistory, into row: inout [Float]) {
    let newest = history.count - 1
    func at(_ frame: Int) -> Int { ThumbnailHistory.slot(min(max(frame, 0), newest)) }
    func put(_ value: Double) { row.append(Float(value)) }
    func putLog(_ value: Double, _ floor: Double) { put(log(value + floor)) }
    let pixels = Double(TransitionCues.pixels)
    let here = history.facts[at(t)], before = history.facts[at(t - 1)]

    putLog(Double(here.hue) / (pixels * 180), 0.002)
    putLog(Double(here.saturation) / (pixels * 255), 0.002)
    putLog(Double(here.value) / (pixels * 255), 0.002)
    put(here.mean / 255)
    putLog(here.variance.squareRoot() / 255, 0.004)
    put((here.mean - before.mean) / 255)
    put((history.facts[at(t + 4)].mean - history.facts[at(t - 5)].mean) / 255)

    history.samples.withUnsafeBufferPointer { samples in
      func difference(_ a: Int, _ b: Int) -> Double { Self.difference(samples, at(a), at(b)) }
      for gap in TransitionCues.differenceGaps {
        let j = (gap - 1) / 2
        putLog(difference(t - 1 - j, t + j), 0.002)
      }
      var after = Double.infinity, earlier = Double.infinity
      for gap in TransitionCues.returnGaps {
        after = min(after, difference(max(t - 1, 0), t - 1 + gap))
        earlier = min(earlier, difference(t - gap, t))
      }
      putLog(after, 0.002)
      putLog(earlier, 0.002)
    }
    for gap in TransitionCues.structureGaps {
      let a = at(t - 1 - (gap - 1) / 2), b = at(t + (gap - 1) / 2)
      let one = history.facts[a], other = history.facts[b]
      let covariance = Double(Self.product(history.luma, a, b)) / pixels - one.mean * other.mean
      put(1 - covariance / ((one.variance * other.variance).squareRoot() + 4))
    }
    for gap in TransitionCues.histogramGaps {
      let a = at(t - 1 - (gap - 1) / 2), b = at(t + (gap - 1) / 2)
      var sum: Int32 = 0
      for i in 0..<64 { sum += abs(history.histograms[a * 64 + i] - history.histograms[b * 64 + i]) }
      put(Double(sum) / (2 * pixels))
    }
    history.samples.withUnsafeBufferPointer { samples in
      for j in TransitionCues.mixtureReaches {
        let mixture = Self.mixture(samples, at(t - 1 - j), at(t - 1), at(t), at(t + j))
        put(mixture.share)
        put(mixture.rest)
      }
    }
    front.measure(t, newest: newest, history.columns, history.rows, into: &row)
    let columns = Self.focus(history.columns, at(t), places: TransitionCues.width, across: TransitionCues.height, width: 8)
    let rows = Self.focus(history.rows, at(t), places: TransitionCues.height, across: TransitionCues.width, width: 5)
    put(columns.focus)
    put(rows.focus)
    put(columns.place)
    put(rows.place)
    put(here.shift / 5)
    put(log((here.shifted + 0.5) / (here.unshifted + 0.5)))
  }

  /// Mean absolute difference of two thumbnails, 0…1.
  private static func difference(_ samples: UnsafeBufferPointer<UInt8>, _ a: Int, _ b: Int) -> Double {
    let size = TransitionCues.samples, a = a * size, b = b * size
    var sum: Int32 = 0
    for i in 0..<size { sum &+= abs(Int32(samples[a &+ i]) &- Int32(samples[b &+ i])) }
    return Double(sum) / Double(size * 255)
  }

  /// Σ luma·luma of two thumbnails.
  private static func product(_ luma: [UInt8], _ a: Int, _ b: Int) -> Int {
    let size = TransitionCues.pixels, a = a * size, b = b * size
    return luma.withUnsafeBufferPointer { luma in
      var sum: Int32 = 0
      for i in 0..<size { sum &+= Int32(luma[a &+ i]) &* Int32(luma[b &+ i]) }
      return Int(sum)
    }
  }

  /// How well the mean m of frames t-1 and t is a mixture of an older frame a and a younger one b.
  ///
  /// share: of b, the least-squares α of m - a = α·(b - a), drawn to ½ where a and b are alike; rest: what it leaves,
  /// over |b - a|.
  private static func mixture(_ samples: UnsafeBufferPointer<UInt8>, _ a: Int, _ m: Int, _ n: Int, _ b: Int) -> (
    share: Double, rest: Double
  ) {
    let size = TransitionCues.samples
    let a = a * size, m = m * size, n = n * size, b = b * size
    // At most 510² · 3888, which fits in 32 bits.
    var uu: Int32 = 0, uw: Int32 = 0, ww: Int32 = 0
    for i in 0..<size {
      let old = Int32(samples[a &+ i])
      let u = Int32(samples[b &+ i]) &- old, w = Int32(samples[m &+ i]) &+ Int32(samples[n &+ i]) &- 2 &* old
      uu &+= u &* u
      uw &+= u &* w
      ww &+= w &* w
    }
    let whole = Double(size), uuD = Double(uu), uwD = Double(uw), wwD = Double(ww)
    let share = min(max((uwD / 2 + 0.5 * whole) / (uuD + whole), -0.5), 1.5)
    let left = max(wwD / 4 - uwD * uwD / 4 / max(uuD, 1), 0)
    return (share, min((left / (uuD + 4 * whole)).squareRoot(), 2))
  }

  /// How much of the change since the frame before lies in the `width` neighbouring places (columns or rows) that changed
  /// most, and where (-½…½) its centre is. `across`: pixels in a place.
  private static func focus(_ profile: [Int32], _ slot: Int, places: Int, across: Int, width: Int) -> (focus: Double, place: Double) {
    let most = Double(across * 765)
    var total = 0, weighted = 0, window = 0, best = 0
    for i in 0..<places {
      let here = Int(profile[slot * places + i])
      total += here
      weighted += here * (2 * i + 1 - places)
      window += here - (i >= width ? Int(profile[slot * places + i - width]) : 0)
      if i >= width - 1 { best = max(best, window) }
    }
    let every = Double(total) / most + 0.05
    return (Double(best) / most / every, Double(weighted) / Double(2 * places) / most / every)
  }
}
