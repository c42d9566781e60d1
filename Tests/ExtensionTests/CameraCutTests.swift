import Extension
import Pixels
import Shots
import Testing

/// What detectors of cuts find in new shots of sources whose own motion is nearly as fast as a cut: the cuts, and nothing else.
@Suite("Cuts of the virtual camera") struct CameraCutTests {
  private static let (width, height, length) = (96, 64, 30)

  /// Luma, U and V that are about equally bright and as far apart as colours are.
  private static let colors: [(UInt8, UInt8, UInt8)] = [(110, 200, 100), (110, 60, 190), (110, 70, 60), (110, 190, 200)]

  /// A frame of blocks of a colour each, which `color` chooses among four.
  private static func frame(_ color: (Int, Int) -> (luma: UInt8, u: UInt8, v: UInt8)) -> PlanarPicture? {
    PlanarPicture(width: width, height: height) { planes in
      for y in 0..<height {
        for x in 0..<width {
          let color = color(x, y)
          planes.y.set(x, y, color.luma)
          planes.u.set(x / 2, y / 2, color.u)
          planes.v.set(x / 2, y / 2, color.v)
        }
      }
    }
  }

  /// A motion by its name.
  private static func frames(_ motion: String, _ count: Int = 40) -> [PlanarPicture] {
    (0..<count).compactMap { time in
      frame { x, y in
        let grain = waves(Double(x), Double(y)) / 8
        /// Stripes, and a grain that moves with them.
        func stripes(_ place: Int, width: Int, first: Int = 0) -> (UInt8, UInt8, UInt8) {
          let color = colors[(place / width + first) & 3]
          return (color.0 + waves(Double(place), Double(y)) / 8, color.1, color.2)
        }
        switch motion {
        case "fast pan": return stripes(x + 13 * time, width: 24)
        case "pan that slows down":
          return stripes(x + (time < 15 ? 14 * time : 210 + time - 15), width: 24)
        case "small and fast":
          let place = 20 + 17 * (time % 4)
          return abs(x - place) < 8 && abs(y - 26) < 9 ? (90, 60, 230) : (120 + grain, 160, 110)
        case "flashing light": return (time % 2 == 0 ? 60 + grain : 190 + grain, 120, 140)
        case "flash now and then": return (time % 7 == 3 ? 190 + grain : 60 + grain, 120, 140)
        case "cut of colours": return stripes(x + time, width: 40, first: time < count / 3 ? 0 : 2)
        default: return stripes(x, width: 24)
        }
      }
    }
  }

  /// Two shots, of which one moves so.
  private static func album(_ motion: String) -> ShotAlbum {
    var album = ShotAlbum(shots: 2)
    album.beginShot()
    for picture in frames(motion) { album.add(picture) }
    album.beginShot()
    for time in 0..<30 {
      let made = picture(width, height, u: 100, v: 120) { x, y in waves(Double(x) + Double(time) / 2, Double(y)) / 3 + 150 }
      if let made { album.add(made) }
    }
    return album
  }

  /// The frames at which a detector finds a cut in shots, and in what was there before them.
  private static func cuts(in shots: [RephotographedShot], behind album: ShotAlbum, _ kind: DetectorKind) throws -> [Int] {
    let layout = PictureLayout(format: .i420, width: width, height: height)
    var detector = try #require(makeDetector(DetectorSettings(kind: kind), layout: layout))
    var findings = Findings()
    let (canvas, sampler) = (Canvas(width, height), PictureSampler())
    var count = 0
    func look() {
      _ = canvas.look(layout) {
        detector.see($0, at: FrameTime(frame: UInt64(count), elapsed: UInt64(count) * 40_000_000), into: &findings)
      }
      count += 1
    }
    let whole = CameraView(x: 0, y: 0, width: Double(width), height: Double(height))
    for picture in album.shots.last?.frames ?? [] {
      _ = canvas.draw { sampler.sample(picture, view: whole, to: $0) }
      look()
    }
    for shot in shots {
      for frame in 0..<shot.frameCount {
        _ = canvas.draw { shot.render(frame, to: $0, with: sampler) }
        look()
      }
    }
    detector.finish(into: &findings)
    return findings.boundaries.map { Int($0.frame) }
  }

  @Test(
    "New shots are cuts, and have none",
    arguments: ["fast pan", "pan that slows down", "small and fast", "flashing light", "flash now and then", "cut of colours", "static"])
  func cuts(_ motion: String) throws {
    let album = Self.album(motion)
    for seed in 0..<4 as Range<UInt64> {
      let settings = Rephotographer.Settings(width: Self.width, height: Self.height, framesPerSecond: 25, seed: seed)
      var rephotographer = Rephotographer(album: album, settings: settings)
      let shots = (0..<5).compactMap { _ in rephotographer.nextShot(frames: Self.length) }
      for kind in [DetectorKind.content, .adaptive] {
        #expect(try Self.cuts(in: shots, behind: album, kind) == (0..<5).map { 30 + Self.length * $0 }, "\(kind), seed \(seed): \(shots)")
      }
    }
  }

  @Test func `what is fast in one part goes on in the others`() {
    let slow = LoopFinder(Self.frames("pan that slows down")).find(minimum: 12).loop
    #expect(slow.first >= 15 && slow.last - slow.first >= 20)
    let cut = LoopFinder(Self.frames("cut of colours")).find(minimum: 12).loop
    #expect(cut.first >= 13 && cut.last - cut.first >= 15)
  }

  @Test(arguments: ["fast pan", "flashing light"]) func `what is as fast as cuts throughout is a still`(motion: String) {
    #expect(LoopFinder(Self.frames(motion)).find(minimum: 12).loop.order == .still)
  }
}
