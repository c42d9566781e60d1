import Timing

/// What the streams hand to the thread that writes clips, in order and bounded. It decides who may add and who waits.
///
/// Whoever adds waits for room: for the disk, when more than ``capacity`` bytes are queued; and for the other stream.
/// Sound may be ``soundLead`` ahead of the encoded picture, which is as far as a detector may look ahead; picture may be
/// ``pictureLead`` ahead of the sound, unless none has come for ``patience``: then clips go on without.
///
/// Items are opaque. Clock times are those of a clock that is handed in, in nanoseconds.
public struct ClipQueue<Item> {
  /// Bytes.
  public static var capacity: Int { 32 << 20 }
  /// How far sound may be ahead of the picture.
  public static var soundLead: ClockTime { .milliseconds(30_000) }
  /// How far picture may be ahead of the sound.
  public static var pictureLead: ClockTime { .milliseconds(10_000) }
  /// How long sound is waited for that does not come.
  public static var patience: ClockTime { .milliseconds(10_000) }

  private struct Progress {
    /// Running time of the newest data.
    var head: ClockTime?
    var isFlushing = false
    var hasEnded = false

    mutating func reach(_ time: ClockTime) { head = max(time, head ?? 0) }

    /// Whether going to `time` would be more than `lead` ahead of `other`.
    func mustWait(for other: Progress, at time: ClockTime, lead: ClockTime) -> Bool {
      guard !other.hasEnded, let reference = other.head ?? head else { return false }
      return time.less(reference) > lead
    }
  }

  private var items: [Item] = []
  private var bytes = 0
  private var streams: [ClipStream: Progress]
  /// When sound came last.
  private var lastSound: ClockTime
  /// So long ago that it is not waited for any more.
  private var isSilent = false
  private var isInterrupted = false
  private var isClosed = false
  /// Nothing is taken any more: writing has failed.
  private var isBroken = false
  /// Everything before the ends of all streams is on the disk.
  private var isDone = false

  private var haveAllEnded: Bool { streams.values.allSatisfy(\.hasEnded) }

  /// - Parameter now: the clock's time; patience with the sound begins here.
  public init(hasSound: Bool, now: ClockTime) {
    streams = hasSound ? [.picture: Progress(), .sound: Progress()] : [.picture: Progress()]
    lastSound = now
  }

  // MARK: The streams' side

  /// Whether an item of a stream may be added now; nil if it has to wait, for which it is asked again after each change.
  ///
  /// - Parameter time: running time that it reaches; nil if it is no data, which never waits.
  /// - Returns: false if it is dropped: the stream flushes, is not there, or nothing is wanted any more.
  public func admits(_ stream: ClipStream, reaching time: ClockTime?) -> Bool? {
    guard isWanted(stream) else { return false }
    guard let time else { return true }
    return bytes > Self.capacity || mustWait(stream, time) ? nil : true
  }

  /// Adds what was admitted, unless a flush has come meanwhile.
  public mutating func add(_ item: Item, of stream: ClipStream, reaching time: ClockTime?, bytes size: Int, now: ClockTime) {
    guard isWanted(stream) else { return }
    items.append(item)
    bytes += size
    if let time { streams[stream]?.reach(time) }
    if stream == .sound {
      lastSound = now
      isSilent = false
    }
  }

  private func isWanted(_ stream: ClipStream) -> Bool { !isInterrupted && !isBroken && streams[stream]?.isFlushing == false }

  private func mustWait(_ stream: ClipStream, _ time: ClockTime) -> Bool {
    guard let picture = streams[.picture], let sound = streams[.sound] else { return false }
    return switch stream {
    case .picture: !isSilent && picture.mustWait(for: sound, at: time, lead: Self.pictureLead)
    case .sound: sound.mustWait(for: picture, at: time, lead: Self.soundLead)
    }
  }

  /// A flush begins: nothing of the stream is taken until it ends.
  ///
  /// - Parameter item: what stands in the queue for it, behind what was there before.
  public mutating func flushBegins(_ stream: ClipStream, leaving item: Item, now: ClockTime) {
    items.append(item)
    flush(stream, isFlushing: true, now)
  }

  /// A flush ends: the stream may begin at any time.
  public mutating func flushEnds(_ stream: ClipStream, now: ClockTime) { flush(stream, isFlushing: false, now) }

  private mutating func flush(_ stream: ClipStream, isFlushing: Bool, _ now: ClockTime) {
    if streams[stream] != nil { streams[stream] = Progress(isFlushing: isFlushing) }
    isDone = false
    lastSound = now
  }

  /// A stream begins, perhaps after another has ended or left.
  public mutating func begin(_ stream: ClipStream) {
    streams[stream]?.hasEnded = false
    streams[stream]?.isFlushing = false
    isDone = false
  }

  /// A stream goes away in the middle of what it brings: who waits may go, what still comes is dropped, and nobody waits for it.
  public mutating func leave(_ stream: ClipStream) {
    streams[stream]?.isFlushing = true
    streams[stream]?.hasEnded = true
  }

  /// A stream ends.
  public mutating func end(_ stream: ClipStream) { streams[stream]?.hasEnded = true }

  /// Whether whoever ended a stream may go: the last one waits until every clip is complete.
  public func mayLeave(_ stream: ClipStream) -> Bool {
    isDone || !haveAllEnded || isInterrupted || isBroken || streams[stream]?.isFlushing == true
  }

  /// Whether a stream has ended, and has not been flushed since.
  public func isOver(_ stream: ClipStream) -> Bool { streams[stream].map { $0.hasEnded && !$0.isFlushing } ?? true }

  /// No stream waits any more.
  public mutating func interrupt() { isInterrupted = true }

  /// Nothing more comes.
  public mutating func close() { isClosed = true }

  // MARK: The writer's side

  /// What there is to do.
  public struct Batch {
    /// In the order in which they were added.
    public var items: [Item]
    /// Bytes to give back with ``ClipQueue/done(_:)``.
    public var bytes: Int
    /// The picture has ended.
    public var isPictureOver: Bool
    /// No more sound comes, as far as anybody knows.
    public var isSoundOver: Bool
    /// Every stream has ended, and these are the last items.
    public var isEnd: Bool
    /// Nothing more comes: these are the last items.
    public var isClosed: Bool
  }

  /// Whether there is anything to take: items, the end of all streams, or the news that nothing more comes.
  public var hasWork: Bool { !items.isEmpty || isClosed || (haveAllEnded && !isDone) }

  /// All that is queued. Here it is noticed that no sound comes.
  public mutating func take(now: ClockTime) -> Batch {
    if let sound = streams[.sound], !sound.hasEnded, !isSilent, now.less(lastSound) > Self.patience, let picture = streams[.picture],
      picture.hasEnded || picture.head.map({ $0 > (sound.head ?? 0) }) == true
    {
      isSilent = true
    }
    defer { items.removeAll() }
    return Batch(
      items: items, bytes: bytes, isPictureOver: streams[.picture]?.hasEnded ?? true,
      isSoundOver: isSilent || (streams[.sound]?.hasEnded ?? true), isEnd: haveAllEnded, isClosed: isClosed)
  }

  /// Makes room.
  public mutating func done(_ batch: Batch) { bytes -= batch.bytes }

  /// Everything is on the disk, unless something has come meanwhile.
  public mutating func finished() { isDone = items.isEmpty && haveAllEnded }

  /// Writing has failed: what comes is dropped.
  public mutating func fail() {
    isBroken = true
    items.removeAll()
  }
}

extension ClipQueue.Batch: Sendable where Item: Sendable {}
