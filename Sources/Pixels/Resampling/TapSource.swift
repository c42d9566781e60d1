/// Two source rows of a plane, between which an output row lies; one twice if it lies on a row.
struct RowPair {
  var upper: UnsafeRawPointer
  var lower: UnsafeRawPointer
}

/// One channel's pairs for eight pixels, from both rows.
struct ChannelTaps {
  var upper: Words
  var lower: Words

  @inline(__always)
  init(_ rows: RowPair, _ read: (UnsafeRawPointer) -> Words) {
    upper = read(rows.upper)
    lower = rows.lower == rows.upper ? upper : read(rows.lower)
  }

  @inline(__always)
  init(_ upper: Words, _ lower: Words) {
    self.upper = upper
    self.lower = lower
  }
}

/// Reads the taps of eight pixels: all that formats differ in.
protocol TapSource {
  /// Y, Cb, Cr or R, G, B of pixels `x ..< x + 8`.
  func taps(_ x: Int) -> (ChannelTaps, ChannelTaps, ChannelTaps)
}

/// Byte offsets of every pixel's taps in a row.
struct TapOffsets {
  var luma: UnsafePointer<Int32>
  var chroma: UnsafePointer<Int32>
}

/// A plane a channel, one byte a sample.
struct PlanarTaps: TapSource {
  var y, u, v: RowPair
  var offsets: TapOffsets

  @inline(__always)
  func taps(_ x: Int) -> (ChannelTaps, ChannelTaps, ChannelTaps) {
    let (luma, chroma) = (offsets.luma + x, offsets.chroma + x)
    return (
      ChannelTaps(y) { TapWords.bytes($0, luma) }, ChannelTaps(u) { TapWords.bytes($0, chroma) },
      ChannelTaps(v) { TapWords.bytes($0, chroma) }
    )
  }
}

/// Luma alone.
struct GrayTaps: TapSource {
  var y: RowPair
  var offsets: TapOffsets

  @inline(__always)
  func taps(_ x: Int) -> (ChannelTaps, ChannelTaps, ChannelTaps) {
    let luma = offsets.luma + x
    let neutral = ChannelTaps(Words(repeating: 0x8080), Words(repeating: 0x8080))
    return (ChannelTaps(y) { TapWords.bytes($0, luma) }, neutral, neutral)
  }
}

/// Chroma from words that hold both channels.
@inline(__always)
private func bothChroma(
  _ rows: RowPair, isSwapped: Bool, _ read: (UnsafeRawPointer) -> (Words, Words)
) -> (ChannelTaps, ChannelTaps) {
  let upper = read(rows.upper)
  let lower = rows.lower == rows.upper ? upper : read(rows.lower)
  let (first, second) = (ChannelTaps(upper.0, lower.0), ChannelTaps(upper.1, lower.1))
  return isSwapped ? (second, first) : (first, second)
}

/// A plane of luma, one of chroma pairs.
struct SemiPlanarTaps: TapSource {
  var y, chroma: RowPair
  var isSwapped: Bool
  var offsets: TapOffsets

  @inline(__always)
  func taps(_ x: Int) -> (ChannelTaps, ChannelTaps, ChannelTaps) {
    let (lumaOffsets, chromaOffsets) = (offsets.luma + x, offsets.chroma + x)
    let (u, v) = bothChroma(chroma, isSwapped: isSwapped) { TapWords.bytePairs($0, chromaOffsets) }
    return (ChannelTaps(y) { TapWords.bytes($0, lumaOffsets) }, u, v)
  }
}

/// Two pixels in four bytes: Y U Y V, or U Y V Y with `lumaSecond`.
struct Packed422Taps: TapSource {
  var rows: RowPair
  var lumaSecond: Bool
  var offsets: TapOffsets

  @inline(__always)
  func taps(_ x: Int) -> (ChannelTaps, ChannelTaps, ChannelTaps) {
    let (lumaOffsets, chromaOffsets) = (offsets.luma + x, offsets.chroma + x)
    if lumaSecond {
      let (u, v) = bothChroma(rows, isSwapped: false) { TapWords.groups($0, chromaOffsets, at: 0) }
      return (ChannelTaps(rows) { TapWords.alternate($0, lumaOffsets, at: 8) }, u, v)
    }
    let (u, v) = bothChroma(rows, isSwapped: false) { TapWords.groups($0, chromaOffsets, at: 8) }
    return (ChannelTaps(rows) { TapWords.alternate($0, lumaOffsets, at: 0) }, u, v)
  }
}

/// 16-bit words whose low ten bits count, a plane a channel; reduced to eight by dropping the lowest.
struct Planar10Taps: TapSource {
  var y, u, v: RowPair
  var offsets: TapOffsets

  @inline(__always)
  func taps(_ x: Int) -> (ChannelTaps, ChannelTaps, ChannelTaps) {
    let (luma, chroma) = (offsets.luma + x, offsets.chroma + x)
    return (
      ChannelTaps(y) { TapWords.alternate($0, luma, at: 2) }, ChannelTaps(u) { TapWords.alternate($0, chroma, at: 2) },
      ChannelTaps(v) { TapWords.alternate($0, chroma, at: 2) }
    )
  }
}

/// 16-bit words whose high ten bits count, a plane of luma, one of chroma pairs; reduced to the high eight.
struct SemiPlanar10Taps: TapSource {
  var y, chroma: RowPair
  var offsets: TapOffsets

  @inline(__always)
  func taps(_ x: Int) -> (ChannelTaps, ChannelTaps, ChannelTaps) {
    let (lumaOffsets, chromaOffsets) = (offsets.luma + x, offsets.chroma + x)
    let (u, v) = bothChroma(chroma, isSwapped: false) { TapWords.groups($0, chromaOffsets, at: 8) }
    return (ChannelTaps(y) { TapWords.alternate($0, lumaOffsets, at: 8) }, u, v)
  }
}

/// Red, green and blue in each pixel, or blue first if `isSwapped`.
struct ColorTaps: TapSource {
  enum Pixel { case threeBytes, fourBytes, fourBytesPaddingFirst }
  var rows: RowPair
  var pixel: Pixel
  var isSwapped: Bool
  var offsets: TapOffsets

  @inline(__always)
  func taps(_ x: Int) -> (ChannelTaps, ChannelTaps, ChannelTaps) {
    let upper = read(rows.upper, offsets.luma + x)
    let lower = rows.lower == rows.upper ? upper : read(rows.lower, offsets.luma + x)
    let (first, last) = (ChannelTaps(upper.0, lower.0), ChannelTaps(upper.2, lower.2))
    let green = ChannelTaps(upper.1, lower.1)
    return isSwapped ? (last, green, first) : (first, green, last)
  }

  @inline(__always)
  private func read(_ row: UnsafeRawPointer, _ offsets: UnsafePointer<Int32>) -> (Words, Words, Words) {
    switch pixel {
    case .threeBytes: TapWords.colors24(row, offsets)
    case .fourBytes: TapWords.colors32(row, offsets, at: 0)
    case .fourBytesPaddingFirst: TapWords.colors32(row, offsets, at: 8)
    }
  }
}
