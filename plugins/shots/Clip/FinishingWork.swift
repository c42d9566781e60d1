import CGStreamer
import Clips
import GStreamerKit
import ShotLists
import Synchronization
import Timing

/// Has clips that are complete checked, described and listed, and announces them, on the finisher's thread.
final class FinishingWork: Sendable {
  private struct State {
    var catalog: ClipCatalog
    var readings = ShotClip.Readings()
  }

  private final class Cancellation: Sendable {
    let isCancelled = Atomic(false)
  }

  private let keeper: KeptElement
  private var handle: ElementHandle { keeper.handle }
  private let cancellation = Cancellation()
  /// Taken by that thread only, and held for as long as a clip takes.
  private let state: Mutex<State>

  /// - Throws: LIBRARY/SETTINGS for a captioner that cannot be run.
  init(_ keeper: KeptElement, _ settings: ShotClip.Settings) throws {
    self.keeper = keeper
    let captioner = try settings.captioner.map { try Captioner($0, timeout: settings.captionerTimeout) }
    let cancellation = cancellation
    let isCancelled: @Sendable () -> Bool = { cancellation.isCancelled.load(ordering: .relaxed) }
    let isKept: @Sendable (String) throws -> Bool = { try ClipFrames(path: $0).hasJump() }
    let describe = captioner.map { captioner in
      { @Sendable (scenes: [FinishedClip.Scene], path: String) throws -> [String]? in
        isCancelled() ? nil : try captioner.describe(scenes, of: path, isCancelled: isCancelled)
      }
    }
    let catalog = ClipCatalog(manifest: settings.manifestLocation, isKept: settings.validate ? isKept : nil, describe: describe)
    state = Mutex(State(catalog: catalog))
  }

  /// Clips from now on are not described; a command that runs is killed.
  func cancelCaptions() { cancellation.isCancelled.store(true, ordering: .relaxed) }

  func finish(_ clip: FinishedClip) {
    state.withLock { state in
      let outcome = state.catalog.take(clip) { error in
        if !cancellation.isCancelled.load(ordering: .relaxed) { handle.postWarning(ElementError(writing: error)) }
      }
      switch outcome {
      case .listed: state.readings.clips += 1
      case .rejected:
        ShotClip.debug.log(GST_LEVEL_INFO, handle, "\(clip.record.path) shows no cut and is not kept")
        state.readings.rejected += 1
      case .failed(let error): return handle.post(ElementError(writing: error))
      case .ignored: return
      }
      handle.publish(state.readings, of: ShotClip.self)
      guard case .listed = outcome else { return }
      ShotClip.debug.log(
        GST_LEVEL_INFO, handle, "\(clip.record.path) is complete: \(clip.record.frames) frames, \(clip.start) to \(clip.end)")
      handle.post(clip.message)
    }
  }
}

extension ElementError {
  /// What went wrong with a clip's file.
  fileprivate init(writing error: any Error) {
    self = error as? ElementError ?? (error as? FileError).map { ElementError($0) } ?? .stream(GST_STREAM_ERROR_FAILED, "\(error)")
  }
}

extension FinishedClip {
  fileprivate var message: Structure {
    Structure(
      "shot-clip",
      [
        ("location", .string(record.path)), ("shot", .uint64(record.shot)), ("frames", .uint64(record.frames)),
        ("running-time-start", .uint64(start)), ("running-time-end", .uint64(end)),
        ("stream-time-start", .uint64(record.start)), ("stream-time-end", .uint64(record.end)),
      ])
  }
}
