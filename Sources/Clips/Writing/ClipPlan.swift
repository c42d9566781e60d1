import DequeModule
import Shots
import Timing

/// Decides which encoded frames belong into which clips.
///
/// Boundaries are told by `mark` before the frames that they concern, encoded frames by `take`, in the encoder's order.
/// What to do comes back as steps, to be done in order. Times are running times.
///
/// - `shots`: a clip a shot, from its key frame to the next shot's. A shot whose first frame is no key frame begins at the next one.
/// - `around`: a clip a boundary, of the frames from the first key frame at or after `padding` before it to `padding`
///   after it, at most `longest`. Clips overlap; packets are kept until no clip can need them:
///   (`padding` + `lateness` + the distance of key frames) × bit rate.
///
/// A clip ends before the first packet that is shown at or after its end: with reordered frames (B-frames) `around` can
/// lose those that are coded behind it.
public struct ClipPlan<Packet> {
  /// What a clip is.
  public enum Mode: Hashable, Sendable {
    case shots
    case around(padding: ClockTime, longest: ClockTime, onlyFirst: Bool)
  }

  /// What is known of a clip when it opens.
  public struct Head {
    /// Unique in the plan, counting up.
    public var id: UInt64
    /// Ordinal of the shot that it shows, or that begins in it.
    public var shot: UInt64
    /// What opened the shot; nil for the first.
    public var boundary: Boundary?
    /// Running time of its first frame.
    public var start: ClockTime
  }

  /// What is to be done with files.
  public enum Step {
    case open(Head)
    /// The frame belongs to this clip.
    case write(UInt64, Packet, PacketTime)
    /// The clip has all its frames; it ends at this running time.
    case close(UInt64, end: ClockTime)
  }

  /// How late a boundary may be told in `around`, behind the newest packet.
  public static var lateness: ClockTime { .milliseconds(5000) }

  private struct Wish {
    var boundary: Boundary
    var at: ClockTime
    var start: ClockTime
    var end: ClockTime
  }

  private struct Open {
    var id: UInt64
    var start: ClockTime
    var end: ClockTime
    /// Where its last frame begins, and where it says that it ends.
    var newest: ClockTime
    var reached: ClockTime

    /// Where its last frame ends. Where the next one is known that is where that begins, for containers round times and
    /// durations apart: frames of 33.333 ms that are 33 ms apart in Matroska.
    func last(before next: ClockTime?) -> ClockTime { next.map { $0 > newest ? min(reached, $0) : reached } ?? reached }
  }

  private let mode: Mode
  private var shot: UInt64 = 1
  private var ids: UInt64 = 0
  private var wishes: [Wish] = []
  private var clips: [Open] = []
  private var ring = Deque<(packet: Packet, time: PacketTime)>()
  private var opening: Boundary?
  private var isDone = false
  /// How many boundaries the encoder made no key frame for.
  public private(set) var missedKeys: UInt64 = 0

  /// A plan that has seen nothing yet.
  public init(_ mode: Mode) { self.mode = mode }

  /// Running time of the oldest packet that may still go into a clip; nil if there is none.
  public var oldest: ClockTime? { ring.first?.time.running }
  var kept: Int { ring.count }

  /// A boundary whose new shot begins at this running time.
  public mutating func mark(_ boundary: Boundary, at time: ClockTime) {
    switch mode {
    case .shots: wishes.append(Wish(boundary: boundary, at: time, start: time, end: .max))
    case .around(let padding, _, let onlyFirst):
      guard !isDone else { return }
      isDone = onlyFirst
      wishes.append(
        Wish(boundary: boundary, at: time, start: time.less(padding), end: time.saturating(adding: padding)))
    }
  }

  /// The encoder's next frame.
  public mutating func take(_ packet: Packet, _ time: PacketTime) -> [Step] {
    switch mode {
    case .shots: takeShot(packet, time)
    case .around(_, let longest, _): takeAround(packet, time, longest)
    }
  }

  /// Nothing that was decided so far reaches further: the stream ends, jumps, or its format changes.
  ///
  /// - Parameter next: running time of the frame that follows, where one does.
  public mutating func end(before next: ClockTime? = nil) -> [Step] {
    var steps: [Step] = []
    if case .around(_, let longest, _) = mode { steps = grant(before: nil, longest) }
    steps += clips.map { .close($0.id, end: $0.last(before: next)) }
    clips.removeAll()
    ring.removeAll()
    wishes.removeAll()
    return steps
  }

  private mutating func takeShot(_ packet: Packet, _ time: PacketTime) -> [Step] {
    var steps: [Step] = []
    let due = wishes.prefix { $0.at <= time.running.saturating(adding: time.tolerance) }
    if let last = due.last {
      if time.isKey {
        wishes.removeFirst(due.count)
        (shot, opening) = (last.boundary.shot, last.boundary)
        steps += clips.map { .close($0.id, end: time.running) }
        clips.removeAll()
      } else if last.at.saturating(adding: time.tolerance) >= time.running {
        missedKeys += 1
      }
    }
    if clips.isEmpty {
      guard time.isKey else { return steps }
      steps.append(open(shot: shot, opening, at: time.running, end: .max))
      // What follows a jump inside the shot was opened by no boundary.
      opening = nil
    }
    for index in clips.indices { write(packet, time, to: index, &steps) }
    return steps
  }

  private mutating func takeAround(_ packet: Packet, _ time: PacketTime, _ longest: ClockTime) -> [Step] {
    guard !isDone || !wishes.isEmpty || !clips.isEmpty else {
      ring.removeAll()
      return []
    }
    var steps = grant(before: time.running, longest)
    let shown = time.running.saturating(adding: time.tolerance)
    steps += clips.filter { $0.end <= shown }.map { .close($0.id, end: $0.last(before: time.running)) }
    clips.removeAll { $0.end <= shown }
    for index in clips.indices { write(packet, time, to: index, &steps) }
    ring.append((packet, time))
    forget(now: time.running)
    return steps
  }

  /// Opens the clips whose first key frame is here. `now`: running time of the packet after those in the ring; nil if
  /// none follows.
  private mutating func grant(before now: ClockTime?, _ longest: ClockTime) -> [Step] {
    var steps: [Step] = []
    var waiting: [Wish] = []
    for wish in wishes {
      let first = ring.firstIndex {
        $0.time.isKey && $0.time.running.saturating(adding: $0.time.tolerance) >= wish.start
          && $0.time.running <= wish.at.saturating(adding: $0.time.tolerance)
      }
      // A boundary without a key frame in reach before it: an earlier one, if the clip is not too long then.
      let earlier = ring.lastIndex { $0.time.isKey && $0.time.running < wish.start && wish.at.less($0.time.running) < longest }
      guard let from = first ?? (now.map { $0 > wish.at } ?? true ? earlier : nil) else {
        if let now, now <= wish.at { waiting.append(wish) } else { missedKeys += 1 }
        continue
      }
      let start = ring[from].time.running
      let end = min(wish.end, start.saturating(adding: longest))
      steps.append(open(shot: wish.boundary.shot, wish.boundary, at: start, end: end))
      for (packet, time) in ring[from...] {
        guard end > time.running.saturating(adding: time.tolerance) else { break }
        write(packet, time, to: clips.count - 1, &steps)
      }
    }
    wishes = waiting
    return steps
  }

  private mutating func forget(now: ClockTime) {
    guard case .around(let padding, _, _) = mode else { return }
    let reach = padding.saturating(adding: Self.lateness)
    let needed = min(now.less(reach), wishes.map(\.start).min() ?? .max)
    guard let first = ring.lastIndex(where: { $0.time.isKey && $0.time.running <= needed }) else { return }
    ring.removeFirst(first)
  }

  private mutating func write(_ packet: Packet, _ time: PacketTime, to index: Int, _ steps: inout [Step]) {
    // An open group of pictures begins with frames that are shown before its key frame and need the group before.
    guard time.running.saturating(adding: time.tolerance) >= clips[index].start else { return }
    clips[index].newest = max(clips[index].newest, time.running)
    clips[index].reached = max(clips[index].reached, time.end)
    steps.append(.write(clips[index].id, packet, time))
  }

  private mutating func open(shot: UInt64, _ boundary: Boundary?, at start: ClockTime, end: ClockTime) -> Step {
    ids += 1
    clips.append(Open(id: ids, start: start, end: end, newest: start, reached: start))
    return .open(Head(id: ids, shot: shot, boundary: boundary, start: start))
  }
}
