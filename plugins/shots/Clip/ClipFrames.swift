import CGStreamer
import Clips
import GStreamerKit
import Pixels
import Timing

/// The frames of a clip that is complete, decoded as BGR one after the other.
struct ClipFrames {
  /// Mean absolute difference above which a frame is nothing like the one before: TAV's check.
  private static let jump = 50.0

  let path: String

  /// Whether some frame is nothing like the one before it.
  ///
  /// - Throws: STREAM/DECODE if the clip cannot be read.
  func hasJump() throws -> Bool {
    var before: Sample?
    var found = false
    try forEach { frame, _ in
      found = try before.map { try Self.difference($0, frame) > Self.jump } ?? false
      before = frame
      return !found
    }
    return found
  }

  /// The first and the last frame of each scene. A scene in which no frame begins is nil.
  ///
  /// - Throws: STREAM/DECODE if the clip cannot be read.
  func ends(of scenes: [FinishedClip.Scene]) throws -> [(first: Sample, last: Sample)?] {
    var ends = SceneEnds<Sample>(scenes)
    try forEach { ends.take($0, at: $1) }
    return ends.found
  }

  /// Calls `body` with each frame and when it is shown, until it returns false.
  private func forEach(_ body: (Sample, ClockTime) throws -> Bool) throws {
    let pipeline = try Pipeline(
      """
      filesrc name=file ! decodebin caps="video/x-raw(ANY)" expose-all-streams=false ! videoconvert ! video/x-raw,format=BGR ! \
      appsink name=out sync=false max-buffers=4
      """)
    pipeline.set("file", "location", .string(path))
    guard let out = pipeline.sink("out") else { return }
    // What hinders it to play it tells as an error.
    _ = pipeline.play()
    while true {
      if let sample = out.pull(within: .milliseconds(100)) {
        guard try body(sample, sample.streamTime ?? 0) else { return }
      } else if let message = pipeline.error(within: 0) {
        let error = ElementError(message, path: path)
        throw ElementError(.stream(GST_STREAM_ERROR_DECODE), "\"\(path)\" cannot be read back: \(error.text)", debug: error.debug)
      } else if out.hasEnded {
        return
      }
    }
  }

  private static func difference(_ one: Sample, _ other: Sample) throws -> Double {
    guard let info = one.caps?.video, let before = one.buffer, let after = other.buffer else { return 0 }
    return try before.withFrame(info) { a in
      try after.withFrame(info) { b -> Double in
        guard let x = a.plane(0), let y = b.plane(0) else { return 0 }
        return meanDifference(x.base, stride: x.stride, y.base, stride: y.stride, width: x.rowBytes, rows: min(x.rows, y.rows))
      }
    }
  }
}
