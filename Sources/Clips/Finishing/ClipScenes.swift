import Shots
import Timing

extension FinishedClip {
  /// A scene's first and last frame, by when they are shown in the clip.
  public typealias Scene = ClosedRange<ClockTime>

  /// What the clip shows: what is before and behind the boundary of a clip around it, up to the next ones; else the shot.
  public var scenes: [Scene] {
    guard isAround, let boundary = record.boundary, let middle = boundary.runningTime else { return [0...(.max)] }
    let begin = around.filter { $0.runningTime.map { $0 < middle } == true }.compactMap(\.firstNew).max() ?? start
    let end = around.filter { $0.runningTime.map { $0 > middle } == true }.compactMap(\.lastOld).min() ?? end
    let old = boundary.lastOld ?? middle, new = boundary.firstNew ?? middle
    return [scene(begin, old), scene(new, end)]
  }

  /// Of running times.
  private func scene(_ first: ClockTime, _ last: ClockTime) -> Scene {
    // Containers round times; less than half a frame.
    let slack = ClockTime.milliseconds(2)
    let from = first.less(start.saturating(adding: slack))
    return from...max(from, last.saturating(adding: slack).less(start))
  }
}

extension Boundary {
  /// Running time of the last clean frame of the old shot.
  fileprivate var lastOld: ClockTime? {
    guard let runningTime, let streamTime, let transitionStart, streamTime >= transitionStart else {
      return runningTime?.less(.milliseconds(3))
    }
    return runningTime.less(streamTime.less(transitionStart))
  }

  /// Running time of the first clean frame of the new one.
  fileprivate var firstNew: ClockTime? {
    guard let runningTime, let streamTime, let transitionEnd, transitionEnd >= streamTime else { return runningTime }
    return runningTime.saturating(adding: transitionEnd.less(streamTime))
  }
}

/// Finds the first and the last frame of each scene among frames that come one after the other. Frames are opaque.
public struct SceneEnds<Frame> {
  private let scenes: [FinishedClip.Scene]
  /// nil for a scene in which no frame begins.
  public private(set) var found: [(first: Frame, last: Frame)?]

  /// Scenes may overlap.
  public init(_ scenes: [FinishedClip.Scene]) {
    self.scenes = scenes
    found = scenes.map { _ in nil }
  }

  /// The next frame, and when it is shown in the clip.
  ///
  /// - Returns: whether more frames are wanted.
  public mutating func take(_ frame: Frame, at time: ClockTime) -> Bool {
    for (index, scene) in scenes.enumerated() where scene.contains(time) { found[index] = (found[index]?.first ?? frame, frame) }
    return scenes.contains { time < $0.upperBound }
  }
}
