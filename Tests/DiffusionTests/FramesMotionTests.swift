import Diffusion
import Pixels
import Tensors
import Testing

@Suite("The camera's motion in frames")
struct FramesMotionTests {
  @Test("Is what the Python that the model was trained with finds, and shows the same")
  func python() throws {
    let fixture = Fixture("scene-small")
    let (expected, _) = try fixture.floats("motions")
    for shot in 0..<2 {
      let motion = GlobalMotion(of: try SceneSmallTests().frames("context", shot))
      for (number, wanted) in zip([motion.logZoom, motion.x, motion.y], expected[3 * shot..<3 * shot + 3]) {
        #expect(abs(Float(number) - wanted) < 1e-4)
      }
    }
    let first = try SceneSmallTests().frames("context", 0)
    let (ahead, shape) = try fixture.floats("ahead")
    let reference = Frames(planes: ahead.map { $0 / 127.5 - 1 }, channels: 3, count: shape[1], height: shape[2], width: shape[3])
    let damping = try #require(try SceneModel(folder: SceneSmallTests.folder).reference?.damping)
    let found = GlobalMotion(of: first).continuing(first, count: shape[1], damping: damping)
    let largest = zip(found.matrix.floats(), reference.matrix.floats()).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
    #expect(largest * 127.5 < 0.05)
  }

  @Test("Whatever the frames, it is a finite move, and what it shows is within −1…1")
  func extremes() {
    for (width, height) in [(1, 1), (2, 2), (3, 40), (40, 2), (17, 16), (33, 31)] {
      for (seed, count) in [(0, 5), (1, 5), (2, 5), (3, 1), (4, 0)] {
        let frames = Frames(
          planes: numbers(3 * count * height * width, seed: UInt64(seed)), channels: 3, count: count, height: height, width: width)
        let values = frames.matrix.base.assumingMemoryBound(to: Float.self)
        if seed == 1 { for index in 0..<frames.matrix.rows * 3 { values[index] = .nan } }
        if seed == 2 { for index in 0..<frames.matrix.rows * 3 { values[index] = index % 2 == 0 ? .infinity : -.infinity } }
        let motion = GlobalMotion(of: frames)
        #expect(abs(motion.logZoom) <= 0.1 && abs(motion.x) <= Double(width) / 8 && abs(motion.y) <= Double(width) / 8)
        #expect(motion.continuing(frames, count: 3, damping: 1).matrix.floats().allSatisfy { abs($0) <= 1 })
      }
    }
    let mask = Frames(planes: numbers(5 * 8 * 8, seed: 1), channels: 1, count: 5, height: 8, width: 8)
    #expect(GlobalMotion(of: mask) == GlobalMotion(of: []))
  }

  @Test("Frames are steadied over the others' from the one they were drawn over")
  func steadied() {
    let (size, count) = (12 * 20, 3 * 12 * 20)
    let still = Frames(planes: numbers(2 * count, seed: 1), channels: 3, count: 2, height: 12, width: 20)
    /// The second one, with some levels of 255 more in a square.
    func drawn(_ levels: Float) -> Frames {
      let frames = Frames(count: 1, height: 12, width: 20, channels: 3)
      frames.matrix.base.copyMemory(from: still.matrix.row(size), byteCount: size * still.matrix.rowSize)
      let values = frames.matrix.base.assumingMemoryBound(to: Float.self)
      for y in 4..<9 { for x in 8..<13 { for c in 0..<3 { values[(y * 20 + x) * 3 + c] += levels / 127.5 } } }
      frames.steady(over: still, from: 1, unrest: 12...40)
      return frames
    }
    #expect(drawn(8).matrix.floats() == Array(still.matrix.floats()[count...]))
    #expect(drawn(80).matrix.floats() != Array(still.matrix.floats()[count...]))
    let both = Frames.concatenated([still, Frames(count: 0, height: 12, width: 20, channels: 3)])
    both.steady(over: still, from: 0, unrest: 12...40)
    #expect(both.matrix.floats() == still.matrix.floats())
  }
}
