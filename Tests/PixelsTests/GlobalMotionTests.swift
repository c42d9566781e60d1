import Glibc
import Pixels
import Testing

@Suite("The camera's motion")
struct GlobalMotionTests {
  static let (width, height) = (112, 64)

  /// A picture without end: waves in several directions, 0…1 by channel.
  static func scenery(_ x: Double, _ y: Double, _ channel: Int) -> Double {
    let shift = Double(channel)
    return 0.5 + 0.2 * sin(x * 0.21 + y * 0.13 + shift) + 0.15 * sin(x * 0.07 - y * 0.24 + 2 * shift) + 0.12 * cos(x * 0.43 + y * 0.05)
      * cos(y * 0.31)
  }

  /// Levels of pictures, `[H, W, 3]` each, of a camera over it: a point p of a picture was at e^zoom · p + shift a picture earlier.
  static func shot(_ count: Int, zoom: Double, x: Double, y: Double, from first: Int = 0) -> [[Double]] {
    (first..<first + count).map { number in
      var levels: [Double] = []
      for row in 0..<height {
        for column in 0..<width {
          var (px, py) = (Double(column) - Double(width - 1) / 2, Double(row) - Double(height - 1) / 2)
          for _ in 0..<number { (px, py) = (exp(zoom) * px + x, exp(zoom) * py + y) }
          for channel in 0..<3 { levels.append((255 * scenery(px, py, channel)).rounded()) }
        }
      }
      return levels
    }
  }

  func motion(_ shot: [[Double]]) -> GlobalMotion {
    GlobalMotion(of: shot.map { GrayPicture(rgb: $0, width: Self.width, height: Self.height) })
  }

  /// What comes behind the last of the pictures.
  func ahead(_ shot: [[Double]], count: Int, damping: Double) -> [[Double]] {
    let levels = motion(shot).continuing(
      shot[shot.count - 1], width: Self.width, height: Self.height, channels: 3, count: count, damping: damping)
    let size = 3 * Self.width * Self.height
    return (0..<count).map { Array(levels[$0 * size..<($0 + 1) * size]) }
  }

  /// Largest difference of pixels at least so far from the edges.
  func difference(_ a: [[Double]], _ b: [[Double]], inside margin: Int) -> Double {
    var largest = 0.0
    for (a, b) in zip(a, b) {
      for row in margin..<Self.height - margin {
        for number in 3 * margin..<3 * (Self.width - margin) {
          largest = max(largest, abs(a[3 * row * Self.width + number] - b[3 * row * Self.width + number]))
        }
      }
    }
    return largest
  }

  @Test(
    "Is found to a fiftieth of a pixel",
    arguments: [
      (0, 0, 0), (0, 1.5, 0), (0, -3.25, 0.5), (0, 6, -2), (0.012, 0, 0), (-0.02, 0, 0), (0.015, 1, -0.5),
    ])
  func found(zoom: Double, x: Double, y: Double) {
    let motion = motion(Self.shot(8, zoom: zoom, x: x, y: y))
    #expect(abs(motion.x - x) < 0.02 && abs(motion.y - y) < 0.02, "\(motion)")
    // Of a pixel at the edge, 56 from the middle.
    #expect(abs(motion.logZoom - zoom) * 56 < 0.02, "\(motion)")
  }

  @Test("What moves by itself does not move the camera")
  func object() {
    var shot = Self.shot(8, zoom: 0, x: 0.5, y: 0)
    for number in shot.indices {
      for row in 20..<44 {
        for column in 0..<24 {
          for channel in 0..<3 {
            shot[number][3 * (row * Self.width + column + 10 + 6 * number) + channel] = (row / 4 + column / 4) % 2 == 0 ? 242 : 13
          }
        }
      }
    }
    let motion = motion(shot)
    #expect(abs(motion.x - 0.5) < 0.05 && abs(motion.y) < 0.05, "\(motion)")
  }

  @Test("Going on, it shows what the camera will see")
  func continued() {
    let (zoom, x, y) = (0.005, 0.8, -0.4)
    let ahead = ahead(Self.shot(8, zoom: zoom, x: x, y: y), count: 3, damping: 1)
    // Bytes, and cubic curves between pixels where the scenery is curved.
    #expect(difference(ahead, Self.shot(3, zoom: zoom, x: x, y: y, from: 8), inside: 4) < 4)
  }

  @Test("With damping it comes to rest")
  func damped() {
    let ahead = ahead(Self.shot(8, zoom: 0, x: 1, y: 0), count: 40, damping: 0.5)
    // Two pixels in all: 1 + ½ + ¼ + …
    #expect(difference([ahead[39]], Self.shot(1, zoom: 0, x: 1, y: 0, from: 9), inside: 4) < 4)
  }

  @Test(
    "It comes to rest before it has seen beyond the picture by more than 15 % of a side",
    arguments: [(0, 6, 0), (0, 0, -4), (0.04, 0, 0), (0.02, 2, 1)])
  func limited(zoom: Double, x: Double, y: Double) throws {
    let path = motion(Self.shot(8, zoom: zoom, x: x, y: y)).path(count: 8, damping: 0.97, width: Self.width, height: Self.height)
    let last = try #require(path.last)
    let beyond = (last.zoom - 1) / 2 + max(abs(last.x) / 112, abs(last.y) / 64)
    #expect(beyond > 0.149 && beyond <= 0.15)
    // At first it is as quick as it was.
    #expect(abs(path[0].x - x) < 0.1 && abs(path[0].y - y) < 0.1)
  }

  @Test("A still camera's next pictures are its last one, to the byte")
  func still() {
    let shot = Self.shot(1, zoom: 0, x: 0, y: 0)
    #expect(motion(shot) == motion([]))
    #expect(difference(ahead(shot, count: 2, damping: 0.9), shot + shot, inside: 0) <= 0.5)
  }

  @Test("Whatever the pictures, it is a finite move that no camera exceeds")
  func extremes() {
    var state: UInt64 = 1
    func random() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 56)
    }
    for (width, height) in [(0, 5), (1, 1), (2, 2), (3, 40), (40, 2), (17, 16), (33, 31)] {
      for kind in 0..<3 {
        let pictures = (0..<5).map { _ in
          GrayPicture(
            width: width, height: height,
            values: (0..<width * height).map { kind == 0 ? random() : kind == 1 ? 255 * Double($0 % 2) : .nan })
        }
        let motion = GlobalMotion(of: pictures)
        #expect(abs(motion.logZoom) <= 0.1 && abs(motion.x) <= Double(width) / 8 && abs(motion.y) <= Double(width) / 8)
        let levels = (0..<width * height).map { _ in random() }
        let ahead = motion.continuing(levels, width: width, height: height, channels: 1, count: 3, damping: 1)
        #expect(ahead.count == 3 * width * height && ahead.allSatisfy { 0...255 ~= $0 })
      }
    }
    let sizes = [8, 9].map { GrayPicture(width: $0, height: 8, values: [Double](repeating: 0, count: 8 * $0)) }
    #expect(GlobalMotion(of: sizes) == GlobalMotion(of: []))
  }
}

@Suite("Unrest")
struct SteadyingTests {
  static let (width, height) = (20, 12)
  let still = (0..<3 * width * height).map { Float($0 * 7919 % 251) / 125.5 - 1 }

  /// The picture with some levels of 255 added in a square of 5 × 5.
  private func steadied(_ levels: Float, _ unrest: ClosedRange<Float> = 12...40) -> (before: [Float], after: [Float]) {
    var drawn = still
    for y in 4..<9 { for x in 8..<13 { for c in 0..<3 { drawn[(y * Self.width + x) * 3 + c] += levels / 127.5 } } }
    let before = drawn
    steady(&drawn, over: still, width: Self.width, height: Self.height, channels: 3, unrest: unrest)
    return (before, drawn)
  }

  @Test("Small differences are left out, and large ones stay, in their middle whole")
  func limits() {
    #expect(steadied(11).after == still)
    #expect(steadied(0).after == still)
    let (before, after) = steadied(80)
    let middle = (6 * Self.width + 10) * 3
    #expect(abs(after[middle] - before[middle]) < 1e-6)
    // A corner has a quarter of the differences around it or so: less of it is left.
    let corner = (4 * Self.width + 8) * 3
    let part = (after[corner] - still[corner]) * 127.5
    #expect(part > 1 && part < 79)
  }

  @Test("Without limits all stays")
  func none() {
    let (before, after) = steadied(5, 0...0)
    #expect(after == before)
  }
}
