import CGStreamer

extension Excerpt {
  /// What a person saw in the excerpt: the labels beside it.
  struct Label {
    /// Of a cut the first frame of the new shot; else the first frame that is not clean.
    var start: UInt64
    /// Of a cut the same; else the last frame that is not clean.
    var end: UInt64
    var kind: String
  }

  static let labels: [Label] = lines(of: Plugin.root + "/samples/media/big-buck-bunny-excerpt.tsv").dropFirst().compactMap { line in
    let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
    guard fields.count > 2, let start = UInt64(fields[0]), let end = UInt64(fields[1]) else { return nil }
    return Label(start: start, end: end, kind: String(fields[2]))
  }
}

/// The excerpt, decoded once and made small: for tests that push its frames themselves.
final class SmallFilm: Sendable {
  /// From cut 721 over a fade (775 to 823), a dissolve (905 to 914) and the cuts at 1034 and 1071 to the next one's eve.
  static let middle = 700..<1100

  static let shared = Result { try SmallFilm() }

  let video: Video
  private let bytes: [UInt8]

  private init() throws {
    video = try Video("I420", 160, 90, rate: (24, 1))
    let folder = try Folder()
    let file = folder.file("film.yuv")
    let pipeline = try Pipeline(
      "filesrc location=\(Excerpt.film) ! decodebin ! videoscale ! video/x-raw,format=I420,width=160,height=90 ! filesink location=\(file)")
    try pipeline.run()
    bytes = contents(of: file)
    guard pipeline.bus.errors.isEmpty, bytes.count == Excerpt.frames * video.size else {
      throw Failure("\(bytes.count) bytes of film: \(pipeline.bus.errors)")
    }
  }

  /// A frame's bytes.
  func picture(_ number: Int) -> ArraySlice<UInt8> { bytes[number * video.size..<(number + 1) * video.size] }

  func frame(_ number: Int) throws -> UnsafeMutablePointer<GstBuffer> {
    let buffer = try video.makeBuffer()
    try withBytes(of: buffer) { to in
      bytes.withUnsafeBytes { from in
        to.copyMemory(from: UnsafeRawBufferPointer(rebasing: from[number * video.size..<(number + 1) * video.size]))
      }
    }
    return buffer
  }
}

extension UnsafeMutableBufferPointer<UInt8> {
  func copyMemory(from bytes: UnsafeRawBufferPointer) { UnsafeMutableRawBufferPointer(self).copyMemory(from: bytes) }
}

/// What is the same however a stream was played.
struct Found: Hashable, CustomStringConvertible {
  var kind: String
  var frame: UInt64
  var start: UInt64
  var end: UInt64
  var shot: UInt64

  init?(_ fields: Fields) {
    guard let kind = fields.text("kind"), let frame = fields.number("frame"), let start = fields.number("transition-start"),
      let end = fields.number("transition-end"), let shot = fields.number("shot")
    else { return nil }
    (self.kind, self.frame, self.start, self.end, self.shot) = (kind, frame, start, end, shot)
  }

  var description: String { "\(kind) at \(frame), \(start)–\(end), shot \(shot)" }
}

extension Bus {
  var found: [Found] { boundaries.compactMap { Found($0) } }
}

extension Harness {
  /// Pushes frames of the small film, the first of them at time 0.
  func play(_ film: SmallFilm, _ numbers: Range<Int> = SmallFilm.middle, before: (Int) throws -> Void = { _ in }) throws {
    if video == nil { setVideo(film.video) }
    for (index, number) in numbers.enumerated() {
      try before(index)
      guard push(try film.frame(number), at: frameTime(index, rate: (24, 1))) == GST_FLOW_OK else {
        throw Failure("frame \(index): \(bus.errors)")
      }
    }
  }
}
