import CGStreamer
import Clips
import GStreamerKit
import Timing

/// Has the user's command describe scenes of a clip.
struct Captioner {
  private let command: CaptionCommand
  private let timeout: ClockTime

  /// - Throws: LIBRARY/SETTINGS if the text cannot be split into arguments.
  init(_ text: String, timeout: ClockTime) throws {
    do {
      command = CaptionCommand(arguments: try ShellWords(text).words)
    } catch {
      throw ElementError.library(GST_LIBRARY_ERROR_SETTINGS, "captioner: \"\(text)\" cannot be split into arguments: \(error)")
    }
    self.timeout = timeout
  }

  /// What the command says of each scene; empty for a scene without frames.
  ///
  /// - Throws: the command's failure, or what reading the clip or writing the pictures throws.
  func describe(_ scenes: [FinishedClip.Scene], of path: String, isCancelled: () -> Bool) throws -> [String] {
    let folder = try ScratchFolder(prefix: "shotclip", files: ["first.png", "last.png"])
    let (first, last) = ("\(folder.path)/first.png", "\(folder.path)/last.png")
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

  private static func write(_ frame: Sample, to path: String) throws {
    guard let form = Caps("image/png") else { return }
    let png: Sample
    do {
      png = try frame.converted(to: form, within: .milliseconds(30_000))
    } catch {
      throw ElementError.stream(GST_STREAM_ERROR_ENCODE, "No PNG for the captioner: \(error)")
    }
    try png.buffer?.write(toFile: path)
  }
}
