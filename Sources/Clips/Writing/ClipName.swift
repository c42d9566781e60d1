import ShotLists
import Timing

/// Names for clips, from a pattern such as `clips/{shot}-%05d.mp4`.
///
/// ```swift
/// let pattern = try ClipNamePattern("clip%05d.mp4")
/// pattern.name(number: 7, shot: 3, start: 0)  // "clip00007.mp4"
/// ```
///
/// - `%d`, `%05d`: the number of the clip, once at most, padded with zeros to as many digits; `%%` is a percent sign.
/// - `{shot}`: the ordinal of the shot that the clip shows, or that begins in it.
/// - `{time}`: where the clip starts in the medium, `00-01-02.345`.
/// - `{{` and `}}` are braces: `{{shot}}` is the text `{shot}`. A brace by itself, or around another word, is one too.
public struct ClipNamePattern: Hashable, Sendable {
  private enum Part: Hashable {
    case text(String), number(width: Int), shot, time
  }

  /// A `%` that stands for nothing.
  public struct Invalid: Error, CustomStringConvertible {
    /// As it was given.
    public let pattern: String
    /// For the user.
    public var description: String {
      "\"\(pattern)\" is no pattern for names: it may have one number such as %05d; a percent sign is written %%"
    }
  }

  private let parts: [Part]
  /// Whether names differ by a number of their own.
  public let hasNumber: Bool

  /// Throws what is wrong with a pattern that is none.
  public init(_ pattern: String) throws(Invalid) {
    var parts: [Part] = []
    var text = ""
    func flush() {
      if !text.isEmpty { parts.append(.text(text)) }
      text = ""
    }
    var rest = Substring(pattern)
    var numbers = 0
    while let first = rest.first {
      if rest.hasPrefix("{{") || rest.hasPrefix("}}") {
        text.append(first)
        rest = rest.dropFirst(2)
      } else if let (word, part) = [("{shot}", Part.shot), ("{time}", Part.time)].first(where: { rest.hasPrefix($0.0) }) {
        flush()
        parts.append(part)
        rest = rest.dropFirst(word.count)
      } else if rest.hasPrefix("%%") {
        text += "%"
        rest = rest.dropFirst(2)
      } else if first == "%" {
        let digits = rest.dropFirst().prefix { ("0"..."9").contains($0) }
        rest = rest.dropFirst(1 + digits.count)
        numbers += 1
        // A width is written with its zero: others would pad with spaces.
        guard rest.first == "d", numbers == 1, digits.isEmpty || (digits.first == "0" && digits.count <= 3) else {
          throw Invalid(pattern: pattern)
        }
        flush()
        parts.append(.number(width: Int(digits) ?? 0))
        rest = rest.dropFirst()
      } else {
        text.append(first)
        rest = rest.dropFirst()
      }
    }
    flush()
    self.parts = parts
    hasNumber = numbers > 0
  }

  /// - Parameters:
  ///   - number: of the clip.
  ///   - shot: ordinal, from 1.
  ///   - start: stream time.
  public func name(number: UInt64, shot: UInt64, start: ClockTime) -> String {
    parts.map { part in
      switch part {
      case .text(let text): text
      case .number(let width): padded(number, width)
      case .shot: "\(shot)"
      // Not every file system knows colons.
      case .time: String(clockText(start).map { $0 == ":" ? "-" : $0 })
      }
    }.joined()
  }
}
