import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The prompts that are set, or stand in a file that is read again when it changes.
public final class PromptFeed: Sendable {
  /// Why a file is not read.
  public enum Failure: Error, Hashable, Sendable {
    /// It is not there, with the system's reason.
    case missing(String)
    case unreadable(String)
    /// It is no text: "is not UTF-8 text in line 3".
    case notText(String)
  }

  private struct State {
    var texts: [PromptText] = []
    /// Where they are from.
    var listed: [String]?
    var file: FileStamp?
    var isMissing = false
  }

  /// By which a file that has changed is known.
  private struct FileStamp: Equatable {
    var path: String
    var seconds, nanoseconds, size, number: Int
  }

  private let state = Mutex(State())

  /// Empty until `read`.
  public init() {}

  /// Prompts as they were read last, in order.
  public var texts: [PromptText] { state.withLock { $0.texts } }

  /// Prompts that look like a form that they do not keep to, and are taken as plain.
  public var problems: [PromptProblem] { state.withLock { $0.texts.compactMap(\.problem) } }

  /// - Parameters:
  ///   - prompts: what counts without a file.
  ///   - path: of a file in their place.
  /// - Returns: whether there are other prompts than before.
  /// - Throws: for a file that vanished after it was read once only; what was read stays.
  public func read(prompts: [String], path: String?) throws(Failure) -> Bool {
    guard let path else {
      return state.withLock { state in
        guard state.listed != prompts else { return false }
        state.listed = prompts
        state.file = nil
        state.texts = ShotPlan.texts(prompts)
        return true
      }
    }
    guard let stamp = try stamp(path) else { return false }
    if state.withLock({ $0.file == stamp }) { return false }
    let file: PromptFile
    do {
      file = try PromptFile(try Self.contents(path, stamp.size))
    } catch let error as PromptFile.Failure {
      throw .notText("\(error)")
    } catch let error as Failure {
      throw error
    } catch {
      throw .unreadable("\(error)")
    }
    state.withLock { state in
      state.texts = file.prompts
      state.file = stamp
      state.listed = nil
      state.isMissing = false
    }
    return true
  }

  private static func contents(_ path: String, _ size: Int) throws(Failure) -> [UInt8] {
    guard size <= PromptFile.mostBytes else { throw .unreadable("\(PromptFile.Failure.tooLong(size))") }
    func failure() -> Failure { .unreadable("Failed to open file “\(path)”: \(String(cString: strerror(errno)))") }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure() }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= PromptFile.mostBytes {
      let count = Self.read(descriptor, &piece)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure() }
      if count == 0 { break }
      bytes += piece.prefix(count)
    }
    return bytes
  }

  private static func read(_ descriptor: Int32, _ piece: inout [UInt8]) -> Int {
    piece.withUnsafeMutableBytes { piece in
      #if canImport(Glibc)
        Glibc.read(descriptor, piece.baseAddress, piece.count)
      #else
        Musl.read(descriptor, piece.baseAddress, piece.count)
      #endif
    }
  }

  /// nil if the file vanished after it was read, and that was told.
  private func stamp(_ path: String) throws(Failure) -> FileStamp? {
    var status = stat()
    guard stat(path, &status) == 0 else {
      let reason = String(cString: strerror(errno))
      let isNews = state.withLock { state in
        defer { state.isMissing = true }
        return !state.isMissing || state.file == nil
      }
      if isNews { throw .missing(reason) }
      return nil
    }
    return FileStamp(
      path: path, seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec, size: Int(status.st_size),
      number: Int(clamping: status.st_ino))
  }
}
