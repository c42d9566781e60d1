/// Where in a shot there is something to see: contours, and what moves.
struct DetailMap {
  private let columns, rows: Int
  private let cells: [Double]
  private let mean: Double

  /// - Parameter thumbnails: of a shot's frames, at least one, all of one size.
  init(_ thumbnails: [LumaThumbnail]) {
    guard let first = thumbnails.first, let last = thumbnails.last else {
      (columns, rows, cells, mean) = (1, 1, [1], 1)
      return
    }
    let middle = thumbnails[thumbnails.count / 2]
    let (columns, rows) = (middle.columns, middle.rows)
    func level(_ thumbnail: LumaThumbnail, _ x: Int, _ y: Int) -> Double { Double(thumbnail.levels[y * columns + x]) }
    var cells = [Double](repeating: 0, count: columns * rows)
    for y in 0..<rows {
      for x in 0..<columns {
        let here = level(middle, x, y)
        let contour = abs(level(middle, min(x + 1, columns - 1), y) - here) + abs(level(middle, x, min(y + 1, rows - 1)) - here)
        let motion = abs(level(first, x, y) - here) + abs(level(last, x, y) - here)
        // What moves is looked at; contours of grass and leaves are many and not worth as much.
        cells[y * columns + x] = min(contour, 12) + 2 * min(motion, 40) + 1
      }
    }
    (self.columns, self.rows, self.cells) = (columns, rows, cells)
    mean = cells.reduce(0, +) / Double(cells.count)
  }

  /// How gladly a view, in parts of the picture, is seen: about -2 … 2.
  ///
  /// Besides detail it counts how near the view is to where faces mostly are, a little above the middle, and that it is not closer than
  /// need be: whoever made the picture had composed it.
  func appeal(of view: CameraView) -> Double {
    let (dx, dy) = (view.x + view.width / 2 - 0.5, view.y + view.height / 2 - 0.4)
    return min(detail(in: view), 2) - 4 * (dx * dx + 2 * dy * dy) - (1 - max(view.width, view.height))
  }

  /// Detail in a view in parts of the picture, 1 where it is as in the whole picture.
  func detail(in view: CameraView) -> Double {
    func cell(_ part: Double, _ count: Int) -> Int { min(max(Int(part * Double(count)), 0), count - 1) }
    let (left, right) = (cell(view.x, columns), cell(view.x + view.width, columns))
    let (top, bottom) = (cell(view.y, rows), cell(view.y + view.height, rows))
    guard left <= right, top <= bottom else { return 0 }
    var sum = 0.0
    for y in top...bottom { for x in left...right { sum += cells[y * columns + x] } }
    return sum / Double((bottom - top + 1) * (right - left + 1)) / mean
  }
}
