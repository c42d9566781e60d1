import CGStreamer
import Glibc

/// A film of still shots, as gst-launch-1.0 writes it, and what comes out of it in clips.
struct StillFilm {
  /// Small and cheap to code.
  static let video = "video/x-raw,format=I420,width=64,height=48,framerate=25/1"

  /// Patterns of videotestsrc and how many frames each is shown.
  var shots: [(pattern: String, frames: Int)]

  static let standard = StillFilm(shots: [("smpte", 30), ("white", 45), ("blue", 20), ("checkers-8", 40), ("red", 25)])

  var frames: Int { shots.map(\.frames).reduce(0, +) }

  /// First frames of all shots but the first.
  var cuts: [Int] { shots.dropLast().reduce(into: []) { $0.append(($0.last ?? 0) + $1.frames) } }

  /// The film into a detector and on to pad `video` of an element called `clip`. Without `join` each shot is a medium of
  /// its own.
  func launch(
    _ clip: String, detector: String = "threshold=10 min-shot-duration=0 filter=suppress align=true",
    join: String = "! identity single-segment=true"
  ) -> String {
    let sources = shots.map { "videotestsrc pattern=\($0.pattern) num-buffers=\($0.frames) ! \(Self.video) ! film. " }.joined()
    return "concat name=film \(join) ! shotdetect \(detector) ! clip.video shotclip name=clip \(clip) \(sources)"
  }

  private func bursts(every milliseconds: Int) -> String {
    let source = "audiotestsrc wave=ticks freq=1000 sine-periods-per-tick=20 volume=0.8 tick-interval=\(milliseconds * 1_000_000)"
    return "\(source) samplesperbuffer=480 num-buffers=\(frames * 4) ! audio/x-raw,rate=48000,channels=1"
  }

  /// Sound for as long as the film: bursts of 20 ms, into pad `audio`.
  func sound(every milliseconds: Int = 370, _ effect: String = "") -> String {
    "\(bursts(every: milliseconds)) \(effect) ! queue ! clip.audio "
  }

  /// Where the bursts begin, in seconds.
  func burstTimes(every milliseconds: Int = 370) throws -> [Double] {
    let folder = try Folder()
    let file = folder.file("sound.wav")
    try Pipeline("\(bursts(every: milliseconds)) ! wavenc ! filesink location=\(file)").run()
    return try ClipOnDisk(path: file).bursts()
  }

  /// Of the film's bursts those that a clip between these times has, from its start on.
  static func bursts(_ all: [Double], from start: Double, to end: Double) -> [Double] {
    all.filter { $0 > start - 0.001 && $0 < end - 0.001 }.map { $0 - start }
  }
}

/// A file that an element under test has written.
struct ClipOnDisk {
  var path: String

  /// Its frames, decoded by GStreamer and made as large as `video`.
  func pictures(_ video: Video) throws -> [ArraySlice<UInt8>] {
    let caps = "video/x-raw,format=I420,width=\(video.width),height=\(video.height)"
    let bytes = try decoded("decodebin caps=\"video/x-raw(ANY)\" expose-all-streams=false ! videoconvert ! videoscale ! \(caps)")
    guard bytes.count % video.size == 0 else { throw Failure("\(path): \(bytes.count) bytes") }
    return stride(from: 0, to: bytes.count, by: video.size).map { bytes[$0..<$0 + video.size] }
  }

  /// Samples at 48 kHz of the one channel.
  func sound() throws -> [Int16] {
    let bytes = try decoded(
      "decodebin caps=\"audio/x-raw(ANY)\" expose-all-streams=false ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate=48000,channels=1"
    )
    return stride(from: 0, to: bytes.count - 1, by: 2).map { Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8) }
  }

  /// Where bursts of sound begin after quiet, in seconds.
  func bursts() throws -> [Double] {
    var quiet = 4800
    var found: [Double] = []
    for (index, sample) in try sound().enumerated() {
      if abs(Int(sample)) < 4000 {
        quiet += 1
      } else {
        if quiet >= 4800 { found.append(Double(index) / 48000) }
        quiet = 0
      }
    }
    return found
  }

  private func decoded(_ chain: String) throws -> [UInt8] {
    let folder = try Folder()
    let pipeline = try Pipeline("filesrc location=\"\(path)\" ! \(chain) ! filesink location=\(folder.file("raw"))")
    try pipeline.run()
    guard pipeline.bus.errors.isEmpty else { throw Failure("\(path): \(pipeline.bus.errors)") }
    return contents(of: folder.file("raw"))
  }

  /// What ffprobe reads of a stream, with its fields in the order in which they are named here.
  func probe(_ stream: String, _ fields: String) throws -> [[String]] {
    let (status, output) = try Program.run(
      ["ffprobe", "-v", "error", "-count_frames", "-select_streams", stream, "-show_entries", fields, "-of", "default=nk=1:nw=1", path])
    guard status == 0 else { throw Failure("ffprobe \(path): \(output)") }
    return output.split(separator: "\n").map { $0.split(separator: "|").map { String($0) } }
  }

  /// Frames that ffprobe decodes.
  func frames() throws -> Int { try probe("v", "stream=nb_read_frames").first?.first.flatMap { Int($0) } ?? 0 }
}

/// Mean absolute difference of two pictures' bytes.
func distance(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Double {
  a.withUnsafeBufferPointer { a in
    b.withUnsafeBufferPointer { b in
      let count = min(a.count, b.count)
      var sum = 0
      for index in 0..<count { sum += abs(Int(a[index]) - Int(b[index])) }
      return Double(sum) / Double(max(1, count))
    }
  }
}

extension Bus {
  /// Fields of all `shot-clip` messages.
  var clips: [Fields] { all(.element).compactMap(\.fields).filter { $0.name == "shot-clip" } }
  var clipPaths: [String] { clips.compactMap { $0.text("location") } }
  var clipFrames: [UInt64] { clips.compactMap { $0.number("frames") } }
}

extension Folder {
  /// What lies in it, sorted.
  var names: [String] { Self.names(in: path) }

  static func names(in path: String) -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var all: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { all.append(name) }
    }
    return all.sorted()
  }
}

/// The text of a field of a flat JSON object on one line, as it is written there.
func jsonField(_ name: String, _ line: String) -> String? {
  let parts = line.split(separator: "\"\(name)\": ", maxSplits: 1, omittingEmptySubsequences: false)
  guard parts.count == 2 else { return nil }
  let value = parts[1].hasPrefix("\"") ? parts[1].dropFirst().prefix { $0 != "\"" } : parts[1].prefix { $0 != "," && $0 != "}" }
  return String(value)
}
