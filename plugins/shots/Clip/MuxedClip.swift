import CGStreamer
import Clips
import GStreamerKit
import ShotLists
import Timing

/// One clip's file while it is written: a pipeline of its own that muxes what it is given, picture encoded, sound raw.
///
/// `write` waits when the disk is behind by more than `backlog` bytes.
final class MuxedClip: ClipFile {
  typealias Packet = Buffer
  typealias Sound = Buffer
  typealias Format = Caps

  /// Bytes of picture that may wait for the disk.
  private static let backlog = 16 << 20
  /// The frames' clock starts here, so that those decoded before the first one is shown have times too.
  private static let origin = ClockTime.milliseconds(3_600_000)

  private let start: ClockTime
  private let pipeline: Pipeline
  private let picture: AppSource?
  private var sound: AppSource?
  private let soundInfo: AudioInfo?
  /// Until the first frame has told them.
  private var pictureCaps: Caps?
  private var part: PartFile
  private let path: String

  /// - Throws: RESOURCE/OPEN_WRITE; CORE/MISSING_PLUGIN; STREAM/FORMAT if the muxer does not take the streams.
  init(_ clip: ClipBeginning<Caps>, _ format: ClipFormat) throws {
    path = clip.path
    start = clip.start
    pictureCaps = clip.picture
    do { part = try PartFile(beside: path) } catch { throw ElementError(error) }
    soundInfo = clip.sound?.audio

    var description = "\(format.muxer) name=mux ! fdsink name=out sync=false fd=\(part.descriptor)"
    // Neither source blocks: the muxer may be waiting for the other one. `write` looks at the backlog instead.
    description += " appsrc name=picture format=time handle-segment-change=true max-bytes=0"
    if soundInfo != nil {
      description +=
        " appsrc name=sound format=time max-bytes=0 ! audioconvert ! audioresample ! \(format.audioEncoder) ! identity name=heard"
    }
    pipeline = try Pipeline(description)
    picture = pipeline.source("picture")
    sound = pipeline.source("sound")

    try link("picture", clip.picture)
    if soundInfo != nil { try link("heard", nil) }
    if let caps = clip.sound { sound?.set(caps) }
    guard pipeline.play() else { throw failure() }
  }

  var hasSound: Bool { sound != nil }

  func write(_ packet: Buffer, at running: ClockTime, lasting duration: ClockTime) throws {
    guard let picture else { return }
    while picture.level > Self.backlog { if let error = error(within: .milliseconds(20)) { throw error } }
    var buffer = packet
    let shown = Self.origin.saturating(adding: running).less(start)
    buffer.pts = shown
    if duration > 0 { buffer.duration = duration }
    // As long before it is shown as the encoder has it decoded, if it tells.
    let reorder = packet.pts.flatMap { pts in packet.dts.map { pts.less($0) } } ?? 0
    buffer.dts = shown.less(min(reorder, Self.origin))
    if let caps = pictureCaps, let sample = Sample(buffer, caps, Segment().limited(to: Self.origin..<ClockTime.max)) {
      pictureCaps = nil
      picture.push(sample)
    } else {
      picture.push(buffer)
    }
    if let error = error(within: 0) { throw error }
  }

  func write(sound piece: Buffer, at running: ClockTime, in range: Range<ClockTime>) {
    guard let sound, let soundInfo, !range.isEmpty else { return }
    var piece = piece
    piece.pts = running
    guard var clipped = piece.clipped(to: Segment().limited(to: range), soundInfo) else { return }
    clipped.pts = clipped.pts.map { $0.less(start) }
    sound.push(clipped)
  }

  func endSound() {
    sound?.end()
    sound = nil
  }

  func finish(overwriting: Bool, as name: (UInt64) -> String) throws -> UInt64 {
    endSound()
    picture?.end()
    if let error = error(within: nil) { throw error }
    pipeline.stop()
    do { return try part.publish(overwriting: overwriting, as: name) } catch { throw ElementError(error) }
  }

  /// The pipeline's error, if it posts one before it ends or the time is over.
  private func error(within time: ClockTime?) -> ElementError? { pipeline.error(within: time).map { ElementError($0, path: path) } }

  private func failure() -> ElementError {
    error(within: 0) ?? .stream(GST_STREAM_ERROR_MUX, "\"\(path)\" cannot be written: its pipeline does not start.")
  }

  private func link(_ name: String, _ caps: Caps?) throws {
    guard let source = pipeline.pad("src", of: name) else { throw failure() }
    guard let sink = pipeline.pad(of: "mux", compatibleWith: source, caps: caps) else {
      throw ElementError.stream(
        GST_STREAM_ERROR_FORMAT,
        "\"\(path)\" cannot be written: its muxer does not take what the encoder gives. Set muxer, or the other extension.")
    }
    guard source.link(to: sink) else { throw failure() }
  }
}
