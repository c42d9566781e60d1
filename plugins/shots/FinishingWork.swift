import GStreamerKit
import Shots

/// What is done with a clip that is complete; on the finisher's thread only.
final class FinishingWork: @unchecked Sendable {
  private let handle: ElementHandle
  private let settings: ShotClip.Settings
  private let report: @Sendable (ElementReport) -> Void
  private var readings = ShotClip.Readings()

  init(_ handle: ElementHandle, _ settings: ShotClip.Settings, _ report: @escaping @Sendable (ElementReport) -> Void) {
    self.handle = handle
    self.settings = settings
    self.report = report
  }

  func finish(_ clip: FinishedClip) {
    if let path = settings.manifestLocation {
      do {
        let manifest = try LineFile(path: path)
        try manifest.append(clip.record.json)
      } catch {
        report(.error(ElementError(error)))
        return
      }
    }
    readings.clips += 1
    handle.publish(readings, of: ShotClip.self)
    handle.post(clip.message)
  }
}

extension FinishedClip {
  fileprivate var message: Structure {
    Structure("shot-clip", [
      ("location", .string(record.path)), ("shot", .uint64(record.shot)), ("frames", .uint64(record.frames)),
      ("running-time-start", .uint64(start)), ("running-time-end", .uint64(end)),
      ("stream-time-start", .uint64(record.start)), ("stream-time-end", .uint64(record.end)),
    ])
  }
}
