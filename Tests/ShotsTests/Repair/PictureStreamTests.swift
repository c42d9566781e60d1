import Shots
import Testing
import Timing

/// Look-ahead and what ends it; segments, caps, gaps, flushes; streams of odd times.
@Suite("Pictures in streams") struct PictureStreamTests {
  private let second = ClockTime.milliseconds(1000)

  // MARK: Look-ahead

  @Test(arguments: filmRates, [3, 25, 75]) func `a frame leaves as soon as look-ahead has come after it`(
    _ rate: FrameRate, _ lookAhead: Int
  ) throws {
    var film = PictureFilm(.hold, rate: rate, lookAhead: lookAhead)
    // What a frame lasts counts: look-ahead is full when the last of it has begun and ended.
    for number in 0..<lookAhead + 20 {
      try film.play(number..<number + 1)
      // Time stamps are rounded, so a frame may be a nanosecond early.
      #expect((max(0, number - lookAhead + 1)...max(0, number - lookAhead + 2)).contains(film.shown.count), "\(number)")
    }
    try film.end()
    #expect(film.pictures == Array(0..<lookAhead + 20))
  }

  @Test(arguments: RepairMode.allCases) func `a gap is time that passes`(_ mode: RepairMode) throws {
    var film = PictureFilm(mode, lookAhead: 25)
    try film.play(0..<26)
    #expect(film.shown.count == 2)
    try film.event("gap", .gap(end: film.time(36)))
    #expect(film.shown.count == 12)
    try film.event("gap", .gap(end: nil))
    #expect(film.shown.count == 12, "outside of the segment no time passes")
    try film.end()
    #expect(film.story.suffix(3) == ["gap", "gap", "eos"])
  }

  @Test(arguments: [PictureEvent.endOfStream, .segmentDone, .caps(frameDuration: nil, keepsPictures: false)])
  func `nothing behind these decides on what is before them`(_ meaning: PictureEvent) throws {
    var film = PictureFilm(.hold)
    try film.play(0..<40)
    #expect(film.shown.isEmpty)
    try film.event("barrier", meaning)
    #expect(film.pictures == Array(0..<40))
    #expect(film.story.last == "barrier")
  }

  @Test(arguments: [PictureEvent.other, .keyUnit(runningTime: 0), .caps(frameDuration: 1, keepsPictures: true), .gap(end: 0)])
  func `these wait for their place`(_ meaning: PictureEvent) throws {
    var film = PictureFilm(.hold)
    try film.play(0..<40)
    try film.event("note", meaning)
    #expect(film.shown.isEmpty)
    try film.play(40..<120)
    try film.end()
    let place = try #require(film.story.firstIndex(of: "note"))
    #expect(film.story[place - 1] == "39" && film.story[place + 1] == "40")
  }

  @Test(arguments: RepairMode.allCases) func `drain lets everything go, and no more`(_ mode: RepairMode) throws {
    var film = PictureFilm(mode)
    film.repair.drain()
    try film.play(0..<40)
    #expect(film.shown.isEmpty, "a drain of nothing is over at once")
    film.repair.drain()
    try film.collect()
    #expect(film.shown.count == 40)
    try film.play(40..<60)
    #expect(film.shown.count == 40)
  }

  @Test func `what is held is full half a second after look-ahead, and never with a barrier in it`() throws {
    var film = PictureFilm(.hold, lookAhead: 25)
    try film.collect()
    var full: [Int] = []
    for number in 0..<60 {
      film.take(number)
      if film.repair.isFull { full.append(number) }
    }
    // 25 frames, 12.5 more, and the one that is to leave.
    #expect(full.first == 37 && full == Array(37..<60))
    #expect(film.repair.longestHeld == film.time(25) + second / 2)
    film.repair.drain()
    #expect(!film.repair.isFull)
    try film.collect()
    #expect(!film.repair.isFull)
  }

  @Test func `each thing that is taken from the queue is a step`() throws {
    var film = PictureFilm(.cut)
    try film.collect()
    let before = film.repair.steps
    try film.play(0..<10)
    #expect(film.repair.steps == before, "nothing may leave yet")
    try film.event("note")
    try film.end()
    #expect(film.repair.steps == before + 12)
  }

  // MARK: Caps

  /// Whether what is behind them is there already, as with a thread that lets frames leave.
  @Test(arguments: [RepairMode.hold, .restore], [false, true]) func `no picture of other caps is shown`(_ mode: RepairMode, _ isThere: Bool)
    throws
  {
    var film = PictureFilm(mode)
    let mark = film.mark(55, from: 50, to: 65)
    for number in 0..<100 {
      if number == 60 { film.repair.take("wide", .caps(frameDuration: film.time(1), keepsPictures: false)) }
      film.take(number, number == 55 ? [mark] : [])
      if !isThere { try film.collect() }
    }
    try film.end()
    #expect(film.pictures == (0..<100).map { (51..<60).contains($0) ? 50 : $0 })
    let place = try #require(film.story.firstIndex(of: "wide"))
    #expect(film.story[place - 1] == "59" && film.story[place + 1] == "60")
  }

  @Test func `where caps change in a transition that is cut, the new ones begin after what was taken out`() throws {
    var film = PictureFilm(.cut)
    try film.play(0..<60, [film.mark(55, from: 50, to: 70)])
    try film.event("wide", .caps(frameDuration: film.time(1), keepsPictures: false))
    try film.play(60..<100)
    try film.end()
    #expect(film.pictures == Array(0...50) + Array(60..<100))
    #expect(film.removed == [RemovedStretch(start: film.time(51), end: film.time(60))])
    #expect(film.shown.map(\.pts) == (0..<91).map { film.time($0) })
  }

  @Test func `margins are of the rate that the caps say now`() throws {
    var film = PictureFilm(.hold, margin: 2)
    try film.event("caps", .caps(frameDuration: 4 * film.time(1), keepsPictures: true))
    try film.play(0..<100, [film.mark(45, from: 40, to: 50)])
    try film.end()
    #expect(film.pictures[32] == 32 && film.pictures[33] == 32 && film.pictures[57] == 58)
  }

  @Test func `caps that tell no rate any more leave none`() throws {
    var film = PictureFilm(.hold)
    #expect(film.repair.frameDuration == film.time(1))
    try film.event("caps", .caps(frameDuration: nil, keepsPictures: true))
    #expect(film.repair.frameDuration == .milliseconds(100))
  }

  // MARK: Segments

  private func next(start: ClockTime, base: ClockTime) -> FilmSegment { FilmSegment(start: start, base: base, time: start) }

  @Test func `an update of a segment changes nothing`() throws {
    var film = PictureFilm(.cut)
    try film.play(0..<45, [])
    var same = film.segment
    same.stop = 99 * second
    try film.segment(same)
    try film.play(45..<100, [film.mark(47, from: 40, to: 50)])
    try film.end()
    #expect(film.out.filter { $0 == .segment("segment", 0) }.count == 2)
    #expect(film.shown.map(\.pts) == (0..<91).map { film.time($0) })
    #expect(film.removed == [RemovedStretch(start: film.time(41), end: film.time(50))])
  }

  @Test(arguments: [4, 0]) func `a new segment takes what was cut out of its base`(_ base: UInt64) throws {
    var film = PictureFilm(.cut)
    try film.play(0..<100, [film.mark(45, from: 40, to: 50)])
    try film.segment(next(start: 10 * second, base: base * second))
    #expect(film.shown.count == 91, "nothing behind it decides on what was before")
    try film.play(0..<5)
    film.segment.stop = 99 * second
    try film.segment(film.segment)
    try film.play(5..<10)
    try film.end()
    let folded = min(base * second, film.time(9))
    #expect(film.out.contains(.segment("segment", folded)))
    // What a base has no room for moves the time stamps.
    #expect(film.shown.suffix(10).map(\.pts) == (0..<10).map { 10 * second + film.time($0) - (film.time(9) - folded) })
    #expect(film.repair.removed == film.time(9), "running time is earlier all the same")
  }

  @Test(arguments: [55, 65, 75]) func `a transition ends with its segment`(_ end: Int) throws {
    var film = PictureFilm(.cut)
    try film.play(0..<50, [film.mark(45, from: 40, to: end)])
    try film.segment(next(start: 10 * second, base: film.time(50)))
    try film.play(0..<80)
    try film.end()
    #expect(film.removed == [RemovedStretch(start: film.time(41), end: film.time(50))])
    #expect(film.out.contains(.segment("segment", film.time(9))))
    #expect(film.shown.suffix(80).map(\.pts) == (0..<80).map { 10 * second + film.time($0) })
  }

  @Test func `transitions of two segments add up`() throws {
    var film = PictureFilm(.cut)
    try film.play(0..<100, [film.mark(45, from: 40, to: 50)])
    try film.segment(next(start: 100 * second, base: film.time(100)))
    var mark = film.mark(30, from: nil, to: nil, shot: 3)
    (mark.pts, mark.transitionStart, mark.transitionEnd) = (
      100 * second + film.time(30), 100 * second + film.time(20), 100 * second + film.time(40)
    )
    try film.play(0..<100, [mark])
    try film.segment(next(start: 0, base: film.time(200)))
    try film.play(0..<5)
    try film.end()
    #expect(film.repair.removed == film.time(9 + 19))
    #expect(film.out.contains(.segment("segment", film.time(28))))
    #expect(film.shown.suffix(5).map(\.pts) == (0..<5).map { film.time($0) })
  }

  @Test func `stream time is what transitions are told in, running time what sound is cut in`() throws {
    var film = PictureFilm(.cut)
    try film.segment(FilmSegment(start: 5 * second, base: 2 * second, time: 60 * second))
    var mark = film.mark(45, from: nil, to: nil)
    (mark.pts, mark.runningTime, mark.streamTime) = (5 * second + film.time(45), 2 * second + film.time(45), 60 * second + film.time(45))
    (mark.transitionStart, mark.transitionEnd) = (60 * second + film.time(40), 60 * second + film.time(50))
    try film.play(0..<100, [mark])
    try film.end()
    #expect(film.removed == [RemovedStretch(start: 2 * second + film.time(41), end: 2 * second + film.time(50))])
    let cut = try #require(film.marked[41]?.first)
    #expect(
      cut.pts == 5 * second + film.time(41) && cut.runningTime == 2 * second + film.time(41)
        && cut.streamTime == 60 * second + film.time(41))
    #expect(cut.transitionStart == 60 * second + film.time(40))
  }

  // MARK: Flush

  @Test(arguments: RepairMode.allCases, [30, 45, 80, 150]) func `a flush drops what is held, and times begin anew`(
    _ mode: RepairMode, _ count: Int
  ) throws {
    for start in [0, second] {
      var film = PictureFilm(mode)
      try film.play(0..<count, [film.mark(45, from: 40, to: 50)])
      film.flush()
      #expect(film.repair.removed == 0 && film.repair.decided == 0 && !film.repair.isFull)
      try film.segment(FilmSegment(start: start, base: 0, time: start))
      try film.play(0..<100)
      try film.end()
      #expect(film.pictures == Array(0..<100))
      #expect(film.shown.map(\.pts) == (0..<100).map { start + film.time($0) })
      #expect(film.removed.isEmpty && film.marked.isEmpty)
      #expect(film.out.contains(.segment("segment", 0)))
    }
  }

  @Test func `after a flush it plays forwards`() throws {
    var film = PictureFilm(.hold)
    try film.segment(FilmSegment(isForward: false))
    film.flush()
    try film.play(0..<40)
    #expect(film.shown.isEmpty, "held")
  }

  @Test func `cuts after a flush are counted on`() throws {
    var film = PictureFilm(.hold)
    try film.play(0..<50)
    film.flush()
    var mark = film.mark(45, from: 40, to: 50)
    mark.frame = 95
    for number in 0..<100 {
      film.take(number, number == 45 ? [mark] : [])
      try film.collect()
    }
    try film.end()
    #expect(film.marked[45]?.first?.frame == 95)
  }

  // MARK: Odd times

  @Test func `frames outside of the segment and without times pass, their marks untouched`() throws {
    var film = PictureFilm(.cut, lookAhead: 25)
    try film.segment(next(start: second, base: 0))
    film.take(0, at: 0, [film.mark(0, from: 0, to: 3)])
    film.repair.take(FilmFrame(number: 1), at: BufferTime())
    try film.collect()
    #expect(film.pictures == [0, 1] && film.marked.isEmpty)
    #expect(film.repair.counts == RepairCounts())
    try film.play(2..<30)
    try film.end()
    #expect(film.pictures == Array(0..<30))
  }

  @Test(arguments: RepairMode.allCases) func `a stream without times passes at once`(_ mode: RepairMode) throws {
    var film = PictureFilm(mode)
    for number in 0..<50 { film.repair.take(FilmFrame(number: number), at: BufferTime(), boundaries: [film.mark(45, from: 40, to: 50)]) }
    try film.collect()
    #expect(film.pictures == Array(0..<50))
    #expect(film.shown.allSatisfy { $0.pts == nil })
  }

  @Test(arguments: RepairMode.allCases) func `backwards nothing is held and nothing treated`(_ mode: RepairMode) throws {
    var film = PictureFilm(mode)
    try film.segment(FilmSegment(isForward: false))
    for number in (0..<50).reversed() {
      film.take(number, number == 45 ? [film.mark(45, from: 40, to: 50)] : [])
      try film.collect()
    }
    #expect(film.pictures == (0..<50).reversed())
    #expect(film.repair.counts.transitions == 0)
  }

  @Test func `a rate that nobody tells is taken to be ten frames a second where it matters`() throws {
    var film = PictureFilm(.cut, margin: 1, tellsRate: false)
    for number in 0..<100 {
      film.take(number, hasDuration: false, number == 45 ? [film.mark(45, from: 40, to: 50)] : [])
      try film.collect()
    }
    try film.end()
    #expect(film.repair.frameDuration == .milliseconds(100))
    // A margin of 100 ms is two frames and a half of these.
    #expect(film.removed == [RemovedStretch(start: film.time(38), end: film.time(53))])
    #expect(film.shown.last?.pts == film.time(99) - film.time(15))
  }

  @Test func `frames of any length are cut by what they last`() throws {
    var film = PictureFilm(.cut, tellsRate: false)
    // 20, 60, 20, 60 … ms.
    func place(_ number: Int) -> ClockTime { ClockTime.milliseconds(UInt64(number / 2 * 80 + number % 2 * 20)) }
    var mark = film.mark(45, from: nil, to: nil)
    (mark.pts, mark.transitionStart, mark.transitionEnd) = (place(45), place(40), place(49))
    for number in 0..<100 { film.take(number, at: place(number), hasDuration: false, number == 45 ? [mark] : []) }
    try film.end()
    #expect(film.removed == [RemovedStretch(start: place(41), end: place(49))])
    #expect(film.shown.dropFirst(41).map(\.pts) == (49..<100).map { place($0) - (place(49) - place(41)) })
  }

  @Test func `a stream whose time stands still does not fill the memory`() throws {
    var film = PictureFilm(.hold)
    for number in 0..<3000 {
      film.take(number, at: second)
      try film.collect()
    }
    #expect(film.shown.count == 3000 - 2048)
  }

  @Test func `times at the end of time do not overflow`() throws {
    for mode in RepairMode.allCases {
      var film = PictureFilm(mode)
      let end = ClockTime.max - 1
      var mark = film.mark(.fade, 3, from: nil, to: nil, color: .black)
      (mark.transitionStart, mark.transitionEnd, mark.frame) = (end - 5, end, .max)
      for number in 0..<10 { film.take(number, at: end - 9 + ClockTime(number), number == 3 ? [mark] : []) }
      try film.event("gap", .gap(end: .max))
      try film.segment(FilmSegment(start: 0, base: .max, time: 0))
      try film.end()
      #expect(film.story.last == "eos")
    }
  }
}
