import CGStreamer
import Extension
import GStreamerKit

/// The plans that are made of the prompts that are set, or stand in a file.
final class PromptSource: Sendable {
  private let handle: ElementHandle
  private let feed = PromptFeed()

  /// - Throws: RESOURCE/NOT_FOUND or /OPEN_READ with the file, STREAM/FORMAT if it is no text.
  init(_ handle: ElementHandle, _ settings: SceneExtend.Settings) throws {
    self.handle = handle
    _ = try read(settings)
  }

  func plan(_ settings: SceneExtend.Settings, _ asked: AskedShots? = nil) -> ShotPlan {
    var plan = asked?.prompts.map { ShotPlan(prompts: $0) } ?? ShotPlan(prompts: feed.texts)
    apply(settings, to: &plan)
    plan.shots = asked?.shots ?? Int(settings.shots)
    return plan
  }

  private func apply(_ settings: SceneExtend.Settings, to plan: inout ShotPlan) {
    plan.generalPrompt = settings.generalPrompt ?? ""
    plan.negativePrompt = settings.negativePrompt ?? ""
    plan.shotDuration = settings.shotDuration == 0 ? nil : settings.shotDuration
    plan.policy = settings.promptPolicy
  }

  /// Lets what was set or written since steer the shots that follow. Reads the file if it has changed.
  func steer(_ plan: inout ShotPlan, _ settings: SceneExtend.Settings) {
    apply(settings, to: &plan)
    do {
      if try read(settings) { plan = plan.replacing(prompts: feed.texts) }
    } catch {
      // A show goes on with what it has.
      handle.postWarning(error)
    }
  }

  /// - Returns: whether there are other prompts than before.
  private func read(_ settings: SceneExtend.Settings) throws(ElementError) -> Bool {
    let file = settings.promptLocation.map { "prompt-location: \"\($0)\"" }
    let isNew: Bool
    do {
      isNew = try feed.read(prompts: settings.prompts ?? "", path: settings.promptLocation)
    } catch {
      let file = file ?? ""
      switch error {
      case .missing(let reason): throw .resource(GST_RESOURCE_ERROR_NOT_FOUND, "\(file) \(reason).")
      case .unreadable(let reason): throw .resource(GST_RESOURCE_ERROR_OPEN_READ, "\(file) \(reason).")
      case .notText(let reason): throw .stream(GST_STREAM_ERROR_FORMAT, "\(file) \(reason).")
      }
    }
    for problem in isNew ? feed.problems : [] {
      let place = file.map { "\($0), " } ?? "prompts: "
      handle.postWarning(.library(GST_LIBRARY_ERROR_SETTINGS, "\(place)\(problem). It is taken as one plain caption."))
    }
    return isNew
  }
}
