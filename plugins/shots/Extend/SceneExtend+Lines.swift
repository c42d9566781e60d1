import CGStreamer
import Extension
import GStreamerKit
import Shots
import Timing

extension SceneExtend {
  /// What an application asked for.
  struct Asked {
    /// nil for those that are set.
    var shots: Int?
    var prompts: [String]?

    init(shots: Int?, prompts: [String]?) { (self.shots, self.prompts) = (shots, prompts) }

    /// - Parameter waiting: what was asked for and has not begun: it goes on for longer.
    init(shots: Int, prompts: [String]?, after waiting: Asked?) {
      let before = waiting?.shots ?? 0
      self.init(shots: shots < 0 || before < 0 ? -1 : before &+ shots, prompts: prompts ?? waiting?.prompts)
    }

    /// The plan with this behind what it has.
    func added(to plan: ShotPlan) -> ShotPlan {
      var plan = prompts.map { plan.replacing(prompts: $0) } ?? plan
      let more = shots ?? 0
      plan.shots = more < 0 || plan.shots < 0 ? -1 : plan.shots &+ more
      return plan
    }
  }

  /// An extension that goes on.
  struct Run {
    enum Kind {
      /// Behind the end of the source.
      case tail
      /// In place of the source's frames; `untilBack`: until they come again.
      case cover(untilBack: Bool)
      /// Between two of the source's frames, which are later then.
      case insert
    }

    var kind: Kind
    /// Running time at which it began.
    var start: ClockTime
    /// Ends with the shot that is shown.
    var isToEnd = false
    /// The generator has its plan.
    var isBegun = false
    /// What was asked for before that.
    var more: Asked?
    /// Its last frame was shown: nothing can be added to it.
    var isLeaving = false
    /// Running time at which it ends, once the sound has gone on or ended there; it gets neither longer nor shorter then.
    var settledEnd: ClockTime?
    /// Running time at which the source goes on.
    var sourceReturn: ClockTime?
  }

  /// The picture's stream as it left.
  struct PictureLine {
    /// As upstream sent it.
    var segment = GstSegment()
    var info: VideoInfo?
    /// Time stamp at which the last frame ended.
    var next: ClockTime?
    /// Frames that left.
    var frames: UInt64 = 0
    /// Ordinal of the shot that goes on.
    var shot: UInt64 = 1
    /// What upstream counts it as.
    var sourceShot: UInt64 = 1
    /// Shots or frames are no longer as upstream counts them.
    var isRecounted = false
    /// Of a frame that was dropped.
    var droppedMark: Boundary?
    var timeCode: TimeCode?
    /// Running time at which the shot began.
    var shotStart: ClockTime = 0
    /// Running time at which what left ends.
    var front: ClockTime = 0
    /// Running time at which the generated shot that is shown ends; nil where that is open.
    var planned: ClockTime?
    /// By how much inserted shots have moved running times.
    var inserted: ClockTime = 0
    /// Running time by the clock when the last frame came; nil if it has not played since.
    var arrival: ClockTime?
    /// Likewise when the last generated one left.
    var departure: ClockTime = 0
    /// The stall that goes on was covered: once is enough, until a frame comes.
    var isStallCovered = false
    /// The last frame, where it may have to be repeated.
    var last: Held<GstBuffer>?

    init() { gst_segment_init(&segment, GST_FORMAT_TIME) }

    var frameDuration: ClockTime {
      let usual = FrameTimes.usualRate
      return info?.frameDuration ?? FrameTimes(start: 0, numerator: usual.numerator, denominator: usual.denominator).time(of: 1)
    }

    /// The segment that downstream has.
    var shifted: GstSegment { segment.later(by: inserted) }
  }

  /// The sound's stream as it left.
  struct SoundLine {
    var segment = GstSegment()
    var info: AudioInfo?
    /// Time stamp at which the last sample ended.
    var next: ClockTime?
    /// The last bytes, up to ten seconds.
    var recent: [UInt8] = []
    var inserted: ClockTime = 0
    /// Running time by the clock when the last buffer came.
    var arrival: ClockTime = 0
    /// Running time up to which shots have their sound, while it is generated for them.
    var generatedEnd: ClockTime?
    /// A buffer waits until inserted shots have their sound.
    var isWaiting = false
    /// Running time at which the sound of inserted shots begins.
    var insertion: ClockTime?
    /// What was generated is in the place of what comes.
    var isCovered = false

    init() { gst_segment_init(&segment, GST_FORMAT_TIME) }

    var shifted: GstSegment { segment.later(by: inserted) }

    /// Running time at which it ends.
    var front: ClockTime? { next.flatMap { shifted.runningTime(GstClockTime($0)) } }
  }

  /// What becomes of a frame.
  enum Arrival {
    case passes(Passing)
    case dropped
    case refused(GstFlowReturn)
  }

  /// What leaves with a frame.
  struct Passing {
    /// Nanoseconds that go on with the stream.
    var time: ClockTime
    /// Before it.
    var events: [UnsafeMutablePointer<GstEvent>] = []
    /// In the place of the one that it may carry.
    var boundary: Boundary?
    /// The source is back after generated shots.
    var isReturn = false
  }

  /// Shots between two frames of the source, for the sound.
  struct Insertion {
    /// Running time at which they begin, with those before them counted.
    var start: ClockTime
    /// nil while they go on.
    var length: ClockTime?
  }
}
