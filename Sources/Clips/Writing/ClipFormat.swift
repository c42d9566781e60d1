/// What clips are encoded with and put into: descriptions as `gst-launch-1.0` reads them.
public struct ClipFormat: Hashable, Sendable {
  /// Makes packets of raw frames; may be a chain of elements.
  public var encoder: String
  /// Empty if clips have no sound.
  public var audioEncoder: String
  /// Puts streams into a file.
  public var muxer: String
  /// Whether pictures whose chroma is halved must have even sizes for the encoder. Those that are named by users may not say.
  public var needsEvenSize: Bool

  /// Why there is no format.
  public enum Problem: Error, Hashable, CustomStringConvertible {
    /// The name's extension says nothing, and no muxer is set.
    case noExtension(String)
    /// Nothing is installed that does a job.
    case notInstalled(String)

    /// For the user: the setting, or what to install.
    public var description: String {
      switch self {
      case .noExtension(let text), .notInstalled(let text): text
      }
    }
  }

  /// An element that does a job, how it is set up for clips, and the Debian package that has it.
  private struct Candidate {
    var description: String
    var package: String

    /// The encoder is what a description ends with.
    var factory: String { description.split(separator: " ").last { !$0.contains("=") && $0 != "!" }.map { String($0) } ?? "" }

    init(_ description: String, in package: String) {
      self.description = description
      self.package = package
    }
  }

  /// Frames are not reordered, so that a clip can end at any frame; what players commonly decode is 4:2:0 of 8 bits; and
  /// key frames are made where they are asked for only, so that each is one that decoding can begin at.
  private static let h264 = [
    Candidate(
      "capsfilter caps=video/x-raw,format=I420 ! x264enc speed-preset=veryfast pass=qual quantizer=20 bframes=0 option-string=scenecut=0",
      in: "gstreamer1.0-plugins-ugly"),
    Candidate(
      "openh264enc complexity=low rate-control=quality bitrate=6000000 scene-change-detection=false", in: "gstreamer1.0-plugins-bad"),
  ]
  private static let vp9 = [
    Candidate(
      "vp9enc deadline=1 cpu-used=8 end-usage=cq cq-level=32 target-bitrate=8000000 lag-in-frames=0 auto-alt-ref=0",
      in: "gstreamer1.0-plugins-good"),
    Candidate(
      "vp8enc deadline=1 cpu-used=8 end-usage=cq cq-level=16 target-bitrate=8000000 lag-in-frames=0", in: "gstreamer1.0-plugins-good"),
  ]
  private static let aac = [
    Candidate("fdkaacenc bitrate=128000", in: "gstreamer1.0-plugins-bad"),
    Candidate("avenc_aac bitrate=128000", in: "gstreamer1.0-libav"),
    Candidate("voaacenc bitrate=128000", in: "gstreamer1.0-plugins-bad"),
  ]
  private static let opus = [Candidate("opusenc bitrate=128000", in: "gstreamer1.0-plugins-base")]

  private static let containers: [(extensions: [String], muxer: Candidate, picture: [Candidate], sound: [Candidate])] = [
    (["mp4", "m4v"], Candidate("mp4mux", in: "gstreamer1.0-plugins-good"), h264, aac),
    (["mov"], Candidate("qtmux", in: "gstreamer1.0-plugins-good"), h264, aac),
    (["mkv"], Candidate("matroskamux", in: "gstreamer1.0-plugins-good"), h264, opus + aac),
    (["webm"], Candidate("webmmux", in: "gstreamer1.0-plugins-good"), vp9, opus),
    (["ts"], Candidate("mpegtsmux", in: "gstreamer1.0-plugins-bad"), h264, aac),
  ]

  /// What the settings name, and for the rest what suits the extension of `location` and is installed.
  ///
  /// - Parameter isInstalled: whether there is an element of that name.
  public init(
    location: String, encoder: String?, audioEncoder: String?, muxer: String?, hasSound: Bool, isInstalled: (String) -> Bool
  ) throws(Problem) {
    let name = location.split(separator: "/").last ?? ""
    let ending = name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() } ?? ""
    let known = Self.containers.first { $0.extensions.contains(ending) }
    guard known != nil || muxer != nil, let container = known ?? Self.containers.first else {
      let all = Self.containers.flatMap(\.extensions).joined(separator: ", ")
      throw .noExtension("\"\(location)\" has none of the extensions \(all), and muxer is not set.")
    }
    func installed(_ candidates: [Candidate], _ job: String) throws(Problem) -> String {
      if let candidate = candidates.first(where: { isInstalled($0.factory) }) { return candidate.description }
      let all = candidates.map { "\($0.factory) (Debian: \($0.package))" }.joined(separator: " or ")
      throw .notInstalled("There is no \(job): install \(all).")
    }
    self.muxer = if let muxer { muxer } else { try installed([container.muxer], "muxer for .\(ending)") }
    let own = if encoder == nil { try installed(container.picture, "video encoder for .\(ending)") } else { "" }
    self.encoder = encoder ?? own
    needsEvenSize = !Self.vp9.contains { $0.description == own }
    self.audioEncoder =
      if !hasSound { "" } else if let audioEncoder { audioEncoder } else { try installed(container.sound, "audio encoder for .\(ending)") }
  }

  /// The parser of a coded format, which gives a muxer the form that it wants; nil where none is needed.
  public static func parser(_ format: String) -> String? {
    switch format {
    case "video/x-h264": "h264parse"
    case "video/x-h265": "h265parse"
    case "video/x-vp9": "vp9parse"
    case "video/x-av1": "av1parse"
    default: nil
    }
  }
}
