import CGStreamer
import Timing

/// An element that watches video and lets it pass: analysers, loggers, taggers.
///
/// An author writes what is done with each buffer; everything else is done here once. Buffers pass on without a copy.
/// `State` lives from READY→PAUSED to PAUSED→READY and is touched from the streaming thread only. What the element wants
/// to do (messages, metadata, events) is collected in an `Output` and done when no lock is held, in stream order.
///
/// ```swift
/// func see(_ input: borrowing InputBuffer, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws {
///   let level = try input.withFrame { frame in mean(frame) }
///   if level < settings.threshold { output.post(Structure("dark", [("level", .double(level))]), at: input.index) }
/// }
/// ```
///
/// - Caps: `configure` runs when they come, before the first buffer of theirs is seen. What is held before them may still
///   be undecided then, and leaves before them.
/// - Holding back: with `latency` above zero frames (and the serialized events among them) stay until
///   `output.hold(from:)` lets them go, and metadata and events can still be placed on them.
/// - QoS is off: what is seen never depends on load. A negative rate passes through unseen, and so do buffers outside
///   of the segment.
public protocol PassthroughVideoFilter: Element {
  /// What the element knows of the stream.
  associatedtype State

  /// READY→PAUSED: opens what is needed. An error is posted and stops the state change; `stop` does not run then.
  func start(_ settings: Settings) throws -> State

  /// New caps. An error refuses them, with its text as the reason.
  func configure(_ info: VideoInfo, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws

  /// One buffer that will be shown. Buffers are numbered from 0 as they come. An error is posted and stops the stream.
  func see(_ input: borrowing InputBuffer, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws

  /// The stream or a segment that was sought ends, caps are refused, or there is a gap: what is pending is decided. All that is
  /// held leaves afterwards.
  func finish(_ settings: Settings, _ state: inout State, _ output: inout Output<Readings>, endOfStream: Bool) throws

  /// A gap, after `finish`: what comes next does not continue what came before.
  func interrupt(_ settings: Settings, _ state: inout State)

  /// A flush: what came before was taken back, as far as nobody has shown it, and what comes next does not continue it.
  func flush(_ settings: Settings, _ state: inout State)

  /// A custom downstream event of a sibling passes.
  func receive(_ event: Structure, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws

  /// A custom upstream event of a sibling. True if it was meant for this element and ends here. Any thread.
  func receiveUpstream(_ event: Structure, _ settings: Settings) -> Bool

  /// How long buffers are held back at most, in nanoseconds, for the answer to the latency query. Any thread; runs once a
  /// buffer too, and a change is made known.
  func latency(_ settings: Settings, _ info: VideoInfo) -> ClockTime

  /// A custom event to send upstream when caps are known, before the first buffer passes: asks siblings for something.
  func upstreamRequest(_ settings: Settings) -> Structure?

  /// No element upstream took the request: `receiveUpstream` was false in all of them.
  func requestUnanswered(_ settings: Settings)

  /// PAUSED→READY. What is held is gone. An error is posted and makes the state change fail.
  func stop(_ state: inout State) throws
}

extension PassthroughVideoFilter {
  /// Any caps will do.
  public func configure(_ info: VideoInfo, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws {}
  /// Nothing is ever pending.
  public func finish(_ settings: Settings, _ state: inout State, _ output: inout Output<Readings>, endOfStream: Bool) throws {}
  /// No frame is remembered.
  public func interrupt(_ settings: Settings, _ state: inout State) {}
  /// As any gap.
  public func flush(_ settings: Settings, _ state: inout State) { interrupt(settings, &state) }
  /// Siblings have nothing to tell it.
  public func receive(_ event: Structure, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws {}
  /// No request is meant for it.
  public func receiveUpstream(_ event: Structure, _ settings: Settings) -> Bool { false }
  /// Nothing is held back.
  public func latency(_ settings: Settings, _ info: VideoInfo) -> ClockTime { 0 }
  /// Asks for nothing.
  public func upstreamRequest(_ settings: Settings) -> Structure? { nil }
  /// Does without.
  public func requestUnanswered(_ settings: Settings) {}
  /// Nothing to close.
  public func stop(_ state: inout State) throws {}
}

/// A buffer on its way through a filter.
public struct InputBuffer: ~Copyable {
  let buffer: UnsafeMutablePointer<GstBuffer>
  /// How many buffers were seen before this one since the stream began.
  public let index: UInt64
  /// When it is shown.
  public let time: BufferTime
  /// What its caps say.
  public let info: VideoInfo
  /// Where its segment lies in the medium.
  public let segment: SegmentPlace

  /// The label that it carries itself; nil if it has none.
  public var timeCode: TimeCode? { TimeCode(buffer) }

  /// Maps the frame for reading.
  ///
  /// Cost: no copy for memory that lies in the process.
  ///
  /// - Throws: STREAM/FAILED if the buffer is smaller than its caps say; what `body` throws.
  public func withFrame<R>(_ body: (borrowing VideoFrame) throws -> R) throws -> R {
    try VideoFrame.map(buffer, info, body)
  }

  /// Custom metadata of this name, in the order in which it was added.
  public func metadata(_ name: Metadata) -> [Structure] { name.all(on: buffer) }
}

/// What a filter wants done.
///
/// Actions are placed at a buffer by its index. One that has left already gets nothing: the action goes to the next
/// buffer that leaves, or, for metadata at the end of the stream, into a custom event of the same fields.
public struct Output<Readings> {
  enum Action {
    case post(Structure), attach(Metadata, Structure), classify(Classification), push(DownstreamEvent), postTableOfContents(TableOfContents)
  }

  /// What users read as properties. Published when the callback returns.
  public var readings: Readings
  var actions: [(index: UInt64, action: Action)] = []
  /// Buffers from this index on are held; nil if nothing was said.
  var heldFrom: UInt64?

  init(_ readings: Readings) { self.readings = readings }

  /// Posts an element message when the buffer leaves.
  public mutating func post(_ message: Structure, at index: UInt64) { actions.append((index, .post(message))) }

  /// Adds metadata to the buffer.
  public mutating func attach(_ metadata: Metadata, _ fields: Structure, to index: UInt64) {
    actions.append((index, .attach(metadata, fields)))
  }

  /// Says for GStreamer's analytics elements what the picture of the buffer is; at the end of the stream nothing is left of it.
  public mutating func classify(_ index: UInt64, as classification: Classification) { actions.append((index, .classify(classification))) }

  /// Sends an event directly before the buffer.
  public mutating func push(_ event: DownstreamEvent, before index: UInt64) { actions.append((index, .push(event))) }

  /// Posts a table of contents for applications.
  public mutating func post(_ toc: TableOfContents) { actions.append((0, .postTableOfContents(toc))) }

  /// Lets buffers before this index go and holds the rest. A `see` without a call lets everything go; the other callbacks
  /// leave things as they are.
  public mutating func hold(from index: UInt64) { heldFrom = index }
}
