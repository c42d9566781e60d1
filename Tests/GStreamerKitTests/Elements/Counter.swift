import CGStreamer
import GStreamerKit
import Synchronization

/// A bin with a pad that is always there and pads that are asked for, each into a sink of its own; counts what passes.
final class Counter: BinElement {
  static let description = ElementDescription(
    factory: "kitcounter", typeName: "GstKitCounter", longName: "Counter", klass: "Sink", summary: "Counts buffers", author: "Tests",
    pads: [PadTemplate("sink", .sink, caps: "ANY"), PadTemplate("more_%u", .sink, .request, caps: "video/x-raw")])

  struct Settings: Defaultable {
    var chain: String? = "identity ! fakesink async=false"
    var failing = false
  }

  struct Readings: Defaultable {
    var buffers: UInt64 = 0
    var segments: UInt64 = 0
  }

  static let properties: [Property<Counter>] = [
    .string("chain", \.chain, "What is behind each pad", changeable: .ready),
    .bool("failing", \.failing, "Fail in start", changeable: .ready),
    .counter("buffers", \.buffers, "Buffers seen"),
    .counter("segments", \.segments, "Segments seen"),
  ]

  private let handle: ElementHandle
  private let seen = Mutex(Readings())

  init(_ handle: ElementHandle) { self.handle = handle }

  func build(_ bin: Bin, _ settings: Settings) throws { try attach("sink", to: bin, settings) }

  func added(_ pad: Pad, to bin: Bin, _ settings: Settings) throws { try attach(pad.name, to: bin, settings) }

  func removed(_ pad: Pad, from bin: Bin) {
    handle.post(Structure("removed", [("name", .string(pad.name))]))
    if let child = bin.child(pad.name) { bin.remove(child) }
  }

  private func attach(_ name: String, to bin: Bin, _ settings: Settings) throws {
    let chain = try bin.add(description: settings.chain ?? "", name: name)
    try bin.expose(chain, "sink", as: name)
    chain.pad("sink")?.watch { [self] passing in count(&passing) }
  }

  private func count(_ passing: inout Passing) {
    let readings = seen.withLock { seen in
      switch passing {
      case .buffer: seen.buffers += 1
      case .dropped: break
      case .event(let event): if event.type == GST_EVENT_SEGMENT { seen.segments += 1 }
      }
      return seen
    }
    handle.publish(readings, of: Counter.self)
    // What comes out is later than what went in.
    let taken = passing.take()
    guard case .buffer(var buffer) = taken else { return passing = taken }
    buffer.pts = buffer.pts.map { $0 + 1_000_000_000 }
    passing = .buffer(buffer)
  }

  func start(_ settings: Settings) throws {
    if settings.failing { throw ElementError.resource(GST_RESOURCE_ERROR_OPEN_READ, "The counter is stuck.") }
    handle.post(Structure("started"))
  }

  func interrupt() { handle.post(Structure("interrupted")) }
  func stop() { handle.post(Structure("stopped")) }
}
