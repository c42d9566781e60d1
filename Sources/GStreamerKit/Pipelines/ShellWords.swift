import CGStreamer

/// Text as a shell would split it into arguments, with quotes and backslashes; nothing in it is expanded.
public struct ShellWords: Hashable, Sendable {
  /// At least one.
  public let words: [String]

  /// Why text cannot be split: GLib's reason.
  public struct Invalid: Error, CustomStringConvertible {
    /// A sentence.
    public let description: String
  }

  /// Throws for text that has no words, and for quotes that do not end.
  public init(_ text: String) throws(Invalid) {
    var error: UnsafeMutablePointer<GError>?
    var words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    var count: gint = 0
    defer {
      g_clear_error(&error)
      g_strfreev(words)
    }
    guard g_shell_parse_argv(text, &count, &words, &error) != 0, let words else {
      throw Invalid(description: error.map { String(cString: $0.pointee.message) } ?? "it is empty")
    }
    self.words = (0..<Int(count)).compactMap { words[$0].map { String(cString: $0) } }
  }
}
