/// Mean colour of a picture's cells, as detectors of cuts see it: whether one view after another is seen as a cut.
struct ColorThumbnail: Sendable {
  private struct Cell {
    /// 0 … 180, and 0 … 255 twice, as OpenCV has them.
    var hue, saturation, value: Float
  }

  private let columns, rows: Int
  private let cells: [Cell]

  /// Cost: one pass over the picture.
  init(_ picture: PlanarPicture) {
    let (width, height) = ((picture.width + 1) / 2, (picture.height + 1) / 2)
    let (columns, rows) = (min(64, width), min(36, height))
    let (y, u, v) = picture.planes
    let luma = LumaThumbnail.levels(of: y, width: picture.width, height: picture.height, columns: columns, rows: rows)
    let blue = LumaThumbnail.levels(of: u, width: width, height: height, columns: columns, rows: rows)
    let red = LumaThumbnail.levels(of: v, width: width, height: height, columns: columns, rows: rows)
    (self.columns, self.rows) = (columns, rows)
    cells = luma.indices.map { Self.cell(Float(luma[$0]), Float(blue[$0]), Float(red[$0])) }
  }

  /// Of BT.601, 16 … 235: what is compared here is not that exact.
  private static func cell(_ luma: Float, _ u: Float, _ v: Float) -> Cell {
    let grey = 1.164 * (luma - 16)
    let (r, g, b) = (grey + 1.596 * (v - 128), grey - 0.392 * (u - 128) - 0.813 * (v - 128), grey + 2.017 * (u - 128))
    let (red, green, blue) = (min(max(r, 0), 255), min(max(g, 0), 255), min(max(b, 0), 255))
    let value = max(red, green, blue)
    let span = value - min(red, green, blue)
    guard span > 0 else { return Cell(hue: 0, saturation: 0, value: value) }
    let sector: Float = value == red ? (green - blue) / span : value == green ? 2 + (blue - red) / span : 4 + (red - green) / span
    return Cell(hue: 30 * (sector < 0 ? sector + 6 : sector), saturation: 255 * span / value, value: value)
  }

  /// What a content detector would measure between two views, each in parts of its picture: the mean of the differences of hue,
  /// saturation and value. Its usual threshold is 27.
  ///
  /// Source: PySceneDetect's ContentDetector.
  func change(in view: CameraView, from other: ColorThumbnail, in otherView: CameraView) -> Double {
    let (across, down) = (24, 14)
    var sum: Float = 0
    for y in 0..<down {
      for x in 0..<across {
        let (partX, partY) = ((Double(x) + 0.5) / Double(across), (Double(y) + 0.5) / Double(down))
        let (here, there) = (cell(in: view, partX, partY), other.cell(in: otherView, partX, partY))
        sum += abs(here.hue - there.hue) + abs(here.saturation - there.saturation) + abs(here.value - there.value)
      }
    }
    return Double(sum) / Double(3 * across * down)
  }

  private func cell(in view: CameraView, _ partX: Double, _ partY: Double) -> Cell {
    let (x, y) = (Int((view.x + partX * view.width) * Double(columns)), Int((view.y + partY * view.height) * Double(rows)))
    return cells[min(max(y, 0), rows - 1) * columns + min(max(x, 0), columns - 1)]
  }
}
