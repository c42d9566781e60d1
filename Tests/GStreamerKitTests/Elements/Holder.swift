import CGStreamer
import GStreamerKit
import Synchronization
import Timing

/// A filter that holds frames back, marks them late, and fails where it is told to.
final class Holder: PassthroughVideoFilter {
  static let description = ElementDescription(
    factory: "kitholder", typeName: "GstKitHolder", longName: "Holder", klass: "Filter/Video", summary: "Holds frames back",
    author: "Tests", pads: PadTemplate.filter(caps: PadTemplate.rawVideo()))

  enum Failure: String, PropertyEnumeration {
    case none, start, configure, see, finish

    static let typeName = "GstKitHolderFailure"
    var blurb: String { "Fails in \(rawValue)" }
  }

  struct Settings: Defaultable {
    /// How many frames are held.
    var frames: UInt32 = 0
    var extraLatency: ClockTime = 0
    var failure = Failure.none
    /// Marks frame n when frame n + frames is seen.
    var marks = false
    /// Maps every frame.
    var maps = false
  }

  struct Readings: Defaultable {
    var seen: UInt64 = 0
    var interruptions: UInt64 = 0
  }

  static let properties: [Property<Holder>] = [
    .uint("frames", \.frames, "Frames held", 0...100, changeable: .playing),
    .clockTime("extra-latency", \.extraLatency, "Latency claimed beyond that, nanoseconds", changeable: .playing),
    .enumeration("failure", \.failure, "Where to fail", changeable: .playing),
    .bool("marks", \.marks, "Mark frames late", changeable: .playing),
    .bool("maps", \.maps, "Map frames", changeable: .playing),
    .counter("seen", \.seen, "Frames seen"),
    .counter("interruptions", \.interruptions, "Interruptions before the last frame"),
  ]

  static let mark = Metadata("GstKitMarkMeta")
  static let statesAlive = Atomic(0)

  final class Token {
    init() { Holder.statesAlive.add(1, ordering: .relaxed) }
    deinit { Holder.statesAlive.subtract(1, ordering: .relaxed) }
  }

  struct State {
    let token = Token()
    var interruptions: UInt64 = 0
    var last: UInt64?
  }

  struct Strange: Error {}

  init(_ handle: ElementHandle) {}

  private func fail(_ failure: Failure, _ settings: Settings, _ error: any Error) throws {
    if settings.failure == failure { throw error }
  }

  func start(_ settings: Settings) throws -> State {
    try fail(.start, settings, ElementError.resource(GST_RESOURCE_ERROR_NOT_FOUND, "No file \"model.bin\"."))
    return State()
  }

  func configure(_ info: VideoInfo, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws {
    try fail(.configure, settings, ElementError.core(GST_CORE_ERROR_NEGOTIATION, "\(info.width) is too narrow."))
  }

  func see(_ input: borrowing InputBuffer, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws {
    try fail(.see, settings, Strange())
    if settings.maps { try input.withFrame { _ in } }
    output.readings.seen = input.index + 1
    output.readings.interruptions = state.interruptions
    state.last = input.index
    guard settings.frames > 0 else { return }
    let (decided, early) = (input.index + 1).subtractingReportingOverflow(UInt64(settings.frames))
    output.hold(from: early ? 0 : decided)
    if settings.marks, !early, decided > 0 { place(at: decided - 1, &output) }
  }

  func finish(_ settings: Settings, _ state: inout State, _ output: inout Output<Readings>, endOfStream: Bool) throws {
    try fail(.finish, settings, ElementError.library(GST_LIBRARY_ERROR_FAILED, "The end is bad."))
    if let last = state.last { output.post(Structure("finished", [("end-of-stream", .bool(endOfStream))]), at: last) }
  }

  func interrupt(_ settings: Settings, _ state: inout State) { state.interruptions += 1 }

  func receive(_ event: Structure, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws {
    if event.name == "tell-me" { output.post(Structure("told", event.fields.map { ($0.name, $0.value) }), at: 0) }
  }

  func receiveUpstream(_ event: Structure, _ settings: Settings) -> Bool { event.name == "for-holder" }

  func latency(_ settings: Settings, _ info: VideoInfo) -> ClockTime {
    (info.frameDuration ?? 0) * ClockTime(settings.frames) + settings.extraLatency
  }

  private func place(at index: UInt64, _ output: inout Output<Readings>) {
    let fact = Structure("mark", [("frame", .uint64(index))])
    output.post(fact, at: index)
    output.attach(Self.mark, fact, to: index)
    output.push(.custom(fact), before: index)
    output.push(.forceKeyUnit(pts: index * 40_000_000, streamTime: nil, runningTime: index * 40_000_000), before: index)
  }
}
