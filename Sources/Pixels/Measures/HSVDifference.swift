/// Mean absolute differences between two pictures, of a pixel.
public struct ComponentDifference: Hashable, Sendable {
  /// 0 … 179; not circular, as in PySceneDetect: 1 and 179 are 178 apart.
  public var hue: Double
  /// 0 … 255.
  public var saturation: Double
  /// 0 … 255.
  public var value: Double
  /// 0 … 255: the part of pixels in one edge map only, times 255; 0 unless edges are asked for.
  public var edges: Double

  /// Nothing is checked.
  public init(hue: Double, saturation: Double, value: Double, edges: Double) {
    self.hue = hue
    self.saturation = saturation
    self.value = value
    self.edges = edges
  }
}

/// How far each picture is from the one before it in hue, saturation, value and, if wanted, edges: the components of
/// PySceneDetect's content detector.
///
/// Pictures of two sizes are compared in one that both are reduced to, 64 pixels the longer side at most: where a small
/// picture's samples lie depends on the large one's size, and what two sizes of the same picture differ by there averages out.
///
/// Memory: four bytes a small pixel (150 kB), six more with edges. Nothing is allocated after `init` while the layout
/// stays.
public final class HSVDifference {
  private var reducer: Reducer
  private var levels: HSVLevels

  /// - Parameters:
  ///   - layout: of the first picture; one of another layout costs new memory.
  ///   - edges: whether edges are measured too, which takes more time and memory.
  public init(layout: PictureLayout, edges: Bool) {
    reducer = Reducer(layout: layout)
    levels = HSVLevels(reducer.size, edges: edges)
  }

  /// The difference to the previous picture, whatever its layout; nil for the first one.
  public func measure(_ picture: borrowing Picture) -> ComponentDifference? {
    let last = reducer.layout
    guard picture.layout != last else { return take(picture) }
    reducer = Reducer(layout: picture.layout)
    if (picture.layout.width, picture.layout.height) == (last.width, last.height) { return take(picture) }
    let before = levels
    levels = HSVLevels(reducer.size, edges: before.edges != nil)
    _ = take(picture)
    return before.isSet ? before.difference(toPictureOfAnotherSize: levels) : nil
  }

  /// Forgets the previous picture.
  public func reset() { levels.isSet = false }

  private func take(_ picture: borrowing Picture) -> ComponentDifference? {
    for y in 0..<reducer.size.height {
      reducer.reduceRow(y, of: picture)
      levels.put(y, reducer.blue, reducer.green, reducer.red)
    }
    return levels.finish()
  }
}

/// Hue, saturation and value of a small picture, which those of the next replace row by row.
private final class HSVLevels {
  let size: SmallSize
  let edges: EdgeMap?
  /// Whether a whole picture was put in.
  var isSet = false
  /// Whole vectors a row.
  private let width: Int
  /// Hue + saturation·256, and value.
  private let chroma: OwnedBuffer<UInt16>
  private let value: OwnedBuffer<Int16>
  private var sums = ComponentSums()

  init(_ size: SmallSize, edges: Bool) {
    self.size = size
    width = (size.width + laneCount - 1) / laneCount * laneCount
    chroma = OwnedBuffer(count: width * size.height, zero: 0)
    value = OwnedBuffer(count: width * size.height, zero: 0)
    self.edges = edges ? EdgeMap(width: size.width, height: size.height) : nil
  }

  /// Takes the next picture's row `y`: whole vectors of levels, 0 beyond the picture. What `blue` and `green` held is lost.
  func put(
    _ y: Int, _ blue: UnsafeMutablePointer<Int16>, _ green: UnsafeMutablePointer<Int16>, _ red: UnsafeMutablePointer<Int16>
  ) {
    Self.compare(blue, green, red, width, chroma.base + y &* width, value.base + y &* width, &sums)
  }

  /// All rows were put in. nil for the first picture.
  func finish() -> ComponentDifference? {
    defer {
      sums = ComponentSums()
      isSet = true
    }
    let changedEdges = edges?.update(value.base, stride: width) ?? 0
    guard isSet else { return nil }
    let pixels = Double(max(1, size.width * size.height))
    return ComponentDifference(
      hue: Double(sums.hue) / pixels, saturation: Double(sums.saturation) / pixels,
      value: Double(sums.value) / pixels, edges: Double(changedEdges) * 255 / pixels)
  }

  // MARK: - Two sizes

  private static let coarsest = 64

  func difference(toPictureOfAnotherSize other: HSVLevels) -> ComponentDifference? {
    let (width, height) = (min(size.width, other.size.width), min(size.height, other.size.height))
    let shrink = max(1, Double(max(width, height)) / Double(Self.coarsest))
    func side(_ length: Int) -> Int { max(1, Int((Double(length) / shrink).rounded())) }
    let coarse = HSVLevels(SmallSize(width: side(width), height: side(height)), edges: edges != nil)
    coarse.put(allOf: self)
    return coarse.put(allOf: other)
  }

  /// Takes a larger picture, or one as large, reduced by averaging.
  @discardableResult
  private func put(allOf source: HSVLevels) -> ComponentDifference? {
    let columns = AreaShare.along(source: source.size.width, output: size.width)
    let rows = AreaShare.along(source: source.size.height, output: size.height)
    let row = OwnedBuffer<Int16>(count: 3 * width, zero: 0)
    var means = [SIMD3<Float>](repeating: .zero, count: size.width * size.height)
    for down in rows {
      for across in columns {
        means[down.output * size.width + across.output] += source.color(across.source, down.source) * (across.weight * down.weight)
      }
    }
    for y in 0..<size.height {
      for x in 0..<size.width {
        for channel in 0..<3 { row.base[channel * width + x] = Int16(means[y * size.width + x][channel].rounded()) }
      }
      put(y, row.base, row.base + width, row.base + 2 * width)
    }
    return finish()
  }

  /// Blue, green and red of a pixel, 0 … 255, to about two levels.
  private func color(_ x: Int, _ y: Int) -> SIMD3<Float> {
    let (color, value) = (chroma.base[y * width + x], Float(value.base[y * width + x]))
    let (sector, saturation) = (Float(color & 0xFF) / 30, Float(color >> 8) / 255)
    // Each channel lies at the value less what its distance from the hue takes away.
    func channel(_ n: Float) -> Float {
      let k = (n + sector).truncatingRemainder(dividingBy: 6)
      return value * (1 - saturation * max(0, min(k, 4 - k, 1)))
    }
    return SIMD3(channel(1), channel(3), channel(5))
  }

  private struct ComponentSums {
    var hue: UInt32 = 0
    var saturation: UInt32 = 0
    var value: UInt32 = 0
  }

  /// One row to HSV, its differences to the previous picture's row, which it replaces.
  ///
  /// A row has at most 32 vectors, so a lane's sum stays below 32·255, and a picture's below 2³².
  private static func compare(
    _ blue: UnsafeMutablePointer<Int16>, _ green: UnsafeMutablePointer<Int16>, _ red: UnsafeMutablePointer<Int16>,
    _ width: Int, _ chroma: UnsafeMutablePointer<UInt16>, _ value: UnsafeMutablePointer<Int16>, _ sums: inout ComponentSums
  ) {
    var hueSum = Words(repeating: 0)
    var saturationSum = Words(repeating: 0)
    var valueSum = SignedWords(repeating: 0)
    let (spans, sectors) = (blue, green)  // as rows in place
    var x = 0
    while x < width {
      let pixel = HSV.sectors(load(blue, x), load(green, x), load(red, x))
      valueSum &+= distance(pixel.value, load(value, x))
      store(pixel.value, value, x)
      store(pixel.span, spans, x)
      store(pixel.sector, sectors, x)
      x &+= laneCount
    }
    x = 0
    while x < width {
      let pixel = HSV.hueAndSaturation(value: load(value, x), span: load(spans, x), sector: load(sectors, x))
      let color = unsigned(pixel.hue &+ (pixel.saturation &<< 8))
      let previous = unsafeBitCast(load(chroma, x), to: SIMD16<UInt8>.self)
      let difference = unsafeBitCast(distance(unsafeBitCast(color, to: SIMD16<UInt8>.self), previous), to: Words.self)
      hueSum &+= difference & 0xFF
      saturationSum &+= difference &>> 8
      store(color, chroma, x)
      x &+= laneCount
    }
    sums.hue &+= widened(hueSum).wrappedSum()
    sums.saturation &+= widened(saturationSum).wrappedSum()
    sums.value &+= widened(unsigned(valueSum)).wrappedSum()
  }
}
