import Files
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The prompts that are set, or stand in a file that is read again when it changes.
public final class PromptFeed: Sendable {
  /// Why a file is not read, as a clause whose subject is the file.
  public enum Failure: Error, Hashable, Sendable {
    /// It is not there, with the system's reason.
    case missing(String)
    /// The system does not let it be read, or it is no regular file, or longer than ``PromptFile/mostBytes``.
    case unreadable(String)
    /// It is no text: "is not UTF-8 text in line 3".
    case notText(String)
  }

  private struct State {
    var texts: [PromptText] = []
    /// Where they are from.
    var listed: String?
    var file: (path: String, stamp: RegularFile.Stamp)?
    /// Why the file of this path was not read when it was last tried.
    var failure: (path: String, reason: Failure)?
    /// Why ``listed`` is no list.
    var problem: PromptProblem?
  }

  private let state = Mutex(State())

  /// Empty until `read`.
  public init() {}

  /// Prompts as they were read last, in order.
  public var texts: [PromptText] { state.withLock { $0.texts } }

  /// Prompts that look like a form that they do not keep to, and are taken as plain; a list that is none comes first.
  public var problems: [PromptProblem] {
    state.withLock { state in (state.problem.map { [$0] } ?? []) + state.texts.compactMap(\.problem) }
  }

  /// - Parameters:
  ///   - prompts: what counts without a file, as ``PromptList`` understands it.
  ///   - path: of a file in their place; a regular file, so that nothing waits for what is not there yet.
  /// - Returns: whether there are other prompts than before.
  /// - Throws: once something was read, each failure once only; what was read stays.
  public func read(prompts: String, path: String?) throws(Failure) -> Bool {
    guard let path else {
      return state.withLock { state in
        guard state.listed != prompts else { return false }
        let list = PromptList(prompts)
        (state.listed, state.file, state.failure) = (prompts, nil, nil)
        (state.texts, state.problem) = (ShotPlan.texts(list.prompts), list.problem)
        return true
      }
    }
    do throws(Failure) {
      return try read(path)
    } catch {
      let isNews = state.withLock { state in
        defer { state.failure = (path, error) }
        guard let last = state.failure, state.file != nil else { return true }
        return last.path != path || last.reason != error
      }
      if isNews { throw error }
      return false
    }
  }

  private func read(_ path: String) throws(Failure) -> Bool {
    let (bytes, stamp): ([UInt8], RegularFile.Stamp)
    do throws(RegularFile.Failure) {
      let seen = try RegularFile.stamp(path: path)
      let isKnown = state.withLock { state in
        guard let file = state.file, file.path == path, file.stamp == seen else { return false }
        state.failure = nil
        return true
      }
      if isKnown { return false }
      let file = try RegularFile(path: path)
      // Of a file that is being written what is there by now; the rest when it is looked at next, as its stamp is another then.
      (bytes, stamp) = (try file.contents(atMost: PromptFile.mostBytes), file.stamp)
    } catch {
      switch error {
      case .system(ENOENT), .system(ENOTDIR): throw .missing("\(error)")
      default: throw .unreadable("\(error)")
      }
    }
    let texts: [PromptText]
    do throws(PromptFile.Failure) { texts = try PromptFile(bytes).prompts } catch { throw .notText("\(error)") }
    state.withLock { state in
      (state.texts, state.problem, state.listed) = (texts, nil, nil)
      (state.file, state.failure) = ((path, stamp), nil)
    }
    return true
  }
}
