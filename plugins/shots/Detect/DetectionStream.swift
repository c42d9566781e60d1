import CGStreamer
import GStreamerKit
import Pixels
import Shots
import Timing
import TransNet

/// What a network detector runs on; the same for all streams from start to stop.
struct NetworkParts {
  var inference: InferenceThread
  var model: TransitionModel
  var policy: LatePolicy
}

/// A detector on a stream of mapped frames: picks the way to read them, keeps time, and knows which frames are decided.
struct DetectionStream {
  var findings = Findings()
  /// nil if the settings ask for none.
  var network: NetworkParts?
  /// Whether frames must leave in time.
  var isLive = false
  private var detector: (any Detector)?
  private var settings: DetectorSettings?
  private var format: VideoInfo?
  private var layout: PictureLayout?
  /// For formats that Pixels does not read itself.
  private var converter: VideoConverter?
  private var clock = FrameClock()
  /// What detectors that are gone have skipped.
  private var skippedBefore: UInt64 = 0

  var shot: UInt64 { detector?.shot ?? 1 }
  var skipped: UInt64 { skippedBefore &+ (detector?.skipped ?? 0) }
  var lastScore: Double { detector?.lastScore ?? 0 }
  var lookAhead: LookAhead { detector?.lookAhead ?? .none }
  var statisticNames: [String] { detector?.statisticNames ?? [] }

  /// Frames of this format follow. They are compared with those before: detectors look at small pictures.
  ///
  /// - Throws: CORE/NEGOTIATION if nobody can read the format.
  mutating func setFormat(_ info: VideoInfo) throws {
    if format?.hasPictures(like: info) == true { return }
    var layout = PictureLayout(info)
    var converter: VideoConverter?
    if layout == nil {
      let size = SmallSize(width: info.width, height: info.height)
      // GstVideoConverter leaves a picture of one row as it was.
      guard let small = VideoInfo(GST_VIDEO_FORMAT_BGRx, width: size.width, height: max(2, size.height)) else {
        throw ElementError.core(GST_CORE_ERROR_NEGOTIATION, "\(info.width)×\(info.height) \(info.formatName) cannot be read.")
      }
      converter = try VideoConverter(from: info, to: small)
      layout = PictureLayout(small)
    }
    self.converter = converter
    self.layout = layout
    format = info
  }

  /// Takes new settings without losing history where that is possible. Cheap when nothing changed.
  mutating func setDetector(_ new: DetectorSettings) {
    guard new != settings, let layout else { return }
    if let settings, detector != nil, !new.needsNewDetector(after: settings) {
      detector?.update(new)
    } else {
      let shot = shot
      skippedBefore = skipped
      detector = make(new, layout)
      detector?.shot = shot
    }
    settings = new
  }

  private func make(_ settings: DetectorSettings, _ layout: PictureLayout) -> (any Detector)? {
    guard let network else { return makeDetector(settings, layout: layout) }
    return TransNetDetector(
      settings, layout: layout, inference: network.inference, model: network.model, policy: network.policy, isPunctual: isLive)
  }

  mutating func advance(_ time: BufferTime, index: UInt64, info: VideoInfo) -> FrameTime {
    clock.advance(time, index: index, frameDuration: info.frameDuration)
  }

  /// - Throws: what mapping or converting throws.
  mutating func see(_ frame: borrowing VideoFrame, at time: FrameTime) throws {
    guard let layout else { return }
    if let converter {
      try converter.convert(frame) { small in see(small, layout, at: time) }
    } else {
      see(frame, layout, at: time)
    }
    if let failure = detector?.failure { throw failure }
  }

  private mutating func see(_ frame: borrowing VideoFrame, _ layout: PictureLayout, at time: FrameTime) {
    guard let picture = frame.picture(layout) else { return }
    detector?.see(picture, at: time, into: &findings)
  }

  mutating func finish() throws {
    detector?.finish(into: &findings)
    if let failure = detector?.failure { throw failure }
  }

  mutating func interrupt() {
    detector?.reset()
    clock.interrupt()
  }

  /// The first frame at which a boundary may still be found.
  mutating func firstUndecided(newest: FrameTime) -> UInt64 {
    if let detector, detector.tellsUndecided { return detector.undecidedFrom ?? newest.frame &+ 1 }
    return clock.firstUndecided(newest: newest, lookAhead)
  }

  /// How long frames are held for their fate to be decided: whole frames, since decisions are made at frames.
  static func latency(_ settings: DetectorSettings, _ info: VideoInfo) -> ClockTime {
    let frame = info.frameDuration ?? FrameClock.assumedFrameDuration
    let (latency, overflow) = settings.lookAhead.frames(every: frame).multipliedReportingOverflow(by: frame)
    return overflow ? .max / 2 : latency
  }
}
