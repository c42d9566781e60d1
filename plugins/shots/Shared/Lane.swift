import CGStreamer
import GStreamerKit
import Pixels

/// One way through an element for video that takes its sound too, if asked.
enum Lane: Int, CaseIterable {
  case video, sound

  init(_ pad: Pad) {
    let name = pad.gst.pointee.padtemplate?.pointee.name_template
    self = name?[0] == CChar(UInt8(ascii: "a")) ? .sound : .video
  }

  var sink: String { self == .video ? "sink" : "audio_sink" }
  var source: String { self == .video ? "src" : "audio_src" }

  /// Those of both lanes; the sound's are there when asked for.
  static let pads: [PadTemplate] = [
    PadTemplate("sink", .sink, caps: PixelFormat.caps, proxiesCaps: true, partner: "src"),
    PadTemplate("src", .source, caps: PixelFormat.caps, proxiesCaps: true, partner: "sink"),
    PadTemplate("audio_sink", .sink, .request, caps: soundCaps, proxiesCaps: true, partner: "audio_src"),
    PadTemplate("audio_src", .source, .request, caps: soundCaps, proxiesCaps: true, partner: "audio_sink"),
  ]

  private static let soundCaps = "audio/x-raw, layout = (string) interleaved"
}
