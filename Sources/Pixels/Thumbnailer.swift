/// Reduces pictures to the 48 × 27 RGB frames that TransNetV2 takes.
public final class Thumbnailer {
  /// Pixels.
  public static let width = 48
  public static let height = 27
  /// Bytes of a thumbnail: R, G, B of every pixel, rows from the top, without padding.
  public static let byteCount = 3 * width * height

  private var plan: ThumbnailPlan

  public init(layout: PictureLayout) { plan = ThumbnailPlan(layout) }

  /// Writes the picture's thumbnail.
  ///
  /// A layout other than the last picture's costs new tables; otherwise nothing is allocated. A layout whose size is outside
  /// 1 … 65,535 gives black.
  ///
  /// - Parameter output: at least `byteCount` bytes, of which the first `byteCount` are written.
  /// - Returns: whether `output` was large enough; if not, it is left as it is.
  @discardableResult
  public func reduce(_ picture: borrowing Picture, to output: UnsafeMutableBufferPointer<UInt8>) -> Bool {
    guard let base = output.baseAddress, output.count >= Self.byteCount else { return false }
    if picture.layout != plan.layout { plan = ThumbnailPlan(picture.layout) }
    plan.reduce(picture, to: base)
    return true
  }
}

/// What a layout decides: which channels lie where in which planes.
private final class ThumbnailPlan {
  let layout: PictureLayout
  private let passes: [(plane: Int, pass: PlanePass)]
  private let colors: ThumbnailColors
  /// Three reduced planes, and three more for `halvedChroma`.
  private let planes: OwnedBuffer<Float>
  private static let planeSize = Thumbnailer.width * Thumbnailer.height

  init(_ layout: PictureLayout) {
    self.layout = layout
    planes = OwnedBuffer(count: 6 * Self.planeSize, zero: 0)
    let outputs = (planes.base, planes.base + Self.planeSize, planes.base + 2 * Self.planeSize)
    let traits = FormatTraits(layout.format)
    let (width, height) = (layout.width, layout.height)
    guard (1...65535).contains(width), (1...65535).contains(height) else {
      passes = []
      colors = .none
      return
    }
    let shift = traits.chromaShift
    let chromaWidth = (width + (1 << shift.x) - 1) >> shift.x
    let chromaHeight = (height + (1 << shift.y) - 1) >> shift.y
    // swscale halves the width of chroma unless the source has it whole.
    let chromaColumns = shift.x == 0 ? Thumbnailer.width : Thumbnailer.width / 2
    // Of RGB it averages pairs of pixels for chroma, if that leaves enough.
    let halvesChroma = width / 2 >= Thumbnailer.width
    switch traits.family {
    case .packed: colors = halvesChroma ? .halvedChroma : .none
    case .gray: colors = .gray(.init(matrix: layout.matrix, range: layout.range))
    default:
      colors =
        shift.x == 0
        ? .full(.init(matrix: layout.matrix, range: layout.range)) : .subsampled(.init(matrix: layout.matrix, range: layout.range))
    }

    func luma(start: Int = 0) -> PlaneChannel {
      PlaneChannel(start: start, step: traits.lumaStep, count: width, columns: Thumbnailer.width, output: outputs.0)
    }
    func chroma(_ output: UnsafeMutablePointer<Float>, start: Int = 0) -> PlaneChannel {
      PlaneChannel(start: start, step: traits.chromaStep, count: chromaWidth, columns: chromaColumns, output: output)
    }
    func pass(_ plane: Int, _ channels: [PlaneChannel], tenBits: LaneReading? = nil) -> (plane: Int, pass: PlanePass) {
      let pass = PlanePass(
        height: plane == 0 ? height : chromaHeight, rowBytes: traits.rowBytes(plane: plane, width: width), tenBits: tenBits,
        channels: channels, rows: Thumbnailer.height)
      return (plane, pass)
    }
    let (u, v) = traits.isSwapped ? (outputs.2, outputs.1) : (outputs.1, outputs.2)
    switch traits.family {
    case .planar: passes = [pass(0, [luma()]), pass(1, [chroma(u)]), pass(2, [chroma(v)])]
    case .planar10:
      passes = [
        pass(0, [luma()], tenBits: .lowTen), pass(1, [chroma(u)], tenBits: .lowTen), pass(2, [chroma(v)], tenBits: .lowTen),
      ]
    case .semiPlanar: passes = [pass(0, [luma()]), pass(1, [chroma(u), chroma(v, start: 1)])]
    case .semiPlanar10:
      passes = [
        pass(0, [luma()], tenBits: .highTen), pass(1, [chroma(u), chroma(v, start: 2)], tenBits: .highTen),
      ]
    case .packed422(let lumaSecond):
      let (y, c) = lumaSecond ? (1, 0) : (0, 1)
      passes = [pass(0, [luma(start: y), chroma(u, start: c), chroma(v, start: c + 2)])]
    case .gray: passes = [pass(0, [luma()])]
    case .packed(let pixel):
      let first = if case .fourBytesPaddingFirst = pixel { 1 } else { 0 }
      let order = traits.isSwapped ? [outputs.2, outputs.1, outputs.0] : [outputs.0, outputs.1, outputs.2]
      let channels = order.enumerated().map { index, output in
        PlaneChannel(
          start: first + index, step: traits.lumaStep, count: width, columns: Thumbnailer.width, output: output,
          halvedOutput: halvesChroma ? output + 3 * Self.planeSize : nil)
      }
      passes = [pass(0, channels)]
    }
  }

  func reduce(_ picture: borrowing Picture, to output: UnsafeMutablePointer<UInt8>) {
    for (plane, pass) in passes {
      pass.reduce(plane == 0 ? picture.planes.0 : plane == 1 ? picture.planes.1 : picture.planes.2)
    }
    let size = Self.planeSize
    colors.convert(
      (UnsafePointer(planes.base), UnsafePointer(planes.base + size), UnsafePointer(planes.base + 2 * size)),
      width: Thumbnailer.width, height: Thumbnailer.height, to: output)
  }
}
