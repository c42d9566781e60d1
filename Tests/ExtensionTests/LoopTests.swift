import Extension
import Pixels
import Testing

/// Frames that go on without a seam.
@Suite("Loops") struct LoopTests {
  private static let (width, height) = (80, 60)

  /// Frames of a motion, by its name.
  private static func frames(_ motion: String, _ count: Int) -> [PlanarPicture] {
    func turned(_ x: Int, _ y: Int, _ step: Int, of steps: Int) -> UInt8 {
      // A disc with one dark sector: a turn by whole steps, in the taxicab's angle.
      let (dx, dy) = (Double(x - 40), Double(y - 30))
      let quarter = abs(dy) / max(abs(dx) + abs(dy), 1)
      let angle = dx >= 0 ? (dy >= 0 ? quarter : 4 - quarter) : (dy >= 0 ? 2 - quarter : 2 + quarter)
      let turn = (angle / 4 - Double(step) / Double(steps) + 2).truncatingRemainder(dividingBy: 1)
      return UInt8(200 - 150 * abs(turn * 2 - 1))
    }
    var numbers = UInt64(5)
    return (0..<count).compactMap { frame in
      picture(width, height) { x, y in
        let t = Double(frame)
        switch motion {
        case "pan": return waves((Double(x) + 1.5 * t) / 3, Double(y) / 3)
        case "accelerating": return waves(Double(x) + 0.04 * t * t, Double(y))
        case "rotation": return turned(x, y, frame % 20, of: 20)
        case "dawn": return turned(x, y, frame % 20, of: 20) / 2 + UInt8(frame / 8)
        case "flicker": return frame % 2 == 0 ? 100 : 110
        case "missed cut": return frame < count / 3 ? waves(Double(x) + t, Double(y)) : 255 - waves(Double(y), Double(x) + t)
        case "flash": return frame == count / 2 ? 235 : waves(Double(x) + t, Double(y))
        case "ball":  // fastest in the middle, so that a seam among slow frames would be no larger step
          let place = 5 + 4 * (frame % 16) + 3 * min(max(frame % 16 - 5, 0), 3)
          return abs(x - place) < 5 && abs(y - 30) < 6 ? 220 : waves(Double(x), Double(y)) / 3
        case "twos": return waves(Double(x) + Double(frame / 2) * 2, Double(y))
        case "jump at rest": return frame < count / 2 ? 40 : 200
        case "noise":
          numbers = numbers &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          return waves(Double(x), Double(y)) / 2 + UInt8(numbers >> 60)
        default: return waves(Double(x), Double(y))
        }
      }
    }
  }

  /// Luma of `count` moments, rendered without a camera.
  private static func shown(_ loop: Loop, _ frames: [PlanarPicture], _ count: Int) -> [[UInt8]] {
    let (canvas, sampler) = (Canvas(width, height), PictureSampler())
    let whole = CameraView(x: 0, y: 0, width: Double(width), height: Double(height))
    return (0..<count).map { time in
      let moment = loop.moment(at: time)
      let drawn = canvas.draw {
        sampler.sample(frames[moment.frame], mixedWith: frames[moment.other], share: moment.share, view: whole, to: $0)
      }
      #expect(drawn == true)
      return canvas.luma
    }
  }

  private static func steps(_ pictures: [[UInt8]]) -> [Double] { zip(pictures, pictures.dropFirst()).map { difference($0, $1) } }

  private static func source(_ frames: [PlanarPicture]) -> [[UInt8]] {
    frames.indices.flatMap { shown(LoopFinder([frames[$0]]).find(minimum: 1).loop, [frames[$0]], 1) }
  }

  @Test(
    "No step is larger than twice the source's median",
    arguments: ["pan", "accelerating", "rotation", "dawn", "flicker", "missed cut", "flash", "noise", "ball", "static"],
    [1, 2, 3, 4, 7, 30, 61])
  func steps(_ motion: String, _ count: Int) {
    let frames = Self.frames(motion, count)
    let found = LoopFinder(frames).find(minimum: 12)
    let steps = Self.steps(Self.source(frames)).sorted()
    let median = steps.isEmpty ? 0 : steps[(steps.count - 1) / 2]
    let shown = Self.steps(Self.shown(found.loop, frames, 3 * found.loop.period + 2))
    let largest = shown.max() ?? 0
    #expect(largest <= 2 * median + 1e-9)
    #expect(abs(largest - found.largestStep) < 1e-9)
  }

  @Test func `drawings on twos are held to the median of the steps in which they move`() {
    let frames = Self.frames("twos", 40)
    let found = LoopFinder(frames).find(minimum: 12)
    let moving = Self.steps(Self.source(frames)).filter { $0 > 0 }.sorted()
    #expect((Self.steps(Self.shown(found.loop, frames, 120)).max() ?? 0) <= 2 * moving[moving.count / 2])
    #expect(found.loop.period > 12)
  }

  @Test(arguments: ["static", "jump at rest"]) func `what does not move is a still`(motion: String) {
    #expect(LoopFinder(Self.frames(motion, 30)).find(minimum: 12).loop.order == .still)
  }

  @Test(arguments: ["rotation", "dawn"]) func `a turn goes on forward, whole turns long`(motion: String) {
    let loop = LoopFinder(Self.frames(motion, 60)).find(minimum: 12).loop
    guard case .forward = loop.order else {
      Issue.record("\(loop)")
      return
    }
    #expect(loop.period == 40)
  }

  @Test func `a round's last frame goes over into the next round's first ones`() {
    let loop = LoopFinder(Self.frames("dawn", 60)).find(minimum: 12).loop
    guard case .forward(let crossfade) = loop.order else {
      Issue.record("\(loop)")
      return
    }
    #expect(crossfade > 3)
    #expect((0..<loop.period).allSatisfy { loop.moment(at: $0).share == 0 && loop.moment(at: $0).frame == loop.first + $0 })
    for round in 1...3 {
      let mixed = (0..<crossfade).map { loop.moment(at: round * loop.period + $0) }
      #expect(mixed.map(\.frame) == (0..<crossfade).map { loop.first + $0 })
      #expect(mixed.map(\.other) == (0..<crossfade).map { loop.moment(at: loop.period - 1).frame + 1 + $0 })
      #expect(zip(mixed, mixed.dropFirst()).allSatisfy { $0.share > $1.share })
      #expect(mixed.first.map { $0.share > 200 } == true)
      #expect(mixed.last.map { (1..<60).contains($0.share) } == true)
      #expect(loop.moment(at: round * loop.period + crossfade).share == 0)
    }
  }

  @Test func `a pan goes back and forth through all of it`() {
    let loop = LoopFinder(Self.frames("pan", 30)).find(minimum: 12).loop
    #expect(loop.order == .backAndForth)
    #expect((loop.first, loop.last) == (0, 29))
  }

  @Test func `what flies by is not mixed with itself`() {
    #expect(LoopFinder(Self.frames("ball", 16)).find(minimum: 8).loop.order == .backAndForth)
  }

  @Test func `the longest part without a jump is taken`() {
    let loop = LoopFinder(Self.frames("missed cut", 60)).find(minimum: 12).loop
    #expect(loop.first >= 20)
    #expect(loop.last - loop.first >= 20)
    let flash = LoopFinder(Self.frames("flash", 61)).find(minimum: 12).loop
    #expect(flash.last < 30 || flash.first > 30)
  }

  @Test func `a round is as long as asked, or the shot`() {
    for minimum in [1, 12, 25, 50, 1000] {
      let loop = LoopFinder(Self.frames("flicker", 60)).find(minimum: minimum).loop
      #expect(loop.period >= min(minimum, 59))
    }
  }

  @Test func `moments lie inside the loop, at any time`() {
    for motion in ["rotation", "pan", "noise", "flicker"] {
      let loop = LoopFinder(Self.frames(motion, 40)).find(minimum: 12).loop
      for time in [-5, 0, 1, 39, 40, 41, 1000, .max] {
        let moment = loop.moment(at: time)
        #expect((loop.first...loop.last).contains(moment.frame) && (loop.first...loop.last).contains(moment.other))
        #expect((0...255).contains(moment.share))
      }
    }
  }

  @Test func `no frames are a still of nothing that nobody shows`() {
    #expect(LoopFinder([]).find(minimum: 1).loop.order == .still)
    #expect(Rephotographer(album: ShotAlbum(), settings: .init(width: 16, height: 16, framesPerSecond: 25)).album.shots.isEmpty)
  }
}
