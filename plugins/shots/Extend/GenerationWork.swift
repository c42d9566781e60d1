import CGStreamer
import Diffusion
import Extension
import GStreamerKit
import Shots
import Tensors
import Threads

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What `sceneextend` generates with, from start to stop: a generator on its thread, and the prompts.
final class GenerationWork: Sendable {
  let producer: ShotProducer
  /// nil where none is loaded.
  let model: SceneModel?
  private let prompts: PromptSource
  /// Whether frames may be needed in full size.
  private let usesCamera: Bool

  /// - Parameter told: gets how much faster than real time each shot was made.
  /// - Throws: RESOURCE/NOT_FOUND, /OPEN_READ or STREAM/FORMAT with the file, and the tensor or field where there is one;
  ///   LIBRARY/SETTINGS for settings that do not fit the model or each other; LIBRARY/INIT if networks cannot run here.
  init(_ handle: ElementHandle, _ settings: SceneExtend.Settings, told: @escaping @Sendable (Double) -> Void) throws {
    let prompts = try PromptSource(handle, settings)
    let choice = try Self.choose(handle, settings)
    self.prompts = prompts
    model = choice.scene?.value.model
    usesCamera = choice.scene == nil || choice.isTrial || settings.underrun == .rephotograph
    let name = choice.scene == nil ? SceneExtend.Generator.rephotograph : .diffusion
    let limits =
      model?.drawsNewScenes ?? true ? "" : "; it draws no new scenes: shots of prompts that do not ask for one go on with those before"
    Self.tell(handle, state: "ready", generator: name.rawValue, settings, [("reason", .string(choice.reason + limits))])
    let keeper = handle.kept
    let seed = settings.seed
    producer = try ShotProducer(plan: prompts.plan(settings), lead: settings.leadTime) { plan in
      if let settings = keeper.handle.settings(of: SceneExtend.self) { prompts.steer(&plan, settings) }
    } report: { report in
      Self.tell(keeper.handle, report, settings)
      if report.part == .generated { told(report.realTimeFactor) }
    } make: { check in
      guard let scene = choice.scene else { return RephotographGenerator(seed: UInt64(seed)) }
      let diffusion = DiffusionGenerator(scene.value)
      guard choice.isTrial else { return diffusion }
      let factor = try diffusion.measuredFactor(clock: monotonicTime, check: check)
      let speed = "the model makes a shot in \(decimal(1 / factor)) times its duration here"
      guard factor < Self.realTime else {
        Self.tell(keeper.handle, state: "ready", generator: diffusion.name, settings, [("reason", .string(speed))])
        return diffusion
      }
      Self.tell(
        keeper.handle, state: "ready", generator: SceneExtend.Generator.rephotograph.rawValue, settings, [("reason", .string(speed))])
      return RephotographGenerator(seed: UInt64(seed))
    }
  }

  /// Below this a model does not hold real time beside the rest of a pipeline.
  private static let realTime = 1.25

  var shotDuration: UInt64? { producer.shotDuration }

  /// What is to be shown from the beginning.
  func plan(_ settings: SceneExtend.Settings, _ asked: AskedShots? = nil) -> ShotPlan { prompts.plan(settings, asked) }

  func makeSampler(_ settings: SceneExtend.Settings) -> ContextSampler {
    let model = model.map {
      ContextSampler.Model(
        width: $0.width, height: $0.height, frames: $0.frames, shots: $0.shots, frameRate: $0.frameRate,
        goesOnFromFrames: $0.reference != nil)
    }
    return ContextSampler(model, keepsAlbum: usesCamera, fit: settings.fit)
  }

  // MARK: Which generator

  private struct Choice: Sendable {
    /// nil for rephotograph.
    var scene: Unshared<SceneExtension>?
    var reason: String
    /// Its speed decides.
    var isTrial = false
  }

  private static func choose(_ handle: ElementHandle, _ settings: SceneExtend.Settings) throws -> Choice {
    switch settings.generator {
    case .rephotograph: return Choice(reason: "it was asked for")
    case .diffusion:
      let folder = try settings.model ?? ModelFolder.find("scene-small", with: "model_index.json", property: "model")
      return Choice(scene: Unshared(try load(handle, folder, settings)), reason: "it was asked for")
    case .auto:
      guard let folder = settings.model ?? (try? ModelFolder.find("scene-small", with: "model_index.json", property: "model")) else {
        return Choice(reason: "no model is installed")
      }
      do {
        guard try SceneModel.read(folder: folder)?.isDefault ?? false else {
          return Choice(reason: "the model in \(folder) is not marked as fit to be a default")
        }
      } catch {
        throw ElementError(error)
      }
      return Choice(scene: Unshared(try load(handle, folder, settings)), reason: "the model is fit to be a default", isTrial: true)
    }
  }

  private static func load(_ handle: ElementHandle, _ folder: String, _ settings: SceneExtend.Settings) throws -> SceneExtension {
    let threads = settings.threads == 0 ? min(4, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) : Int(settings.threads)
    let layers = settings.maskLayers.map { SceneModel.layers($0) }
    if case .some(nil) = layers, let text = settings.maskLayers {
      throw ElementError.library(GST_LIBRARY_ERROR_SETTINGS, "mask-layers is \"\(text)\", not the first and the last layer, such as 6-27.")
    }
    do {
      let adapters = try settings.loraLocation.map { [(try LowRankAdapter(path: $0), scale: Float(1))] } ?? []
      let compute = try Compute(settings.precision.type, threads: threads)
      ComputeLog.tell(SceneExtend.debug, handle, asked: settings.precision.rawValue, taken: "\(compute.weights)")
      return try SceneExtension(
        folder: folder, compute: compute, mask: settings.mask.mask,
        maskLayers: layers ?? nil, steps: settings.steps == 0 ? nil : Int(settings.steps), guidance: settings.guidance,
        negativePrompt: settings.negativePrompt ?? "", seed: UInt64(settings.seed), adapters: adapters)
    } catch let error as WeightsError {
      throw ElementError(error)
    } catch let error as DiffusionError {
      throw ElementError.library(GST_LIBRARY_ERROR_SETTINGS, error.description + ".")
    } catch let error as ComputeError {
      throw ElementError.library(GST_LIBRARY_ERROR_INIT, error.description + ".")
    }
  }

  // MARK: What is told

  /// A `scene-extension` message: always the same fields, so that tools can rely on them.
  static func tell(
    _ handle: ElementHandle, state: String, generator: String, shot: UInt64 = 0, prompt: String = "", step: Int = 0, steps: Int = 0,
    frames: Int = 0,
    factor: Double = 0, queued: UInt64 = 0, _ settings: SceneExtend.Settings, _ more: [(String, Value)] = []
  ) {
    handle.post(
      Structure(
        "scene-extension",
        [
          ("state", .string(state)), ("shot", .uint64(shot)), ("prompt", .string(prompt)), ("generator", .string(generator)),
          ("step", .uint(UInt32(clamping: step))), ("steps", .uint(UInt32(clamping: steps))), ("frames", .uint64(UInt64(clamping: frames))),
          ("real-time-factor", .double(factor)), ("underruns", .uint64(handle.readings(of: SceneExtend.self)?.underruns ?? 0)),
          ("seed", .uint64(UInt64(settings.seed))), ("queued", .uint64(queued)),
        ] + more))
  }

  private static func tell(_ handle: ElementHandle, _ report: ShotProducer.Report, _ settings: SceneExtend.Settings) {
    let (number, factor) = (report.shot.map { $0.index &+ 1 } ?? 0, decimal(report.realTimeFactor))
    tell(
      handle, state: report.part.rawValue, generator: report.generator, shot: number, prompt: report.shot?.prompt ?? "", step: report.step,
      steps: report.steps, frames: report.pictures, factor: report.realTimeFactor, queued: report.queued, settings)
    switch report.part {
    case .context: handle.post(.going, of: "scene-extension", "Looking at the shots before")
    case .generating where report.step == 0 && report.pictures == 0:
      handle.post(.start, of: "scene-extension", "Generating shot \(number)")
    case .generating: handle.post(.going, of: "scene-extension", "Generating shot \(number): step \(report.step) of \(report.steps)")
    case .generated: handle.post(.complete, of: "scene-extension", "Generated shot \(number), \(factor) × real time")
    }
  }
}
