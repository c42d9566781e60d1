import CGStreamer
import GStreamerKit

/// Posts a message whenever the picture becomes dark, and lets video pass.
final class Darkness: PassthroughVideoFilter {
  static let description = ElementDescription(
    factory: "darkness", typeName: "GstDarkness", longName: "Darkness alarm", klass: "Filter/Analyzer/Video",
    summary: "Posts a message when the picture becomes dark", author: "You",
    pads: PadTemplate.filter(caps: "video/x-raw, format = { I420, NV12, GRAY8 }"))

  struct Settings: Defaultable {
    var threshold = 32.0
  }

  struct Readings: Defaultable {
    var alarms: UInt64 = 0
  }

  static let properties: [Property<Darkness>] = [
    .double("threshold", \.threshold, "Mean brightness, 0-255, under which it is dark", 0...255, changeable: .playing),
    .counter("alarms", \.alarms, "How often it became dark"),
  ]

  struct State {
    var isDark = false
  }

  init(_ handle: ElementHandle) {}

  func start(_ settings: Settings) throws -> State { State() }

  func see(_ input: borrowing InputBuffer, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws {
    let level = try input.withFrame { frame in meanOfFirstPlane(frame) }
    let isDark = level < settings.threshold
    if isDark, !state.isDark {
      output.readings.alarms += 1
      output.post(Structure("darkness", [("level", .double(level))]), at: input.index)
    }
    state.isDark = isDark
  }

  private func meanOfFirstPlane(_ frame: borrowing VideoFrame) -> Double {
    guard let plane = frame.plane(0) else { return 255 }
    var sum = 0
    for row in 0..<plane.rows {
      let samples = UnsafeRawBufferPointer(start: plane.base + row * plane.stride, count: plane.rowBytes)
      for sample in samples { sum += Int(sample) }
    }
    return Double(sum) / Double(max(1, plane.rows * plane.rowBytes))
  }
}

private let plugin = Plugin(
  name: "darkness", description: "An alarm", version: "1.0", license: "MIT/X11", package: "darkness", origin: "https://example.org"
) { plugin in Plugin.register(Darkness.self, in: plugin) ? 1 : 0 }

@c(gst_plugin_darkness_get_desc)
public func gstPluginDarknessDescription() -> UnsafePointer<GstPluginDesc>? { plugin.descriptor }
