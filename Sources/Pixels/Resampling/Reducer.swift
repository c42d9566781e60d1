/// The small 8-bit B, G, R picture that every measurement starts from.
///
/// Its size is PySceneDetect's (`SmallSize`), its samples lie where `cv2.resize` with `INTER_LINEAR` takes them (two
/// rows, two columns, no antialiasing), and they are blended in the picture's own planes, before the colour conversion:
/// for a 1080p picture 37,000 pixels are converted instead of 2 million. Chroma is replicated as a conversion of the
/// whole picture would replicate it, so the result is that of converting first, up to rounding and up to clipping of
/// colours outside the cube.
///
/// Cost: 0.04 to 0.1 ms, much the same for all sizes from 256 pixels on. Memory: about 8 kB. Nothing is allocated after
/// `init`.
package final class Reducer {
  package let layout: PictureLayout
  /// Size in pixels; 0 × 0 if the layout's size is outside 1 … 65,535.
  package let size: SmallSize
  /// `size.width` rounded up to whole vectors; what lies beyond `size.width` in a row is 0.
  package let paddedWidth: Int
  /// The row that `reduceRow` made last: `paddedWidth` samples of 0 … 255 a channel.
  package let blue: UnsafeMutablePointer<Int16>
  package let green: UnsafeMutablePointer<Int16>
  package let red: UnsafeMutablePointer<Int16>

  private let traits: FormatTraits
  private let isNarrow: Bool
  private let conversion: ColorConversion
  private let rowTaps: [AxisTap]
  /// Bytes from the row's begin to each pixel's pair of samples, and the second sample's weight of 32,768.
  private let lumaOffsets: OwnedBuffer<Int32>
  private let chromaOffsets: OwnedBuffer<Int32>
  private let lumaWeights: OwnedBuffer<UInt16>
  private let chromaWeights: OwnedBuffer<UInt16>
  /// The conversion's, which the loop must find in memory (see `ColorConversion`).
  private let coefficients: OwnedBuffer<Int16>
  private let levels: OwnedBuffer<Int16>
  /// Copies of the rows of a picture too narrow for whole words; empty for others.
  private let staging: OwnedBuffer<UInt8>

  private static let narrow = 8
  private static let stagedRow = 64

  package init(layout: PictureLayout) {
    self.layout = layout
    size = SmallSize(width: layout.width, height: layout.height)
    paddedWidth = (size.width + laneCount - 1) / laneCount * laneCount
    traits = FormatTraits(layout.format)
    coefficients = OwnedBuffer(count: ColorConversion.coefficientCount, zero: 0)
    conversion = ColorConversion(matrix: layout.matrix, range: layout.range, storage: coefficients.base)
    // A size without a small picture has no taps, and must not be reckoned with.
    let (width, height) = size.width == 0 ? (0, 0) : (layout.width, layout.height)
    isNarrow = width < Self.narrow
    rowTaps = AxisTap.along(source: height, output: size.height)
    lumaOffsets = OwnedBuffer(count: paddedWidth, zero: 0)
    chromaOffsets = OwnedBuffer(count: paddedWidth, zero: 0)
    lumaWeights = OwnedBuffer(count: paddedWidth, zero: 0)
    chromaWeights = OwnedBuffer(count: paddedWidth, zero: 0)
    levels = OwnedBuffer(count: paddedWidth * 3, zero: 0)
    staging = OwnedBuffer(count: isNarrow ? Self.stagedRow * 6 : 0, zero: 0)
    blue = levels.base
    green = levels.base + paddedWidth
    red = levels.base + 2 * paddedWidth

    let chromaWidth = (width + (1 << traits.chromaShift.x) - 1) >> traits.chromaShift.x
    for (x, tap) in AxisTap.along(source: width, output: size.width).enumerated() {
      let luma = tap.pair(shift: 0, count: width)
      let chroma = tap.pair(shift: traits.chromaShift.x, count: chromaWidth)
      lumaOffsets.base[x] = Int32(truncatingIfNeeded: luma.offset * traits.lumaStep)
      chromaOffsets.base[x] = Int32(truncatingIfNeeded: chroma.offset * traits.chromaStep)
      lumaWeights.base[x] = Self.weight(luma.fraction) << 4
      chromaWeights.base[x] = Self.weight(chroma.fraction) << 4
    }
  }

  /// Makes row `y` (0 ..< `size.height`) of the small picture; `picture` must have this reducer's layout.
  package func reduceRow(_ y: Int, of picture: borrowing Picture) {
    guard y >= 0, y < rowTaps.count else { return }
    let tap = rowTaps[y]
    let weight = Self.weight(tap.fraction)
    let second = weight == 0 ? tap.first : tap.second
    let offsets = TapOffsets(luma: lumaOffsets.base, chroma: chromaOffsets.base)
    let isSwapped = traits.isSwapped
    func rows(_ plane: PlaneView, _ index: Int, shift: Int = 0) -> RowPair {
      let upper = start(plane, tap.first >> shift, index: index, side: 0)
      if tap.first >> shift == second >> shift { return RowPair(upper: upper, lower: upper) }
      return RowPair(upper: upper, lower: start(plane, second >> shift, index: index, side: 1))
    }
    let first = rows(picture.planes.0, 0)
    let shift = traits.chromaShift.y
    switch traits.family {
    case .planar, .planar10:
      let u = rows(isSwapped ? picture.planes.2 : picture.planes.1, 1, shift: shift)
      let v = rows(isSwapped ? picture.planes.1 : picture.planes.2, 2, shift: shift)
      if case .planar = traits.family {
        blend(PlanarTaps(y: first, u: u, v: v, offsets: offsets), weight)
      } else {
        blend(Planar10Taps(y: first, u: u, v: v, offsets: offsets), weight)
      }
    case .semiPlanar:
      let chroma = rows(picture.planes.1, 1, shift: shift)
      blend(SemiPlanarTaps(y: first, chroma: chroma, isSwapped: isSwapped, offsets: offsets), weight)
    case .semiPlanar10:
      blend(SemiPlanar10Taps(y: first, chroma: rows(picture.planes.1, 1, shift: shift), offsets: offsets), weight)
    case .packed422(let lumaSecond):
      blend(Packed422Taps(rows: first, lumaSecond: lumaSecond, offsets: offsets), weight)
    case .gray:
      blend(GrayTaps(y: first, offsets: offsets), weight)
    case .packed(let pixel):
      blendColors(ColorTaps(rows: first, pixel: pixel, isSwapped: isSwapped, offsets: offsets), weight)
    }
    for x in size.width..<paddedWidth { (blue[x], green[x], red[x]) = (0, 0, 0) }
  }

  /// Where a row begins, in the picture or, if that is narrow, in a copy with readable bytes behind.
  private func start(_ plane: PlaneView, _ row: Int, index: Int, side: Int) -> UnsafeRawPointer {
    let start = plane.base + plane.stride &* row
    guard isNarrow else { return start }
    let copy = staging.base + (index * 2 + side) * Self.stagedRow
    UnsafeMutableRawPointer(copy).copyMemory(from: start, byteCount: traits.rowBytes(plane: index, width: layout.width))
    return UnsafeRawPointer(copy)
  }

  // MARK: - Blending

  /// Of 2,048, as `cv2.resize` has it.
  private static func weight(_ fraction: Double) -> UInt16 { UInt16((fraction * 2048).rounded(.toNearestOrEven)) }

  /// Both columns, then both rows, in the steps of `cv2.resize`: a level is 128 after the first, and 2048 · 128 · `upper` +
  /// `lower` over 65,536 after the second.
  ///
  /// - Parameter second: the right column's weight, of 32,768.
  @inline(__always)
  private static func blend(_ taps: ChannelTaps, second: Words, upper: Words, lower: Words) -> Words {
    let first = 0x8000 &- second
    let above = multiplyHigh(taps.upper &<< 8, first) &+ multiplyHigh(taps.upper & 0xFF00, second)
    let below = multiplyHigh(taps.lower &<< 8, first) &+ multiplyHigh(taps.lower & 0xFF00, second)
    return multiplyHigh(above, upper) &+ multiplyHigh(below, lower)
  }

  @inline(__always)
  private func blend(_ source: some TapSource, _ weight: UInt16) {
    let (blue, green, red) = (blue, green, red)
    let (lumaWeights, chromaWeights, width) = (lumaWeights.base, chromaWeights.base, paddedWidth)
    let upper = Words(repeating: (2048 &- weight) &<< 4)
    let lower = Words(repeating: weight &<< 4)
    let convert = conversion
    var x = 0
    while x < width {
      let lumaWeight = load(lumaWeights, x)
      let chromaWeight = load(chromaWeights, x)
      let taps = source.taps(x)
      let color = convert(
        Self.blend(taps.0, second: lumaWeight, upper: upper, lower: lower),
        Self.blend(taps.1, second: chromaWeight, upper: upper, lower: lower),
        Self.blend(taps.2, second: chromaWeight, upper: upper, lower: lower))
      store(color.blue, blue, x)
      store(color.green, green, x)
      store(color.red, red, x)
      x &+= laneCount
    }
  }

  @inline(__always)
  private func blendColors(_ source: ColorTaps, _ weight: UInt16) {
    let (blue, green, red) = (blue, green, red)
    let (weights, width) = (lumaWeights.base, paddedWidth)
    let upper = Words(repeating: 2048 &- weight)
    let lower = Words(repeating: weight)
    var x = 0
    while x < width {
      let second = load(weights, x)
      let taps = source.taps(x)
      store(signed((Self.blend(taps.0, second: second, upper: upper, lower: lower) &+ 2) &>> 2), red, x)
      store(signed((Self.blend(taps.1, second: second, upper: upper, lower: lower) &+ 2) &>> 2), green, x)
      store(signed((Self.blend(taps.2, second: second, upper: upper, lower: lower) &+ 2) &>> 2), blue, x)
      x &+= laneCount
    }
  }
}
