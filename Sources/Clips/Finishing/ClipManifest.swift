import Files
import ShotLists
import Shots
import Timing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What a manifest says of one clip: the fields of TAV's clip list, and what else was known.
///
/// Times are nanoseconds of stream time, the position in the medium.
public struct ClipRecord: Hashable, Sendable {
  /// Where the clip lies.
  public var path: String
  /// Name of the medium; may be empty.
  public var videoName: String
  /// Where its first frame is in the medium.
  public var start: ClockTime
  /// Where its last frame ends.
  public var end: ClockTime
  /// How many it has.
  public var frames: UInt64
  /// Ordinal of the shot that the clip shows, or that begins in it.
  public var shot: UInt64
  /// What opened the shot; nil for the first.
  public var boundary: Boundary?
  /// Captions; empty where there are none.
  public var previousText = ""
  /// Caption of the shot, or of the scene behind the boundary.
  public var nextText = ""
  /// Pixels.
  public var width: Int
  /// Pixels.
  public var height: Int
  /// nil if it varies.
  public var rate: FrameRate?

  /// A record without captions.
  public init(
    path: String, videoName: String, start: ClockTime, end: ClockTime, frames: UInt64, shot: UInt64, boundary: Boundary?, width: Int,
    height: Int,
    rate: FrameRate?
  ) {
    self.path = path
    self.videoName = videoName
    self.start = start
    self.end = end
    self.frames = frames
    self.shot = shot
    self.boundary = boundary
    self.width = width
    self.height = height
    self.rate = rate
  }

  /// As TAV's paper writes it.
  public var text: String {
    previousText.isEmpty && nextText.isEmpty ? "" : "Previous scene: \(previousText); Next scene: \(nextText)"
  }

  /// A JSON object on one line; times in seconds.
  public var json: String {
    func seconds(_ time: ClockTime?) -> String { jsonNumber(time.map { Double($0) / 1e9 } ?? .nan) }
    let fields: [(String, String)] = [
      ("file_path", jsonString(path)),
      ("video_name", jsonString(videoName)),
      ("start_time", seconds(start)),
      ("end_time", seconds(end)),
      ("duration", seconds(end >= start ? end.less(start) : nil)),
      ("transition_frame", seconds(boundary?.streamTime)),
      ("text", jsonString(text)),
      ("previous_text", jsonString(previousText)),
      ("next_text", jsonString(nextText)),
      ("kind", boundary.map { jsonString($0.kind.rawValue) } ?? "null"),
      ("score", jsonNumber(boundary?.score ?? .nan)),
      ("detector", boundary.map { jsonString($0.detector) } ?? "null"),
      ("shot", "\(shot)"),
      ("frames", "\(frames)"),
      ("width", "\(width)"),
      ("height", "\(height)"),
      ("frame_rate", jsonNumber(rate?.perSecond ?? .nan)),
    ]
    return "{" + fields.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
  }
}

/// A file that grows by whole lines.
public struct LineFile: ~Copyable {
  private let path: String
  private let file: RegularFile

  /// Lines go behind what is there. Waits for the disk, as everything here, but for nobody else.
  ///
  /// - Throws: also for a FIFO or a device, which keep no lines.
  public init(path: String) throws(FileError) {
    self.path = path
    do throws(RegularFile.Failure) { file = try RegularFile(writing: path, flags: O_APPEND) } catch { throw FileError(error, path: path) }
  }

  /// Finds out whether lines can be added to what is at a path, if there is anything. Nothing is made or changed.
  public static func check(_ path: String) throws(FileError) {
    if let kind = FileKind(at: path), kind != .regular { throw FileError(.open, path: path, kind: kind) }
    if FileName.isTooLong(path) { throw FileError(.open, path: path, code: ENAMETOOLONG) }
  }

  /// Adds a line in one write, so that readers see all of it or nothing.
  public func append(_ line: String) throws(FileError) {
    let descriptor = file.descriptor
    var status = stat()
    let end = fstat(descriptor, &status) == 0 ? status.st_size : -1
    let bytes = Array((line + "\n").utf8)
    var count = -1
    repeat { count = write(descriptor, bytes, bytes.count) } while count < 0 && errno == EINTR
    if count == bytes.count { return }
    let code = count < 0 ? errno : ENOSPC
    // Half a line is none.
    if count > 0, end >= 0 { _ = ftruncate(descriptor, end) }
    throw FileError(.write, path: path, code: code)
  }
}
