// Prints the shot boundaries of a video as they are found.
//
//   . launch/env
//   swift run --package-path samples/swift boundaries FILE
//
// The plugin carries a Swift runtime of its own beside this program's.
import CGStreamer
import Glibc

@main
struct Boundaries {
  static func main() {
    guard CommandLine.arguments.count == 2 else { leave(2, "usage: boundaries FILE") }
    do { try watch(CommandLine.arguments[1]) } catch { leave(1, error.description) }
  }

  static func watch(_ path: String) throws(Failure) {
    gst_init(nil, nil)

    var error: UnsafeMutablePointer<GError>?
    let description = "filesrc name=file ! decodebin ! videoconvert ! shotdetect ! fakesink sync=false"
    guard let pipeline = gst_parse_launch_full(description, nil, GST_PARSE_FLAG_FATAL_ERRORS, &error) else {
      throw Failure(taking: error)
    }
    defer { gst_object_unref(pipeline) }
    let file = gst_bin_get_by_name(UnsafeMutableRawPointer(pipeline).assumingMemoryBound(to: GstBin.self), "file")
    gst_util_set_object_arg(UnsafeMutableRawPointer(file)?.assumingMemoryBound(to: GObject.self), "location", path)
    gst_object_unref(file)

    gst_element_set_state(pipeline, GST_STATE_PLAYING)
    defer { gst_element_set_state(pipeline, GST_STATE_NULL) }
    let bus = gst_element_get_bus(pipeline)
    defer { gst_object_unref(bus) }
    let wanted = GstMessageType(GST_MESSAGE_ELEMENT.rawValue | GST_MESSAGE_EOS.rawValue | GST_MESSAGE_ERROR.rawValue)
    while let message = gst_bus_timed_pop_filtered(bus, .max, wanted) {
      defer { gst_message_unref(message) }
      switch message.pointee.type {
      case GST_MESSAGE_EOS: return
      case GST_MESSAGE_ERROR:
        gst_message_parse_error(message, &error, nil)
        throw Failure(taking: error)
      default:
        if gst_message_has_name(message, "shot-boundary") != 0 { show(gst_message_get_structure(message)) }
      }
    }
  }

  static func show(_ boundary: UnsafePointer<GstStructure>?) {
    var frame: guint64 = 0, streamTime: guint64 = 0, score = 0.0
    gst_structure_get_uint64(boundary, "frame", &frame)
    gst_structure_get_uint64(boundary, "stream-time", &streamTime)
    gst_structure_get_double(boundary, "score", &score)
    let kind = gst_structure_get_string(boundary, "kind").map { String(cString: $0) } ?? "?"
    print("frame \(frame)  \(Double(streamTime) / 1e9) s  \(kind)  \(score)")
    fflush(nil)
  }

  static func leave(_ status: Int32, _ reason: String) -> Never {
    _ = (reason + "\n").withCString { write(2, $0, strlen($0)) }
    exit(status)
  }
}

/// What ends the program early.
struct Failure: Error, CustomStringConvertible {
  let description: String
  init(taking error: UnsafeMutablePointer<GError>?) {
    description = error.map { String(cString: $0.pointee.message) } ?? "unknown error"
    g_error_free(error)
  }
}
