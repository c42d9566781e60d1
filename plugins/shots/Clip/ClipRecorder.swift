import CGStreamer
import Clips
import DequeModule
import GStreamerKit
import Shots
import Threads
import Timing

/// What the recorder is to do; fixed from start to stop.
struct ClipOptions: Sendable {
  var mode: ClipPlan<Packet>.Mode
  var format: ClipFormat
  var names: ClipNamePattern
  var overwriting: Bool
  var minimumDuration: UInt64
  var videoName: String
  var hasSound: Bool
}

/// A clip that lies complete on the disk.
struct FinishedClip: Sendable {
  var record: ClipRecord
  /// Running times.
  var start: UInt64
  var end: UInt64
  /// Whether it lies around its boundary, rather than begins there.
  var isAround: Bool
  /// The other boundaries inside.
  var around: [Boundary]
}

/// The thread that selects packets and writes them into clips.
final class ClipRecorder: Sendable {
  let inbox: ClipInbox
  private let thread: BackgroundThread
  private let finisher: ClipFinisher

  /// - Parameter report: gets the first error, on the recorder's thread.
  init(_ options: ClipOptions, finisher: ClipFinisher, report: @escaping @Sendable (ElementReport) -> Void) throws {
    let inbox = ClipInbox(hasSound: options.hasSound)
    self.inbox = inbox
    self.finisher = finisher
    do {
      thread = try BackgroundThread {
        var writer = ClipWriter(options, finisher, report)
        writer.run(inbox)
      }
    } catch {
      throw ElementError.resource(GST_RESOURCE_ERROR_FAILED, "The system gives no thread to write clips on: error \(error.code).")
    }
  }

  /// Finishes what is open as it is, and ends. Once.
  func close() {
    inbox.close()
    thread.join()
    finisher.close()
  }
}

/// What threads of the element have to tell.
enum ElementReport: Sendable {
  case error(ElementError)
  case warning(ElementError)
}

/// A clip between its first frame and its name.
private final class Recording {
  let head: ClipPlan<Packet>.Head
  let caps: Caps
  var file: ClipFile?
  /// Frames that wait for their sound.
  var waiting = Deque<(Packet, PacketTime)>()
  var first: PacketTime?
  /// Running time at which its last frame ends.
  var reached: UInt64
  var frames: UInt64 = 0
  /// Running time at which it ends; nil while it goes on.
  var end: UInt64?
  /// Up to where it has its sound.
  var heard: UInt64

  init(_ head: ClipPlan<Packet>.Head, _ caps: Caps) {
    self.head = head
    self.caps = caps
    heard = head.start
    reached = head.start
  }
}

private struct ClipWriter {
  private let options: ClipOptions
  private let finisher: ClipFinisher
  private let report: @Sendable (ElementReport) -> Void
  private var plan: ClipPlan<Packet>
  private var recordings: [Recording] = []
  private var pictureCaps: Caps?
  private var soundCaps: Caps?
  /// Sound that a clip may still need, in order.
  private var sound = Deque<(piece: Buffer, range: Range<UInt64>)>()
  private var soundHead: UInt64 = 0
  private var isSoundOver = false
  /// Number of the next clip.
  private var number: UInt64 = 1
  private var missedKeys: UInt64 = 0
  /// Those that a clip may still show.
  private var boundaries: [Boundary] = []

  init(_ options: ClipOptions, _ finisher: ClipFinisher, _ report: @escaping @Sendable (ElementReport) -> Void) {
    self.options = options
    self.finisher = finisher
    self.report = report
    plan = ClipPlan(options.mode)
  }

  mutating func run(_ inbox: ClipInbox) {
    var isBroken = false
    while true {
      let batch = inbox.take()
      do {
        if !isBroken { try work(batch) }
      } catch {
        isBroken = true
        recordings.removeAll()
        inbox.fail()
        report(.error(error as? ElementError ?? .resource(GST_RESOURCE_ERROR_WRITE, "\(error)")))
      }
      inbox.done(batch)
      if batch.isEnd || batch.isClosed { finisher.drain() }
      if batch.isEnd { inbox.finished() }
      if batch.isClosed { return }
    }
  }

  private mutating func work(_ batch: ClipInbox.Batch) throws {
    // What the batch says of ends lies behind its items.
    isSoundOver = isSoundOver && batch.isSoundOver
    for item in batch.items { try work(item) }
    isSoundOver = batch.isSoundOver || batch.isClosed
    if batch.isPictureOver || batch.isClosed { try perform(plan.end()) }
    try advance()
  }

  private mutating func work(_ item: ClipItem) throws {
    switch item {
    case .pictureCaps(let caps):
      if let known = pictureCaps, known != caps { try perform(plan.end()) }
      pictureCaps = caps
    case .picture(let packet, let time):
      try perform(plan.take(packet, time))
      if plan.missedKeys > 0, missedKeys == 0 {
        report(
          .warning(
            .stream(
              GST_STREAM_ERROR_ENCODE,
              "The encoder makes no key frame where it is asked for one: clips begin late, or not at all. Set encoder.")))
      }
      missedKeys = plan.missedKeys
      try advance()
      forget(now: time.running)
    case .soundCaps(let caps): soundCaps = caps
    case .sound(let piece, let range):
      sound.append((piece, range))
      soundHead = max(soundHead, range.upperBound)
      try advance()
    case .mark(let boundary, let time):
      plan.mark(boundary, at: time)
      boundaries.append(boundary)
    case .jump(.picture):
      try perform(plan.end())
      try advance(abandoningSound: true)
    case .jump(.sound):
      sound.removeAll()
      soundHead = 0
    }
  }

  private mutating func perform(_ steps: [ClipPlan<Packet>.Step]) throws {
    for step in steps {
      switch step {
      case .open(let head): if let pictureCaps { recordings.append(Recording(head, pictureCaps)) }
      case .write(let id, let packet, let time):
        guard let recording = recordings.last(where: { $0.head.id == id }) else { continue }
        if recording.first == nil { recording.first = time }
        recording.frames += 1
        recording.reached = max(recording.reached, time.end)
        recording.waiting.append((packet, time))
      case .close(let id, let end): recordings.first { $0.head.id == id }?.end = end
      }
    }
  }

  /// Writes what can be written, and finishes clips that have everything.
  private mutating func advance(abandoningSound: Bool = false) throws {
    var open: [Recording] = []
    for recording in recordings {
      try advance(recording, isSoundOver: isSoundOver || abandoningSound, before: UInt64(open.count))
      if recording.end != nil, recording.waiting.isEmpty, recording.file?.hasSound != true {
        try finish(recording)
      } else {
        open.append(recording)
      }
    }
    recordings = open
  }

  /// - Parameter before: how many clips get their number before this one.
  private func advance(_ recording: Recording, isSoundOver: Bool, before: UInt64) throws {
    if recording.file == nil {
      guard recording.first != nil else { return }
      let hasSound = options.hasSound && soundCaps != nil && soundHead > recording.head.start
      guard hasSound || isSoundOver || !options.hasSound else { return }
      recording.file = try ClipFile(
        path: name(of: recording, attempt: options.names.hasNumber ? before : 0), start: recording.head.start, format: options.format,
        picture: recording.caps, sound: hasSound ? soundCaps : nil)
    }
    guard let file = recording.file else { return }
    if file.hasSound {
      // No further than the picture: where the clip ends is not known before.
      let limit = recording.end ?? recording.reached
      for (piece, range) in sound where range.upperBound > recording.heard && range.lowerBound < limit {
        file.write(piece, at: range.lowerBound, in: max(recording.heard, range.lowerBound)..<min(limit, range.upperBound))
      }
      recording.heard = max(recording.heard, min(limit, soundHead))
      if (isSoundOver && soundHead < limit) || recording.end.map({ recording.heard >= $0 }) == true { file.endSound() }
    }
    while let (packet, time) = recording.waiting.first, !file.hasSound || time.running < recording.heard {
      try file.write(packet, at: time.running)
      recording.waiting.removeFirst()
    }
  }

  private mutating func finish(_ recording: Recording) throws {
    guard let file = recording.file, let first = recording.first else { return }
    let end = recording.end ?? recording.reached
    let duration = end - min(recording.head.start, end)
    guard duration >= options.minimumDuration else { return }
    let attempt = try file.finish(overwriting: options.overwriting) { name(of: recording, attempt: $0) }
    let path = name(of: recording, attempt: attempt)
    number += options.names.hasNumber ? attempt + 1 : 1
    let record = ClipRecord(
      path: path, videoName: options.videoName, start: first.stream, end: first.stream.saturating(adding: duration),
      frames: recording.frames,
      shot: recording.head.shot, boundary: recording.head.boundary, width: recording.caps.int("width") ?? 0,
      height: recording.caps.int("height") ?? 0,
      rate: recording.caps.fraction("framerate").flatMap { FrameRate($0.numerator, $0.denominator) })
    let start = recording.head.start
    let inside = boundaries.filter { boundary in boundary.shot != record.shot && boundary.runningTime.map { $0 > start && $0 < end } == true
    }
    finisher.take(FinishedClip(record: record, start: start, end: end, isAround: options.mode != .shots, around: inside))
  }

  /// The name of a clip when so many others were taken. A pattern without a number gets one then.
  private func name(of recording: Recording, attempt: UInt64) -> String {
    let counted = options.names.hasNumber ? number + attempt : number
    let name = options.names.name(number: counted, shot: recording.head.shot, start: recording.first?.stream ?? 0)
    return options.names.hasNumber || attempt == 0 ? name : numberedName(name, attempt + 1)
  }

  /// Lets go what no clip needs any more.
  private mutating func forget(now: UInt64) {
    let oldest = plan.oldest ?? now
    let heard = min(oldest, recordings.map(\.heard).min() ?? .max)
    while let first = sound.first, first.range.upperBound <= heard { sound.removeFirst() }
    let shown = min(oldest, recordings.map(\.head.start).min() ?? .max)
    while let first = boundaries.first, (first.runningTime ?? 0) < shown { boundaries.removeFirst() }
  }
}
