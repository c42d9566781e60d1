import CGStreamer
import Extension
import GStreamerKit
import Shots

extension SceneExtend {
  /// What an application asked for.
  struct Asked {
    /// nil for those that are set.
    var shots: Int?
    var prompts: [String]?
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
    var timeCode: TimeCode?
    /// Running time at which the shot began.
    var shotStart: ClockTime = 0
    /// Running time at which what left ends.
    var front: ClockTime = 0
    /// Running time at which the generated shot that is shown ends; nil where that is open.
    var planned: ClockTime?
    /// By how much inserted shots have moved running times.
    var inserted: ClockTime = 0
    /// Shots that upstream does not count.
    var extraShots: UInt64 = 0
    /// When the last frame came, of a clock that nobody sets.
    var arrival: UInt64 = 0
    /// The stall that goes on was covered: once is enough, until a frame comes.
    var isStallCovered = false
    /// The last frame, where it may have to be repeated.
    var last: Held<GstBuffer>?

    init() { gst_segment_init(&segment, GST_FORMAT_TIME) }

    var frameDuration: ClockTime { info?.frameDuration ?? DetectionStream.assumedFrameDuration }

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
    var arrival: UInt64 = 0
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
    /// Of the source's return after generated shots.
    var boundary: Boundary?
  }

  /// Shots between two frames of the source, for the sound.
  struct Insertion {
    /// Running time at which they begin, with those before them counted.
    var start: ClockTime
    /// nil while they go on.
    var length: ClockTime?
  }

  /// What the streaming threads share.
  struct State {
    var work: GenerationWork?
    var video = PictureLine()
    var sound = SoundLine()
    var isFlushing = [false, false]
    var flow = [GST_FLOW_OK, GST_FLOW_OK]
    /// A streaming thread pushes.
    var isPushing = [false, false]
    var isStopping = false
    var run: Run?
    var asked: Asked?
    /// What was asked for begins with the next boundary.
    var waitsForCut = false
    var hasCut = false
    /// A frame that waits may go now: the extension that it waited for is over.
    var isBack = false
    /// Serialized events that came meanwhile.
    var pending: [[UnsafeMutablePointer<GstEvent>]] = [[], []]
    /// Ends of stream that are held back.
    var ends: [UnsafeMutablePointer<GstEvent>?] = [nil, nil]
    /// The picture's stream is over and everything of it has left.
    var isPictureOver = false
    /// The sound's end has left.
    var isSoundOver = false
    /// The extension is to go on no longer than the shot that is shown.
    var isLast = false
    /// What paces a live stream waits on.
    var clockID: GstClockID?
    /// The picture's thread has something to show.
    var isPadWanted = false
    /// Inserted shots that the sound has not come to.
    var insertions: [Insertion] = []
    /// Generated sound, while it goes on, and where it began and how many samples there are.
    var continuation: SoundContinuation?
    var generated: (start: ClockTime, count: Int64) = (0, 0)
    var hasAskedForMarks = false
    var readings = Readings()

    func isOver(_ lane: Lane) -> Bool { isStopping || isFlushing[lane.rawValue] || flow[lane.rawValue] != GST_FLOW_OK }

    func refusal(_ lane: Lane) -> GstFlowReturn { isStopping || isFlushing[lane.rawValue] ? GST_FLOW_FLUSHING : flow[lane.rawValue] }

    func wakeClock() { if let clockID { gst_clock_id_unschedule(clockID) } }

    mutating func reset(_ lane: Lane) {
      for event in pending[lane.rawValue] { gst_event_unref(event) }
      pending[lane.rawValue].removeAll()
      if let end = ends[lane.rawValue] { gst_event_unref(end) }
      ends[lane.rawValue] = nil
      flow[lane.rawValue] = GST_FLOW_OK
      isPushing[lane.rawValue] = false
      switch lane {
      case .video:
        let (info, segment) = (video.info, video.segment)
        video = PictureLine()
        video.info = info
        video.segment = segment
        (run, asked, waitsForCut, hasCut, isBack, isPictureOver, isPadWanted) = (nil, nil, false, false, false, false, false)
        insertions.removeAll()
        isLast = false
      case .sound:
        let (info, segment) = (sound.info, sound.segment)
        sound = SoundLine()
        sound.info = info
        sound.segment = segment
        continuation = nil
        isSoundOver = false
      }
    }

    // MARK: Frames

    /// A frame comes; nil if it has to wait.
    mutating func arrive(_ buffer: UnsafeMutablePointer<GstBuffer>, _ marked: Boundary?, _ settings: Settings) -> Arrival? {
      if ends[Lane.video.rawValue] != nil || isPictureOver { return .refused(GST_FLOW_EOS) }
      video.arrival = monotonicTime()
      let time = buffer.pointee.pts.valid
      let running = time.flatMap { video.shifted.runningTime(GstClockTime($0)) }
      if let run {
        guard case .cover(let untilBack) = run.kind else { return nil }
        guard untilBack else { return .dropped }
        // A source without times goes on where the generated frames have come to.
        let running = running ?? video.front
        // What was covered is over; the rest goes on as soon as the generated frames have come so far.
        if running + video.frameDuration / 2 < video.front {
          // Frames that come as they are made are never ahead of generated ones: the source is back when it is near them.
          if video.front - running <= settings.stallTimeout { self.run?.sourceReturn = running }
          return .dropped
        }
        self.run?.sourceReturn = running
        return nil
      }
      if isBack, let running, running + video.frameDuration / 2 < video.front { return .dropped }
      // The extension begins with the next frame.
      if asked != nil, !waitsForCut, video.frames > 0 { return nil }
      isPushing[Lane.video.rawValue] = true
      video.isStallCovered = false
      video.last = settings.underrun.repeatsFrames ? Held(buffer) : nil
      var passing = Passing(time: running ?? video.front)
      passing.events = takePending(.video)
      if isBack {
        isBack = false
        video.shot &+= 1
        if marked == nil { video.extraShots &+= 1 }
        let segment = video.shifted
        let stream = time.flatMap { time in withUnsafePointer(to: segment) { gst_segment_to_stream_time($0, GST_FORMAT_TIME, GstClockTime(time)).valid } }
        let boundary = Boundary(
          kind: .cut, shot: video.shot, frame: video.frames, pts: time, runningTime: running, streamTime: stream,
          transitionStart: nil, transitionEnd: stream, score: 1, detector: SceneExtend.description.factory)
        passing.boundary = boundary
        if let event = KeyUnit(pts: time, streamTime: stream, runningTime: running).event { passing.events.append(event) }
        video.shotStart = running ?? video.front
      } else if var moved = marked {
        moved.shot &+= video.extraShots
        moved.frame = video.extraShots > 0 ? video.frames : moved.frame
        moved.runningTime = running
        video.shot = moved.shot
        if video.extraShots > 0 || video.inserted > 0 { passing.boundary = moved }
        video.shotStart = running ?? video.front
      }
      let duration = buffer.pointee.duration.valid ?? video.frameDuration
      video.next = (time ?? video.next ?? ClockTime(video.segment.start)) &+ duration
      if let next = video.next, let end = video.shifted.runningTime(GstClockTime(next)) { video.front = max(video.front, end) }
      video.frames &+= 1
      video.timeCode = TimeCode(buffer)
      return .passes(passing)
    }

    /// A boundary of the source comes, before which shots may be wanted.
    mutating func meetBoundary(_ settings: Settings) {
      guard run == nil, !isBack, video.frames > 0, isForward, waitsForCut || (settings.trigger.contains(.cut) && !hasCut) else { return }
      (waitsForCut, hasCut) = (false, true)
      if asked == nil { asked = Asked(shots: settings.shots < 0 ? 1 : nil, prompts: nil) }
    }

    /// Nothing can follow the frames of a stream that plays backwards.
    var isForward: Bool { video.segment.rate > 0 }

    /// Events that came while the source waited, and the segment that inserted shots have moved.
    mutating func takePending(_ lane: Lane) -> [UnsafeMutablePointer<GstEvent>] {
      defer { pending[lane.rawValue].removeAll() }
      return pending[lane.rawValue]
    }

    // MARK: Events

    /// A serialized event comes.
    ///
    /// - Parameter event: taken.
    /// - Returns: what is pushed at once; the streaming thread counts as pushing then.
    mutating func receive(
      _ event: UnsafeMutablePointer<GstEvent>, _ lane: Lane, _ settings: Settings, hasVideo: Bool
    ) -> [UnsafeMutablePointer<GstEvent>] {
      var event = event
      switch event.pointee.type {
      case GST_EVENT_STREAM_START:
        // What follows an end has times of its own.
        if lane == .video ? isPictureOver : isSoundOver { reset(lane) }
      case GST_EVENT_SEGMENT:
        if lane == .video {
          gst_event_copy_segment(event, &video.segment)
          video.next = nil
          event = shifted(event, by: video.inserted)
        } else {
          gst_event_copy_segment(event, &sound.segment)
          sound.next = nil
          event = shifted(event, by: sound.inserted)
        }
      case GST_EVENT_CAPS:
        if lane == .video {
          video.info = VideoInfo(event) ?? video.info
          video.last = nil
        } else {
          sound.info = AudioInfo(event)
          sound.recent.removeAll()
        }
      case GST_EVENT_GAP where lane == .sound:
        var (start, duration) = (GstClockTime(0), GstClockTime(0))
        gst_event_parse_gap(event, &start, &duration)
        if let start = start.valid { sound.next = start &+ (duration.valid ?? 0) }
      case GST_EVENT_EOS where ends[lane.rawValue] != nil || (lane == .video ? isPictureOver : isSoundOver):
        // The stream had to end before.
        gst_event_unref(event)
        return []
      case GST_EVENT_EOS where settings.trigger.contains(.eos) && isForward && !isOver(lane) && (lane == .video || hasVideo):
        ends[lane.rawValue] = event
        // The source will not be back.
        if lane == .video, case .cover(untilBack: true)? = run?.kind { run?.kind = .tail }
        return []
      case GST_EVENT_EOS where lane == .video:
        // Whatever goes on ends here.
        run?.isToEnd = true
        if run != nil {
          ends[lane.rawValue] = event
          return []
        }
        isPictureOver = true
      case GST_EVENT_EOS:
        isSoundOver = true
      default: break
      }
      if lane == .video ? run != nil : sound.isWaiting {
        pending[lane.rawValue].append(event)
        return []
      }
      isPushing[lane.rawValue] = true
      return takePending(lane) + [event]
    }

    func shifted(_ event: UnsafeMutablePointer<GstEvent>, by time: ClockTime) -> UnsafeMutablePointer<GstEvent> {
      guard time > 0 else { return event }
      var segment = GstSegment()
      gst_event_copy_segment(event, &segment)
      segment = segment.later(by: time)
      return event.replaced(by: gst_event_new_segment(&segment))
    }
  }
}

extension GstSegment {
  /// The same with later running times.
  fileprivate func later(by time: ClockTime) -> GstSegment {
    var segment = self
    segment.base += guint64(time)
    return segment
  }
}

/// A frame's time code, to be continued.
final class TimeCode: @unchecked Sendable {
  private let gst: UnsafeMutablePointer<GstVideoTimeCode>

  /// nil if the frame has none.
  init?(_ buffer: UnsafeMutablePointer<GstBuffer>) {
    guard let meta = gst_buffer_get_meta(buffer, gst_video_time_code_meta_api_get_type()),
      let copy = gst_video_time_code_copy(&UnsafeMutableRawPointer(meta).assumingMemoryBound(to: GstVideoTimeCodeMeta.self).pointee.tc)
    else { return nil }
    gst = copy
  }

  deinit { gst_video_time_code_free(gst) }

  /// Counts one frame on and adds the code to a buffer.
  func continueOn(_ buffer: UnsafeMutablePointer<GstBuffer>) {
    gst_video_time_code_increment_frame(gst)
    gst_buffer_add_video_time_code_meta(buffer, gst)
  }
}
