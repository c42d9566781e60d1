import CGStreamer
import Clips
import GStreamerKit
import ShotLists
import Shots
import Synchronization
import Timing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What is done with a clip that is complete, on the finisher's thread: it is checked, described, listed and announced.
final class FinishingWork: Sendable {
  /// Touched by that thread only, under the lock for the compiler's sake.
  private struct State {
    var readings = ShotClip.Readings()
    /// The shot that was described last, and how.
    var described: (shot: UInt64, caption: String) = (0, "")
    /// Kinds of failures that were told.
    var told: Set<String> = []
    /// Something cannot be written, which was told: the stream is to stop.
    var hasFailed = false
  }

  private let handle: ElementHandle
  private let settings: ShotClip.Settings
  private let captioner: Captioner?
  private let report: @Sendable (ElementReport) -> Void
  private let isCancelled = Atomic(false)
  private let state = Mutex(State())

  /// - Throws: LIBRARY/SETTINGS for a captioner that cannot be run.
  init(_ handle: ElementHandle, _ settings: ShotClip.Settings, _ report: @escaping @Sendable (ElementReport) -> Void) throws {
    self.handle = handle
    self.settings = settings
    self.report = report
    captioner = try settings.captioner.map { try Captioner($0, timeout: settings.captionerTimeout) }
  }

  /// Clips from now on are not described; a command that runs is killed.
  func cancelCaptions() { isCancelled.store(true, ordering: .relaxed) }

  func finish(_ clip: FinishedClip) {
    if state.withLock({ $0.hasFailed }) { return }
    do {
      if settings.validate, try !ClipFrames(path: clip.record.path).hasJump() {
        unlink(clip.record.path)
        count { $0.rejected += 1 }
        return
      }
      var record = clip.record
      describe(&record, clip.scenes)
      if let path = settings.manifestLocation { try LineFile(path: path).append(record.json) }
    } catch {
      state.withLock { $0.hasFailed = true }
      report(
        .error(error as? ElementError ?? (error as? FileError).map { ElementError($0) } ?? .stream(GST_STREAM_ERROR_FAILED, "\(error)")))
      return
    }
    count { $0.clips += 1 }
    handle.post(clip.message)
  }

  private func count(_ change: (inout ShotClip.Readings) -> Void) {
    let readings = state.withLock { state in
      change(&state.readings)
      return state.readings
    }
    handle.publish(readings, of: ShotClip.self)
  }

  /// Captions of the scenes, if they can be had. What goes wrong costs no more than the captions.
  private func describe(_ record: inout ClipRecord, _ scenes: [ClipFrames.Scene]) {
    guard let captioner, !isCancelled.load(ordering: .relaxed) else { return }
    do {
      let captions = try captioner.describe(scenes, of: record.path) { isCancelled.load(ordering: .relaxed) }
      record.nextText = captions.last ?? ""
      if captions.count > 1 {
        record.previousText = captions[0]
      } else {
        let (shot, caption) = (record.shot, record.nextText)
        let before = state.withLock { state in
          defer { state.described = (shot, caption) }
          return state.described
        }
        if before.shot &+ 1 == shot { record.previousText = before.caption }
      }
    } catch {
      let warning = error as? ElementError ?? (error as? FileError).map { ElementError($0) } ?? .stream(GST_STREAM_ERROR_FAILED, "\(error)")
      // A command that fails does so for every clip.
      if state.withLock({ $0.told.insert(warning.text).inserted }), !isCancelled.load(ordering: .relaxed) { report(.warning(warning)) }
    }
  }
}

extension FinishedClip {
  /// By when their frames are shown in the clip: what is before and behind the boundary of a clip around it, up to the
  /// next ones; else the shot.
  fileprivate var scenes: [ClipFrames.Scene] {
    guard isAround, let boundary = record.boundary, let middle = boundary.runningTime else { return [0...(.max)] }
    let begin = around.filter { $0.runningTime.map { $0 < middle } == true }.compactMap(\.firstNew).max() ?? start
    let end = around.filter { $0.runningTime.map { $0 > middle } == true }.compactMap(\.lastOld).min() ?? end
    let old = boundary.lastOld ?? middle, new = boundary.firstNew ?? middle
    return [scene(begin, old), scene(new, end)]
  }

  /// Of running times.
  private func scene(_ first: UInt64, _ last: UInt64) -> ClipFrames.Scene {
    // Containers round times; less than half a frame.
    let slack: UInt64 = 2_000_000
    let from = first - min(first, start.saturating(adding: slack))
    return from...max(from, last.saturating(adding: slack) - min(last, start))
  }

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

extension Boundary {
  /// Running time of the last clean frame of the old shot.
  fileprivate var lastOld: UInt64? {
    guard let runningTime, let streamTime, let transitionStart, streamTime >= transitionStart else {
      return runningTime.map { $0 - min($0, 3_000_000) }
    }
    return runningTime - min(runningTime, streamTime - transitionStart)
  }

  /// Running time of the first clean frame of the new one.
  fileprivate var firstNew: UInt64? {
    guard let runningTime, let streamTime, let transitionEnd, transitionEnd >= streamTime else { return runningTime }
    return runningTime.saturating(adding: transitionEnd - streamTime)
  }
}
