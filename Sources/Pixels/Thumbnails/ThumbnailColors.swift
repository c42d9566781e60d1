/// Reduced planes to packed R, G, B, rounded as swscale rounds when its output is `rgb24`.
enum ThumbnailColors {
  /// Chroma at half the width: 8-bit Y, Cb, Cr first, then swscale's tables.
  case subsampled(Tables)
  /// Chroma at the full width: exact until R, G, B are rounded.
  case full(Equation)
  /// R, G, B planes: no conversion.
  case none
  /// R, G, B planes whose chroma comes from pairs of averaged pixels: three more planes follow.
  case halvedChroma
  /// One plane of gray.
  case gray(Equation)

  /// swscale's table conversion. A product with chroma is cut down to whole steps of luma, and then luma is scaled; limited
  /// luma comes out 1.8 levels lower than it should (235 gives 253), which the network has seen in all its training pictures.
  struct Tables {
    private let redFromV: [Int]
    private let greenFromU: [Int]
    private let greenFromV: [Int]
    private let blueFromU: [Int]
    /// Levels of luma steps −512 …< 1,024.
    private let levels: [UInt8]
    private static let below = 512

    init(matrix: ColorMatrix, range: ColorRange) {
      // 16.16: Cr to R, Cb to B, Cb to G, Cr to G for limited samples (ITU-T H.264, rounded as swscale holds them).
      var factors = matrix == .bt709 ? [117_489, 138_438, -13_975, -34_925] : [104_597, 132_201, -25_675, -53_279]
      let gain = range == .limited ? (255 << 16) / 219 : 1 << 16
      if range == .full { factors = factors.map { $0 * 224 / 255 } }
      let steps = factors.map { factor in
        let inLuma = ((factor << 16) + 0x8000) / gain
        return (0..<256).map { (($0 * inLuma) >> 16) - (inLuma >> 9) }
      }
      (redFromV, blueFromU, greenFromU, greenFromV) = (steps[0], steps[1], steps[2], steps[3])
      let (offset, black) = range == .limited ? (326, 400) : (0, 0)
      levels = (-Self.below..<1024).map { step in
        UInt8(min(255, max(0, ((step + offset) * gain - (black << 16) + 0x8000) >> 16)))
      }
    }

    @inline(__always)
    func color(_ y: Int, _ u: Int, _ v: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
      (
        level(y &+ redFromV[v]), level(y &+ greenFromU[u] &+ greenFromV[v]), level(y &+ blueFromU[u])
      )
    }

    @inline(__always)
    private func level(_ step: Int) -> UInt8 { levels[min(max(step &+ Self.below, 0), levels.count &- 1)] }
  }

  /// The exact conversion.
  struct Equation {
    private let black: Float
    private let gain: Float
    private let redFromV, greenFromU, greenFromV, blueFromU: Float

    init(matrix: ColorMatrix, range: ColorRange) {
      let (red, blue) = (Float(matrix.coefficients.red), Float(matrix.coefficients.blue))
      let green = 1 - red - blue
      let chroma: Float
      (black, gain, chroma) = range == .limited ? (16, 255 / 219, 255 / 224) : (0, 1, 1)
      redFromV = 2 * (1 - red) * chroma
      blueFromU = 2 * (1 - blue) * chroma
      greenFromU = -2 * (1 - blue) * blue / green * chroma
      greenFromV = -2 * (1 - red) * red / green * chroma
    }

    @inline(__always)
    func color(_ y: Float, _ u: Float, _ v: Float) -> (red: UInt8, green: UInt8, blue: UInt8) {
      let (y, u, v) = ((y - black) * gain, u - 128, v - 128)
      return (level(y + redFromV * v), level(y + greenFromU * u + greenFromV * v), level(y + blueFromU * u))
    }
  }

  /// - Parameters:
  ///   - planes: Y, Cb, Cr or R, G, B, in levels; chroma of `subsampled` has half the columns. Side by side in memory.
  ///   - output: 3 · `width` · `height` bytes.
  func convert(
    _ planes: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>), width: Int, height: Int,
    to output: UnsafeMutablePointer<UInt8>
  ) {
    let count = width * height
    switch self {
    case .subsampled(let tables):
      for index in 0..<count {
        let chroma = index / 2  // an even width: rows have half as many
        Self.put(tables.color(Self.whole(planes.0[index]), Self.whole(planes.1[chroma]), Self.whole(planes.2[chroma])), index, output)
      }
    case .full(let equation):
      for index in 0..<count { Self.put(equation.color(planes.0[index], planes.1[index], planes.2[index]), index, output) }
    case .gray(let equation):
      for index in 0..<count { Self.put(equation.color(planes.0[index], 128, 128), index, output) }
    case .halvedChroma:
      let (red, green, blue) = (planes.2 + count, planes.2 + 2 * count, planes.2 + 3 * count)
      for index in 0..<count {
        // swscale goes through BT.601 whatever the picture is; luma whole and chroma halved is this.
        let rise =
          Self.luma(planes.0[index], planes.1[index], planes.2[index]) - Self.luma(red[index], green[index], blue[index])
        Self.put((level(red[index] + rise), level(green[index] + rise), level(blue[index] + rise)), index, output)
      }
    case .none:
      for index in 0..<count {
        Self.put((level(planes.0[index]), level(planes.1[index]), level(planes.2[index])), index, output)
      }
    }
  }

  @inline(__always)
  private static func put(
    _ color: (red: UInt8, green: UInt8, blue: UInt8), _ index: Int, _ output: UnsafeMutablePointer<UInt8>
  ) {
    output[3 &* index] = color.red
    output[3 &* index &+ 1] = color.green
    output[3 &* index &+ 2] = color.blue
  }

  @inline(__always)
  private static func luma(_ red: Float, _ green: Float, _ blue: Float) -> Float {
    0.299 * red + 0.587 * green + 0.114 * blue
  }

  @inline(__always)
  private static func whole(_ value: Float) -> Int { Int(level(value)) }
}

@inline(__always)
private func level(_ value: Float) -> UInt8 { UInt8(min(255, max(0, value + 0.5))) }
