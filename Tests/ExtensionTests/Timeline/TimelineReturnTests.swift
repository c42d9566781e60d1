import Extension
import Shots
import Testing
import Timing

/// To the nanosecond: when extensions begin, and how the source's frames and boundaries go on behind them.
@Suite("Timeline: returns") struct TimelineReturnTests {
  /// Five frames, and an extension of some more behind them.
  private func extended(
    _ triggers: Set<TimelineSettings.Trigger> = [.stall], isLive: Bool = true, by count: Int, segment: TestSegment = TestSegment()
  ) -> TimelineFeed {
    var feed = TimelineFeed(triggers, segment: segment)
    feed.play(0..<5)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(isLive: isLive)
    feed.show(count)
    return feed
  }

  // MARK: Beginnings

  @Test("Behind its end a stream does not stall")
  func stallBehindEnd() {
    var feed = TimelineFeed([.stall])
    feed.play(0..<5)
    _ = feed.event("end", .endOfStream)
    #expect(feed.begin(isLive: true, stalledAt: 99 * second) == nil)
  }

  @Test("A stream that turns backwards is not extended by what was asked for before")
  func turnsBack() {
    var feed = TimelineFeed()
    feed.play(0..<5)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    _ = feed.event("back", .segment(TestSegment(isForward: false)))
    #expect(feed.begin() == nil)
  }

  @Test("Backwards a cut is none to wait at")
  func cutBackwards() {
    var feed = TimelineFeed([.cut], segment: TestSegment(isForward: false))
    feed.play(0..<5)
    #expect(feed.frame(5, mark: TimelineFeed.boundary(2, frame: 5)).text == "passes")
  }

  @Test("Before the first frame there is no stall, nor at a time beyond all")
  func noStall() {
    var feed = TimelineFeed([.stall], stallTimeout: .max)
    feed.flow.watchStalls(isPlaying: true, now: 5)
    #expect(feed.flow.stallTime(feed.settings) == nil)
    feed.play(0..<5)
    #expect(feed.flow.stallTime(feed.settings) == .max)
  }

  @Test("One extension at a time")
  func once() {
    var feed = TimelineFeed()
    feed.play(0..<5)
    _ = feed.event("end", .endOfStream)
    feed.begin()
    #expect(feed.flow.begin(isLive: false, hasSound: false, stalledAt: nil, feed.settings) == nil)
  }

  @Test("What waits for a cut is not for a stall before it")
  func stallBeforeCut() {
    var feed = TimelineFeed([.stall, .cut])
    feed.play(0..<5)
    _ = feed.flow.ask(3, prompts: ["A"], feed.settings)
    let stall = feed.begin(isLive: true, stalledAt: 5 * second)
    #expect(stall?.run.kind == .cover(untilBack: true) && stall?.asked == nil)
    feed.show(5)
    _ = feed.finish()
    #expect(feed.frame(10).frame?.isReturn == true)
    #expect(feed.frame(11, mark: TimelineFeed.boundary(2, frame: 11)).text == "waits")
    #expect(feed.begin(isLive: true)?.asked == AskedShots(shots: 3, prompts: ["A"]))
    // It has begun: nothing waits for the next cut.
    feed.show(2)
    _ = feed.finish()
    _ = feed.frame(13)
    #expect(feed.frame(14, mark: TimelineFeed.boundary(3, frame: 14)).text == "passes")
  }

  @Test("What is asked for twice before it begins is one extension, of the last prompt")
  func askedTwice() {
    var feed = TimelineFeed()
    feed.play(0..<5)
    _ = feed.flow.ask(1, prompts: ["A"], feed.settings)
    _ = feed.flow.ask(2, prompts: ["B"], feed.settings)
    #expect(feed.begin()?.asked == AskedShots(shots: 3, prompts: ["B"]))
    #expect(feed.begin() == nil && feed.finish() == [] && feed.begin() == nil)
  }

  @Test("What waits for a cut waits for it when it becomes more, whatever is set then")
  func stillWaits() {
    var feed = TimelineFeed([.cut])
    feed.play(0..<5)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.settings.triggers = []
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    #expect(feed.frame(5).text == "passes" && feed.begin() == nil)
    #expect(feed.frame(6, mark: TimelineFeed.boundary(2, frame: 6)).text == "waits")
    #expect(feed.begin()?.asked?.shots == 2)
  }

  @Test("Behind the one cut more can be asked for, and the cut before it is the next")
  func secondCut() {
    var feed = TimelineFeed([.cut], shots: 0)
    feed.play(0..<3)
    #expect(feed.frame(3, mark: TimelineFeed.boundary(2, frame: 3)).text == "waits")
    // As many as are set: none.
    #expect(feed.begin()?.asked == AskedShots(shots: nil, prompts: nil))
    _ = feed.finish()
    #expect(feed.frame(3, mark: TimelineFeed.boundary(2, frame: 3)).text == "passes")
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    #expect(feed.frame(4, mark: TimelineFeed.boundary(3, frame: 4)).text == "waits")
  }

  @Test("The frame with which the source is back is no cut to wait at")
  func cutAtReturn() {
    var feed = extended(by: 3)
    _ = feed.finish()
    feed.settings.triggers = [.cut]
    #expect(feed.frame(8, mark: TimelineFeed.boundary(2, frame: 8)).text == "passes")
    #expect(feed.frame(9).text == "passes")
  }

  @Test("Stopping twice leaves what was asked for after the first time")
  func stopTwice() {
    var feed = extended(isLive: false, by: 5)
    feed.flow.stopExtension()
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.flow.stopExtension()
    _ = feed.finish()
    #expect(feed.begin() != nil)
    // No end had come: what follows it is as long as it is set to be.
    _ = feed.finish()
    feed.settings.triggers = [.eos]
    _ = feed.event("end", .endOfStream)
    feed.begin()
    #expect(feed.flow.run?.kind == .tail && !feed.flow.isToEnd)
  }

  // MARK: Segments

  @Test("A closed segment that was moved is opened where it is")
  func openedMoved() {
    var feed = extended([], isLive: false, by: 25)
    _ = feed.finish()
    _ = feed.frame(5)
    _ = feed.event("closed", .segment(TestSegment(stop: 10 * second, base: 240 * ms)))
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin()
    #expect(feed.flow.openSegment() == TestSegment(base: 1240 * ms))
    // The source's frames go on in what was opened.
    feed.show(25)
    _ = feed.finish()
    #expect(feed.frame(6).frame?.departures.map(\.text) == ["new base 2240", "key next"])
    #expect(feed.flow.picture.shifted == TestSegment(base: 2240 * ms))
  }

  @Test("A segment that comes while an extension begins is not the one that is opened, nor opened itself")
  func openedMeanwhile() {
    var feed = extended(isLive: true, by: 0, segment: TestSegment(stop: 10 * second, base: 7 * second))
    _ = feed.event("new", .segment(TestSegment(start: second, stop: 3 * second, base: 60 * second)))
    #expect(feed.flow.openSegment() == TestSegment(base: 7 * second))
    #expect(feed.flow.picture.shifted == TestSegment(start: second, stop: 3 * second, base: 60 * second))
  }

  @Test("Behind inserted shots frames without times go on where the source's have stopped, or where a new segment begins")
  func untimedAfterInsertion() {
    var feed = extended(isLive: false, by: 25)
    #expect(feed.event("tag", .other) == ["(waits)"])
    _ = feed.finish()
    #expect(feed.flow.picture.continuation == feed.time(5))
    #expect(feed.frame(5).frame?.departures.map(\.text) == ["new base 1000", "tag", "key next"])
    var moved = extended(isLive: false, by: 25)
    _ = moved.event("moved", .segment(TestSegment(start: 7 * second, base: 200 * ms)))
    _ = moved.finish()
    #expect(moved.flow.picture.continuation == 7 * second)
  }

  @Test("An end that was held before inserted shots is for what follows them, unless downstream takes no more frames")
  func refusedInsertion() {
    for (downstream, left) in [(.takes, []), (.refuses, ["new base 200", "end"]), (.flushes, [])] as [(Flow.Downstream, [String])] {
      var feed = extended([.eos], isLive: false, by: 5)
      _ = feed.event("end", .endOfStream)
      #expect(feed.finish(downstream) == left)
      #expect(feed.flow.holdsEnd(of: .video) == left.isEmpty && feed.flow.isPictureOver == !left.isEmpty)
    }
  }

  @Test("An insertion of nothing leaves no segment behind")
  func nothingInserted() {
    var feed = extended(isLive: false, by: 0)
    _ = feed.finish()
    #expect(feed.frame(5).frame?.departures.map(\.text) == [])
  }

  // MARK: Where the source is back

  @Test("A frame of which generated ones have covered half passes, and one of which they have covered more does not")
  func half() {
    for (early, passes) in [(20 * ms, true), (20 * ms + 1, false)] as [(ClockTime, Bool)] {
      var feed = extended(by: 5)
      _ = feed.finish()
      let arrival = feed.flow.arrive(pts: 400 * ms - early, duration: 40 * ms, marked: nil, now: 0, feed.settings) { nil }
      if case .passes? = arrival { #expect(passes) } else { #expect(!passes) }
    }
  }

  @Test("A frame beyond all times is not covered, but nobody waits for it: it is moved")
  func lateReturn() {
    var feed = extended(by: 5)
    _ = feed.finish()
    func arrive(_ now: ClockTime) -> Flow.PictureArrival? {
      feed.flow.arrive(pts: .max, duration: nil, marked: nil, now: now, feed.settings) { nil }
    }
    guard case .dropped? = arrive(400 * ms), case .passes(let frame)? = arrive(1400 * ms) else {
      return #expect(Bool(false), "after the timeout it passes")
    }
    #expect(frame.time == 1400 * ms && frame.isFirstMoved && !frame.shift.isLater)
  }

  @Test("A stalled source is back within half a frame, and within the timeout of what was shown")
  func nearness() {
    for (behind, isBack) in [(second, true), (second + 1, false)] as [(ClockTime, Bool)] {
      var feed = TimelineFeed([.stall])
      feed.play(0..<5)
      feed.begin(isLive: true, stalledAt: 9 * second)
      feed.show(100)
      let time = feed.flow.picture.front - behind
      _ = feed.flow.arrive(pts: time, duration: 40 * ms, marked: nil, now: 0, feed.settings) { nil }
      #expect(feed.flow.isSourceBack(at: .max, duration: 40 * ms) == isBack)
      #expect(feed.flow.isSourceBack(at: time - 20 * ms, duration: 40 * ms) == isBack)
      #expect(!feed.flow.isSourceBack(at: time - 20 * ms - 1, duration: 40 * ms))
    }
  }

  @Test("A source that passes may go back in time; what left ends where it did")
  func backInTime() {
    var feed = TimelineFeed()
    feed.play(0..<10)
    #expect(feed.frame(3).text == "passes" && feed.flow.picture.front == feed.time(10) && feed.flow.picture.next == feed.time(4))
    _ = feed.flow.arrive(pts: 400 * ms, duration: 100 * ms, marked: nil, now: 0, feed.settings) { nil }
    #expect(feed.flow.picture.front == 500 * ms)
    feed.flow.show(until: 300 * ms, runningTime: 300 * ms, now: 0, beginning: nil)
    #expect(feed.flow.picture.front == 500 * ms && feed.flow.picture.next == 300 * ms)
  }

  @Test("A source that stalls again is covered again")
  func secondStall() {
    var feed = TimelineFeed([.stall])
    feed.play(0..<5)
    feed.begin(isLive: true, stalledAt: 5 * second)
    feed.show(5)
    _ = feed.finish()
    _ = feed.frame(10)
    #expect(feed.begin(isLive: true, stalledAt: feed.time(10) + second) != nil)
  }

  @Test("Frames that are dropped are a sign of life too; while downstream takes its time nobody stalls")
  func signsOfLife() {
    var feed = extended(by: 5)
    #expect(feed.frame(5, late: 3 * second).text == "dropped")
    _ = feed.finish()
    #expect(feed.flow.stallTime(feed.settings) == feed.time(5) + 4 * second)
    feed.flow.tookFrame(now: 20 * second)
    #expect(feed.flow.stallTime(feed.settings) == 21 * second)
  }

  // MARK: Boundaries

  @Test("The return is a boundary of its own, with the times of its frame, also where that carries one", arguments: [false, true])
  func returnBoundary(_ isMarked: Bool) {
    var feed = extended(by: 5, segment: TestSegment(base: second, time: 60 * second))
    _ = feed.finish()
    let mark = TimelineFeed.boundary(2, frame: 10)
    let boundary = feed.frame(10, mark: isMarked ? mark : nil).frame?.boundary
    #expect(
      boundary
        == Boundary(
          kind: .cut, shot: 3, frame: 10, pts: 400 * ms, runningTime: 1400 * ms, streamTime: 60_400 * ms, transitionStart: nil,
          transitionEnd: 60_400 * ms, score: 1, detector: "test"))
    // What upstream counts as its second or third is the fourth.
    let next = feed.frame(11, mark: TimelineFeed.boundary(isMarked ? 3 : 2, frame: 11)).frame?.boundary
    #expect(next?.shot == 4 && next?.runningTime == 1440 * ms && next?.detector == "source")
    #expect(feed.frame(12).frame?.boundary == nil)
    #expect(feed.frame(13, mark: TimelineFeed.boundary(isMarked ? 4 : 3, frame: 13)).frame?.boundary?.shot == 5)
  }

  @Test("The return of a frame without a time stamp says none")
  func untimedReturn() {
    var feed = extended(by: 5)
    _ = feed.finish()
    let frame = feed.frame(10, isTimed: false).frame
    #expect(frame?.isReturn == true && frame?.boundary?.runningTime == nil && frame?.time == feed.time(10))
    #expect(frame?.departures.map(\.text) == ["key next"])
  }

  @Test("Where frames were dropped for nothing their mark goes to the next one, with its times, and all are counted as they left")
  func markOfDropped() {
    var feed = extended(by: 0)
    #expect(feed.frame(5, mark: TimelineFeed.boundary(2, frame: 5)).text == "dropped")
    _ = feed.finish()
    let frame = feed.frame(6).frame
    #expect(frame?.isReturn == false)
    let boundary = frame?.boundary
    #expect(boundary?.shot == 2 && boundary?.frame == 5 && boundary?.detector == "source")
    #expect(boundary?.pts == feed.time(6) && boundary?.streamTime == feed.time(6) && boundary?.runningTime == feed.time(6))
    #expect(feed.frame(7).frame?.boundary == nil)
    let next = feed.frame(8, mark: TimelineFeed.boundary(3, frame: 8)).frame?.boundary
    #expect(next?.shot == 3 && next?.frame == 7 && next?.pts == 0)
  }

  @Test("A frame's own mark comes before that of one that was dropped")
  func ownMark() {
    var feed = extended(by: 0)
    _ = feed.frame(5, mark: TimelineFeed.boundary(2, frame: 5))
    _ = feed.finish()
    #expect(feed.frame(6, mark: TimelineFeed.boundary(3, frame: 6)).frame?.boundary?.shot == 2)
    #expect(feed.flow.picture.shot == 2)
  }

  @Test("Frames that were dropped for nothing are not counted")
  func droppedOnly() {
    var feed = extended(by: 0)
    _ = feed.frame(5)
    _ = feed.finish()
    #expect(feed.frame(6, mark: TimelineFeed.boundary(2, frame: 6)).frame?.boundary?.frame == 5)
  }
}
