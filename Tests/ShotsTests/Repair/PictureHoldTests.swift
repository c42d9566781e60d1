import Shots
import Testing
import Timing

/// The rates that streams have.
let filmRates = [rate(25), rate(24000, 1001), rate(30000, 1001), rate(50), rate(60000, 1001)]

/// `mode=hold`: every time stays, and the cut is hard.
@Suite("Pictures held") struct PictureHoldTests {
  /// What frame of a film shows which, with one transition.
  private func held(_ number: Int, _ start: Int, _ end: Int) -> Int {
    let middle = start + (end - start + 1) / 2
    return number <= start || number >= end ? number : number < middle ? start : end
  }

  @Test(arguments: filmRates, [(40, 43), (40, 51), (40, 65), (0, 7)])
  func `frames show the clean one of their half, at their own times`(_ rate: FrameRate, _ extent: (start: Int, end: Int)) throws {
    var film = PictureFilm(.hold, rate: rate)
    try film.play(0..<100, [film.mark(extent.end - 1, from: extent.start, to: extent.end)])
    try film.end()
    #expect(film.pictures == (0..<100).map { held($0, extent.start, extent.end) })
    #expect(film.shown.map(\.pts) == (0..<100).map { film.time($0) })
    #expect(film.repair.counts.replaced == UInt64(extent.end - extent.start - 1))
    #expect(film.repair.counts.transitions == 1)
    #expect(film.repair.removed == 0 && film.removed.isEmpty)
  }

  @Test(arguments: [rate(25), rate(50), rate(10), rate(1)]) func `of an odd number of frames the one in the middle is new`(
    _ rate: FrameRate
  ) throws {
    for length in [1, 3, 9] {
      var film = PictureFilm(.hold, rate: rate)
      try film.play(0..<100, [film.mark(41, from: 40, to: 41 + length)])
      try film.end()
      #expect(film.pictures == (0..<100).map { held($0, 40, 41 + length) }, "\(length)")
    }
  }

  @Test(arguments: BoundaryKind.allCases) func `only kinds that are asked for are treated`(_ kind: BoundaryKind) throws {
    for kinds in [[.fade, .dissolve, .wipe], [.fade], [.dissolve, .wipe], []] as [Set<BoundaryKind>] {
      var film = PictureFilm(.hold, kinds: kinds)
      try film.play(0..<80, [film.mark(kind, 45, from: 40, to: 50)])
      try film.end()
      let isTreated = kinds.contains(kind)
      #expect(film.pictures[44] == (isTreated ? 40 : 44), "\(kinds)")
      #expect(film.marked.keys.sorted() == (isTreated ? [45] : []), "\(kinds)")
      #expect(film.repair.counts.transitions == (isTreated ? 1 : 0))
    }
  }

  @Test(arguments: filmRates, [0, 1, 2, 5] as [UInt32])
  func `margin is so many frames more on each side at any rate`(_ rate: FrameRate, _ margin: UInt32) throws {
    var film = PictureFilm(.hold, rate: rate, margin: margin)
    try film.play(0..<100, [film.mark(45, from: 40, to: 50)])
    try film.end()
    #expect(film.pictures == (0..<100).map { held($0, 40 - Int(margin), 50 + Int(margin)) })
  }

  @Test func `a margin that reaches before the first frame begins with the stream`() throws {
    var film = PictureFilm(.hold, margin: 10)
    try film.play(0..<60, [film.mark(5, from: 3, to: 8)])
    try film.end()
    #expect(film.pictures == (0..<60).map { held($0, 0, 18) })
  }

  @Test func `the new cut has the times of the frame that it is on`() throws {
    var film = PictureFilm(.hold)
    try film.play(0..<100, [film.mark(.fade, 47, from: 40, to: 50, color: .black)])
    try film.end()
    #expect(film.marked.keys.sorted() == [45])
    let cut = try #require(film.marked[45]?.first)
    #expect(cut.kind == .cut && cut.color == nil && cut.shot == 2 && cut.frame == 45 && cut.detector == "fused")
    #expect([cut.pts, cut.runningTime, cut.streamTime, cut.transitionEnd].allSatisfy { $0 == film.time(45) })
    #expect(cut.transitionStart == film.time(44))
  }

  @Test func `boundaries that are left alone stay as they are, beside those that are not`() throws {
    var film = PictureFilm(.hold, kinds: [.fade])
    let (cut, fade) = (film.mark(.cut, 20, from: 19, to: 20), film.mark(.fade, 45, from: 40, to: 50, shot: 3))
    var beside = film.mark(.wipe, 45, from: 43, to: 46, shot: 4)
    beside.score = 0.5
    try film.play(0..<100, [cut, fade, beside])
    try film.end()
    #expect(film.shown[20].boundaries == nil, "as it came")
    #expect(film.shown[45].boundaries?.map(\.kind) == [.wipe, .cut])
    #expect(film.shown[45].boundaries?.first == beside)
  }

  @Test func `a treated boundary that is told with a frame which stays is taken off it`() throws {
    var film = PictureFilm(.hold)
    try film.play(0..<150, [])
    var late = film.mark(100, from: 85, to: 95)
    late.frame = 100
    film = PictureFilm(.hold)
    try film.play(0..<150, [late])
    try film.end()
    #expect(film.shown[100].boundaries == [])
    #expect(film.marked[90]?.map(\.kind) == [.cut])
  }

  @Test(arguments: [0, 1000, 123_456] as [Int64])
  func `cuts are counted as the detector counts`(_ ahead: Int64) throws {
    var film = PictureFilm(.hold)
    var mark = film.mark(47, from: 40, to: 50)
    mark.frame = UInt64(47 + ahead)
    for number in 0..<100 {
      film.take(number, number == 47 ? [mark] : [])
      try film.collect()
    }
    try film.end()
    #expect(film.marked[45]?.first?.frame == UInt64(45 + ahead))
  }

  @Test func `transitions side by side share no frame`() throws {
    var film = PictureFilm(.hold)
    try film.play(0..<100, [film.mark(45, from: 40, to: 50), film.mark(.wipe, 53, from: 48, to: 58, shot: 3)])
    try film.end()
    #expect(film.pictures == (0..<100).map { held(held($0, 50, 58), 40, 50) })
    #expect(film.marked.keys.sorted() == [45, 54])
    #expect(film.marked.values.flatMap { $0.map(\.shot) }.sorted() == [2, 3])
  }

  @Test(arguments: [2, 5, 12]) func `several transitions, each by itself`(_ count: Int) throws {
    var film = PictureFilm(.hold)
    let starts = (0..<count).map { 20 + 30 * $0 }
    try film.play(0..<30 * count + 100, starts.enumerated().map { film.mark($1 + 9, from: $1, to: $1 + 11, shot: UInt64($0 + 2)) })
    try film.end()
    #expect(film.marked.keys.sorted() == starts.map { $0 + 6 })
    #expect(film.repair.counts.replaced == UInt64(10 * count))
    #expect(film.repair.counts.transitions == UInt64(count))
  }

  // MARK: Late, and never

  @Test(arguments: [0, 10, 30, 60]) func `what is told within look-ahead is treated whole`(_ late: Int) throws {
    var film = PictureFilm(.hold)
    var mark = film.mark(45, from: 40, to: 50)
    mark.frame = UInt64(50 + late)
    try film.play(0..<150, [mark])
    try film.end()
    #expect(film.pictures == (0..<150).map { held($0, 40, 50) })
    #expect(film.repair.lateness == nil)
  }

  @Test(arguments: [(25, 15), (25, 40), (50, 20)]) func `what is told too late is treated from where it can be, and said`(
    _ lookAhead: Int, _ late: Int
  ) throws {
    var film = PictureFilm(.hold, lookAhead: lookAhead)
    let end = 60 + late
    var mark = film.mark(45, from: 40, to: end)
    mark.frame = UInt64(40 + lookAhead + late)
    try film.play(0..<200, [mark])
    try film.end()
    let last = 40 + late
    #expect(film.repair.lateness == film.time(last) - film.time(40))
    #expect(film.pictures[...last] == Array(0...last)[...], "had left")
    // Nothing clean of the old shot is there any more.
    #expect(film.pictures[(last + 1)..<end].allSatisfy { $0 == end })
    #expect(film.shown.map(\.pts) == (0..<200).map { film.time($0) })
  }

  @Test(arguments: [45, 60, 99]) func `a fade-out that nothing follows shows the last clean frame to the end`(_ start: Int) throws {
    var film = PictureFilm(.hold)
    try film.play(0..<100, [film.mark(.fade, 99, from: start, to: nil)])
    try film.end()
    #expect(film.pictures == (0..<100).map { min($0, start) })
    #expect(film.marked.isEmpty || film.marked == [99: []], "no cut")
    #expect(film.story.last == "eos")
  }

  @Test(arguments: [91, 95, 98]) func `where the stream ends in a transition the old shot stands`(_ count: Int) throws {
    var film = PictureFilm(.hold)
    try film.play(0..<count, [film.mark(90, from: 85, to: 99)])
    try film.end()
    #expect(film.pictures == (0..<count).map { min($0, 85) })
    #expect(film.shown.count == count)
  }

  @Test func `a boundary that comes when no frame follows is treated`() throws {
    var film = PictureFilm(.hold)
    try film.play(0..<60)
    let isTaken = film.repair.take(late: film.mark(50, from: 40, to: 55))
    let isOther = film.repair.take(late: film.mark(.cut, 58, from: 57, to: 58))
    #expect(isTaken && !isOther, "a cut is somebody else's")
    try film.end()
    #expect(film.pictures == (0..<60).map { held($0, 40, 55) })
    #expect(film.marked.keys.sorted() == [48])
  }

  // MARK: Key frames

  @Test(arguments: [(47, 45), (50, 45), (70, 45)]) func `a request for a key frame moves to the new cut`(_ told: Int, _ cut: Int) throws {
    var film = PictureFilm(.hold)
    var mark = film.mark(47, from: 40, to: 50)
    mark.frame = UInt64(told)
    try film.play(0..<120, [mark]) { number, film in
      guard number == told || number == 60 else { return }
      if number == 60 { film.repair.take("own", .keyUnit(runningTime: film.time(60))) }
      if number == told { film.repair.take("asked", .keyUnit(runningTime: mark.runningTime)) }
    }
    try film.end()
    #expect(!film.story.contains("asked"))
    let place = try #require(film.story.firstIndex(of: "key unit"))
    #expect(film.story[place + 1] == "\(cut)")
    #expect(film.out.contains(.keyUnit(film.time(cut))))
    let own = try #require(film.story.firstIndex(of: "own"))
    #expect(film.story[own + 1] == "60")
  }

  @Test func `none is asked for where none was`() throws {
    var film = PictureFilm(.hold)
    try film.play(0..<100, [film.mark(47, from: 40, to: 50)]) { number, film in
      if number == 46 { film.repair.take("early", .keyUnit(runningTime: film.time(46))) }
      if number == 47 { film.repair.take("other", .keyUnit(runningTime: film.time(99))) }
    }
    try film.end()
    #expect(!film.story.contains("key unit"))
    #expect(film.story.contains("early") && film.story.contains("other"))
  }
}
