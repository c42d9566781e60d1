import CGStreamer
import GStreamerKit
import ShotLists
import Shots

extension ElementError {
  /// A file that cannot be written: RESOURCE/OPEN_WRITE, NO_SPACE_LEFT or WRITE.
  init(_ error: FileError) {
    let code =
      switch error.operation {
      case .open: GST_RESOURCE_ERROR_OPEN_WRITE
      default: error.isOutOfSpace ? GST_RESOURCE_ERROR_NO_SPACE_LEFT : GST_RESOURCE_ERROR_WRITE
      }
    self = .resource(code, "\(error)")
  }

  /// The error that an element of a clip's own pipeline posted.
  init(_ message: Message, path: String) {
    let error = message.error
    self.init(
      error?.resource.map { .resource($0) } ?? .stream(GST_STREAM_ERROR_MUX),
      "Could not write to \"\(path)\": \(error?.text ?? "unknown error")", debug: error?.debug)
  }
}
