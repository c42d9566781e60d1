import DequeModule
import Pixels
import Shots

/// TransNetV2 as a detector: frames become thumbnails on the streaming thread, the network runs on its own, and
/// `TransitionRule` makes boundaries of what it says.
///
/// What is found depends on the frames only. When it is told can depend on load: predictions are taken as they come, and
/// waited for only when the queue is full, or when a live stream's frames must leave (`isPunctual`).
public struct TransNetDetector: Detector {
  private let inference: InferenceThread
  private let policy: LatePolicy
  private let isPunctual: Bool
  private let thumbnailer: Thumbnailer
  private var thumbnail = [UInt8](repeating: 0, count: Thumbnailer.byteCount)
  private var rule: TransitionRule
  private var predictions: [Prediction] = []
  /// Numbers of the frames that were submitted and may still open a shot.
  private var open = Deque<UInt64>()
  /// Frames submitted, and predictions taken, since the last reset.
  private var submitted = 0
  private var predicted = 0
  private var released = 0
  /// Frames that the network never saw.
  public private(set) var skipped: UInt64 = 0
  /// Why the network stopped: no later frame is looked at then. nil while it runs.
  public private(set) var failure: (any Error)?

  /// - Parameters:
  ///   - inference: reset by this detector, and to be used by no other one at the same time.
  ///   - isPunctual: wait for each prediction as soon as it is due, so that frames leave in time.
  public init(
    _ settings: DetectorSettings, layout: PictureLayout, inference: InferenceThread, model: TransitionModel, policy: LatePolicy,
    isPunctual: Bool
  ) {
    self.inference = inference
    self.policy = policy
    self.isPunctual = isPunctual
    thumbnailer = Thumbnailer(layout: layout)
    rule = TransitionRule(
      settings.kind == .fused ? .fused : .transnet, model: model, threshold: settings.effectiveThreshold, minimumShot: settings.minimumShot,
      statistics: settings.statistics)
    inference.reset()
  }

  /// `transnet`, or `fused`, as the settings say.
  public var name: String { rule.detection.rawValue }
  /// Of the network and the rule together.
  public var lookAhead: LookAhead { DetectorSettings.networkLookAhead(inference.lookAhead) }
  /// The cues that the rule takes from thumbnails, and its model's two probabilities.
  public var statisticNames: [String] { TransitionRule.statisticNames }
  /// A probability, 0 … 1: the network's that a frame is the last of a shot, or with `fused` the rule's of a boundary.
  public var lastScore: Double { rule.lastScore }
  /// Counted by the rule.
  public var shot: UInt64 {
    get { rule.shot }
    set { rule.shot = newValue }
  }

  /// The network is as far as the load allows, so that no number of frames says what is decided.
  public var tellsUndecided: Bool { true }
  /// The oldest frame that network or rule may still make a boundary of.
  public var undecidedFrom: UInt64? { open.first }

  /// Queues the picture's thumbnail for the network and takes the predictions that are there.
  ///
  /// Waits for room in the queue where the policy is to wait, and for predictions that are due where it is punctual.
  public mutating func see(_ picture: borrowing Picture, at time: FrameTime, into findings: inout Findings) {
    let seen = thumbnail.withUnsafeMutableBufferPointer { thumbnailer.reduce(picture, to: $0) }
    guard seen, failure == nil else { return }
    do throws(TransNetError) {
      let isTaken = try thumbnail.withUnsafeBufferPointer { (bytes) throws(TransNetError) in try inference.submit(bytes, policy) }
      if isTaken {
        thumbnail.withUnsafeBufferPointer { rule.see(thumbnail: $0, at: time, into: &findings) }
        open.append(time.frame)
        submitted += 1
      } else {
        skipped &+= 1
      }
      let due = isPunctual && policy == .wait ? submitted - inference.lookAhead - predicted : 0
      try inference.takePredictions(into: &predictions, least: max(0, due))
    } catch {
      failure = error
    }
    usePredictions(into: &findings)
    // Who skips frames rather than wait does not hold them longer either: what is found later is told later.
    guard policy == .skip else { return }
    while let first = open.first, lookAhead.isDecided(FrameTime(frame: first, elapsed: 0), newest: time) {
      open.removeFirst()
      released += 1
    }
  }

  private mutating func usePredictions(into findings: inout Findings) {
    for prediction in predictions { rule.see(oneHot: prediction.oneHot, manyHot: prediction.manyHot, into: &findings) }
    predicted += predictions.count
    predictions.removeAll(keepingCapacity: true)
    let decided = min(predicted - TransitionRule.outputsAhead, submitted - TransitionRule.thumbnailsAhead)
    while released < decided, !open.isEmpty {
      open.removeFirst()
      released += 1
    }
  }

  /// Waits for the predictions of all queued frames.
  public mutating func finish(into findings: inout Findings) {
    if failure == nil {
      do throws(TransNetError) { try inference.finish(into: &predictions) } catch { failure = error }
    }
    usePredictions(into: &findings)
    rule.finish(into: &findings)
    forget()
  }

  /// Throws away what is queued. ``skipped`` and ``failure`` stay as they are.
  public mutating func reset() {
    inference.reset()
    rule.reset()
    forget()
  }

  private mutating func forget() {
    open.removeAll()
    (submitted, predicted, released) = (0, 0, 0)
  }

  /// Takes the threshold and the minimum shot.
  public mutating func update(_ settings: DetectorSettings) {
    rule.threshold = settings.effectiveThreshold
    rule.minimumShot = settings.minimumShot
  }
}
