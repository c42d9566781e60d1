import Files

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
  /// The system's error number; 0 for a full queue, and where ``kind`` says why.
  public var code: Int32
  /// What is there instead of a regular file, if that is why.
  public var kind: FileKind?

  /// Only ``Operation/queue`` has code 0; the others have the system's `errno`.
  public init(_ operation: Operation, path: String, code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  /// What is there is no regular file.
  public init(_ operation: Operation, path: String, kind: FileKind) {
    self.init(operation, path: path, code: 0)
    self.kind = kind
  }

  /// A file that cannot be opened.
  package init(_ failure: RegularFile.Failure, path: String) {
    switch failure {
    case .system(let code): self.init(.open, path: path, code: code)
    case .kind(let kind): self.init(.open, path: path, kind: kind)
    case .changed: self.init(.open, path: path, code: ESTALE)
    case .tooLong: self.init(.open, path: path, code: EFBIG)
    }
  }

  /// The system's text for ``code``, or what else is the reason.
  public var reason: String {
    if let kind { return "it is \(kind.words), not a regular file" }
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
