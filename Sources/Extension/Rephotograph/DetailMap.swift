/// Where in a shot there is something to see: contours, and what moves.
struct DetailMap {
  private let columns, rows: Int
  private let cells: [Double]
  private let mean: Double
  /// How much more each cell moves than most of the picture does, which is what its subject is known by.
  private let subject: [Double]
  private let subjectSum: Double
  private static let mostFrames = 24

  /// - Parameter thumbnails: of a shot's frames, at least one, all of one size.
  init(_ thumbnails: [LumaThumbnail]) {
    guard let middle = thumbnails.isEmpty ? nil : thumbnails[thumbnails.count / 2] else {
      (columns, rows, cells, mean, subject, subjectSum) = (1, 1, [1], 1, [0], 0)
      return
    }
    let (columns, rows) = (middle.columns, middle.rows)
    let count = min(thumbnails.count, Self.mostFrames)
    let frames = (0..<count).map { thumbnails[$0 * thumbnails.count / count] }
    var motion = [Double](repeating: 0, count: columns * rows)
    for index in motion.indices {
      let levels = frames.map { Double($0.levels[index]) }
      let mean = levels.reduce(0, +) / Double(count)
      motion[index] = levels.reduce(0) { $0 + abs($1 - mean) } / Double(count)
    }
    func level(_ x: Int, _ y: Int) -> Double { Double(middle.levels[y * columns + x]) }
    var cells = [Double](repeating: 0, count: columns * rows)
    for y in 0..<rows {
      for x in 0..<columns {
        let here = level(x, y)
        let contour = abs(level(min(x + 1, columns - 1), y) - here) + abs(level(x, min(y + 1, rows - 1)) - here)
        // What moves is looked at; contours of grass and leaves are many and not worth as much.
        cells[y * columns + x] = min(contour, 12) + 4 * min(motion[y * columns + x], 20) + 1
      }
    }
    (self.columns, self.rows, self.cells) = (columns, rows, cells)
    mean = cells.reduce(0, +) / Double(cells.count)
    let usual = motion.sorted()[motion.count / 2]
    subject = motion.map { min(max(0, $0 - usual - 1), 20) }
    subjectSum = subject.reduce(0, +)
  }

  /// How gladly a view, in parts of the picture, is seen: about -4 … 4.
  ///
  /// Besides detail it counts how much of the subject is seen, and whether the view's edges cut through it: the upper one, where
  /// heads are, most. How near the view is to where faces mostly are, a little above the middle, and that it is not closer than
  /// need be: whoever made the picture had composed it.
  func appeal(of view: CameraView) -> Double {
    let (dx, dy) = (view.x + view.width / 2 - 0.5, view.y + view.height / 2 - 0.4)
    return min(detail(in: view), 2) + subjectAppeal(of: view) - 4 * (dx * dx + 2 * dy * dy) - (1 - max(view.width, view.height))
  }

  private func subjectAppeal(of view: CameraView) -> Double {
    guard subjectSum > 0 else { return 0 }
    let (columnRange, rowRange) = cells(of: view)
    func sum(_ xs: ClosedRange<Int>, _ ys: ClosedRange<Int>) -> Double {
      var sum = 0.0
      for y in ys { for x in xs { sum += subject[y * columns + x] } }
      return sum
    }
    let seen = sum(columnRange, rowRange)
    let inside = seen / Double(columnRange.count * rowRange.count)
    guard inside > 0 else { return -2 }
    // What an edge cuts, as a part of what is inside; the picture's own edges cut nothing more.
    func cut(_ edge: Double, _ count: Int, _ isOwn: Bool) -> Double { isOwn ? 0 : min(edge / Double(count) / inside, 1.5) }
    let (left, right, top, bottom) = (columnRange.lowerBound, columnRange.upperBound, rowRange.lowerBound, rowRange.upperBound)
    return 2 * seen / subjectSum
      - 3 * cut(sum(columnRange, top...top), columnRange.count, top == 0)
      - cut(sum(left...left, rowRange), rowRange.count, left == 0) - cut(sum(right...right, rowRange), rowRange.count, right == columns - 1)
      - 0.3 * cut(sum(columnRange, bottom...bottom), columnRange.count, bottom == rows - 1)
  }

  /// The cells that a view, in parts of the picture, touches.
  private func cells(of view: CameraView) -> (columns: ClosedRange<Int>, rows: ClosedRange<Int>) {
    func cell(_ part: Double, _ count: Int) -> Int { min(max(Int(part * Double(count)), 0), count - 1) }
    let (left, top) = (cell(view.x, columns), cell(view.y, rows))
    return (left...max(left, cell(view.x + view.width - 1e-9, columns)), top...max(top, cell(view.y + view.height - 1e-9, rows)))
  }

  /// Detail in a view in parts of the picture, 1 where it is as in the whole picture.
  func detail(in view: CameraView) -> Double {
    let (columnRange, rowRange) = cells(of: view)
    var sum = 0.0
    for y in rowRange { for x in columnRange { sum += cells[y * columns + x] } }
    return sum / Double(rowRange.count * columnRange.count) / mean
  }
}
