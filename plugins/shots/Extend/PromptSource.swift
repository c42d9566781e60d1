import CGStreamer
import Extension
import GStreamerKit
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The prompts that are set, or stand in a file, and the plans made of them.
final class PromptSource: Sendable {
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

  private let handle: ElementHandle
  private let state = Mutex(State())

  /// - Throws: RESOURCE/NOT_FOUND or /OPEN_READ with the file, STREAM/FORMAT if it is no text.
  init(_ handle: ElementHandle, _ settings: SceneExtend.Settings) throws {
    self.handle = handle
    try read(settings)
  }

  func plan(_ settings: SceneExtend.Settings, _ asked: SceneExtend.Asked? = nil) -> ShotPlan {
    var plan = asked?.prompts.map { ShotPlan(prompts: $0) } ?? ShotPlan(prompts: state.withLock { $0.texts })
    apply(settings, to: &plan)
    plan.shots = asked?.shots ?? Int(settings.shots)
    return plan
  }

  private func apply(_ settings: SceneExtend.Settings, to plan: inout ShotPlan) {
    plan.generalPrompt = settings.generalPrompt ?? ""
    plan.negativePrompt = settings.negativePrompt ?? ""
    plan.shotDuration = settings.shotDuration == 0 ? nil : settings.shotDuration
    plan.policy = settings.promptPolicy.policy
  }

  /// Lets what was set or written since steer the shots that follow. Reads the file if it has changed.
  func steer(_ plan: inout ShotPlan, _ settings: SceneExtend.Settings) {
    apply(settings, to: &plan)
    do {
      if try read(settings) { plan = plan.replacing(prompts: state.withLock { $0.texts }) }
    } catch {
      // A show goes on with what it has.
      handle.postWarning(error)
    }
  }

  /// - Returns: whether there are other prompts than before.
  @discardableResult
  private func read(_ settings: SceneExtend.Settings) throws(ElementError) -> Bool {
    guard let path = settings.promptLocation else {
      let isNew = state.withLock { state -> Bool in
        guard state.listed != settings.prompts else { return false }
        state.listed = settings.prompts
        state.file = nil
        state.texts = ShotPlan.texts(settings.prompts)
        return true
      }
      if isNew { warn(nil) }
      return isNew
    }
    let stamp = try stamp(path)
    guard let stamp else { return false }
    if state.withLock({ $0.file == stamp }) { return false }
    var bytes: UnsafeMutablePointer<CChar>?
    var count: gsize = 0
    var failure: UnsafeMutablePointer<GError>?
    defer { g_clear_error(&failure) }
    guard stamp.size <= PromptFile.mostBytes, g_file_get_contents(path, &bytes, &count, &failure) != 0, let bytes else {
      let reason =
        stamp.size > PromptFile.mostBytes
        ? "\(PromptFile.Failure.tooLong(stamp.size))" : failure.map { String(cString: $0.pointee.message) } ?? "it cannot be read"
      throw .resource(GST_RESOURCE_ERROR_OPEN_READ, "prompt-location: \"\(path)\": \(reason).")
    }
    defer { g_free(bytes) }
    let file: PromptFile
    do {
      file = try PromptFile(UnsafeRawBufferPointer(start: bytes, count: Int(count)).map { $0 })
    } catch {
      throw .stream(GST_STREAM_ERROR_FORMAT, "prompt-location: \"\(path)\" \(error).")
    }
    state.withLock { state in
      state.texts = file.prompts
      state.file = stamp
      state.listed = nil
      state.isMissing = false
    }
    warn(path)
    return true
  }

  /// - Returns: nil if the file vanished after it was read; that is told once.
  private func stamp(_ path: String) throws(ElementError) -> FileStamp? {
    var status = stat()
    guard stat(path, &status) == 0 else {
      let reason = String(cString: strerror(errno))
      let isNews = state.withLock { state -> Bool in
        defer { state.isMissing = true }
        return !state.isMissing
      }
      if state.withLock({ $0.file == nil }) || isNews {
        throw .resource(GST_RESOURCE_ERROR_NOT_FOUND, "prompt-location: \"\(path)\": \(reason).")
      }
      return nil
    }
    return FileStamp(
      path: path, seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec, size: Int(status.st_size),
      number: Int(clamping: status.st_ino))
  }

  /// Tells which prompts look like a form that they do not keep to.
  private func warn(_ path: String?) {
    for problem in state.withLock({ $0.texts.compactMap(\.problem) }) {
      let place = path.map { "prompt-location: \"\($0)\", " } ?? "prompts: "
      handle.postWarning(.library(GST_LIBRARY_ERROR_SETTINGS, "\(place)\(problem). It is taken as one plain caption."))
    }
  }
}
