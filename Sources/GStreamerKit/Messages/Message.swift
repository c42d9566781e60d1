import CGStreamer

/// What an element tells its application.
public struct Message: MiniObject, @unchecked Sendable {
  private var reference: Reference<GstMessage>

  /// Takes the caller's reference.
  public init(taking pointer: UnsafeMutablePointer<GstMessage>) { reference = Reference(miniObject: pointer) }

  /// For calls of the C API; still owned here.
  public var gst: UnsafeMutablePointer<GstMessage>? { reference.pointer }

  /// Such as `GST_MESSAGE_EOS`.
  public var type: GstMessageType { gst?.pointee.type ?? GST_MESSAGE_UNKNOWN }

  /// The fields of an element message, and of others that have them.
  public var structure: Structure? { gst.flatMap { gst_message_get_structure($0) }.map { Structure($0) } }

  /// Of an ERROR message: what is said, for whoever debugs, and whether it is about a resource, with its code.
  public var error: (text: String, debug: String?, resource: GstResourceError?)? {
    guard let gst, type == GST_MESSAGE_ERROR else { return nil }
    var error: UnsafeMutablePointer<GError>?
    var debug: UnsafeMutablePointer<CChar>?
    gst_message_parse_error(gst, &error, &debug)
    defer {
      g_clear_error(&error)
      g_free(debug)
    }
    guard let error else { return nil }
    let isResource = error.pointee.domain == gst_resource_error_quark()
    return (
      String(cString: error.pointee.message), debug.map { String(cString: $0) },
      isResource ? GstResourceError(rawValue: UInt32(bitPattern: error.pointee.code)) : nil
    )
  }
}
