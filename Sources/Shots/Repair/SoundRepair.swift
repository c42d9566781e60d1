import DequeModule
import Timing

/// What an event means for the sound around it.
public enum SoundEvent: Hashable, Sendable {
  /// - rate: samples a second; nil if such sound cannot be cut.
  /// - continues: whether samples are written as before.
  case caps(rate: Int?, continues: Bool)
  /// - base: running time at its start.
  /// - continues: whether times mean the same as before.
  case segment(base: ClockTime, isForward: Bool, continues: Bool)
  case gap, endOfStream, other
}

/// Decides what of a stream of sound leaves, and when, so that it stays with the picture that ``PictureRepair`` cuts.
///
/// Packets of samples and events are put in with `take` as they arrive, stretches that were taken out of the picture with
/// ``cut(_:)``. What leaves comes from ``next(decided:)``, in order: packets whole or in part, and at each joint a crossfade
/// of 10 ms. Without stretches, and where nothing is cut, packets leave as they came.
///
/// ```swift
/// repair.cut(stretch)
/// while let step = repair.next(decided: picture.decided) { … }
/// ```
///
/// - Sound stays as far from its picture as it was, to half a sample, however many stretches are taken out.
/// - Time stamps are rounded: what follows within a millisecond follows at once.
/// - Where caps or segments change at a joint, its crossfade leaves with what is there of both sides, and the rest of them goes.
///
/// Not thread-safe.
public struct SoundRepair<Packet, Event> {
  /// Samples of one packet.
  public struct Part {
    /// As it came, with all of its samples.
    public var packet: Packet
    /// Samples, counted from the packet's first.
    public var samples: Range<Int>
  }

  /// When something leaves.
  public struct Time: Hashable, Sendable {
    /// Time stamp in the segment that leaves, nanoseconds.
    public var pts: ClockTime
    /// Nanoseconds of its samples, rounded.
    public var duration: ClockTime
  }

  /// A crossfade: both sides have `count` samples, silence where nothing was heard.
  public struct Joint {
    /// Samples of each side and channel: 10 ms, or as many as a shorter stretch has.
    public var count: Int
    /// Of its first sample.
    public var time: Time
    /// What is heard, and from which of the samples on.
    public var old: [(at: Int, part: Part)] = []
    /// What is heard behind the cut, likewise.
    public var new: [(at: Int, part: Part)] = []
  }

  /// What leaves, in order.
  public enum Step {
    /// All of a packet, at this time; nil: at its own.
    case packet(Packet, at: ClockTime?)
    /// A part of a packet; not the whole.
    case part(Part, Time)
    case joint(Joint)
    /// An event, with a time stamp that is earlier by so much.
    case event(Event, earlier: ClockTime)
    /// An event with a segment, whose base is smaller by so much now.
    case segment(Event, earlier: ClockTime)
  }

  private enum Item {
    case packet(Packet, Arrival)
    case event(Event, SoundEvent)
  }

  private struct Arrival {
    var pts: ClockTime?
    var running: ClockTime?
    /// Samples.
    var count: Int
  }

  /// The packet in hand: how much of it has been dealt with.
  private struct Current {
    var packet: Packet
    var pts: ClockTime
    /// Of its first sample, counted from running time 0.
    var position: Int64
    /// Samples.
    var count: Int
    var done = 0
  }

  private let isCut: Bool
  private let capacity: ClockTime
  private var items = Deque<Item>()
  private var ready = Deque<Step>()
  private var isForward = true
  private var newest: ClockTime?
  /// How often something was taken from the queue, whole or in part.
  public private(set) var steps: UInt64 = 0

  // Of what leaves.
  private var rate: UInt64?
  private var current: Current?
  private var expected: Int64?
  private var splice = SoundSplice(half: 0)
  /// Those that the splice has and has not finished.
  private var stretches = Deque<RemovedStretch>()
  /// Nanoseconds taken out before the first of them, and by all of them too.
  private var removed: ClockTime = 0
  private var planned: ClockTime = 0
  /// What the segment's base has taken over of the shift, in samples.
  private var folded: Int64 = 0
  private var joint: Joint?
  /// Running time up to which a joint that left early takes samples with it.
  private var gone: ClockTime = 0

  /// - Parameters:
  ///   - isCut: whether stretches are taken out; else packets leave at once.
  ///   - capacity: nanoseconds of sound that may wait.
  public init(isCut: Bool, capacity: ClockTime) {
    self.isCut = isCut
    self.capacity = capacity
  }

  /// Whether as much is held as may be.
  public var isFull: Bool {
    guard let newest else { return false }
    for case .packet(_, let arrival) in items {
      if let first = arrival.running { return newest >= first && newest - first >= capacity }
    }
    return false
  }

  // MARK: In

  /// The next packet.
  ///
  /// - Parameters:
  ///   - pts: its time stamp.
  ///   - running: the same in running time; nil if it has none.
  ///   - samples: that it has, of each channel.
  public mutating func take(_ packet: Packet, pts: ClockTime?, running: ClockTime?, samples: Int) {
    let running = isForward ? running : nil
    if let running { newest = running }
    items.append(.packet(packet, Arrival(pts: pts, running: running, count: max(0, min(samples, Int(Int32.max))))))
  }

  /// The next event that keeps its place among the packets.
  public mutating func take(_ event: Event, _ meaning: SoundEvent) {
    if case .segment(_, let isForward, _) = meaning { self.isForward = isForward }
    items.append(.event(event, meaning))
  }

  /// A stretch was taken out of the picture. It lies behind all others.
  public mutating func cut(_ stretch: RemovedStretch) {
    guard isCut else { return }
    stretches.append(stretch)
    plan(stretch)
  }

  private mutating func plan(_ stretch: RemovedStretch) {
    guard let rate else { return }
    let start = rate.samples(in: stretch.start)
    guard stretch.end != nil else { return splice.cut(from: start, to: .max) }
    let before = rate.samples(in: planned)
    planned = planned.saturating(adding: stretch.length)
    // Rounded over all stretches together: sound and picture never come apart by more than half a sample.
    splice.cut(from: start, to: start + rate.samples(in: planned) - before)
  }

  // MARK: Out

  /// What leaves next; nil if all has to wait.
  ///
  /// - Parameter decided: running time up to which the picture is decided.
  public mutating func next(decided: ClockTime) -> Step? {
    while true {
      if let first = ready.popFirst() { return first }
      if let current {
        guard advance(current, decided) else { return nil }
        steps &+= 1
        continue
      }
      guard let item = items.popFirst() else { return nil }
      steps &+= 1
      switch item {
      case .event(let event, let meaning): leave(event, meaning)
      case .packet(let packet, let arrival): begin(packet, arrival)
      }
    }
  }

  private mutating func begin(_ packet: Packet, _ arrival: Arrival) {
    guard isCut, let rate, let pts = arrival.pts, let running = arrival.running else { return ready.append(.packet(packet, at: nil)) }
    var position = rate.samples(in: running)
    if let expected, abs(position - expected) <= Int64(rate / 1000 + 1) { position = expected }
    expected = position + Int64(arrival.count)
    current = Current(packet: packet, pts: pts, position: position, count: arrival.count)
  }

  /// Deals with the next piece of the packet in hand; false if it has to wait.
  private mutating func advance(_ piece: Current, _ decided: ClockTime) -> Bool {
    let left = piece.count - piece.done
    guard let rate, left > 0 else {
      current = nil
      return true
    }
    let position = piece.position + Int64(piece.done)
    let kept = gone == .max ? .max : rate.samples(in: gone)
    if position < kept {
      current?.done += Int(min(Int64(left), kept - position))
      return true
    }
    switch splice.step(at: position, count: left, upTo: decided == .max ? .max : rate.samples(in: decided)) {
    case .wait: return false
    case .pass(let count): pass(piece, count, rate)
    case .drop(let count): current?.done += count
    case .old(let count, let at):
      open(at: time(of: piece, less: Int64(at), rate), rate)
      let part = take(piece, count)
      joint?.old.append((at, part))
    case .new(let count, let at):
      // It leaves where the old side lies: earlier by the stretch too.
      let length = splice.stretches.first.map { $0.end - $0.start } ?? 0
      open(at: time(of: piece, less: Int64(at) + length, rate), rate)
      let part = take(piece, count)
      joint?.new.append((at, part))
    case .joint: finishJoint()
    }
    return true
  }

  /// When the next sample of a packet leaves, less so many samples.
  private func time(of piece: Current, less samples: Int64, _ rate: UInt64) -> ClockTime {
    let forward = Int64(piece.done) - samples - (splice.removed - folded)
    let distance = rate.time(of: abs(forward))
    return forward < 0 ? piece.pts.less(distance) : piece.pts.saturating(adding: distance)
  }

  private mutating func pass(_ piece: Current, _ count: Int, _ rate: UInt64) {
    let pts = time(of: piece, less: 0, rate)
    if count == piece.count {
      current = nil
      return ready.append(.packet(piece.packet, at: pts == piece.pts ? nil : pts))
    }
    ready.append(.part(take(piece, count), Time(pts: pts, duration: rate.time(of: Int64(count)))))
  }

  private mutating func take(_ piece: Current, _ count: Int) -> Part {
    current?.done += count
    return Part(packet: piece.packet, samples: piece.done..<piece.done + count)
  }

  // MARK: Joints

  private mutating func open(at pts: ClockTime, _ rate: UInt64) {
    guard joint == nil, let fade = splice.stretches.first?.fade else { return }
    joint = Joint(count: fade, time: Time(pts: pts, duration: rate.time(of: Int64(fade))))
  }

  /// Puts the crossfade out. Where sound is missing on one side it fades out or in.
  private mutating func finishJoint() {
    if let joint, joint.count > 0 { ready.append(.joint(joint)) }
    joint = nil
    splice.finishJoint()
    if let done = stretches.popFirst() { removed = removed.saturating(adding: done.length) }
  }

  /// The joint in hand leaves as it is, because other sound follows than what it was begun with.
  private mutating func closeJoint() {
    guard joint != nil, let rate, let open = splice.stretches.first else { return }
    gone = open.end < .max ? rate.time(of: open.end + open.half) : .max
    finishJoint()
  }

  // MARK: Events

  private mutating func leave(_ event: Event, _ meaning: SoundEvent) {
    var earlier: ClockTime = 0
    switch meaning {
    case .caps(let next, let continues):
      guard !continues || rate == nil else { break }
      closeJoint()
      rate = next.flatMap { $0 > 0 ? UInt64($0) : nil }
      restart()
    case .segment(let base, _, let continues):
      if !continues { earlier = fold(at: base) }
      return ready.append(.segment(event, earlier: earlier))
    case .gap: if let rate, splice.removed > folded { earlier = rate.time(of: splice.removed - folded) }
    case .endOfStream: if joint != nil { finishJoint() }
    case .other: break
    }
    ready.append(.event(event, earlier: earlier))
  }

  /// Time stamps begin anew: what was taken out before is the base's from now on. Returns by how much that is smaller.
  private mutating func fold(at base: ClockTime) -> ClockTime {
    guard let rate else { return 0 }
    closeJoint()
    // What was taken out up to here is over, though nothing was heard behind it yet.
    let slack = Int64(rate / 1000 + 1)
    while let first = splice.stretches.first, first.end < .max, first.end <= rate.samples(in: base) + slack { finishJoint() }
    guard splice.removed > 0 else { return 0 }
    let earlier = min(base, rate.time(of: splice.removed))
    folded = rate.samples(in: earlier)
    expected = nil
    return earlier
  }

  /// Counts in the samples of new caps.
  private mutating func restart() {
    guard let rate else { return }
    splice = SoundSplice(half: Int64(rate / 200), removed: rate.samples(in: removed))
    planned = removed
    expected = nil
    for stretch in stretches { plan(stretch) }
  }

  /// After a flush: drops all that is held. Times are as at the beginning.
  public mutating func reset() {
    items.removeAll()
    ready.removeAll()
    stretches.removeAll()
    (current, joint, expected, newest) = (nil, nil, nil, nil)
    (removed, planned, folded, gone) = (0, 0, 0, 0)
    isForward = true
    restart()
  }
}

/// Samples a second.
extension UInt64 {
  private static var second: UInt64 { 1_000_000_000 }

  /// The sample that is heard at a time, rounded; at most so many that numbers stay far from their limits.
  fileprivate func samples(in time: ClockTime) -> Int64 {
    Int64(clamping: Swift.min(scaled(time, by: self, over: Self.second), UInt64(Int64.max / 4)))
  }

  /// Nanoseconds of so many samples, rounded; of less than none 0.
  fileprivate func time(of samples: Int64) -> ClockTime { samples > 0 ? scaled(UInt64(samples), by: Self.second, over: self) : 0 }
}
