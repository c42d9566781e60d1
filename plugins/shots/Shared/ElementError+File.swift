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
  init(_ message: UnsafeMutablePointer<GstMessage>, path: String) {
    var error: UnsafeMutablePointer<GError>?
    var debug: UnsafeMutablePointer<CChar>?
    gst_message_parse_error(message, &error, &debug)
    defer {
      g_clear_error(&error)
      g_free(debug)
    }
    let text = "Could not write to \"\(path)\": " + (error.map { String(cString: $0.pointee.message) } ?? "unknown error")
    let isResource = error?.pointee.domain == gst_resource_error_quark()
    self.init(
      isResource ? .resource(GstResourceError(rawValue: UInt32(bitPattern: error?.pointee.code ?? 1))) : .stream(GST_STREAM_ERROR_MUX),
      text, debug: debug.map { String(cString: $0) })
  }
}
