import Diffusion
import Glibc
import Tensors
import Testing

@Suite("The camera's motion")
struct CameraMotionTests {
  /// A picture without end: waves in several directions, 0…1 by channel.
  static func scenery(_ x: Double, _ y: Double, _ channel: Int) -> Double {
    let shift = Double(channel)
    return 0.5 + 0.2 * sin(x * 0.21 + y * 0.13 + shift) + 0.15 * sin(x * 0.07 - y * 0.24 + 2 * shift) + 0.12 * cos(x * 0.43 + y * 0.05)
      * cos(y * 0.31)
  }

  /// Frames of a camera over it: a point p of a frame was at e^zoom · p + shift a frame earlier.
  static func shot(_ count: Int, zoom: Double, x: Double, y: Double, width: Int = 112, height: Int = 64, from first: Int = 0) -> Frames {
    let result = Frames(count: count, height: height, width: width, channels: 3)
    for frame in 0..<count {
      for row in 0..<height {
        let target = result.matrix.row((frame * height + row) * width).assumingMemoryBound(to: Float.self)
        for column in 0..<width {
          var (px, py) = (Double(column) - Double(width - 1) / 2, Double(row) - Double(height - 1) / 2)
          for _ in 0..<first + frame { (px, py) = (exp(zoom) * px + x, exp(zoom) * py + y) }
          for channel in 0..<3 { target[3 * column + channel] = Float(2 * scenery(px, py, channel) - 1) }
        }
      }
    }
    return result
  }

  @Test(
    "Is found to a fiftieth of a pixel",
    arguments: [
      (0, 0, 0), (0, 1.5, 0), (0, -3.25, 0.5), (0, 6, -2), (0.012, 0, 0), (-0.02, 0, 0), (0.015, 1, -0.5),
    ])
  func found(zoom: Double, x: Double, y: Double) {
    let motion = CameraMotion(of: Self.shot(8, zoom: zoom, x: x, y: y))
    #expect(abs(motion.x - x) < 0.02 && abs(motion.y - y) < 0.02, "\(motion)")
    // Of a pixel at the edge, 56 from the middle.
    #expect(abs(motion.logZoom - zoom) * 56 < 0.02, "\(motion)")
  }

  @Test("What moves by itself does not move the camera")
  func object() {
    let frames = Self.shot(8, zoom: 0, x: 0.5, y: 0)
    for frame in 0..<8 {
      for row in 20..<44 {
        let target = frames.matrix.row((frame * 64 + row) * 112).assumingMemoryBound(to: Float.self)
        for column in 0..<24 {
          for channel in 0..<3 { target[3 * (column + 10 + 6 * frame) + channel] = (row / 4 + column / 4) % 2 == 0 ? 0.9 : -0.9 }
        }
      }
    }
    let motion = CameraMotion(of: frames)
    #expect(abs(motion.x - 0.5) < 0.05 && abs(motion.y) < 0.05, "\(motion)")
  }

  /// Largest difference, in levels of 255, of pixels at least so far from the edges.
  func difference(_ a: Frames, _ b: Frames, inside margin: Int) -> Float {
    var largest: Float = 0
    for frame in 0..<a.count {
      for row in margin..<a.height - margin {
        let (left, right) = [a, b].map { $0.matrix.row((frame * a.height + row) * a.width).assumingMemoryBound(to: Float.self) }.pair
        for number in 3 * margin..<3 * (a.width - margin) { largest = max(largest, abs(left[number] - right[number]) * 127.5) }
      }
    }
    return largest
  }

  @Test("Going on, it shows what the camera will see")
  func continued() {
    let (zoom, x, y) = (0.005, 0.8, -0.4)
    let shot = Self.shot(8, zoom: zoom, x: x, y: y)
    let ahead = CameraMotion(of: shot).continuing(shot, count: 3, damping: 1)
    // Bytes, and cubic curves between pixels where the scenery is curved.
    #expect(difference(ahead, Self.shot(3, zoom: zoom, x: x, y: y, from: 8), inside: 4) < 4)
  }

  @Test("With damping it comes to rest")
  func damped() {
    let shot = Self.shot(8, zoom: 0, x: 1, y: 0)
    let ahead = CameraMotion(of: shot).continuing(shot, count: 40, damping: 0.5)
    // Two pixels in all: 1 + ½ + ¼ + …
    let last = Frames(count: 1, height: 64, width: 112, channels: 3)
    last.matrix.base.copyMemory(from: ahead.matrix.row(39 * 64 * 112), byteCount: 64 * 112 * ahead.matrix.rowSize)
    #expect(difference(last, Self.shot(1, zoom: 0, x: 1, y: 0, from: 9), inside: 4) < 4)
  }

  @Test(
    "It comes to rest before it has seen beyond the frame by more than 15 % of a side",
    arguments: [(0, 6, 0), (0, 0, -4), (0.04, 0, 0), (0.02, 2, 1)])
  func limited(zoom: Double, x: Double, y: Double) throws {
    let motion = CameraMotion(of: Self.shot(8, zoom: zoom, x: x, y: y))
    let path = motion.path(count: 8, damping: 0.97, width: 112, height: 64)
    let last = try #require(path.last)
    let beyond = (last.zoom - 1) / 2 + max(abs(last.x) / 112, abs(last.y) / 64)
    #expect(beyond > 0.149 && beyond <= 0.15)
    // At first it is as quick as it was.
    #expect(abs(path[0].x - x) < 0.1 && abs(path[0].y - y) < 0.1)
  }

  @Test("A still camera's next frames are its last one, to the byte")
  func still() {
    let shot = Self.shot(1, zoom: 0, x: 0, y: 0)
    let ahead = CameraMotion(of: shot).continuing(shot, count: 2, damping: 0.9)
    #expect(CameraMotion(of: shot) == CameraMotion(of: Frames(count: 0, height: 64, width: 112, channels: 3)))
    #expect(difference(ahead, .concatenated([shot, shot]), inside: 0) <= 0.5)
  }

  @Test("Whatever the frames, it is a finite move that no camera exceeds")
  func extremes() {
    for (width, height) in [(1, 1), (2, 2), (3, 40), (40, 2), (17, 16), (33, 31)] {
      for seed in 0..<4 {
        let frames = Frames(
          planes: numbers(3 * 5 * height * width, seed: UInt64(seed)), channels: 3, count: 5, height: height, width: width)
        let values = frames.matrix.base.assumingMemoryBound(to: Float.self)
        if seed == 1 { for index in 0..<frames.matrix.rows * 3 { values[index] = .nan } }
        if seed == 2 { for index in 0..<frames.matrix.rows * 3 { values[index] = index % 2 == 0 ? .infinity : -.infinity } }
        let motion = CameraMotion(of: frames)
        #expect(abs(motion.logZoom) <= 0.1 && abs(motion.x) <= Double(width) / 8 && abs(motion.y) <= Double(width) / 8)
        #expect(motion.continuing(frames, count: 3, damping: 1).matrix.floats().allSatisfy { abs($0) <= 1 })
      }
    }
  }

  @Test("Is what the Python that the model was trained with finds, and shows the same")
  func python() throws {
    let fixture = Fixture("scene-small")
    let (expected, _) = try fixture.floats("motions")
    for shot in 0..<2 {
      let motion = CameraMotion(of: try SceneSmallTests().frames("context", shot))
      for (number, wanted) in zip([motion.logZoom, motion.x, motion.y], expected[3 * shot..<3 * shot + 3]) {
        #expect(abs(Float(number) - wanted) < 1e-4)
      }
    }
    let first = try SceneSmallTests().frames("context", 0)
    let (ahead, shape) = try fixture.floats("ahead")
    let reference = Frames(planes: ahead.map { $0 / 127.5 - 1 }, channels: 3, count: shape[1], height: shape[2], width: shape[3])
    let damping = try #require(try SceneModel(folder: SceneSmallTests.folder).reference?.damping)
    #expect(difference(CameraMotion(of: first).continuing(first, count: shape[1], damping: damping), reference, inside: 0) < 0.05)
  }
}

extension Array {
  fileprivate var pair: (Element, Element) { (self[0], self[1]) }
}
