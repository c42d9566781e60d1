import Extension
import Pixels
import Shots
import Testing

/// New shots of old ones.
@Suite("Rephotographer") struct RephotographerTests {
  private static func settings(_ width: Int = 96, _ height: Int = 64, seed: UInt64 = 1) -> Rephotographer.Settings {
    .init(width: width, height: height, framesPerSecond: 25, seed: seed)
  }

  private static func shots(_ count: Int, of album: ShotAlbum, frames: Int = 40, _ settings: Rephotographer.Settings)
    -> [RephotographedShot]
  {
    var rephotographer = Rephotographer(album: album, settings: settings)
    return (0..<count).compactMap { _ in rephotographer.nextShot(frames: frames) }
  }

  /// In parts of the picture.
  private static func relative(_ view: CameraView, _ width: Double, _ height: Double) -> CameraView {
    CameraView(x: view.x / width, y: view.y / height, width: view.width / width, height: view.height / height)
  }

  @Test func `an empty album has no shots`() {
    #expect(Self.shots(1, of: ShotAlbum(), Self.settings()).isEmpty)
  }

  @Test(arguments: 2...4) func `no shot comes twice in a row, all come, and the newest not first`(count: Int) {
    for seed in 0..<20 as Range<UInt64> {
      let sources = Self.shots(30, of: album(count, frames: 5), Self.settings(seed: seed)).map(\.source)
      #expect(sources.count == 30)
      #expect(sources.first != count)
      #expect(zip(sources, sources.dropFirst()).allSatisfy { $0 != $1 })
      #expect(Set(sources) == Set(1...count))
    }
  }

  @Test(
    "Every framing is a cut from the shot's own and from the last one",
    arguments: [1, 2, 3], [(96, 64), (64, 96), (160, 40), (31, 17), (500, 300), (16, 16)])
  func framings(_ count: Int, _ output: (Int, Int)) {
    let album = album(count, frames: 4)
    let own = CameraView(coveringAspect: Double(output.0) / Double(output.1), width: 96, height: 64)
    for seed in 0..<12 as Range<UInt64> {
      var last: CameraView?
      for shot in Self.shots(25, of: album, frames: 20 + Int(seed) * 20, Self.settings(output.0, output.1, seed: seed)) {
        for view in [shot.move.start, shot.move.end] {
          #expect(own.width / view.width >= 1.3 - 1e-9)
          #expect(view.x >= -1e-9 && view.y >= -1e-9 && view.x + view.width <= 96 + 1e-9 && view.y + view.height <= 64 + 1e-9)
          #expect(abs(view.width / view.height - Double(output.0) / Double(output.1)) < 1e-9)
          let enlargement = Double(output.0) / view.width
          #expect(enlargement <= max(2.5, 2.2 * Double(output.0) / own.width) + 1e-9)
        }
        let start = Self.relative(shot.move.start, 96, 64)
        if let last {
          let ratio = max(start.width, last.width) / min(start.width, last.width)
          let across = min(start.x + start.width, last.x + last.width) - max(start.x, last.x)
          let down = min(start.y + start.height, last.y + last.height) - max(start.y, last.y)
          let overlap = max(0, across) * max(0, down) / min(start.width * start.height, last.width * last.height)
          #expect(ratio >= 1.3 - 1e-6 || overlap <= 0.5 + 1e-6)
        }
        last = Self.relative(shot.move.end, 96, 64)
      }
    }
  }

  @Test func `all kinds of moves come, none twice in a row but a pan without room`() {
    let shots = Self.shots(200, of: album(2, frames: 4), Self.settings())
    #expect(Set(shots.map(\.move.kind)) == Set(CameraMove.Kind.allCases))
    #expect(zip(shots, shots.dropFirst()).allSatisfy { $0.move.kind != $1.move.kind || $0.move.kind == .hold })
    for shot in shots {
      switch shot.move.kind {
      case .pushIn: #expect(shot.move.start.width > shot.move.end.width)
      case .pullOut: #expect(shot.move.start.width < shot.move.end.width)
      case .pan: #expect(shot.move.start.width == shot.move.end.width && shot.move.start != shot.move.end)
      case .hold: #expect(shot.move.start == shot.move.end)
      }
    }
  }

  @Test func `a move is eased, goes one way, and reaches its ends`() throws {
    let shots = Self.shots(12, of: album(2, frames: 4), frames: 50, Self.settings())
    let push = try #require(shots.first { $0.move.kind == .pushIn })
    let widths = (0..<50).map { push.view(at: $0).width }
    #expect(push.view(at: 0) == push.move.start)
    #expect(push.view(at: 49) == push.move.end)
    let steps = zip(widths, widths.dropFirst()).map { $0 - $1 }
    #expect(steps.allSatisfy { $0 > 0 })
    #expect((steps.first ?? 1) * 8 < steps[24])
    #expect((steps.last ?? 1) * 8 < steps[24])
    #expect(push.view(at: -4) == push.move.start)
    #expect(push.view(at: .max) == push.move.end)
  }

  private static func bytes(_ seed: UInt64) -> [UInt8] {
    let sampler = PictureSampler()
    return shots(4, of: album(2, frames: 20), frames: 6, settings(seed: seed)).flatMap { shot in
      (0..<6).flatMap { frame -> [UInt8] in
        let canvas = Canvas(96, 64)
        #expect(canvas.draw { shot.render(frame, to: $0, with: sampler) } == true)
        return canvas.bytes
      }
    }
  }

  @Test func `a seed gives the same bytes, another one others`() {
    #expect(Self.bytes(1) == Self.bytes(1))
    #expect(Self.bytes(1) != Self.bytes(2))
  }

  @Test func `frames are the same in any order`() {
    for shot in Self.shots(3, of: album(1, frames: 30), frames: 40, Self.settings()) {
      let (used, canvas) = (PictureSampler(), Canvas(96, 64))
      for frame in [39, 3, 17, 3] {
        _ = canvas.draw { shot.render(frame, to: $0, with: used) }
        let fresh = Canvas(96, 64)
        _ = fresh.draw { shot.render(frame, to: $0, with: PictureSampler()) }
        #expect(canvas.bytes == fresh.bytes)
      }
    }
  }

  @Test(arguments: [(96, 64), (95, 63), (17, 31)], [1, 2, 3])
  func `its shots are clean cuts to the house's detector`(output: (Int, Int), seed: Int) throws {
    let shots = Self.shots(6, of: album(3, frames: 30), frames: 30, Self.settings(output.0, output.1, seed: UInt64(seed)))
    let layout = PictureLayout(format: .i420, width: output.0, height: output.1)
    var detector = try #require(makeDetector(DetectorSettings(kind: .content), layout: layout))
    var findings = Findings()
    let (canvas, sampler) = (Canvas(output.0, output.1), PictureSampler())
    var count = UInt64(0)
    for shot in shots {
      for frame in 0..<30 {
        #expect(canvas.draw { shot.render(frame, to: $0, with: sampler) } == true)
        _ = canvas.look(layout) { detector.see($0, at: FrameTime(frame: count, elapsed: count * 40_000_000), into: &findings) }
        count += 1
      }
    }
    detector.finish(into: &findings)
    #expect(findings.boundaries.map(\.frame) == [30, 60, 90, 120, 150])
  }

  @Test(arguments: [(16, 16), (1, 1), (2, 3), (33, 19), (3840, 2160)])
  func `pictures and outputs of any size`(size: (Int, Int)) throws {
    var album = ShotAlbum()
    album.add(try #require(picture(size.0, size.1) { x, y in waves(Double(x), Double(y)) }))
    let shot = try #require(Self.shots(1, of: album, frames: 1, Self.settings(size.0, size.1)).first)
    let canvas = Canvas(size.0, size.1)
    #expect(canvas.draw { shot.render(0, to: $0, with: PictureSampler()) } == true)
    // Chroma is one colour, luma none of the canvas's own; what pads the rows is untouched.
    #expect(canvas.luma.allSatisfy { (16...235).contains($0) })
    let (u, bytes) = (canvas.lumaStride * size.1, canvas.bytes)
    #expect(bytes[u..<u + (size.0 + 1) / 2].allSatisfy { $0 == 128 })
    #expect((0..<size.1).allSatisfy { bytes[$0 * canvas.lumaStride + size.0] == 7 })
  }

  @Test func `a second picture is mixed in by its share in all planes, one of another size not`() throws {
    let (a, b) = (picture(20, 10, u: 100, v: 60) { _, _ in 40 }, picture(20, 10, u: 140, v: 220) { _, _ in 200 })
    let other = picture(22, 10, u: 140, v: 220) { _, _ in 200 }
    let (first, canvas) = (try #require(a), Canvas(8, 8, padding: 0))
    for (second, levels) in [(b, [80, 110, 100]), (other, [40, 100, 60])] as [(PlanarPicture?, [UInt8])] {
      let view = CameraView(x: 3, y: 1, width: 7, height: 7)
      _ = canvas.draw { PictureSampler().sample(first, mixedWith: second, share: 64, view: view, to: $0) }
      #expect(canvas.bytes == levels.enumerated().flatMap { [UInt8](repeating: $1, count: $0 == 0 ? 64 : 16) })
    }
  }

  @Test func `chroma stays with luma`() throws {
    // A bright, coloured square on black, enlarged twice about its corner, at luma 16, 16.
    let made = PlanarPicture(width: 64, height: 64) { planes in
      for y in 16..<48 { for x in 16..<48 { planes.y.set(x, y, 200) } }
      for y in 8..<24 { for x in 8..<24 { planes.u.set(x, y, 228) } }
    }
    let (canvas, square) = (Canvas(64, 64, padding: 0), try #require(made))
    _ = canvas.draw { PictureSampler().sample(square, view: CameraView(x: 8, y: 8, width: 32, height: 32), to: $0) }
    let row = (0..<64).map { Int(canvas.bytes[40 * 64 + $0]) }
    let rowU = (0..<32).map { Int(canvas.bytes[64 * 64 + 20 * 32 + $0]) }
    let columnU = (0..<32).map { Int(canvas.bytes[64 * 64 + $0 * 32 + 20]) }
    #expect(row[15] < 108 && row[16] > 108)
    #expect(row[15] + row[16] == 216)
    // Chroma sample k lies with luma 2k, which is 7.75 + k of the source: 14.75 and 15.75, and the edge is at 15. Were it between
    // luma samples, as it is down the picture, it would be as far from the one as from the other.
    #expect(rowU[7] < 178 && rowU[8] > 178)
    #expect(rowU[7] + rowU[8] > 366)
    #expect(columnU[7] + columnU[8] == 356)
  }

  @Test func `planes that cannot be are refused`() throws {
    let shot = try #require(Self.shots(1, of: album(1, frames: 1), Self.settings()).first)
    let refused = Canvas(96, 64).draw { planes -> [Bool] in
      [(96, 64, 95), (0, 64, 96), (96, -1, 96), (.max, .max, .max)].map { width, height, stride in
        let narrow = OutputPlanes(width: width, height: height, y: .init(base: planes.y.base, stride: stride), u: planes.u, v: planes.v)
        return shot.render(0, to: narrow, with: PictureSampler())
      }
    }
    #expect(refused == [false, false, false, false])
  }

  @Test func `wild settings make shots all the same`() {
    for (size, rate, frames) in [(Int.max, Double.nan, Int.max), (.min, .infinity, .min), (0, -1, 0), (1, 1e300, 1)] {
      var settings = Rephotographer.Settings(width: size, height: size, framesPerSecond: rate)
      settings.minimumLoop = rate
      let shot = Self.shots(2, of: album(2, frames: 6), frames: frames, settings).last
      #expect(shot.map { $0.frameCount >= 1 && (0..<6).contains($0.moment(at: .max).frame) } == true)
    }
  }

  @Test func `a shot begins where it needs no seam, if it is short enough`() {
    for shot in Self.shots(30, of: album(2, frames: 50), frames: 20, Self.settings()) {
      let moments = (0..<20).map { shot.moment(at: $0).frame }
      #expect(zip(moments, moments.dropFirst()).allSatisfy { $1 == $0 + 1 })
    }
  }

  @Test func `an album that has grown is looked at anew, and one that has not is not`() throws {
    var small = ShotAlbum()
    small.add(try #require(picture(32, 32) { x, y in waves(Double(x), Double(y)) }))
    var rephotographer = Rephotographer(album: small, settings: Self.settings())
    #expect(rephotographer.nextShot(frames: 9)?.loop.order == .still)
    for frame in 1..<20 { small.add(try #require(picture(32, 32) { x, y in waves(Double(x + frame), Double(y)) })) }
    rephotographer.album = small
    #expect(rephotographer.nextShot(frames: 9)?.loop.last == 19)
  }

  @Test func `a log says what was done`() throws {
    for shot in Self.shots(20, of: album(2, frames: 30), Self.settings()) {
      let text = shot.description
      #expect(text.hasPrefix("shot \(shot.number) of source shot \(shot.source): \(shot.move.kind.rawValue)"))
      #expect(text.contains("×1.") == (shot.move.kind == .pushIn || shot.move.kind == .pullOut))
      #expect(
        text.hasSuffix("loop \(shot.loop.first)–\(shot.loop.last) back and forth")
          || text.hasSuffix("loop \(shot.loop.first)–\(shot.loop.last)"))
    }
  }
}
