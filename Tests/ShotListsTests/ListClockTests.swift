import ShotLists
import Shots
import TestSupport
import Testing
import Timing

/// A frame of 25 a second.
private func time(_ stream: ClockTime, running: ClockTime? = nil) -> BufferTime {
  BufferTime(pts: stream, duration: 40_000_000, runningTime: running ?? stream, streamTime: stream)
}

private let frame = ClockTime.milliseconds(40)
private let second = ClockTime.milliseconds(1000)

@Suite("The clock of a list") struct ListClockTests {
  private func place(_ arrival: ListClock.Arrival) -> ListPlace {
    switch arrival {
    case .begins(let place), .follows(let place), .joins(let place): place
    }
  }

  private func isJoin(_ arrival: ListClock.Arrival) -> Bool {
    if case .joins = arrival { true } else { false }
  }

  /// Frames from a stream time on, `index` being the first's.
  private func play(
    _ clock: inout ListClock, _ count: UInt64, from stream: ClockTime, running: ClockTime, index: UInt64,
    _ source: ListClock.Source = ListClock.Source(), segment: SegmentPlace = SegmentPlace()
  ) -> [ListClock.Arrival] {
    (0..<count).map { number in
      clock.advance(
        time(stream + number * frame, running: running + number * frame), index: index + number, length: frame, segment: segment
      ) { source }
    }
  }

  private func mark(_ frame: UInt64, running: ClockTime?, stream: ClockTime?) -> Boundary {
    Boundary(kind: .cut, shot: 2, frame: frame, runningTime: running, streamTime: stream, score: 0, detector: "x")
  }

  @Test(
    "Times count from the first frame, wherever the container's clock begins", arguments: [0, 83_333_333, 783_333_333, 3_600_000_000_000])
  func origin(_ begin: ClockTime) {
    var clock = ListClock()
    let places = play(&clock, 50, from: begin, running: 0, index: 0, segment: SegmentPlace(time: begin)).map(place)
    #expect(places.map(\.time) == (0..<50).map { $0 * frame } && places.map(\.source.time) == places.map(\.time))
    #expect(clock.place(of: mark(25, running: 25 * frame, stream: begin + 25 * frame))?.time == second)
    #expect(clock.end.map { $0.frame == 50 && $0.time == 2 * second } == true)
  }

  @Test("After a seek that flushes places are those in the film, and what was flushed was never there")
  func seek() {
    for begin in [0, 783_333_333] as [ClockTime] {
      var clock = ListClock()
      _ = play(&clock, 3, from: begin, running: 0, index: 0)
      clock.flush()
      let segment = SegmentPlace(time: 10 * second)
      let arrivals = play(&clock, 100, from: begin + 10 * second, running: 0, index: 3, segment: segment)
      #expect(place(arrivals[0]) == ListPlace(frame: 0, time: 10 * second, source: SourceTime(ListMedium(number: 1), 10 * second)))
      let cut = clock.place(of: mark(59, running: 56 * frame, stream: begin + 10 * second + 56 * frame))
      #expect(cut?.frame == 56 && cut?.time == 10 * second + 56 * frame)
    }
  }

  @Test("A film that is sought into before its first frame has come keeps its times; one that begins at 0 counts from its first frame")
  func earlySeek() {
    for (sought, begin, expected) in [(10 * second, 10 * second, 10 * second), (0, 783_333_333, 0)] as [(ClockTime, ClockTime, ClockTime)] {
      var clock = ListClock()
      clock.flush()
      let first = play(&clock, 2, from: begin, running: 0, index: 0, segment: SegmentPlace(time: sought))[0]
      #expect(place(first).time == expected)
    }
  }

  @Test("Indices of marks need not be the list's: a detector that holds frames has seen more of them when a flush comes")
  func held() {
    var clock = ListClock()
    clock.flush()
    _ = play(&clock, 40, from: 0, running: 0, index: 0)
    // 75 frames were seen and flushed.
    #expect(clock.place(of: mark(75 + 20, running: 20 * frame, stream: 20 * frame))?.frame == 20)
    // Between two frames, and without times, by the distance that was seen.
    let middle = clock.place(of: mark(75 + 11, running: 10 * frame + frame / 2, stream: 10 * frame + frame / 2))
    #expect(middle?.frame == 11 && middle?.time == 10 * frame + frame / 2)
    #expect(clock.place(of: mark(75 + 31, running: nil, stream: nil))?.frame == 31)
  }

  @Test("A mark of what was taken back, or of no frame that has come, has no place")
  func nowhere() {
    var clock = ListClock()
    #expect(clock.place(of: mark(0, running: 0, stream: 0)) == nil && clock.end == nil)
    _ = play(&clock, 30, from: 50 * second, running: 50 * second, index: 0)
    clock.flush()
    #expect(clock.place(of: mark(29, running: 51 * second, stream: 51 * second)) == nil)
    _ = play(&clock, 30, from: 60 * second, running: 60 * second, index: 30)
    #expect(clock.place(of: mark(29, running: 51 * second, stream: 51 * second)) == nil)
    #expect(clock.place(of: mark(.max, running: nil, stream: nil)) == nil)
    #expect(clock.place(of: mark(.max, running: .max, stream: .max)) == nil)
    #expect(clock.place(of: mark(12, running: nil, stream: nil)) == nil)
  }

  @Test("Several films in one stream: each has its own times, and those of the list run on")
  func films() {
    var clock = ListClock()
    let one = ListClock.Source(uri: "file:///a.mp4", identity: "a"), two = ListClock.Source(uri: "file:///b.ts", identity: "b")
    _ = play(&clock, 50, from: 0, running: 0, index: 0, one)
    let second = play(&clock, 50, from: 783_333_333, running: 50 * frame, index: 50, two)
    #expect(isJoin(second[0]) && !isJoin(second[1]))
    #expect(
      place(second[0])
        == ListPlace(frame: 50, time: 50 * frame, source: SourceTime(ListMedium(number: 2, uri: "file:///b.ts"), 0)))
    #expect(place(second[9]).time == 59 * frame && place(second[9]).source.time == 9 * frame)
    // The first again: it is the same medium.
    let third = play(&clock, 10, from: 0, running: 100 * frame, index: 100, one)
    #expect(isJoin(third[0]) && place(third[0]).source.medium.number == 1 && place(third[0]).time == 100 * frame)
    // Late marks are those of the film in which their frame lies.
    let late = clock.place(of: mark(60, running: 60 * frame, stream: 783_333_333 + 10 * frame))
    #expect(late?.source.medium.number == 2 && late?.time == 60 * frame)
  }

  @Test("Where the query still answers with the film before, the new one's place is not known")
  func unknownFilm() {
    var clock = ListClock()
    _ = play(&clock, 5, from: 0, running: 0, index: 0, ListClock.Source(uri: "file:///a.mp4", identity: "a"))
    let next = play(&clock, 5, from: 0, running: 5 * frame, index: 5, ListClock.Source(uri: "file:///a.mp4", identity: "b"))
    #expect(place(next[0]).source.medium == ListMedium(number: 2))
  }

  @Test("A seek without a flush goes on in the list from another place of the film")
  func seekWithoutFlush() {
    var clock = ListClock()
    let source = ListClock.Source(uri: "file:///a.mp4", identity: "a")
    _ = play(&clock, 25, from: 0, running: 0, index: 0, source)
    let after = play(&clock, 25, from: 60 * second, running: 25 * frame, index: 25, source, segment: SegmentPlace(time: 60 * second))
    #expect(
      isJoin(after[0]) && place(after[0]).time == second
        && place(after[0]).source == SourceTime(ListMedium(number: 1, uri: source.uri), 60 * second))
  }

  @Test("New segments that go on, gaps, other speeds and frames out of order are no joins")
  func noJoins() {
    var clock = ListClock()
    var arrivals = play(&clock, 10, from: 0, running: 0, index: 0)
    // A picture that stood for an hour.
    arrivals += play(&clock, 3, from: 3600 * second, running: 3600 * second, index: 10)
    arrivals += [clock.advance(time(3600 * second - frame), index: 13, length: frame)]
    // Another piece of a playlist, whose length is rounded.
    var pieces = ListClock()
    arrivals += play(&pieces, 10, from: 0, running: 0, index: 0)
    arrivals += play(&pieces, 10, from: 10 * frame + 30_000_000, running: 10 * frame, index: 10)
    arrivals += play(&pieces, 10, from: 20 * frame, running: 20 * frame, index: 20)
    var fast = ListClock()
    for number in 0..<50 as Range<UInt64> {
      arrivals.append(
        fast.advance(time(number * frame, running: number * frame / 2), index: number, length: frame, segment: SegmentPlace(speed: 2)))
    }
    // A frame after a gap, at double speed.
    arrivals.append(
      fast.advance(time(100 * second, running: 50 * second), index: 50, length: frame, segment: SegmentPlace(speed: 2)))
    #expect(!arrivals.contains(where: isJoin))
    #expect(fast.end?.time == 100 * second + frame)
  }

  @Test("The shortest film is one too")
  func shortFilms() {
    var clock = ListClock()
    _ = play(&clock, 1, from: 0, running: 0, index: 0)
    let next = play(&clock, 3, from: 0, running: frame, index: 1)
    #expect(isJoin(next[0]) && place(next[2]).time == 3 * frame)
    #expect(isJoin(play(&clock, 3, from: 0, running: 4 * frame, index: 4)[0]))
  }

  @Test("Times that begin anew in the same segment are another beginning: the list runs on")
  func again() {
    var clock = ListClock()
    _ = play(&clock, 250, from: 0, running: 0, index: 0)
    let after = play(&clock, 10, from: 0, running: 0, index: 250)
    #expect(isJoin(after[0]) && place(after[9]).time == 259 * frame)
  }

  @Test("A last frame without a duration is one frame of the rate long")
  func lastFrame() {
    var clock = ListClock(rate: rate(25))
    _ = clock.advance(BufferTime(pts: 0, runningTime: 0, streamTime: 0), index: 0, length: nil)
    #expect(clock.end.map { $0.frame == 1 && $0.time == frame } == true)
  }

  @Test("At a join without durations a film ends where the next one begins")
  func noDurations() {
    var clock = ListClock()
    for number in 0..<3 as Range<UInt64> {
      _ = clock.advance(BufferTime(runningTime: number * second, streamTime: number * second), index: number, length: nil)
    }
    let next = clock.advance(BufferTime(runningTime: 3 * second, streamTime: 0), index: 3, length: nil)
    #expect(isJoin(next) && place(next).time == 3 * second)
  }

  @Test("Frames without any times follow by the rate, and nothing accumulates")
  func untimed() {
    var clock = ListClock(rate: rate(30000, 1001))
    var last = ListPlace(frame: 0, time: 0, source: SourceTime(ListMedium(number: 1), 0))
    for index in 0...107_892 as ClosedRange<UInt64> { last = place(clock.advance(BufferTime(), index: index, length: nil)) }
    #expect(last.time == rate(30000, 1001).nanoseconds(of: 107_892))
    #expect(clock.place(of: mark(107_000, running: nil, stream: nil))?.time == rate(30000, 1001).nanoseconds(of: 107_000))
    // Longer ago than is remembered.
    #expect(clock.place(of: mark(1000, running: nil, stream: nil))?.frame == 1000)
  }

  @Test("Times at the end of the clock stop nothing")
  func extremes() {
    var clock = ListClock()
    for (index, time) in [ClockTime.max, 0, .max - 1, 1 << 63, 7, .max].enumerated() {
      _ = clock.advance(
        BufferTime(pts: time, duration: .max, runningTime: time, streamTime: time), index: UInt64(index), length: .max,
        segment: SegmentPlace(time: time, speed: 1e300))
      _ = clock.place(of: mark(.max - UInt64(index), running: .max - time, stream: time))
      _ = clock.end
    }
  }
}
