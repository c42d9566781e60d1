import Timing

/// A command that looks at two pictures and prints one line.
public struct CaptionCommand: Sendable {
  /// Why there is no line.
  public typealias Failure = Subprocess.Failure

  /// No line is longer, in bytes.
  static let longest = 1 << 16

  private let arguments: [String]

  /// - Parameter arguments: the program, looked for in PATH, and what it is given. `{first}` and `{last}` in them become
  ///   the paths of the pictures. No shell reads them.
  public init(arguments: [String]) { self.arguments = arguments }

  /// The command's first word.
  public var program: String { arguments.first ?? "" }

  /// Runs it and waits for its end.
  ///
  /// - Parameters:
  ///   - timeout: after which it is killed with all that it has started.
  ///   - isCancelled: asked every few milliseconds.
  /// - Returns: the first line of what it printed, without blanks around it.
  public func run(first: String, last: String, timeout: ClockTime, isCancelled: () -> Bool) throws(Failure) -> String {
    let words = arguments.map { replaced(replaced($0, "{first}", by: first), "{last}", by: last) }
    return Self.line(try Subprocess(arguments: words).run(timeout: timeout, longest: Self.longest, isCancelled: isCancelled))
  }

  private static func line(_ bytes: [UInt8]) -> String {
    let line = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    let blanks: Set<Character> = [" ", "\t", "\r", "\r\n"]
    let start = line.firstIndex { !blanks.contains($0) } ?? line.endIndex
    let end = line.lastIndex { !blanks.contains($0) }.map { line.index(after: $0) } ?? line.endIndex
    return String(line[start..<end])
  }
}

/// `text` with every `word` replaced.
private func replaced(_ text: String, _ word: String, by new: String) -> String {
  var out = ""
  var rest = Substring(text)
  while let character = rest.first {
    if rest.hasPrefix(word) {
      out += new
      rest = rest.dropFirst(word.count)
    } else {
      out.append(character)
      rest = rest.dropFirst()
    }
  }
  return out
}
