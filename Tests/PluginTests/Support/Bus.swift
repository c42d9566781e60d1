import CGStreamer
import Synchronization

/// A message, decoded.
struct Message: Hashable {
  enum Kind: Hashable { case element, error, warning, endOfStream, tableOfContents, latency, other }

  var kind: Kind
  var source: String
  var fields: Fields?
  /// Of errors and warnings.
  var text = ""
  /// Of errors and warnings: domain and number, such as "gst-resource-error-quark 3".
  var code = ""
  var chapters: [Chapter] = []
  /// When it was posted.
  var posted: UInt64

  init(_ message: UnsafeMutablePointer<GstMessage>) {
    posted = monotonic()
    source =
      message.pointee.src.flatMap { gst_object_get_name($0) }.map { name in
        defer { g_free(name) }
        return String(cString: name)
      } ?? ""
    fields = gst_message_get_structure(message).map { Fields($0) }
    switch message.pointee.type {
    case GST_MESSAGE_ELEMENT: kind = .element
    case GST_MESSAGE_EOS: kind = .endOfStream
    case GST_MESSAGE_LATENCY: kind = .latency
    case GST_MESSAGE_ERROR:
      kind = .error
      (text, code) = Self.text(message, gst_message_parse_error)
    case GST_MESSAGE_WARNING:
      kind = .warning
      (text, code) = Self.text(message, gst_message_parse_warning)
    case GST_MESSAGE_TOC:
      kind = .tableOfContents
      var toc: OpaquePointer?
      gst_message_parse_toc(message, &toc, nil)
      if let toc {
        chapters = Chapter.all(in: toc)
        gst_mini_object_unref(UnsafeMutableRawPointer(toc).assumingMemoryBound(to: GstMiniObject.self))
      }
    default: kind = .other
    }
  }

  private typealias Parser = (
    UnsafeMutablePointer<GstMessage>?, UnsafeMutablePointer<UnsafeMutablePointer<GError>?>?,
    UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
  ) -> Void

  private static func text(_ message: UnsafeMutablePointer<GstMessage>, _ parse: Parser) -> (String, String) {
    var error: UnsafeMutablePointer<GError>?
    parse(message, &error, nil)
    defer { g_clear_error(&error) }
    guard let error else { return ("", "") }
    return (String(cString: error.pointee.message), "\(String(cString: g_quark_to_string(error.pointee.domain))) \(error.pointee.code)")
  }
}

/// A bus that keeps what is posted, decoded where and when it is posted.
final class Bus: Sendable {
  private let messages = Mutex<[Message]>([])
  private let hook = Mutex<(@Sendable (Message) -> Void)?>(nil)
  nonisolated(unsafe) let gst: UnsafeMutablePointer<GstBus>

  /// - Parameter known: a pipeline's bus, referenced by the caller; nil for a new one.
  init(_ known: UnsafeMutablePointer<GstBus>? = nil) throws {
    guard let bus = known ?? gst_bus_new() else { throw Failure("no bus") }
    gst = bus
    // The bus is cut off in deinit, before this object goes.
    gst_bus_set_sync_handler(
      bus,
      { _, message, me in
        guard let message, let me else { return GST_BUS_DROP }
        let message1 = Message(message)
        let bus = Unmanaged<Bus>.fromOpaque(me).takeUnretainedValue()
        bus.messages.withLock { $0.append(message1) }
        bus.hook.withLock { $0 }?(message1)
        gst_mini_object_unref(UnsafeMutableRawPointer(message).assumingMemoryBound(to: GstMiniObject.self))
        return GST_BUS_DROP
      }, Unmanaged.passUnretained(self).toOpaque(), nil)
  }

  deinit {
    gst_bus_set_sync_handler(gst, nil, nil, nil)
    gst_object_unref(gst)
  }

  /// Calls `body` with each message, on the thread that posts it, which waits for it.
  func onPost(_ body: @escaping @Sendable (Message) -> Void) { hook.withLock { $0 = body } }

  /// A copy of its own: what reference counts order between threads, the thread sanitizer does not see.
  var all: [Message] { messages.withLock { $0.map { $0 } } }
  func all(_ kind: Message.Kind) -> [Message] { all.filter { $0.kind == kind } }
  func clear() { messages.withLock { $0.removeAll() } }

  var errors: [String] { all(.error).map(\.text) }
  var warnings: [String] { all(.warning).map(\.text) }
  /// Fields of all `shot-boundary` messages.
  var boundaries: [Fields] { all(.element).compactMap(\.fields).filter { $0.name == "shot-boundary" } }
  /// Frames of all `shot-boundary` messages.
  var cuts: [UInt64] { boundaries.compactMap { $0.number("frame") } }
}
