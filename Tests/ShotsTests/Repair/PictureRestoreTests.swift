import Pixels
import Shots
import Testing
import Timing

/// `mode=restore`, and what any mode tells from brightness: fades of pictures that the test describes.
@Suite("Pictures restored") struct PictureRestoreTests {
  /// A fade out of 8 frames before `middle`, `pause` frames of nothing, a fade in of 8.
  private static func fade(around middle: Int, pause: Int = 0) -> @Sendable (Int) -> Double {
    { number in
      let distance = number < middle ? middle - number : number - (middle + pause) + 1
      return number >= middle && number < middle + pause ? 0 : min(1, Double(distance) / 9)
    }
  }

  /// The whole film: frame 40 is the last clean one, 57 + `pause` the first clean one after.
  private static func play(
    _ mode: RepairMode = .restore, pictures: FilmPictures, maxGain: Double = 8, told: FadeColor?, kind: BoundaryKind = .fade,
    end: Int? = 57,
    count: Int = 80
  ) throws -> PictureFilm {
    var film = PictureFilm(mode, lookAhead: 40, maxGain: maxGain, pictures: pictures)
    try film.play(0..<count, [film.mark(kind, 55, from: 40, to: end, color: told)])
    try film.end()
    return film
  }

  @Test(arguments: [0.0, 1.0], [true, false]) func `a fade is undone, whatever it goes through, told or not`(_ level: Double, _ told: Bool)
    throws
  {
    let left = Self.fade(around: 49)
    let pictures = FilmPictures(level: level, left: left)
    let film = try Self.play(pictures: pictures, told: told ? (level == 0 ? .black : .white) : nil)
    // An eighth is amplified at most; a ninth is left of the two in the middle.
    #expect(film.repair.counts.restored == 14)
    #expect(film.repair.counts.replaced == 2)
    for shown in film.shown where shown.gain != nil && shown.number == shown.picture {
      #expect(abs((shown.gain ?? 0) - left(shown.number)) < 0.03, "\(shown.number)")
    }
    #expect(film.shown.map(\.pts) == (0..<80).map { film.time($0) })
    #expect(film.shown.filter { $0.gain == nil }.map(\.number) == Array(0...40) + Array(57..<80), "clean frames are not touched")
  }

  @Test func `what is too faint shows the nearest of its shot that is not, restored once`() throws {
    let pictures = FilmPictures(left: Self.fade(around: 49, pause: 3))
    let film = try Self.play(pictures: pictures, maxGain: 4, told: .black, end: 60)
    // Of the old shot 41 to 46 have a quarter or more, of the new one 54 to 59.
    #expect(film.pictures == Array(0...46) + [46, 46, 46] + Array(repeating: 54, count: 4) + Array(54..<80))
    #expect(pictures.restored == Array(41...46) + Array(54...59))
    #expect(film.repair.counts.restored == 12 && film.repair.counts.replaced == 7)
  }

  @Test(arguments: [0, 1, 4, 5]) func `the cut is where the picture is faintest, of a pause in the middle`(_ pause: Int) throws {
    // Four frames out, twelve in.
    let pictures = FilmPictures { number in
      number < 45 ? min(1, Double(45 - number) / 5) : number < 45 + pause ? 0 : min(1, Double(number - 44 - pause) / 13)
    }
    let film = try Self.play(pictures: pictures, told: .black, end: 57 + pause)
    #expect(film.marked.keys.sorted() == [45 + pause / 2])
  }

  @Test(arguments: [BoundaryKind.dissolve, .wipe]) func `what is no fade is held`(_ kind: BoundaryKind) throws {
    let pictures = FilmPictures()
    let film = try Self.play(pictures: pictures, told: nil, kind: kind)
    #expect(film.pictures == (0..<80).map { $0 <= 40 || $0 >= 57 ? $0 : $0 < 49 ? 40 : 57 })
    #expect(pictures.restored.isEmpty)
  }

  @Test func `a fade-out that nothing follows is held`() throws {
    let pictures = FilmPictures { number in number <= 40 ? 1 : max(0, 1 - Double(number - 40) / 20) }
    let film = try Self.play(pictures: pictures, told: .black, end: nil, count: 60)
    #expect(film.pictures == (0..<60).map { min($0, 40) })
    #expect(film.repair.counts.restored == 0)
  }

  @Test func `a fade whose end is not there is held`() throws {
    let pictures = FilmPictures(left: Self.fade(around: 49))
    var film = PictureFilm(.restore, pictures: pictures)
    try film.play(0..<56, [film.mark(.fade, 55, from: 40, to: 57, color: .black)])
    try film.event("wide", .caps(frameDuration: nil, keepsPictures: false))
    try film.play(56..<80)
    try film.end()
    #expect(film.pictures == (0..<80).map { (41..<56).contains($0) ? 40 : $0 })
  }

  @Test func `a frame that cannot be read is an error where it is needed`() throws {
    let left = Self.fade(around: 49)
    let pictures = FilmPictures { $0 == 45 ? -1 : left($0) }
    #expect(throws: FilmPictures.Unreadable.self) { try Self.play(pictures: pictures, told: nil) }
    #expect(throws: Never.self) { try Self.play(.hold, pictures: pictures, told: .black) }
  }

  // MARK: Longer than the detector says

  @Test(arguments: RepairMode.allCases, [1, 3, 6]) func `frames of a fade that the detector missed belong to it`(
    _ mode: RepairMode, _ missed: Int
  ) throws {
    // 24 frames out and 24 in, so that what is missed grows slowly.
    let pictures = FilmPictures { number in min(1, Double(number < 64 ? 64 - number : number - 63) / 25) }
    var film = PictureFilm(mode, pictures: pictures)
    try film.play(0..<120, [film.mark(.fade, 70, from: 39 + missed, to: 88 - missed, color: .black)])
    try film.end()
    let inside = Array(40..<88)
    switch mode {
    case .hold: #expect(film.pictures == (0..<120).map { inside.contains($0) ? $0 < 64 ? 39 : 88 : $0 })
    case .cut: #expect(film.pictures == (0..<120).filter { !inside.contains($0) })
    case .restore:
      #expect(film.shown.filter { $0.gain != nil }.map(\.number) == inside)
      #expect(film.marked.keys.sorted() == [64])
    }
  }

  @Test(arguments: [FadeColor.black, nil]) func `only of fades whose colour is told, and no further than another transition`(
    _ color: FadeColor?
  ) throws {
    let pictures = FilmPictures { number in min(1, Double(number < 64 ? 64 - number : number - 63) / 25) }
    var film = PictureFilm(.cut, pictures: pictures)
    try film.play(0..<120, [film.mark(.wipe, 43, from: 30, to: 43), film.mark(.fade, 70, from: 45, to: 88, shot: 3, color: color)])
    try film.end()
    let first = color == nil ? 46 : 44
    #expect(film.pictures == (0..<120).filter { !(31..<43).contains($0) && !(first..<88).contains($0) })
  }

  @Test(arguments: [false, true]) func `the end is not looked for behind a barrier`(_ isThere: Bool) throws {
    let pictures = FilmPictures { number in min(1, Double(number < 64 ? 64 - number : number - 63) / 25) }
    var film = PictureFilm(.cut, pictures: pictures)
    let mark = film.mark(.fade, 70, from: 39, to: 82, color: .black)
    for number in 0..<120 {
      if number == 84 { film.repair.take("wide", .caps(frameDuration: nil, keepsPictures: false)) }
      film.take(number, number == 70 ? [mark] : [])
      if !isThere { try film.collect() }
    }
    try film.end()
    #expect(film.pictures == Array(0...39) + Array(82..<120), "two frames are too few to tell")
  }
}
