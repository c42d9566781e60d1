import CGStreamer
import Timing

/// An element with a way through for video, one for its sound if that is asked for, and threads of its own that push into them.
///
/// Here once: flushes, stops and pads that are given back wake what waits and drop what is held; threads begin with their stream;
/// serialized events keep their place; upstream is asked for what the element needs. What passes, waits and follows is decided by
/// the author's machine, a value without GStreamer, under the lock of `lanes`.
///
/// Lock order: the lock of `lanes`, then whatever the machine's questions take (a queue of shots, say); no other lock is taken with
/// it held, and it is never held while anything is pushed or posted.
public protocol LanedElement: PadElement {
  /// What decides: a value of the author's, without GStreamer.
  associatedtype Machine

  /// That of ``Element/init(_:)``.
  var handle: ElementHandle { get }
  /// Made once, in `init`, with a machine that takes nothing: ``begin(_:)`` gives the real one.
  var lanes: Lanes<Machine> { get }
  /// Logs what comes and leaves (LOG), events (DEBUG) and what is decided (INFO).
  static var debug: DebugCategory { get }

  /// READY→PAUSED: what decides from now on. An error is posted and stops the state change.
  func begin(_ settings: Settings) throws -> Machine

  /// A buffer comes; on its streaming thread. An error is posted and stops the stream.
  func arrive(_ buffer: consuming Buffer, _ lane: StreamLane, _ settings: Settings) throws -> GstFlowReturn

  /// A serialized event comes; on its streaming thread. An error is posted, and nobody took the event.
  func arrive(_ event: consuming Event, _ lane: StreamLane, _ settings: Settings) throws -> Bool

  /// The running time that upstream has for one of downstream's; nil for what upstream does not know. Downstream reports on what
  /// comes late, and elements upstream leave out what is earlier than that.
  func upstreamTime(of running: ClockTime, _ lane: StreamLane) -> ClockTime?

  /// Another stream begins: before its thread is started.
  func streamBegins(_ lane: StreamLane, _ settings: Settings)

  /// Whether a lane has a thread that pushes.
  func hasThread(_ lane: StreamLane) -> Bool

  /// One turn of it: waits for something to do, and does it. False if there is nothing more: it rests until a stream begins.
  func turn(_ lane: StreamLane) -> Bool

  /// A lane flushes, or both if nil as the element stops: ends what waits elsewhere than in `lanes`.
  func cancel(_ lane: StreamLane?)

  /// What is held of a lane goes. Under the lock.
  func reset(_ lane: StreamLane, _ machine: inout Machine)

  /// A lane has been flushed. Without the lock.
  func flushed(_ lane: StreamLane)

  /// PAUSED→READY, after data and threads have stopped.
  func ended()

  /// A custom event to send upstream with the first caps of the picture: asks siblings for something.
  func upstreamRequest(_ settings: Settings) -> Structure?

  /// No element upstream took it.
  func requestUnanswered(_ settings: Settings)
}

extension LanedElement {
  /// The same: no times are changed.
  public func upstreamTime(of running: ClockTime, _ lane: StreamLane) -> ClockTime? { running }
  /// Nothing to prepare.
  public func streamBegins(_ lane: StreamLane, _ settings: Settings) {}
  /// Both lanes have one.
  public func hasThread(_ lane: StreamLane) -> Bool { true }
  /// Nothing waits elsewhere.
  public func cancel(_ lane: StreamLane?) {}
  /// Nothing to do without the lock.
  public func flushed(_ lane: StreamLane) {}
  /// Nothing to close.
  public func ended() {}
  /// Asks for nothing.
  public func upstreamRequest(_ settings: Settings) -> Structure? { nil }
  /// Does without.
  public func requestUnanswered(_ settings: Settings) {}

  // MARK: Life

  /// Puts the machine of ``begin(_:)`` in place. Threads begin with their stream.
  public func start(_ settings: Settings) throws {
    let isLinked = StreamLane.allCases.map { handle.pad($0.source) != nil }
    lanes.start(try begin(settings), isLinked: isLinked)
  }

  /// Wakes what waits in ``lanes``, then what ``cancel(_:)`` knows of.
  public func interrupt() {
    lanes.stop()
    cancel(nil)
  }

  /// Ends both threads, drops what is held, then calls ``ended()``.
  public func stop() {
    for lane in StreamLane.allCases { handle.pad(lane.source)?.stopTask() }
    for lane in StreamLane.allCases { lanes.reset(lane) { reset(lane, &$0) } }
    ended()
  }

  /// Wakes what waits in the pad's lane; a source pad's thread ends.
  public func removed(_ pad: Pad) {
    let lane = StreamLane(pad)
    lanes.leave(lane)
    cancel(lane)
    if !pad.isSink { pad.stopTask() }
  }

  /// What is held of its lane goes. Without a source pad nobody takes what comes.
  public func gone(_ pad: Pad) {
    let lane = StreamLane(pad)
    lanes.left(lane, isLinked: handle.pad(lane.source) != nil) { reset(lane, &$0) }
  }

  /// A source pad that joins a stream gets to know what that is.
  public func added(_ pad: Pad) {
    let lane = StreamLane(pad)
    guard !pad.isSink, let settings = handle.settings(of: Self.self) else { return }
    let events = handle.pad(lane.sink)?.keptEvents ?? []
    // Buffers are refused before it knows. An end that has come is no secret either: there is nothing to follow it.
    for event in events { _ = try? arrive(event, lane, settings) }
    lanes.join(lane)
    if !events.isEmpty { startTask(lane) }
  }

  // MARK: In

  /// Logs the buffer and hands it to `arrive`.
  public func chain(_ buffer: consuming Buffer, on pad: Pad, _ settings: Settings) throws -> GstFlowReturn {
    let (lane, pts) = (StreamLane(pad), buffer.pts)
    Self.debug.log(GST_LEVEL_LOG, handle, "\(lane) comes: \(pts.map { "\($0)" } ?? "no time"), \(buffer.size) bytes")
    return try arrive(buffer, lane, settings)
  }

  /// Does all that a flush, a stream's start and the first caps need. Other serialized events go to `arrive`, the rest passes.
  public func receive(_ event: consuming Event, on pad: Pad, _ settings: Settings) -> Bool {
    guard pad.isSink else { return inUpstreamTime(event, StreamLane(pad)).map { handle.forward($0, from: pad) } ?? true }
    let (lane, type) = (StreamLane(pad), event.type)
    Self.debug.log(GST_LEVEL_DEBUG, handle, "\(lane) event comes: \(event.typeName)")
    switch type {
    case GST_EVENT_FLUSH_START:
      lanes.setFlushing(lane, true)
      cancel(lane)
      let taken = handle.forward(event, from: pad)
      handle.pad(lane.source)?.pauseTask()
      return taken
    case GST_EVENT_FLUSH_STOP:
      lanes.reset(lane) { reset(lane, &$0) }
      flushed(lane)
      let taken = handle.forward(event, from: pad)
      lanes.setFlushing(lane, false)
      startTask(lane)
      return taken
    default: break
    }
    guard event.isSerialized else { return handle.forward(event, from: pad) }
    if type == GST_EVENT_STREAM_START {
      streamBegins(lane, settings)
      startTask(lane)
    }
    if type == GST_EVENT_CAPS, lane == .video { ask(pad, settings) }
    do {
      return try arrive(event, lane, settings)
    } catch {
      handle.post(ElementError(converting: error))
      return false
    }
  }

  /// nil for a report on what upstream does not know: nobody need hear of it.
  private func inUpstreamTime(_ event: Event, _ lane: StreamLane) -> Event? {
    guard let time = event.reportTime else { return event }
    return upstreamTime(of: time, lane).map { $0 == time ? event : event.report(at: $0) }
  }

  private func ask(_ pad: Pad, _ settings: Settings) {
    guard let request = upstreamRequest(settings), lanes.isFirstToAsk(), let event = Event.upstream(request) else { return }
    if !pad.push(event) { requestUnanswered(settings) }
  }

  private func startTask(_ lane: StreamLane) {
    guard hasThread(lane) else { return }
    lanes.begin(lane) {
      // Stopped before the element goes.
      handle.pad(lane.source)?.startTask { [unowned self] in
        let round = lanes.round(lane)
        if !turn(lane) { lanes.rest(lane, since: round) { handle.pad(lane.source)?.pauseTask() } }
      }
    }
  }

  // MARK: Out

  /// Sends a buffer on. Hold no lock.
  public func push(_ buffer: consuming Buffer, _ lane: StreamLane) -> GstFlowReturn {
    let pts = buffer.pts
    Self.debug.log(GST_LEVEL_LOG, handle, "\(lane) leaves: \(pts.map { "\($0)" } ?? "no time"), \(buffer.size) bytes")
    guard let pad = handle.pad(lane.source) else { return GST_FLOW_NOT_LINKED }
    return pad.push(buffer)
  }

  /// Sends an event on. False if nobody took it. Hold no lock.
  @discardableResult
  public func push(_ event: consuming Event, _ lane: StreamLane) -> Bool {
    let name = event.typeName
    Self.debug.log(GST_LEVEL_DEBUG, handle, "\(lane) event leaves: \(name)")
    // What stays with a stream is told to the pad when it is there.
    guard let pad = handle.pad(lane.source) else { return event.isSticky }
    return pad.push(event)
  }

  /// Posts that a stream cannot go on, where nobody upstream looks at what became of its data.
  public func postRefusal(_ flow: GstFlowReturn) {
    guard flow.isFatal else { return }
    handle.post(.stream(GST_STREAM_ERROR_FAILED, "The stream cannot go on: \(flow.name)."))
  }
}

extension StreamLane {
  /// The lane of a pad of a `LanedElement`.
  public init(_ pad: Pad) { self = pad.isOfSound ? .sound : .video }

  /// Names of its pads.
  public var sink: String { self == .video ? "sink" : "audio_sink" }
  /// `src`, or `audio_src`.
  public var source: String { self == .video ? "src" : "audio_src" }

  /// Those of both lanes; the sound's are there when asked for.
  public static func pads(video: String, sound: String) -> [PadTemplate] {
    [
      PadTemplate("sink", .sink, caps: video, proxiesCaps: true, partner: "src"),
      PadTemplate("src", .source, caps: video, proxiesCaps: true, partner: "sink"),
      PadTemplate("audio_sink", .sink, .request, caps: sound, proxiesCaps: true, partner: "audio_src"),
      PadTemplate("audio_src", .source, .request, caps: sound, proxiesCaps: true, partner: "audio_sink"),
    ]
  }
}

extension Pad {
  /// By its template's name: without a copy, for every buffer.
  fileprivate var isOfSound: Bool { gst.pointee.padtemplate?.pointee.name_template?[0] == CChar(UInt8(ascii: "a")) }
}

extension GstFlowReturn {
  /// Whether a source would post an error for it.
  var isFatal: Bool { rawValue < GST_FLOW_EOS.rawValue || self == GST_FLOW_NOT_LINKED }

  /// "not-linked", say.
  public var name: String { String(cString: gst_flow_get_name(self)) }
}
