import CGStreamer
import GStreamerKit
import Synchronization

/// Two ways through one element, video and sound; the sound leaves from a thread of its pad's own.
final class Lanes: PadElement {
  static let description = ElementDescription(
    factory: "kitlanes", typeName: "GstKitLanes", longName: "Lanes", klass: "Generic", summary: "Two ways through", author: "Tests",
    pads: [
      PadTemplate("sink", .sink, caps: "video/x-raw", proxiesCaps: true, partner: "src"),
      PadTemplate("src", .source, caps: "video/x-raw", proxiesCaps: true, partner: "sink"),
      PadTemplate("audio_sink", .sink, .request, caps: "audio/x-raw", proxiesCaps: true, partner: "audio_src"),
      PadTemplate("audio_src", .source, .request, caps: "audio/x-raw", proxiesCaps: true, partner: "audio_sink"),
    ])

  struct Settings: Defaultable {
    var held: UInt32 = 0
  }

  static let properties: [Property<Lanes>] = [.uint("held", \.held, "Buffers held", 0...100, changeable: .playing)]

  let handle: ElementHandle
  let turns = Atomic(0)
  private let kept = Mutex<Buffer?>(nil)

  init(_ handle: ElementHandle) { self.handle = handle }

  func stop() { handle.pad("audio_src")?.stopTask() }
  func heldBuffers(_ settings: Settings) -> UInt32 { settings.held }

  func chain(_ buffer: consuming Buffer, on pad: Pad, _ settings: Settings) throws -> GstFlowReturn {
    guard pad.name == "audio_sink" else { return handle.pad("src")?.push(buffer) ?? GST_FLOW_ERROR }
    kept.withLock { [buffer] in $0 = buffer }
    handle.pad("audio_src")?.startTask { [unowned self] in turn() }
    return GST_FLOW_OK
  }

  private func turn() {
    turns.add(1, ordering: .relaxed)
    if let buffer = kept.withLock({ $0.take() }) { _ = handle.pad("audio_src")?.push(buffer) }
    handle.pad("audio_src")?.pauseTask()
  }

  func receive(_ event: consuming Event, on pad: Pad, _ settings: Settings) -> Bool { handle.forward(event, from: pad) }
}
