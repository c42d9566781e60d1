import CGStreamer
import Clips
import GStreamerKit
import ShotLists
import Shots

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Has the user's command describe scenes of a clip.
struct Captioner {
  private let command: CaptionCommand
  /// Nanoseconds.
  private let timeout: UInt64

  /// - Throws: LIBRARY/SETTINGS if the text cannot be split into arguments.
  init(_ text: String, timeout: UInt64) throws {
    var error: UnsafeMutablePointer<GError>?
    var words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    var count: gint = 0
    defer {
      g_clear_error(&error)
      g_strfreev(words)
    }
    guard g_shell_parse_argv(text, &count, &words, &error) != 0, let words else {
      let reason = error.map { String(cString: $0.pointee.message) } ?? "it is empty"
      throw ElementError.library(GST_LIBRARY_ERROR_SETTINGS, "captioner: \"\(text)\" cannot be split into arguments: \(reason)")
    }
    command = CaptionCommand(arguments: (0..<Int(count)).compactMap { words[$0].map { String(cString: $0) } })
    self.timeout = timeout
  }

  /// What the command says of each scene; empty for a scene without frames.
  ///
  /// - Throws: the command's failure, or what reading the clip or writing the pictures throws.
  func describe(_ scenes: [FinishedClip.Scene], of path: String, isCancelled: () -> Bool) throws -> [String] {
    let folder = g_get_tmp_dir().map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(folder)/shotclip-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw FileError(.open, path: folder, code: errno) }
    let own = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let (first, last) = ("\(own)/first.png", "\(own)/last.png")
    defer {
      unlink(first)
      unlink(last)
      rmdir(own)
    }
    var captions: [String] = []
    for ends in try ClipFrames(path: path).ends(of: scenes) {
      guard let ends else {
        captions.append("")
        continue
      }
      try Self.write(ends.first, to: first)
      try Self.write(ends.last, to: last)
      do {
        captions.append(try command.run(first: first, last: last, timeout: timeout, isCancelled: isCancelled))
      } catch {
        throw ElementError.resource(
          GST_RESOURCE_ERROR_FAILED, "The captioner \"\(command.program)\" \(error): scenes stay without captions.")
      }
    }
    return captions
  }

  private static func write(_ frame: ClipFrames.Frame, to path: String) throws {
    guard let caps = gst_caps_from_string("image/png") else { return }
    defer { gst_caps_unref(caps) }
    let raw = gst_sample_new(frame.buffer.gst, frame.caps.gst, nil, nil)
    defer { gst_sample_unref(raw) }
    var error: UnsafeMutablePointer<GError>?
    defer { g_clear_error(&error) }
    guard let png = gst_video_convert_sample(raw, caps, 30_000_000_000, &error) else {
      let reason = error.map { String(cString: $0.pointee.message) } ?? "unknown error"
      throw ElementError.stream(GST_STREAM_ERROR_ENCODE, "No PNG for the captioner: \(reason)")
    }
    defer { gst_sample_unref(png) }
    guard let buffer = gst_sample_get_buffer(png) else { return }
    var map = GstMapInfo()
    guard gst_buffer_map(buffer, &map, GST_MAP_READ) != 0 else { return }
    defer { gst_buffer_unmap(buffer, &map) }
    guard g_file_set_contents(path, UnsafeRawPointer(map.data).assumingMemoryBound(to: CChar.self), gssize(map.size), &error) != 0 else {
      throw ElementError.resource(
        GST_RESOURCE_ERROR_WRITE, error.map { String(cString: $0.pointee.message) } ?? "Could not write to \"\(path)\"")
    }
  }
}
