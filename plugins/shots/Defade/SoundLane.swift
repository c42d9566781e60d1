import CGStreamer
import GStreamerKit
import Shots
import Timing

/// The sound beside the video of `defade`: `SoundRepair` over buffers. With `mode=cut` it leaves up to where the video is decided,
/// without the stretches that were taken out of it; in other modes as it comes.
///
/// Not thread-safe: the element's lock guards it.
struct SoundLane {
  /// Shared by the packets of the same caps.
  final class Format {
    let info: AudioInfo
    init(_ info: AudioInfo) { self.info = info }
  }

  struct Packet {
    var buffer: Buffer
    var format: Format?
  }

  private typealias Repair = SoundRepair<Packet, Event>

  private var repair: Repair
  private var segment = Segment()
  private var format: Format?

  init(_ settings: Defade.Settings) { repair = SoundRepair(isCut: settings.mode == .cut, capacity: settings.soundCapacity) }

  var isFull: Bool { repair.isFull }
  /// Grows with everything that is taken from the queue.
  var steps: UInt64 { repair.steps }

  // MARK: In

  mutating func take(_ buffer: consuming Buffer) {
    let pts = buffer.pts
    let samples = format.map { buffer.size / $0.info.bytesPerFrame } ?? 0
    repair.take(
      Packet(buffer: buffer, format: format), pts: pts, running: pts.flatMap { segment.runningTime(of: $0) }, samples: samples)
  }

  /// - Parameter event: a serialized one.
  mutating func take(_ event: Event) { repair.take(event, meaning(of: event)) }

  private mutating func meaning(of event: Event) -> SoundEvent {
    switch event.type {
    case GST_EVENT_CAPS:
      let (old, new) = (format?.info, event.caps?.audio)
      format = new.map { Format($0) }
      return .caps(rate: new?.rate, continues: old.flatMap { new?.hasSamples(like: $0) } ?? false)
    case GST_EVENT_SEGMENT:
      guard let new = event.segment else { return .other }
      defer { segment = new }
      return .segment(base: new.base, isForward: new.isForward, continues: new.continues(segment))
    case GST_EVENT_GAP: return .gap
    case GST_EVENT_EOS: return .endOfStream
    default: return .other
    }
  }

  /// A stretch was taken out of the video.
  mutating func cut(_ stretch: RemovedStretch) { repair.cut(stretch) }

  // MARK: Out

  /// The next thing that leaves; nil if it has to wait.
  ///
  /// - Parameter decided: running time up to which the video is decided.
  mutating func next(decided: ClockTime) -> Departure? {
    while let step = repair.next(decided: decided) {
      switch consume step {
      case .packet(var packet, let pts):
        if let pts { (packet.buffer.pts, packet.buffer.dts) = (pts, nil) }
        return .buffer(packet.buffer)
      case .part(let part, let time):
        guard var buffer = part.packet.buffer.part(place(of: part)) else { break }
        stamp(&buffer, time)
        if part.samples.lowerBound > 0 { buffer.isDiscontinuous = false }
        return .buffer(buffer)
      case .joint(let joint):
        guard var buffer = mixed(joint) else { break }
        stamp(&buffer, joint.time)
        return .buffer(buffer)
      case .event(let event, let time): return .event(event.earlier(by: TimeShift(stamps: time)))
      case .segment(let event, let time): return .event(event.rebased(by: time))
      }
    }
    return nil
  }

  private func place(of part: Repair.Part) -> Range<Int> {
    let size = part.packet.format?.info.bytesPerFrame ?? 0
    return part.samples.lowerBound * size..<part.samples.upperBound * size
  }

  private func stamp(_ buffer: inout Buffer, _ time: Repair.Time) {
    (buffer.pts, buffer.dts, buffer.duration) = (time.pts, nil, time.duration)
    buffer.removeOffsets()
  }

  private func mixed(_ joint: Repair.Joint) -> Buffer? {
    guard let info = (joint.old + joint.new).first?.part.packet.format?.info else { return nil }
    /// The samples of a side: [samples, channels], silence where nothing is.
    func numbers(_ side: [(at: Int, part: Repair.Part)]) -> [Double] {
      var numbers = [Double](repeating: 0, count: joint.count * info.channels)
      for (at, part) in side {
        let heard = info.numbers(in: part.packet.buffer.bytes(place(of: part)))
        let start = at * info.channels
        if start + heard.count <= numbers.count { numbers.replaceSubrange(start..<start + heard.count, with: heard) }
      }
      return numbers
    }
    let bytes = info.bytes(of: crossfade(numbers(joint.old), numbers(joint.new), channels: info.channels))
    return bytes.isEmpty ? nil : Buffer(bytes: bytes)
  }

  /// After a flush, and at the end: lets everything go. Times are as at the beginning.
  mutating func reset() {
    repair.reset()
    segment = Segment()
  }
}
