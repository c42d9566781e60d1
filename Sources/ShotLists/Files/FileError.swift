#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Why a file could not be written.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was being done. The first three are calls of the system.
  public enum Operation: String, Sendable {
    case open, write, close
    /// Putting the finished file in the place of the running one.
    case replace
    /// The writer is so far behind that the queue is full.
    case queue
    /// The system gave no thread.
    case thread
  }

  /// What failed. After it nothing more is written.
  public var operation: Operation
  /// As the caller gave it.
  public var path: String
  /// The system's error number; 0 for a full queue.
  public var code: Int32

  /// Only ``Operation/queue`` has code 0; the others have the system's `errno`.
  public init(_ operation: Operation, path: String, code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  /// The system's text for ``code``.
  public var reason: String {
    if operation == .queue { return "the disk does not keep up: too much is waiting to be written" }
    guard let text = strerror(code) else { return "error \(code)" }
    return String(cString: text)
  }

  /// `ENOSPC`, of which applications are told by a code of its own. A quota that is used up is not that.
  public var isOutOfSpace: Bool { code == ENOSPC }

  public var description: String {
    let verb =
      switch operation {
      case .open: "open"
      case .write, .queue: "write to"
      case .close: "close"
      case .replace: "finish"
      case .thread: "start a thread for"
      }
    return "Could not \(verb) \"\(path)\": \(reason)"
  }
}
