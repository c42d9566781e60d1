import Extension
import Pixels
import Testing

@Suite("Generated pictures in full size")
struct PictureDetailTests {
  static let (width, height) = (160, 96)
  let colors = PictureDetail.Colors(red: 0.2126, blue: 0.0722, range: .limited)
  let whole = CameraView(x: 0, y: 0, width: Double(width), height: Double(height))

  /// Waves that a small picture does not show.
  private func base(_ width: Int = width, _ height: Int = height) throws -> PlanarPicture {
    try #require(picture(width, height, u: 110, v: 150) { x, y in waves(Double(x), Double(y)) })
  }

  /// A small picture of one level, another one in some columns.
  private func small(_ level: UInt8, _ other: UInt8? = nil, columns: Range<Int> = 0..<0) throws -> RGBPicture {
    let (width, height) = (40, 24)
    var bytes = [UInt8](repeating: level, count: RGBPicture.stride(width: width) * height)
    if let other {
      for y in 0..<height { for x in columns { for c in 0..<3 { bytes[y * RGBPicture.stride(width: width) + 3 * x + c] = other } } }
    }
    return try #require(RGBPicture(width: width, height: height, bytes: bytes))
  }

  private func paint(_ detail: PictureDetail?, _ width: Int = width, _ height: Int = height) throws -> Canvas {
    let canvas = Canvas(width, height)
    #expect(canvas.draw { DetailPainter().paint(detail!, to: $0) } == true)
    return canvas
  }

  private func drawn(_ base: PlanarPicture, _ view: CameraView) -> Canvas {
    let canvas = Canvas(Self.width, Self.height)
    _ = canvas.draw { PictureSampler().sample(base, view: view, to: $0) }
    return canvas
  }

  @Test("Where a model changes nothing the frame is seen as the camera sees it, to the byte")
  func unchanged() throws {
    let base = try base()
    for view in [whole, CameraView(x: 4.5, y: 3, width: 120, height: 72)] {
      let detail = PictureDetail(base: base, view: view, drawn: try small(120), likeness: try small(120), colors: colors)
      #expect(try paint(detail).bytes == drawn(base, view).bytes)
    }
  }

  @Test("Where it changes much the picture is its own")
  func changed() throws {
    let canvas = try paint(PictureDetail(base: base(), view: whole, drawn: small(200), likeness: small(90), colors: colors))
    // 200 of 255 between black and white is 16 + 200 · 219 / 255.
    #expect(canvas.luma.allSatisfy { $0 == 188 })
    #expect(canvas.draw { $0.u.base.load(as: UInt8.self) } == 128)
  }

  @Test("A small change is added to the frame, whose detail stays")
  func added() throws {
    let base = try base()
    let canvas = try paint(PictureDetail(base: base, view: whole, drawn: small(128), likeness: small(120), colors: colors))
    let expected = drawn(base, whole).luma.map { Int($0) + 7 }  // 8 · 219 / 255
    #expect(zip(canvas.luma, expected).allSatisfy { abs(Int($0) - $1) <= 1 })
  }

  @Test("A change stays where it is")
  func local() throws {
    let base = try base()
    let canvas = try paint(
      PictureDetail(base: base, view: whole, drawn: small(120, 240, columns: 30..<40), likeness: small(120), colors: colors))
    let plain = drawn(base, whole).luma
    for y in 0..<Self.height {
      // The change begins at 120 of 160 columns; what is spread of it is some three small pixels.
      #expect(canvas.luma[y * Self.width..<y * Self.width + 100] == plain[y * Self.width..<y * Self.width + 100])
      #expect(canvas.luma[y * Self.width + 140..<(y + 1) * Self.width].allSatisfy { abs(Int($0) - 222) <= 1 })
    }
  }

  @Test("Beyond the frame it is the model's")
  func beyond() throws {
    let view = CameraView(x: 32, y: 0, width: 160, height: 96)
    let canvas = try paint(PictureDetail(base: base(), view: view, drawn: small(120), likeness: small(120), colors: colors))
    for y in 0..<Self.height { #expect(canvas.luma[y * Self.width + 132..<(y + 1) * Self.width].allSatisfy { abs(Int($0) - 119) <= 1 }) }
    #expect(canvas.luma[..<100] == drawn(try base(), view).luma[..<100])
  }

  @Test(
    "Colours are those of matrix and range",
    arguments: [
      (PictureDetail.Colors(red: 0.299, blue: 0.114, range: .limited), [81, 90, 240]),
      (.init(red: 0.2126, blue: 0.0722, range: .limited), [63, 102, 240]),
      (.init(red: 0.299, blue: 0.114, range: .full), [76, 85, 255]), (.init(red: 0.2126, blue: 0.0722, range: .full), [54, 99, 255]),
      (.init(red: 0.2627, blue: 0.0593, range: .limited), [74, 97, 240]),
    ])
  func red(colors: PictureDetail.Colors, expected: [UInt8]) throws {
    let (width, height) = (40, 24)
    var bytes = [UInt8](repeating: 0, count: RGBPicture.stride(width: width) * height)
    for at in stride(from: 0, to: bytes.count, by: 3) { bytes[at] = 255 }
    let red = try #require(RGBPicture(width: width, height: height, bytes: bytes))
    let canvas = try paint(PictureDetail(base: base(), view: whole, drawn: red, likeness: small(200), colors: colors))
    let found = canvas.draw { [$0.y, $0.u, $0.v].map { $0.base.load(as: UInt8.self) } }
    #expect(found == expected)
  }

  @Test("Any size is painted, and the base's own", arguments: [(1, 1), (33, 17), (320, 200), (7, 90)])
  func sizes(width: Int, height: Int) throws {
    let detail = try #require(
      PictureDetail(
        base: base(31, 45), view: CameraView(x: 0, y: 0, width: 31, height: 45), drawn: small(200), likeness: small(90), colors: colors))
    #expect(try paint(detail, width, height).luma.allSatisfy { $0 == 188 })
    let picture = try #require(DetailPainter().picture(detail))
    #expect(picture.width == 31 && picture.height == 45)
  }

  @Test("Between two pictures the camera is between, and what was drawn is mixed")
  func between() throws {
    let base = try base()
    let first = try #require(PictureDetail(base: base, view: whole, drawn: small(200), likeness: small(90), colors: colors))
    let other = CameraView(x: 16, y: 8, width: 120, height: 72)
    let second = try #require(PictureDetail(base: base, view: other, drawn: small(100), likeness: small(210), colors: colors))
    #expect(try paint(PictureDetail(first, second, share: 0)).bytes == paint(first).bytes)
    #expect(try paint(PictureDetail(first, second, share: 256)).bytes == paint(second).bytes)
    // 188 and 102: what is drawn is all of both.
    #expect(try paint(PictureDetail(first, second, share: 64)).luma.allSatisfy { abs(Int($0) - 166) <= 1 })
    func still(_ view: CameraView) throws -> PictureDetail {
      try #require(PictureDetail(base: base, view: view, drawn: small(90), likeness: small(90), colors: colors))
    }
    let middle = CameraView(x: 8, y: 4, width: 140, height: 84)
    #expect(try paint(PictureDetail(still(whole), still(other), share: 128)).bytes == drawn(base, middle).bytes)
    let elsewhere = try #require(PictureDetail(base: self.base(), view: whole, drawn: small(1), likeness: small(1), colors: colors))
    #expect(PictureDetail(first, elsewhere, share: 9) == nil)
  }

  @Test("Pictures of unlike sizes have no detail, and a view far away is not painted")
  func refused() throws {
    let other = try #require(RGBPicture(width: 2, height: 2, bytes: [UInt8](repeating: 0, count: 16)))
    #expect(try PictureDetail(base: base(), view: whole, drawn: small(1), likeness: other, colors: colors) == nil)
    let far = try PictureDetail(
      base: base(), view: CameraView(x: 1e7, y: 0, width: 160, height: 96), drawn: small(1), likeness: small(1), colors: colors)
    let canvas = Canvas(Self.width, Self.height)
    #expect(canvas.draw { DetailPainter().paint(far!, to: $0) } == false)
    #expect(DetailPainter().picture(far!) == nil)
  }
}
