import CGStreamer
import Clips
import GStreamerKit
import Shots
import Threads
import Timing

/// What streaming threads hand to the thread that writes clips.
enum ClipItem: Sendable {
  case pictureCaps(Caps)
  case picture(Packet, PacketTime)
  case soundCaps(Caps)
  /// Raw sound that lasts from a running time to another.
  case sound(Buffer, Range<UInt64>)
  /// A boundary whose new shot begins at this running time.
  case mark(Boundary, at: UInt64)
  /// The stream jumps: what was before does not go on.
  case jump(ClipStream)
}

enum ClipStream: Sendable, CaseIterable { case picture, sound }

/// The bounded queue between the streams and the thread that writes clips.
///
/// Whoever offers waits for room: for the disk, when more than `capacity` bytes are queued; and for the other stream.
/// Sound may be `soundLead` ahead of the encoded picture, which is as far as a detector may look ahead; picture may be
/// `pictureLead` ahead of the sound, unless none has come for `patience`: then clips go on without.
final class ClipInbox: Sendable {
  static let capacity = 32 << 20
  static let soundLead = ClockTime.milliseconds(30_000)
  static let pictureLead = ClockTime.milliseconds(10_000)
  static let patience = ClockTime.milliseconds(10_000)

  private struct Progress {
    /// Running time of the newest data.
    var head: UInt64?
    var isFlushing = false
    var hasEnded = false

    mutating func reach(_ time: UInt64) { head = max(time, head ?? 0) }

    /// Whether going to `time` would be more than `lead` ahead of `other`.
    func mustWait(for other: Progress, at time: UInt64, lead: UInt64) -> Bool {
      guard !other.hasEnded, let reference = other.head ?? head else { return false }
      return time > reference && time - reference > lead
    }
  }

  private struct State {
    var items: [ClipItem] = []
    var bytes = 0
    var streams: [ClipStream: Progress]
    /// When sound came last, on the monotonic clock.
    var lastSound: UInt64
    var isSilent = false
    var isInterrupted = false
    var isClosed = false
    /// Nothing is taken any more: writing has failed.
    var isBroken = false
    /// Everything before the ends of all streams is on the disk.
    var isDone = false

    var haveAllEnded: Bool { streams.values.allSatisfy(\.hasEnded) }
  }

  private let state: Monitor<State>

  init(hasSound: Bool) {
    let streams: [ClipStream: Progress] = hasSound ? [.picture: Progress(), .sound: Progress()] : [.picture: Progress()]
    state = Monitor(State(streams: streams, lastSound: Self.now))
  }

  private static var now: UInt64 { UInt64(max(0, g_get_monotonic_time())) &* 1000 }

  // MARK: The streams' side

  /// Waits for room. What comes while the stream flushes, or is no longer wanted, is dropped.
  func offer(_ item: ClipItem) {
    let (stream, time, size) = Self.facts(item)
    let accepted = state.wait { state -> Bool? in
      if state.isInterrupted || state.isBroken || state.streams[stream]?.isFlushing != false { return false }
      guard let time else { return true }
      return state.bytes > Self.capacity || mustWait(stream, time, state) ? nil : true
    }
    guard accepted else { return }
    state.change { state in
      state.items.append(item)
      state.bytes += size
      if let time { state.streams[stream]?.reach(time) }
      if stream == .sound {
        state.lastSound = Self.now
        state.isSilent = false
      }
    }
  }

  private func mustWait(_ stream: ClipStream, _ time: UInt64, _ state: State) -> Bool {
    guard let picture = state.streams[.picture], let sound = state.streams[.sound] else { return false }
    return switch stream {
    case .picture: !state.isSilent && picture.mustWait(for: sound, at: time, lead: Self.pictureLead)
    case .sound: sound.mustWait(for: picture, at: time, lead: Self.soundLead)
    }
  }

  /// The stream of an item; of data, the time that they reach and their bytes.
  private static func facts(_ item: ClipItem) -> (ClipStream, UInt64?, Int) {
    switch item {
    case .picture(let packet, let time): (.picture, time.running, packet.buffer.size)
    case .sound(let piece, let range): (.sound, range.upperBound, piece.size)
    case .pictureCaps, .mark: (.picture, nil, 0)
    case .soundCaps: (.sound, nil, 0)
    case .jump(let stream): (stream, nil, 0)
    }
  }

  /// A flush begins or ends. Its beginning wakes who waits.
  func flush(_ stream: ClipStream, begins: Bool) {
    state.change { state in
      if begins { state.items.append(.jump(stream)) }
      state.streams[stream]?.isFlushing = begins
      state.streams[stream]?.head = nil
      state.streams[stream]?.hasEnded = false
      state.isDone = false
      state.lastSound = Self.now
    }
  }

  /// A stream begins, perhaps after another has ended.
  func begin(_ stream: ClipStream) {
    state.change { state in
      state.streams[stream]?.hasEnded = false
      state.isDone = false
    }
  }

  /// A stream ends. The last one waits until every clip is complete.
  func end(_ stream: ClipStream) {
    state.change { $0.streams[stream]?.hasEnded = true }
    state.wait { state -> Void? in
      state.isDone || !state.haveAllEnded || state.isInterrupted || state.isBroken || state.streams[stream]?.isFlushing == true ? () : nil
    }
  }

  /// Wakes every wait of a stream.
  func interrupt() { state.change { $0.isInterrupted = true } }

  /// Nothing more comes.
  func close() { state.change { $0.isClosed = true } }

  // MARK: The writer's side

  /// What there is to do.
  struct Batch {
    var items: [ClipItem]
    /// Bytes to give back with `done`.
    var bytes: Int
    var isPictureOver: Bool
    /// No more sound comes, as far as anybody knows.
    var isSoundOver: Bool
    /// Every stream has ended, and these are the last items.
    var isEnd: Bool
    var isClosed: Bool
  }

  /// Waits for something to do, a moment at most.
  func take() -> Batch {
    func batch(_ state: inout State) -> Batch {
      if let sound = state.streams[.sound], !sound.hasEnded, !state.isSilent, Self.now &- min(state.lastSound, Self.now) > Self.patience,
        let picture = state.streams[.picture], picture.hasEnded || picture.head.map({ $0 > (sound.head ?? 0) }) == true
      {
        state.isSilent = true
      }
      defer { state.items.removeAll() }
      return Batch(
        items: state.items, bytes: state.bytes, isPictureOver: state.streams[.picture]?.hasEnded ?? true,
        isSoundOver: state.isSilent || (state.streams[.sound]?.hasEnded ?? true), isEnd: state.haveAllEnded, isClosed: state.isClosed)
    }
    return state.wait(milliseconds: 500) { state -> Batch? in
      let isEnd = state.haveAllEnded && !state.isDone
      return state.items.isEmpty && !isEnd && !state.isClosed ? nil : batch(&state)
    } ?? state.change { batch(&$0) }
  }

  /// Makes room.
  func done(_ batch: Batch) { state.change { $0.bytes -= batch.bytes } }

  /// Everything is on the disk, unless something has come meanwhile.
  func finished() { state.change { $0.isDone = $0.items.isEmpty && $0.haveAllEnded } }

  /// Writing has failed: what comes is dropped.
  func fail() {
    state.change { state in
      state.isBroken = true
      state.items.removeAll()
    }
  }
}
