/// Reduces pictures to the 48 × 27 RGB frames that TransNetV2 takes, as its published extraction makes them.
///
/// That is `ffmpeg -i film -f rawvideo -pix_fmt rgb24 -s 48x27 -`: swscale's bicubic filter, widened so that every sample of the
/// picture counts, chroma reduced to 24 × 27, and swscale's tables from Y′CbCr to R′G′B′. The network has seen nothing else.
///
/// Mean and largest |difference| from ffmpeg 5.1, in levels of 0 … 255, on Big Buck Bunny as 8-bit 4:2:0, BT.709, limited:
///
/// | picture                   | this       | `videoconvertscale method=catrom` | `videoconvertscale`, its default |
/// |---------------------------|------------|-----------------------------------|----------------------------------|
/// | 640 × 360, 1,440 frames   | 0.003, 3   | 3.92, 76                          | 10.5, 187                        |
/// | 1280 × 720, 3,000 frames  | 0.025, 4   | 3.63, 87                          | 11.1, 192                        |
/// | 1920 × 1080, 300 frames   | 0.033, 4   | 3.58, 72                          | 7.9, 136                         |
///
/// and how far that moves the network's probabilities over the 3,000 frames (largest, mean), PyTorch in float32:
///
/// | head       | this                | catrom        | default       |
/// |------------|---------------------|---------------|---------------|
/// | `one_hot`  | 0.0013, 0.000006    | 0.021, 0.0002 | 0.036, 0.0005 |
/// | `many_hot` | 0.0019, 0.000025    | 0.040, 0.0008 | 0.153, 0.0027 |
///
/// The scenes are the same from this; catrom loses one boundary of 21, the default none.
///
/// What differs: in planes of 432 rows or 768 columns and more, neighbours that lie close together under the kernel share a
/// weight, and rounding falls otherwise here and there. ffmpeg 5.1 forgets a picture's matrix above about 3,000 × 1,720 and
/// converts by BT.601 (1.6 levels on average against BT.709); this does not. To ffmpeg an untagged picture is BT.601 at any size,
/// and swscale's limited levels come out up to 1.8 too dark, which this follows and GStreamer does not.
///
/// Cost on one core of Zen 5: 0.25 ms for 1080p in 4:2:0, 0.13 for 360p, 0.9 for 1080p with four bytes a pixel. Memory: about
/// 60 kB for 1080p in 4:2:0. Nothing is allocated after `init` while the layout stays.
public final class Thumbnailer {
  /// Pixels of a thumbnail's row.
  public static let width = 48
  /// Pixels of a thumbnail's column.
  public static let height = 27
  /// Bytes of a thumbnail: R, G, B of every pixel, rows from the top, without padding.
  public static let byteCount = 3 * width * height

  private var plan: ThumbnailPlan

  /// - Parameter layout: of the first picture; one of another layout costs new tables.
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
