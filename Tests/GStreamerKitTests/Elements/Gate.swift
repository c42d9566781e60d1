import CGStreamer
import GStreamerKit
import Synchronization
import Timing

/// Several inputs, one output: passes buffers on, keeps every end of stream until it is told to let the last one go.
final class Gate: PadElement {
  static let description = ElementDescription(
    factory: "kitgate", typeName: "GstKitGate", longName: "Gate", klass: "Generic", summary: "Holds the end of stream back",
    author: "Tests",
    pads: [
      PadTemplate("sink", .sink, caps: "video/x-raw", proxiesCaps: true),
      PadTemplate("sink_%u", .sink, .request, caps: "video/x-raw"),
      PadTemplate("src", .source, caps: "video/x-raw", proxiesCaps: true),
    ])

  struct Settings: Defaultable {
    var failing = false
    /// Buffers wait in `chain` until the state changes.
    var blocking = false
    var throwing = false
    var latency: ClockTime = 0
  }

  struct Readings: Defaultable {
    var buffers: UInt64 = 0

    init() {}
    init(buffers: UInt64) { self.buffers = buffers }
  }

  static let properties: [Property<Gate>] = [
    .bool("failing", \.failing, "Fail in start", changeable: .ready),
    .bool("blocking", \.blocking, "Wait in chain", changeable: .playing),
    .bool("throwing", \.throwing, "Throw in chain", changeable: .playing),
    .clockTime("latency", \.latency, "Latency claimed, nanoseconds", changeable: .playing),
    .counter("buffers", \.buffers, "Buffers passed"),
  ]

  static let signals: [Signal<Gate>] = [
    .action("open", result: .bool(false)) { gate, _ in .bool(gate.open()) }
  ]

  static let alive = Atomic(0)

  let handle: ElementHandle
  let runs = Atomic(0)
  private let end = Mutex<Event?>(nil)
  private let buffers = Atomic<UInt64>(0)
  private let interrupted = Atomic(false)

  init(_ handle: ElementHandle) {
    self.handle = handle
    Self.alive.add(1, ordering: .relaxed)
  }

  deinit { Self.alive.subtract(1, ordering: .relaxed) }

  func start(_ settings: Settings) throws {
    if settings.failing { throw ElementError.resource(GST_RESOURCE_ERROR_OPEN_READ, "The gate is stuck.") }
    interrupted.store(false, ordering: .relaxed)
    runs.add(1, ordering: .relaxed)
    handle.post(Structure("started"))
  }

  func interrupt() { interrupted.store(true, ordering: .releasing) }

  func stop() {
    runs.subtract(1, ordering: .relaxed)
    end.withLock { $0 = nil }
    handle.post(Structure("stopped", [("runs", .int(Int32(runs.load(ordering: .relaxed))))]))
  }

  func chain(_ buffer: consuming Buffer, on pad: Pad, _ settings: Settings) throws -> GstFlowReturn {
    if settings.throwing { throw ElementError.stream(GST_STREAM_ERROR_DECODE, "The gate cannot read \(buffer.size) bytes.") }
    if settings.blocking {
      handle.post(Structure("waiting", [("pad", .string(pad.name))]))
      var patience = Deadline(seconds: 10)
      while !interrupted.load(ordering: .acquiring) {
        guard patience.isAhead else { throw ElementError.stream(GST_STREAM_ERROR_FAILED, "Nobody woke the gate.") }
      }
      return GST_FLOW_FLUSHING
    }
    handle.publish(Readings(buffers: buffers.add(1, ordering: .relaxed).newValue), of: Gate.self)
    return handle.pad("src")?.push(buffer) ?? GST_FLOW_ERROR
  }

  func receive(_ event: consuming Event, on pad: Pad, _ settings: Settings) -> Bool {
    guard event.type == GST_EVENT_EOS else { return handle.forward(event, from: pad) }
    end.withLock { [event] in $0 = event }
    return true
  }

  func answer(_ query: Query, on pad: Pad, _ settings: Settings) -> Bool? {
    guard query.asksDuration, !pad.isSink else { return nil }
    query.answerDuration(42)
    return true
  }

  func latency(_ settings: Settings) -> ClockTime { settings.latency }

  func added(_ pad: Pad) { handle.post(Structure("pad-added", [("name", .string(pad.name))])) }
  func removed(_ pad: Pad) { handle.post(Structure("pad-removed", [("name", .string(pad.name))])) }

  private func open() -> Bool {
    guard let end = end.withLock({ $0.take() }), let source = handle.pad("src") else { return false }
    return source.push(end)
  }
}
