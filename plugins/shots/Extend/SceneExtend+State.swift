import CGStreamer
import Extension
import GStreamerKit
import Shots
import Timing

extension SceneExtend {
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
    /// What the picture's thread waits on.
    var clockID: GstClockID?
    /// There may be another reason to extend the stream than the one that the picture's thread waits for.
    var hasNews = false
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

    mutating func tellNews() {
      hasNews = true
      // Else it waits for the time of a frame.
      if run == nil { wakeClock() }
    }

    /// Generated sound is beyond the picture, in a shot that is ready: that one is shown too.
    var isSoundAhead: Bool { (run?.settledEnd ?? sound.generatedEnd).map { $0 > video.front &+ video.frameDuration } ?? false }

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
    ///
    /// - Parameter now: running time by the clock.
    mutating func arrive(
      _ buffer: UnsafeMutablePointer<GstBuffer>, _ marked: Boundary?, at now: ClockTime, _ settings: Settings
    ) -> Arrival? {
      if ends[Lane.video.rawValue] != nil || isPictureOver { return .refused(GST_FLOW_EOS) }
      video.arrival = now
      let time = buffer.pointee.pts.valid
      let running = time.flatMap { video.shifted.runningTime(GstClockTime($0)) }
      if let run {
        guard case .cover(let untilBack) = run.kind else { return nil }
        guard untilBack else { return drop(marked) }
        // A source without times goes on where the generated frames have come to.
        let running = running ?? video.front
        // What was covered is over; the rest goes on as soon as the generated frames have come so far.
        if running + video.frameDuration / 2 < video.front {
          // Frames that come as they are made are never ahead of generated ones: the source is back when it is near them.
          if video.front - running <= settings.stallTimeout { self.run?.sourceReturn = running }
          return drop(marked)
        }
        self.run?.sourceReturn = running
        return nil
      }
      if isBack, let running, running + video.frameDuration / 2 < video.front { return drop(marked) }
      // The extension begins with the next frame.
      if asked != nil, !waitsForCut, video.frames > 0 { return nil }
      isPushing[Lane.video.rawValue] = true
      video.isStallCovered = false
      video.last = settings.underrun.repeatsFrames ? Held(buffer) : nil
      var passing = Passing(time: running ?? video.front)
      passing.events = takePending(.video)
      let segment = video.shifted
      let stream = time.flatMap { time in
        withUnsafePointer(to: segment) { gst_segment_to_stream_time($0, GST_FORMAT_TIME, GstClockTime(time)).valid }
      }
      if isBack {
        isBack = false
        passing.isReturn = true
        video.shot &+= 1
        video.sourceShot = marked?.shot ?? video.sourceShot
        let boundary = Boundary(
          kind: .cut, shot: video.shot, frame: video.frames, pts: time, runningTime: running, streamTime: stream,
          transitionStart: nil, transitionEnd: stream, score: 1, detector: SceneExtend.description.factory)
        passing.boundary = boundary
        // Encoders tell running times by the segment before: behind a new one they take the next frame.
        let isMoved = passing.events.contains { $0.pointee.type == GST_EVENT_SEGMENT }
        if let event = KeyUnit(pts: time, streamTime: stream, runningTime: isMoved ? nil : running).event { passing.events.append(event) }
        video.shotStart = running ?? video.front
      } else if var moved = marked ?? video.droppedMark {
        if marked == nil { (moved.pts, moved.streamTime) = (time, stream) }
        // Shots that upstream does not count come on top.
        let number = marked == nil ? video.shot &+ 1 : moved.shot &+ (video.shot &- video.sourceShot)
        if marked != nil { video.sourceShot = moved.shot }
        moved.shot = number
        moved.frame = video.isRecounted ? video.frames : moved.frame
        moved.runningTime = running
        video.shot = moved.shot
        if video.isRecounted { passing.boundary = moved }
        video.shotStart = running ?? video.front
      }
      video.droppedMark = nil
      let duration = buffer.pointee.duration.valid ?? video.frameDuration
      video.next = (time ?? video.next ?? ClockTime(video.segment.start)) &+ duration
      if let next = video.next, let end = video.shifted.runningTime(GstClockTime(next)) { video.front = max(video.front, end) }
      video.frames &+= 1
      video.timeCode = TimeCode(buffer)
      return .passes(passing)
    }

    /// Shots that upstream counts are counted with their frames gone too.
    private mutating func drop(_ marked: Boundary?) -> Arrival {
      video.isRecounted = true
      if let marked { (video.droppedMark, video.sourceShot) = (marked, marked.shot) }
      return .dropped
    }

    /// A boundary of the source comes, before which shots may be wanted.
    mutating func meetBoundary(_ settings: Settings) {
      guard run == nil, !isBack, video.frames > 0, isForward, waitsForCut || (settings.trigger.contains(.cut) && !hasCut) else { return }
      (waitsForCut, hasCut) = (false, true)
      if asked == nil { asked = Asked(shots: settings.shots < 0 ? 1 : nil, prompts: nil) }
      tellNews()
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
        tellNews()
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
  func later(by time: ClockTime) -> GstSegment {
    var segment = self
    segment.base += guint64(time)
    return segment
  }
}
