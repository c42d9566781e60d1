/// The text of a file of prompts: one a line.
///
/// ```swift
/// let file = try PromptFile(bytes)
/// for prompt in file.prompts { … }
/// for problem in file.problems { print(problem) }   // line 3, column 12: expected ']' after the time
/// ```
///
/// UTF-8, with or without a byte order mark; lines end with LF, CRLF or CR. Lines that are empty or white space and those
/// that begin with `#` are skipped; a prompt that begins so has a blank before it. Cost: linear in the length.
public struct PromptFile: Hashable, Sendable {
  /// Why a file is not read.
  public enum Failure: Error, Hashable, CustomStringConvertible {
    /// It has more than ``PromptFile/mostBytes``.
    case tooLong(Int)
    /// The line, from 1, is not UTF-8, or has a zero byte.
    case notText(line: Int)

    public var description: String {
      switch self {
      case .tooLong(let bytes): "has \(bytes) bytes, more than \(PromptFile.mostBytes)"
      case .notText(let line): "is not UTF-8 text in line \(line)"
      }
    }
  }

  /// Longest file that is read: 1 MiB.
  public static let mostBytes = 1 << 20

  /// In order; may be empty.
  public private(set) var prompts: [PromptText] = []

  /// What was taken as plain though it looks like another form, with lines; columns count from a line's beginning.
  public var problems: [PromptProblem] { prompts.compactMap(\.problem) }

  /// - Parameter bytes: the whole file.
  /// - Throws: ``Failure`` if it is too long or no text. Prompts that break a form's rules are ``problems``, not errors.
  public init(_ bytes: [UInt8]) throws(Failure) {
    guard bytes.count <= Self.mostBytes else { throw .tooLong(bytes.count) }
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    var start = bytes.starts(with: mark) ? mark.count : 0
    var line = 1
    while start < bytes.count {
      let end = bytes[start...].firstIndex { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") } ?? bytes.count
      try add(bytes[start..<end], line)
      let isPair = end + 1 < bytes.count && bytes[end] == UInt8(ascii: "\r") && bytes[end + 1] == UInt8(ascii: "\n")
      start = end + (isPair ? 2 : 1)
      line += 1
    }
  }

  private mutating func add(_ bytes: ArraySlice<UInt8>, _ line: Int) throws(Failure) {
    guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else { throw .notText(line: line) }
    if bytes.first == UInt8(ascii: "#") || trimmed(text[...]).isEmpty { return }
    var prompt = PromptText(text)
    prompt.problem?.place = .line(line)
    prompts.append(prompt)
  }
}
