import CGStreamer

/// A category of GStreamer's debug log (`GST_DEBUG=shotdetect:6`).
public struct DebugCategory: @unchecked Sendable {
  let category: UnsafeMutablePointer<GstDebugCategory>?

  /// - Parameters:
  ///   - name: what `GST_DEBUG` calls it, lower case, unique in the process. Keep the value, `static let`.
  ///   - description: what `gst-inspect-1.0 --gst-debug-help` says of it.
  public init(_ name: String, _ description: String) {
    category = _gst_debug_category_new(name, 0, description)
  }

  /// Logs for an element. `text` is built only if somebody listens.
  public func log(
    _ level: GstDebugLevel, _ element: ElementHandle, _ text: @autoclosure () -> String,
    file: StaticString = #fileID, function: StaticString = #function, line: Int32 = #line
  ) {
    guard let category, cgst_debug_enabled(category, level) != 0 else { return }
    file.withUTF8Buffer { file in
      function.withUTF8Buffer { function in
        file.withMemoryRebound(to: CChar.self) { file in
          function.withMemoryRebound(to: CChar.self) { function in
            gst_debug_log_literal(category, level, file.baseAddress, function.baseAddress, line, element.gobject, text())
          }
        }
      }
    }
  }
}
