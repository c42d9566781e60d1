import CGStreamer
import DequeModule
import GStreamerKit
import Shots
import Timing

/// The sound beside the video that `defade` repairs: with `mode=cut` it leaves up to where the video is decided, without
/// the stretches that were taken out of it; in other modes as it comes.
///
/// Not thread-safe: the element's lock guards it.
struct SoundRepair {
  private struct Held {
    var buffer: UnsafeMutablePointer<GstBuffer>
    var running: ClockTime?
  }

  private enum Item {
    case buffer(Held)
    case event(UnsafeMutablePointer<GstEvent>)
  }

  /// The buffer in hand: how much of it has been dealt with.
  private struct Current {
    var buffer: UnsafeMutablePointer<GstBuffer>
    var pts: ClockTime
    /// Of its first sample, counted from running time 0.
    var position: Int64
    /// Samples.
    var count: Int
    var done = 0
  }

  /// The samples on one side of a joint: [samples, channels].
  private struct Side {
    var numbers: [Double]
    /// When the crossfade leaves.
    var pts: ClockTime

    /// Silence for a whole crossfade.
    init(_ fade: Int?, _ info: AudioInfo, pts: ClockTime) {
      numbers = [Double](repeating: 0, count: (fade ?? 0) * info.channels)
      self.pts = pts
    }

    mutating func put(_ part: [Double], at index: Int) {
      if index + part.count <= numbers.count { numbers.replaceSubrange(index..<index + part.count, with: part) }
    }
  }

  private let isCut: Bool
  private let capacity: ClockTime
  private var items = Deque<Item>()
  private var ready = Deque<Departure>()
  private var segment = GstSegment()
  private var last: ClockTime?
  /// How often something was taken from the queue, whole or in part.
  private(set) var steps: UInt64 = 0

  // Of what leaves.
  private var leaving = GstSegment()
  private var info: AudioInfo?
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
  private var old: Side?
  private var new: Side?

  init(_ settings: Defade.Settings) {
    isCut = settings.mode == .cut
    capacity = settings.soundCapacity
    gst_segment_init(&segment, GST_FORMAT_TIME)
    gst_segment_init(&leaving, GST_FORMAT_TIME)
  }

  /// Whether as much is held as may be.
  var isFull: Bool {
    guard let last else { return false }
    for case .buffer(let held) in items {
      if let first = held.running { return last >= first && last - first >= capacity }
    }
    return false
  }

  // MARK: In

  /// - Parameter buffer: taken.
  mutating func append(_ buffer: UnsafeMutablePointer<GstBuffer>) {
    let running = buffer.pointee.pts == .max || segment.rate <= 0 ? nil : segment.runningTime(buffer.pointee.pts)
    if let running { last = running }
    items.append(.buffer(Held(buffer: buffer, running: running)))
  }

  /// - Parameter event: a serialized one; taken.
  mutating func append(_ event: UnsafeMutablePointer<GstEvent>) {
    if event.pointee.type == GST_EVENT_SEGMENT { gst_event_copy_segment(event, &segment) }
    items.append(.event(event))
  }

  /// A stretch was taken out of the video.
  mutating func cut(_ stretch: RemovedStretch) {
    stretches.append(stretch)
    plan(stretch)
  }

  private mutating func plan(_ stretch: RemovedStretch) {
    guard let info else { return }
    let start = info.samples(in: stretch.start)
    guard let end = stretch.end else { return splice.cut(from: start, to: .max) }
    let before = info.samples(in: planned)
    planned &+= end - min(end, stretch.start)
    // Rounded over all stretches together: sound and picture never come apart by more than half a sample.
    splice.cut(from: start, to: start + info.samples(in: planned) - before)
  }

  // MARK: Out

  /// The next thing that may leave; nil if it has to wait.
  ///
  /// - Parameter decided: running time up to which the video is decided.
  mutating func next(decided: ClockTime) -> Departure? {
    while true {
      if let first = ready.popFirst() { return first }
      if let current {
        guard advance(current, decided) else { return nil }
        steps &+= 1
        continue
      }
      if !items.isEmpty { steps &+= 1 }
      switch items.popFirst() {
      case nil: return nil
      case .event(let event): leave(event)
      case .buffer(let held): begin(held)
      }
    }
  }

  private mutating func begin(_ held: Held) {
    guard isCut, let info, let running = held.running else { return ready.append(.buffer(held.buffer)) }
    var position = info.samples(in: running)
    // Time stamps are rounded: what follows within a millisecond follows at once.
    if let expected, abs(position - expected) <= Int64(info.rate / 1000 + 1) { position = expected }
    let count = Int(gst_buffer_get_size(held.buffer)) / info.bytesPerFrame
    expected = position + Int64(count)
    current = Current(buffer: held.buffer, pts: ClockTime(held.buffer.pointee.pts), position: position, count: count)
  }

  /// Deals with the next piece of the buffer in hand; false if it has to wait.
  private mutating func advance(_ piece: Current, _ decided: ClockTime) -> Bool {
    guard let info, piece.done < piece.count else {
      gst_buffer_unref(piece.buffer)
      current = nil
      return true
    }
    let position = piece.position + Int64(piece.done)
    switch splice.step(at: position, count: piece.count - piece.done, upTo: decided == .max ? .max : info.samples(in: decided)) {
    case .wait: return false
    case .pass(let count): pass(piece, count, info)
    case .drop(let count): current?.done += count
    case .old(let count, let at):
      if old == nil { old = Side(splice.stretches.first?.fade, info, pts: time(of: piece, less: at, info)) }
      let part = take(piece, count, info)
      old?.put(part, at: at * info.channels)
    case .new(let count, let at):
      // It leaves where the old side lies: earlier by the stretch too.
      let length = splice.stretches.first.map { $0.end - $0.start } ?? 0
      if new == nil { new = Side(splice.stretches.first?.fade, info, pts: time(of: piece, less: at + Int(length), info)) }
      let part = take(piece, count, info)
      new?.put(part, at: at * info.channels)
    case .joint: finishJoint(info)
    }
    return true
  }

  /// When the next sample of a buffer leaves, less so many samples.
  private func time(of piece: Current, less samples: Int, _ info: AudioInfo) -> ClockTime {
    let forward = Int64(piece.done) - Int64(samples) - (splice.removed - folded)
    let distance = info.time(of: abs(forward))
    return forward < 0 ? piece.pts - min(piece.pts, distance) : piece.pts &+ distance
  }

  private mutating func pass(_ piece: Current, _ count: Int, _ info: AudioInfo) {
    let pts = time(of: piece, less: 0, info)
    if count == piece.count {
      current = nil
      var buffer = piece.buffer
      if pts != piece.pts {
        buffer = cgst_buffer_make_writable(buffer)
        buffer.pointee.pts = GstClockTime(pts)
        buffer.pointee.dts = .max
      }
      return ready.append(.buffer(buffer))
    }
    current?.done += count
    let size = info.bytesPerFrame
    guard let part = gst_buffer_copy_region(piece.buffer, cgst_buffer_copy_all(), gsize(piece.done * size), gsize(count * size)) else {
      return
    }
    stamp(part, pts, count, info)
    if piece.done > 0 { gst_buffer_unset_flags(part, GST_BUFFER_FLAG_DISCONT) }
    ready.append(.buffer(part))
  }

  private func stamp(_ buffer: UnsafeMutablePointer<GstBuffer>, _ pts: ClockTime, _ count: Int, _ info: AudioInfo) {
    buffer.pointee.pts = GstClockTime(pts)
    buffer.pointee.dts = .max
    buffer.pointee.duration = GstClockTime(info.time(of: Int64(count)))
    buffer.pointee.offset = .max
    buffer.pointee.offset_end = .max
  }

  /// Takes the next samples of the buffer in hand: [samples, channels]; none if its memory cannot be read.
  private mutating func take(_ piece: Current, _ count: Int, _ info: AudioInfo) -> [Double] {
    current?.done += count
    var map = GstMapInfo()
    guard gst_buffer_map(piece.buffer, &map, GST_MAP_READ) != 0 else { return [] }
    defer { gst_buffer_unmap(piece.buffer, &map) }
    let size = info.bytesPerFrame
    let bytes = UnsafeRawBufferPointer(start: map.data, count: Int(map.size))
    guard (piece.done + count) * size <= bytes.count else { return [] }
    return info.numbers(in: UnsafeRawBufferPointer(rebasing: bytes[piece.done * size..<(piece.done + count) * size]))
  }

  /// Puts the crossfade out. Where sound is missing on one side it fades out or in.
  private mutating func finishJoint(_ info: AudioInfo) {
    if let pts = (old ?? new)?.pts {
      let silence = [Double](repeating: 0, count: (old ?? new)?.numbers.count ?? 0)
      let mixed = crossfade(old?.numbers ?? silence, new?.numbers ?? silence, channels: info.channels)
      let bytes = info.bytes(of: mixed)
      if !bytes.isEmpty, let buffer = gst_buffer_new_allocate(nil, gsize(bytes.count), nil) {
        gst_buffer_fill(buffer, 0, bytes, gsize(bytes.count))
        stamp(buffer, pts, bytes.count / info.bytesPerFrame, info)
        ready.append(.buffer(buffer))
      }
    }
    (old, new) = (nil, nil)
    splice.finishJoint()
    if let done = stretches.popFirst(), let end = done.end { removed &+= end - min(end, done.start) }
  }

  /// - Parameter event: taken.
  private mutating func leave(_ event: UnsafeMutablePointer<GstEvent>) {
    var event = event
    switch event.pointee.type {
    case GST_EVENT_CAPS:
      let next = AudioInfo(event)
      if let next, next.rate == info?.rate, next.channels == info?.channels {
        info = next
      } else {
        if let info, old != nil { finishJoint(info) }
        info = next
        restart()
      }
    case GST_EVENT_SEGMENT:
      var new = GstSegment()
      gst_event_copy_segment(event, &new)
      let before = leaving
      leaving = new
      guard let info, splice.removed > 0, !new.continues(before) else { break }
      let shift = min(ClockTime(new.base), info.time(of: splice.removed))
      new.base -= guint64(shift)
      folded = info.samples(in: shift)
      expected = nil
      event = event.replaced(by: gst_event_new_segment(&new))
    case GST_EVENT_GAP:
      guard let info, splice.removed > folded else { break }
      var (start, duration) = (GstClockTime(0), GstClockTime(0))
      gst_event_parse_gap(event, &start, &duration)
      let shift = info.time(of: splice.removed - folded)
      if let time = start.valid { event = event.replaced(by: gst_event_new_gap(GstClockTime(time - min(time, shift)), duration)) }
    case GST_EVENT_EOS:
      if let info, old != nil || new != nil { finishJoint(info) }
    default: break
    }
    ready.append(.event(event))
  }

  /// Counts in the samples of new caps.
  private mutating func restart() {
    guard let info else { return }
    splice = SoundSplice(half: Int64(info.rate / 200), removed: info.samples(in: removed))
    planned = removed
    expected = nil
    for stretch in stretches { plan(stretch) }
  }

  /// After a flush, and at the end: lets everything go. Times are as at the beginning.
  mutating func reset() {
    if let current { gst_buffer_unref(current.buffer) }
    for item in items {
      switch item {
      case .buffer(let held): gst_buffer_unref(held.buffer)
      case .event(let event): gst_event_unref(event)
      }
    }
    for departure in ready { departure.release() }
    items.removeAll()
    ready.removeAll()
    stretches.removeAll()
    (current, old, new, expected, last) = (nil, nil, nil, nil, nil)
    (removed, planned, folded) = (0, 0, 0)
    restart()
    gst_segment_init(&segment, GST_FORMAT_TIME)
    gst_segment_init(&leaving, GST_FORMAT_TIME)
  }
}

extension AudioInfo {
  /// The sample that is heard at a time, rounded; at most so many that numbers stay far from their limits.
  func samples(in time: ClockTime) -> Int64 {
    Int64(clamping: min(UInt64(gst_util_uint64_scale_round(guint64(time), guint64(rate), 1_000_000_000)), UInt64(Int64.max / 4)))
  }

  /// Nanoseconds of so many samples, rounded; of less than none 0.
  func time(of samples: Int64) -> ClockTime {
    samples > 0 ? ClockTime(gst_util_uint64_scale_round(guint64(samples), 1_000_000_000, guint64(rate))) : 0
  }
}
