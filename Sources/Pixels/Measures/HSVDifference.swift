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
/// Memory: four bytes a small pixel (150 kB), six more with edges. Nothing is allocated after `init` while the layout
/// stays.
public final class HSVDifference {
  private var state: HSVState

  /// - Parameters:
  ///   - layout: of the first picture; one of another layout costs new memory.
  ///   - edges: whether edges are measured too, which takes more time and memory.
  public init(layout: PictureLayout, edges: Bool) {
    state = HSVState(layout: layout, edges: edges)
  }

  /// The difference to the previous picture; nil for the first one, and for the first of another layout.
  public func measure(_ picture: borrowing Picture) -> ComponentDifference? {
    if picture.layout != state.reducer.layout {
      state = HSVState(layout: picture.layout, edges: state.edges != nil)
    }
    return state.measure(picture)
  }

  /// Forgets the previous picture.
  public func reset() { state.hasPrevious = false }
}

private final class HSVState {
  let reducer: Reducer
  let edges: EdgeMap?
  var hasPrevious = false
  /// The previous picture: hue + saturation·256, and value.
  private let chroma: OwnedBuffer<UInt16>
  private let value: OwnedBuffer<Int16>

  init(layout: PictureLayout, edges: Bool) {
    reducer = Reducer(layout: layout)
    let count = reducer.paddedWidth * reducer.size.height
    chroma = OwnedBuffer(count: count, zero: 0)
    value = OwnedBuffer(count: count, zero: 0)
    self.edges = edges ? EdgeMap(width: reducer.size.width, height: reducer.size.height) : nil
  }

  func measure(_ picture: borrowing Picture) -> ComponentDifference? {
    let reducer = reducer
    let width = reducer.paddedWidth
    var sums = ComponentSums()
    for y in 0..<reducer.size.height {
      reducer.reduceRow(y, of: picture)
      Self.compare(
        reducer.blue, reducer.green, reducer.red, width,
        chroma.base + y &* width, value.base + y &* width, &sums)
    }
    let changedEdges = edges?.update(value.base, stride: width) ?? 0
    guard hasPrevious else {
      hasPrevious = true
      return nil
    }
    let pixels = Double(max(1, reducer.size.width * reducer.size.height))
    return ComponentDifference(
      hue: Double(sums.hue) / pixels, saturation: Double(sums.saturation) / pixels,
      value: Double(sums.value) / pixels, edges: Double(changedEdges) * 255 / pixels)
  }

  private struct ComponentSums {
    var hue: UInt32 = 0
    var saturation: UInt32 = 0
    var value: UInt32 = 0
  }

  /// One row to HSV, its differences to the previous picture's row, which it replaces.
  /// What `blue` and `green` held is lost.
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
