import Clips
import Testing

@Suite("Formats of clips") struct ClipFormatTests {
  private static func format(
    _ location: String, encoder: String? = nil, audioEncoder: String? = nil, muxer: String? = nil, hasSound: Bool = true,
    without missing: Set<String> = []
  ) throws(ClipFormat.Problem) -> ClipFormat {
    try ClipFormat(location: location, encoder: encoder, audioEncoder: audioEncoder, muxer: muxer, hasSound: hasSound) {
      !missing.contains($0)
    }
  }

  /// The element that a description sets up.
  private static func element(_ description: String) -> String {
    description.split(separator: " ").last { !$0.contains("=") && $0 != "!" }.map { String($0) } ?? ""
  }

  @Test(
    arguments: [
      ("a.mp4", "mp4mux", "x264enc", "fdkaacenc"), ("a.M4V", "mp4mux", "x264enc", "fdkaacenc"), ("a.mov", "qtmux", "x264enc", "fdkaacenc"),
      ("a/b.c/d%05d.mkv", "matroskamux", "x264enc", "opusenc"), ("a.webm", "webmmux", "vp9enc", "opusenc"),
      ("a.ts", "mpegtsmux", "x264enc", "fdkaacenc"),
    ])
  func `the extension says the container, and that what it is made with`(
    _ location: String, _ muxer: String, _ encoder: String, _ audio: String
  )
    throws
  {
    let format = try Self.format(location)
    #expect(format.muxer == muxer && Self.element(format.encoder) == encoder && Self.element(format.audioEncoder) == audio)
  }

  @Test func `what is not installed is passed over`() throws {
    let format = try Self.format("a.mp4", without: ["x264enc", "fdkaacenc", "avenc_aac"])
    #expect(Self.element(format.encoder) == "openh264enc" && Self.element(format.audioEncoder) == "voaacenc")
    #expect(try Self.element(Self.format("a.mkv", without: ["opusenc"]).audioEncoder) == "fdkaacenc")
  }

  @Test func `what is named is taken as it is`() throws {
    let format = try Self.format(
      "a.mp4", encoder: "nvh264enc", audioEncoder: "lamemp3enc", muxer: "avmux_mp4", without: ["x264enc", "mp4mux"])
    #expect(format == (try Self.format("a.mp4", encoder: "nvh264enc", audioEncoder: "lamemp3enc", muxer: "avmux_mp4")))
    #expect(format.encoder == "nvh264enc" && format.audioEncoder == "lamemp3enc" && format.muxer == "avmux_mp4")
    #expect(try Self.element(Self.format("a.unknown", muxer: "avmux_avi").encoder) == "x264enc")
  }

  @Test func `without sound no encoder of sound is needed`() throws {
    let missing: Set<String> = ["fdkaacenc", "avenc_aac", "voaacenc"]
    #expect(try Self.format("a.mp4", hasSound: false, without: missing).audioEncoder == "")
    #expect(throws: ClipFormat.Problem.self) { try Self.format("a.mp4", without: missing) }
  }

  @Test(arguments: ["a", "a.", ".mp4/a", "a.avi", ""])
  func `an extension that says nothing is told with those that do`(_ location: String) {
    let text = "\"\(location)\" has none of the extensions mp4, m4v, mov, mkv, webm, ts, and muxer is not set."
    #expect(throws: ClipFormat.Problem.noExtension(text)) { try Self.format(location) }
  }

  @Test func `what is missing is told with the packages that have it`() {
    let text =
      "There is no video encoder for .mp4: install x264enc (Debian: gstreamer1.0-plugins-ugly) or openh264enc (Debian: gstreamer1.0-plugins-bad)."
    #expect(throws: ClipFormat.Problem.notInstalled(text)) { try Self.format("a.mp4", without: ["x264enc", "openh264enc"]) }
    let muxer = "There is no muxer for .webm: install webmmux (Debian: gstreamer1.0-plugins-good)."
    #expect(throws: ClipFormat.Problem.notInstalled(muxer)) { try Self.format("a.webm", without: ["webmmux"]) }
  }
}
