import Shots
import Testing
import Timing

/// `mode=cut`: the frames go, and what follows moves up.
@Suite("Pictures cut") struct PictureCutTests {
  /// The frames that are left of `count`.
  private func kept(_ count: Int, _ extents: [(Int, Int)]) -> [Int] {
    (0..<count).filter { number in !extents.contains { $0.0 < number && number < $0.1 } }
  }

  @Test(arguments: filmRates, [(40, 42), (40, 50), (40, 65), (0, 7)])
  func `what follows moves up by what was taken out`(_ rate: FrameRate, _ extent: (start: Int, end: Int)) throws {
    var film = PictureFilm(.cut, rate: rate)
    try film.play(0..<100, [film.mark(extent.end - 1, from: extent.start, to: extent.end)])
    try film.end()
    let kept = kept(100, [(extent.start, extent.end)])
    #expect(film.pictures == kept)
    #expect(film.removed == [RemovedStretch(start: film.time(extent.start + 1), end: film.time(extent.end))])
    let length = film.time(extent.end) - film.time(extent.start + 1)
    #expect(film.shown.map(\.pts) == kept.map { film.time($0) - ($0 <= extent.start ? 0 : length) })
    #expect(film.repair.removed == length)
    #expect(film.repair.counts.removed == UInt64(extent.end - extent.start - 1))
    #expect(film.repair.counts.replaced == 0)
    #expect(film.repair.decided == .max)
  }

  @Test(arguments: filmRates) func `after many no frame comes sooner or later than the rate says`(_ rate: FrameRate) throws {
    var film = PictureFilm(.cut, rate: rate)
    let extents = (0..<20).map { (20 + 30 * $0, 20 + 30 * $0 + 6 + $0 % 5) }
    try film.play(0..<700, extents.enumerated().map { film.mark($1.1 - 1, from: $1.0, to: $1.1, shot: UInt64($0 + 2)) })
    try film.end()
    #expect(film.pictures == kept(700, extents))
    let distances = zip(film.shown, film.shown.dropFirst()).map { ($1.pts ?? 0) - ($0.pts ?? 0) }
    #expect(distances.allSatisfy { abs(Int64($0) - Int64(film.time(1))) <= 1 }, "to the rounding of a time stamp")
    let ends = Set(extents.map(\.1))
    #expect(film.marked.keys.sorted() == film.pictures.enumerated().filter { ends.contains($1) }.map(\.offset))
  }

  @Test func `boundaries are renumbered and moved, cuts and what is left alone alike`() throws {
    var film = PictureFilm(.cut, kinds: [.dissolve])
    try film.play(
      0..<200,
      [
        film.mark(45, from: 40, to: 50), film.mark(.cut, 100, from: 99, to: 100, shot: 3),
        film.mark(.fade, 150, from: 140, to: 155, shot: 4, color: .white),
      ])
    try film.end()
    #expect(film.marked.keys.sorted() == [41, 91, 141])
    let (cut, old, fade) = (
      try #require(film.marked[41]?.first), try #require(film.marked[91]?.first), try #require(film.marked[141]?.first)
    )
    #expect(cut.kind == .cut && cut.frame == 41 && cut.shot == 2)
    #expect([cut.pts, cut.runningTime, cut.streamTime, cut.transitionEnd].allSatisfy { $0 == film.time(41) })
    #expect(cut.transitionStart == film.time(40))
    #expect(old.frame == 91 && old.pts == film.time(91) && old.transitionStart == film.time(90) && old.transitionEnd == film.time(91))
    #expect(fade.kind == .fade && fade.color == .white && fade.frame == 141 && fade.runningTime == film.time(141))
    #expect(fade.transitionStart == film.time(131) && fade.transitionEnd == film.time(146))
  }

  @Test func `a boundary before the first transition is as it came`() throws {
    var film = PictureFilm(.cut)
    try film.play(0..<100, [film.mark(.cut, 20, from: 19, to: 20), film.mark(45, from: 40, to: 50, shot: 3)])
    try film.end()
    #expect(film.shown[20].boundaries == nil)
  }

  @Test(arguments: [0, 1, 2, 5] as [UInt32]) func `margin takes out so many more on each side`(_ margin: UInt32) throws {
    var film = PictureFilm(.cut, margin: margin)
    try film.play(0..<100, [film.mark(45, from: 40, to: 50)])
    try film.end()
    #expect(film.pictures == kept(100, [(40 - Int(margin), 50 + Int(margin))]))
  }

  @Test(arguments: [60, 80, 98]) func `a fade-out that nothing follows is taken out to the end`(_ start: Int) throws {
    var film = PictureFilm(.cut)
    try film.play(0..<100, [film.mark(.fade, 99, from: start, to: nil)])
    try film.end()
    #expect(film.pictures == Array(0...start))
    #expect(film.removed == [RemovedStretch(start: film.time(start + 1), end: nil)])
    #expect(film.repair.removed == 0, "nothing follows that could be late")
    #expect(film.marked.isEmpty)
  }

  @Test func `a stream that ends inside a transition ends with its old shot`() throws {
    var film = PictureFilm(.cut)
    try film.play(0..<95, [film.mark(92, from: 85, to: 99)])
    try film.end()
    #expect(film.pictures == Array(0...85))
    #expect(film.removed == [RemovedStretch(start: film.time(86), end: nil)])
    #expect(film.story.last == "eos")
  }

  @Test(arguments: [(47, 45, 41), (70, 45, 41)]) func `the key frame is asked for where the cut is`(
    _ told: Int, _ middle: Int, _ place: Int
  ) throws {
    var film = PictureFilm(.cut)
    var mark = film.mark(47, from: 40, to: 50)
    mark.frame = UInt64(told)
    try film.play(0..<120, [mark]) { number, film in
      if number == told { film.repair.take("asked", .keyUnit(runningTime: mark.runningTime)) }
      if number == 80 { film.repair.take("own", .keyUnit(runningTime: film.time(80))) }
    }
    try film.end()
    #expect(film.out.contains(.keyUnit(film.time(place))))
    let index = try #require(film.story.firstIndex(of: "key unit"))
    #expect(film.story[index + 1] == "50")
    #expect(film.out.contains(.event("own", earlier(film, 9))))
  }

  private func earlier(_ film: PictureFilm, _ frames: Int) -> TimeShift {
    TimeShift(stamps: film.time(frames), running: film.time(frames))
  }

  @Test(arguments: [(20, 0), (70, 9), (199, 9)]) func `gaps and requests move with the frames`(_ place: Int, _ frames: Int) throws {
    var film = PictureFilm(.cut)
    try film.play(0..<200, [film.mark(45, from: 40, to: 50)]) { number, film in
      guard number == place else { return }
      film.repair.take("gap", .gap(end: film.time(number)))
      film.repair.take("key", .keyUnit(runningTime: film.time(number)))
      film.repair.take("note", .other)
    }
    try film.end()
    #expect(film.out.contains(.event("gap", earlier(film, frames))))
    #expect(film.out.contains(.event("key", earlier(film, frames))))
    #expect(film.out.contains(.event("note", TimeShift())))
  }

  // MARK: What is decided, and told to the sound

  @Test func `sound is decided up to where the picture is, and not into what may be taken out`() throws {
    var film = PictureFilm(.cut, lookAhead: 25)
    var decided: [Int] = []
    try film.play(0..<100, [film.mark(.dissolve, 45, from: 40, to: 50)]) { _, film in
      decided.append(Int(film.repair.decided / film.time(1)))
    }
    // Before frame n comes, those up to n − 25 have left: 41 has when 65 came, 50 when 74 did.
    #expect(decided == (0..<100).map { number in number < 25 ? 0 : (66...74).contains(number) ? 41 : number - 24 })
  }

  @Test(arguments: [0, 7, 40]) func `a stretch is told when its end is known, before the frame that follows it`(_ more: Int) throws {
    var film = PictureFilm(.cut)
    try film.play(0..<100 + more, [film.mark(45, from: 40, to: 50)])
    try film.end()
    let told = try #require(film.out.firstIndex { if case .removed = $0 { true } else { false } })
    guard case .frame(let next) = film.out[told + 1] else { return #expect(Bool(false), "no frame") }
    #expect(next.number == 50)
  }

  @Test func `what moved up stays so after many frames`() throws {
    var film = PictureFilm(.cut, lookAhead: 10)
    try film.play(0..<2000, [film.mark(45, from: 40, to: 50)])
    #expect(film.shown.last?.pts == film.time(1990 - 9))
    #expect(film.repair.removed == film.time(9))
  }
}
