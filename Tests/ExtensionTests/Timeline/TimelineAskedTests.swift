import Extension
import Shots
import Testing
import Timing

/// What applications ask for.
@Suite("Timeline: asked for") struct TimelineAskedTests {
  @Test("What is asked for while an extension runs is added to it", arguments: [1, 3, -1])
  func longer(_ shots: Int) {
    var feed = TimelineFeed()
    feed.play(0..<5)
    _ = feed.event("end", .endOfStream)
    feed.begin()
    #expect(feed.flow.ask(shots, prompts: ["A"], feed.settings) == .goesOn(AskedShots(shots: shots, prompts: ["A"])))
  }

  @Test("Before its generator has a plan it is kept for it, added up", arguments: [(1, 2, 3), (1, -1, -1), (-1, 2, -1)])
  func beforePlan(_ first: Int, _ then: Int, _ sum: Int) {
    var feed = TimelineFeed()
    feed.play(0..<5)
    _ = feed.event("end", .endOfStream)
    _ = feed.flow.begin(isLive: false, hasSound: false, stalledAt: nil, feed.settings)
    #expect(feed.flow.ask(first, prompts: ["A"], feed.settings) == .goesOnLater)
    #expect(feed.flow.ask(then, prompts: nil, feed.settings) == .goesOnLater)
    #expect(feed.flow.beginShowing() == AskedShots(shots: sum, prompts: ["A"]))
    #expect(feed.flow.beginShowing() == nil)
  }

  @Test("Nothing is added to a tail whose last frame was shown, or that is told to end", arguments: 0..<2)
  func tooLate(_ reason: Int) {
    var feed = TimelineFeed()
    feed.play(0..<5)
    _ = feed.event("end", .endOfStream)
    feed.begin()
    if reason == 0 { _ = feed.flow.leave(if: true) } else { feed.flow.stopExtension() }
    #expect(feed.flow.ask(1, prompts: nil, feed.settings) == .refused)
  }

  @Test("Behind an insertion that is told to end another one begins", arguments: [1, 4])
  func another(_ shots: Int) {
    var feed = TimelineFeed()
    feed.play(0..<5)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin()
    feed.flow.stopExtension()
    #expect(feed.flow.ask(shots, prompts: ["B"], feed.settings) == .taken)
    feed.show(5)
    _ = feed.finish()
    let next = feed.begin()
    #expect(next?.asked == AskedShots(shots: shots, prompts: ["B"]) && next?.run.start == feed.time(10))
  }

  @Test("What was asked for before the end comes before what follows the end")
  func beforeEnd() {
    var feed = TimelineFeed()
    feed.play(0..<5)
    _ = feed.flow.ask(2, prompts: nil, feed.settings)
    _ = feed.event("end", .endOfStream)
    #expect(feed.begin()?.run.kind == .insert)
    feed.show(10)
    #expect(feed.finish() == [])
    let tail = feed.begin()
    #expect(tail?.run.kind == .tail && tail?.asked == nil && tail?.run.start == feed.time(15))
  }

  @Test("Nothing is asked of a stream that is over")
  func over() {
    var feed = TimelineFeed([.stall])
    feed.play(0..<2)
    _ = feed.event("end", .endOfStream)
    #expect(feed.flow.ask(1, prompts: nil, feed.settings) == .refused)
    #expect(feed.begin() == nil)
  }

  @Test("With cut it begins with the next boundary, before its frame", arguments: [false, true])
  func atCut(_ isAsked: Bool) {
    var feed = TimelineFeed([.cut], shots: isAsked ? -1 : 2)
    feed.play(0..<3)
    if isAsked { #expect(feed.flow.ask(3, prompts: nil, feed.settings) == .taken) }
    #expect(feed.begin() == nil && feed.frame(3).text == "passes")
    #expect(feed.frame(4, mark: TimelineFeed.boundary(2, frame: 4)).text == "waits")
    #expect(feed.begin()?.asked == AskedShots(shots: isAsked ? 3 : nil, prompts: nil))
    feed.show(5)
    _ = feed.finish()
    #expect(feed.frame(4, mark: TimelineFeed.boundary(2, frame: 4)).text == "passes")
    // Once: the next boundary passes.
    #expect(feed.frame(5, mark: TimelineFeed.boundary(3, frame: 5)).text == "passes")
  }

  @Test("Without end the cut has one shot")
  func cutWithoutEnd() {
    var feed = TimelineFeed([.cut])
    feed.play(0..<3)
    _ = feed.frame(3, mark: TimelineFeed.boundary(2, frame: 3))
    #expect(feed.begin()?.asked?.shots == 1)
  }

  @Test("The first frame's boundary is none")
  func firstFrame() {
    var feed = TimelineFeed([.cut])
    #expect(feed.frame(0, mark: TimelineFeed.boundary(1, frame: 0)).text == "passes")
    #expect(feed.begin() == nil)
  }

  @Test("Stopping takes back what has not begun")
  func stopRequest() {
    var feed = TimelineFeed()
    feed.play(0..<5)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.flow.stopExtension()
    #expect(feed.begin() == nil && feed.frame(5).text == "passes")
  }

  @Test("Stopping ends what runs with its shot, and what would follow an end that has come")
  func stopRun() {
    var feed = TimelineFeed()
    feed.play(0..<5)
    _ = feed.event("end", .endOfStream)
    feed.flow.stopExtension()
    feed.begin()
    #expect(feed.flow.isToEnd)
  }

  @Test(
    "What is asked for is added to a plan",
    arguments: [(2, 1, 3), (-1, 1, -1), (2, -1, -1), (0, 4, 4)] as [(Int, Int, Int)])
  func plans(_ planned: Int, _ asked: Int, _ sum: Int) {
    var plan = ShotPlan(prompts: ["A"])
    plan.shots = planned
    let longer = AskedShots(shots: asked, prompts: ["B"]).added(to: plan)
    #expect(longer.shots == sum)
    #expect(longer[0]?.caption == (sum == 0 ? nil : "B"))
  }
}
