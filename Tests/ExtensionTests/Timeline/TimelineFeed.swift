import Extension
import Shots
import Timing

/// A stretch of a stream's time: time stamps from `start` to `stop`.
struct TestSegment: StreamSegment, Hashable {
  var start: ClockTime = 0
  var stop: ClockTime?
  var base: ClockTime = 0
  var time: ClockTime = 0
  var isForward = true

  init() {}
  init(start: ClockTime = 0, stop: ClockTime? = nil, base: ClockTime = 0, time: ClockTime = 0, isForward: Bool = true) {
    (self.start, self.stop, self.base, self.time, self.isForward) = (start, stop, base, time, isForward)
  }

  private func offset(_ position: ClockTime) -> ClockTime? { position < start || position > stop ?? .max ? nil : position - start }
  func runningTime(of position: ClockTime) -> ClockTime? { offset(position).map { base.saturating(adding: $0) } }
  func streamTime(of position: ClockTime) -> ClockTime? { offset(position).map { time.saturating(adding: $0) } }
  func continues(_ other: TestSegment) -> Bool {
    (start, base, time, isForward) == (other.start, other.base, other.time, other.isForward)
  }
  func later(by time: ClockTime) -> TestSegment {
    var segment = self
    segment.base = base.saturating(adding: time)
    return segment
  }
  var opened: TestSegment? {
    guard stop != nil else { return nil }
    var segment = self
    segment.stop = nil
    return segment
  }
}

/// Shots that are ready behind the one that is shown.
struct TestSupply: ShotSupply {
  var following: (ready: ClockTime, isAll: Bool)
  /// Of each that is ready.
  var each: ClockTime = 1_000_000_000

  init(ready: ClockTime = 0, isAll: Bool = true) { following = (ready, isAll) }

  func following(lasting duration: ClockTime) -> ClockTime {
    min(following.ready, (duration.saturating(adding: each - 1)) / each * each)
  }
}

typealias Flow = Timeline<String, Int, TestSegment>

let second: ClockTime = 1_000_000_000
let ms: ClockTime = 1_000_000

/// Frames and samples by hand into a ``Timeline``, and what becomes of them.
struct TimelineFeed {
  var flow = Flow(detector: "test")
  var settings: TimelineSettings
  let rate: FrameRate
  var beginning: Flow.Beginning?

  init(
    _ triggers: Set<TimelineSettings.Trigger> = [.eos], fps numerator: Int = 25, _ denominator: Int = 1,
    segment: TestSegment = TestSegment(),
    sound: TimelineSettings.Sound = .silence, shots: Int = -1, stallTimeout: ClockTime = 1_000_000_000
  ) {
    settings = TimelineSettings(triggers: triggers, stallTimeout: stallTimeout, shots: shots, sound: sound)
    rate = FrameRate(numerator, denominator) ?? .fallback
    _ = event("stream", .streamStart)
    _ = event("caps", .videoCaps(rate: rate, isKnown: true))
    _ = event("segment", .segment(segment))
  }

  /// When frame `number` begins.
  func time(_ number: Int) -> ClockTime { rate.nanoseconds(of: UInt64(number)) }

  mutating func event(
    _ name: String, _ kind: StreamEvent<TestSegment>, _ lane: StreamLane = .video, takesMore: Bool = true, hasVideo: Bool = true
  ) -> [String] {
    switch flow.receive(name, kind, lane, settings, takesMore: takesMore, hasVideo: hasVideo) {
    case .leaves(let departures): departures.map(\.text)
    case .waits: ["(waits)"]
    case .endsHeld: ["(held)"]
    case .dropped: ["(dropped)"]
    }
  }

  /// Frame `number` comes when it is due, or `late` after that.
  mutating func frame(_ number: Int, mark: Boundary? = nil, late: ClockTime = 0, isTimed: Bool = true) -> Arrived {
    let (start, end) = (time(number), time(number + 1))
    if mark != nil { _ = flow.meetBoundary(settings) }
    let arrival = flow.arrive(
      pts: isTimed ? start : nil, duration: end - start, marked: mark, now: start + late, settings
    ) { number }
    switch arrival {
    case nil: return .waits
    case .ended: return .ended
    case .dropped: return .dropped
    case .passes(let passing):
      flow.tookFrame(now: start + late)
      return .passes(passing)
    }
  }

  mutating func play(_ numbers: Range<Int>) { for number in numbers { _ = frame(number) } }

  /// Samples from a time on, as many as `duration`.
  mutating func sound(_ format: SoundFormat, at time: ClockTime, lasting duration: ClockTime, now: ClockTime = 0) -> SoundArrived {
    let count = Int(format.samples(in: duration))
    let arrival = flow.arriveSound(
      pts: time, duration: duration, size: count * format.bytesPerFrame, now: now, settings
    ) { [UInt8](repeating: 1, count: $0) }
    switch arrival {
    case nil: return .waits
    case .ended: return .ended
    case .dropped: return .dropped
    case .passes(let passing): return .passes(passing.departures.map(\.text), skipped: passing.skipped)
    }
  }

  mutating func soundCaps(_ format: SoundFormat, segment: TestSegment = TestSegment()) {
    _ = event("s-stream", .streamStart, .sound)
    _ = event("s-caps", .soundCaps(format), .sound)
    _ = event("s-segment", .segment(segment), .sound)
  }

  /// Begins an extension if there is a reason.
  @discardableResult
  mutating func begin(isLive: Bool = false, hasSound: Bool = false, stalledAt now: ClockTime? = nil) -> Flow.Beginning? {
    beginning = flow.begin(isLive: isLive, hasSound: hasSound, stalledAt: now, settings)
    if beginning != nil { _ = flow.beginShowing() }
    return beginning
  }

  /// Shows so many generated frames of one shot; those that are planned for it if nothing stops it.
  mutating func show(_ count: Int, now: ClockTime = 0, planned: Bool = true) {
    guard let picture = beginning?.picture else { return }
    let times = FrameTimes(start: flow.picture.continuation, numerator: Int(rate.numerator), denominator: Int(rate.denominator))
    let segment = picture.shifted
    if planned { flow.plan(until: segment.runningTime(of: times.time(of: UInt64(count)))) }
    for index in 0..<UInt64(count) {
      let next = times.time(of: index + 1)
      flow.show(until: next, runningTime: segment.runningTime(of: next) ?? 0, now: now, beginning: index == 0 ? flow.picture.shot + 1 : nil)
    }
  }

  mutating func finish(_ downstream: Flow.Downstream = .takes) -> [String] {
    guard let beginning else { return [] }
    _ = flow.leave(if: true)
    flow.plan(until: nil)
    return flow.finish(beginning, downstream: downstream, settings).map(\.text)
  }

  static func boundary(_ shot: UInt64, frame: UInt64, at time: ClockTime = 0) -> Boundary {
    Boundary(kind: .cut, shot: shot, frame: frame, pts: time, runningTime: time, streamTime: time, score: 1, detector: "source")
  }
}

// MARK: With sound

extension TimelineFeed {
  static let mono = SoundFormat(rate: 48_000, channels: 1, bytesPerFrame: 2)

  /// Ten frames and their sound.
  static func begun(
    _ triggers: Set<TimelineSettings.Trigger> = [.eos], sound: TimelineSettings.Sound = .silence, upTo end: ClockTime = 400 * ms
  ) -> TimelineFeed {
    var feed = TimelineFeed(triggers, sound: sound)
    feed.soundCaps(mono)
    feed.play(0..<10)
    _ = feed.sound(mono, at: 0, lasting: end)
    return feed
  }

  /// The same with both ends held, and an extension.
  static func tail(_ shown: Int, sound: TimelineSettings.Sound = .silence) -> TimelineFeed {
    var feed = begun(sound: sound)
    _ = feed.event("end", .endOfStream)
    _ = feed.event("s-end", .endOfStream, .sound)
    feed.begin()
    feed.show(shown)
    return feed
  }

  /// The same with shots in between, for which the sound waits.
  static func inserted(upTo end: ClockTime = 400 * ms) -> TimelineFeed {
    var feed = begun(upTo: end)
    _ = feed.flow.ask(1, prompts: nil, feed.settings)
    feed.begin(hasSound: true)
    _ = feed.sound(mono, at: 400 * ms, lasting: 20 * ms)
    return feed
  }

  /// Generated samples that come now, and what else.
  mutating func made(_ supply: TestSupply? = TestSupply(), most: Int = 100_000) -> (samples: Int, left: [String]) {
    var (samples, left) = (0, [String]())
    for _ in 0..<most {
      switch flow.nextSound(settings, supply) {
      case nil: return (samples, left)
      case .samples(let count, _, _): samples += count
      case .gap: left.append("gap")
      case .leaves(let departure): left.append(departure.text)
      case .lookAgain: left.append("again")
      }
    }
    return (samples, left)
  }
}

enum Arrived {
  case passes(Flow.PassingFrame), dropped, waits, ended

  var frame: Flow.PassingFrame? { if case .passes(let frame) = self { frame } else { nil } }
  var text: String {
    switch self {
    case .passes: "passes"
    case .dropped: "dropped"
    case .waits: "waits"
    case .ended: "ended"
    }
  }
}

enum SoundArrived: Equatable {
  case passes([String], skipped: Int), dropped, waits, ended
}

extension Departure<String, TestSegment> {
  var text: String {
    switch self {
    case .event(let name): name
    case .moved(let name, let shift): "\(name) \(shift.isLater ? "+" : "-")\(shift.amount / ms)"
    case .segment(let segment, let event): "\(event ?? "new") base \(segment.base / ms)"
    case .keyUnit(_, _, let running): "key \(running.map { "\($0 / ms)" } ?? "next")"
    case .endOfStream: "made end"
    }
  }
}
