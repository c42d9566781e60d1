import CGStreamer

/// What went wrong, as an application sees it on the bus.
public struct ElementError: Error, Sendable, CustomStringConvertible {
  /// Error domain and code, as in GStreamer's documentation.
  public enum Code: Sendable {
    case core(GstCoreError), library(GstLibraryError), resource(GstResourceError), stream(GstStreamError)
  }

  /// What applications tell errors apart by.
  public var code: Code
  /// One sentence for the user. Names the file, format or setting that is to blame.
  public var text: String
  /// For whoever debugs.
  public var debug: String?

  public var description: String { text }

  /// ``resource(_:_:)`` and the like are shorter where there is nothing to debug.
  public init(_ code: Code, _ text: String, debug: String? = nil) {
    self.code = code
    self.text = text
    self.debug = debug
  }

  /// Files, devices, memory, network: `GST_RESOURCE_ERROR_NOT_FOUND`, `_OPEN_READ`, `_NO_SPACE_LEFT`, ….
  public static func resource(_ code: GstResourceError, _ text: String) -> ElementError { ElementError(.resource(code), text) }
  /// What is wrong with the data: `GST_STREAM_ERROR_FORMAT`, `_DECODE`, `_FAILED`, ….
  public static func stream(_ code: GstStreamError, _ text: String) -> ElementError { ElementError(.stream(code), text) }
  /// How elements work together: `GST_CORE_ERROR_NEGOTIATION`, `_MISSING_PLUGIN`, `_PAD`, ….
  public static func core(_ code: GstCoreError, _ text: String) -> ElementError { ElementError(.core(code), text) }
  /// The element's own libraries and settings: `GST_LIBRARY_ERROR_INIT`, `_SETTINGS`, ….
  public static func library(_ code: GstLibraryError, _ text: String) -> ElementError { ElementError(.library(code), text) }

  /// Any error as an element error: unknown ones become STREAM/FAILED with their description.
  public init(converting error: any Error) {
    self = error as? ElementError ?? .stream(GST_STREAM_ERROR_FAILED, "\(error)")
  }

  /// Why text that describes elements does not parse.
  public init(parsing description: String, _ error: UnsafePointer<GError>?) {
    let reason = error.map { String(cString: $0.pointee.message) } ?? "it describes no element"
    let isMissing =
      error?.pointee.domain == gst_parse_error_quark() && error?.pointee.code == Int32(GST_PARSE_ERROR_NO_SUCH_ELEMENT.rawValue)
    let text = "\"\(description)\" cannot be used: \(reason)."
    self = isMissing ? .core(GST_CORE_ERROR_MISSING_PLUGIN, text) : .library(GST_LIBRARY_ERROR_SETTINGS, text)
  }

  var domainAndCode: (GQuark, Int32) {
    switch code {
    case .core(let code): (gst_core_error_quark(), Int32(bitPattern: code.rawValue))
    case .library(let code): (gst_library_error_quark(), Int32(bitPattern: code.rawValue))
    case .resource(let code): (gst_resource_error_quark(), Int32(bitPattern: code.rawValue))
    case .stream(let code): (gst_stream_error_quark(), Int32(bitPattern: code.rawValue))
    }
  }
}
