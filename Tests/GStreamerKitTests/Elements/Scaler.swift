import CGStreamer
import GStreamerKit

/// A bin: videoconvert ! kitholder ! videoscale. The holder's messages stay inside.
final class Scaler: BinElement {
  static let description = ElementDescription(
    factory: "kitscaler", typeName: "GstKitScaler", longName: "Scaler", klass: "Filter/Video", summary: "Converts and scales",
    author: "Tests", pads: PadTemplate.filter(caps: "video/x-raw"))

  struct Settings: Defaultable {
    var borders = true
    /// An element to add, if any.
    var also: String?
  }

  static let properties: [Property<Scaler>] = [
    .bool("borders", \.borders, "Keep the aspect ratio", changeable: .playing),
    .string("also", \.also, "Another element", changeable: .ready),
  ]

  init(_ handle: ElementHandle) {}

  func build(_ bin: Bin, _ settings: Settings) throws {
    let convert = try bin.add("videoconvert")
    let holder = try bin.add("kitholder", name: "holder")
    let scale = try bin.add("videoscale", name: "scale")
    try bin.link(convert, holder)
    try bin.link(holder, scale)
    try bin.expose(convert, "sink", as: "sink")
    try bin.expose(scale, "src", as: "src")
    if let also = settings.also { _ = try bin.add(also) }
    settingsChanged(settings, in: bin)
  }

  func settingsChanged(_ settings: Settings, in bin: Bin) {
    if let scale = bin.child("scale") { bin.set(scale, "add-borders", settings.borders ? "true" : "false") }
  }

  func intercept(_ message: Message) -> Bool { message.type == GST_MESSAGE_ELEMENT && message.structure?.name == "finished" }
}

/// A bin that exposes a pad that its child does not have.
final class Hollow: BinElement {
  static let description = ElementDescription(
    factory: "kithollow", typeName: "GstKitHollow", longName: "Hollow", klass: "Generic", summary: "Cannot be built", author: "Tests",
    pads: PadTemplate.filter(caps: "ANY"))

  init(_ handle: ElementHandle) {}

  func build(_ bin: Bin, _ settings: Nothing) throws {
    try bin.expose(try bin.add("identity"), "side", as: "sink")
  }
}
