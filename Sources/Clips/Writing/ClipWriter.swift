import DequeModule
import Files
import Shots
import ShotLists
import Timing

/// What clips are made of a stream; fixed from its start to its stop.
public struct ClipOptions<Packet>: Sendable {
  /// What a clip is.
  public var mode: ClipPlan<Packet>.Mode
  /// What files are called.
  public var names: ClipNamePattern
  /// Whether names are taken that exist; otherwise the next that is free is.
  public var overwriting: Bool
  /// Shorter clips are not kept.
  public var minimumDuration: ClockTime
  /// Name of the medium for the manifest.
  public var videoName: String
  /// Whether there is a stream of sound.
  public var hasSound: Bool

  /// Names that exist stay, and clips of any length are kept, unless something else is said.
  public init(
    mode: ClipPlan<Packet>.Mode, names: ClipNamePattern, overwriting: Bool = false, minimumDuration: ClockTime = 0, videoName: String = "",
    hasSound: Bool
  ) {
    self.mode = mode
    self.names = names
    self.overwriting = overwriting
    self.minimumDuration = minimumDuration
    self.videoName = videoName
    self.hasSound = hasSound
  }
}

/// Writes clips: decides which frames and which stretches of sound go into which file, when a file begins, ends and what
/// name it gets.
///
/// A file is begun when it is known whether it has sound, so it waits for sound that may still come; a frame is written
/// when the sound up to it is. Picture that the sound stays behind of waits here.
public struct ClipWriter<File: ClipFile> {
  /// What there is to tell.
  public enum News: Sendable {
    case finished(FinishedClip)
    /// The encoder makes no key frame where a boundary needs one. Told once.
    case keyFrameIsMissing
  }

  private let options: ClipOptions<File.Packet>
  private let open: (ClipBeginning<File.Format>) throws -> File
  private let tell: (News) -> Void
  private var plan: ClipPlan<File.Packet>
  private var recordings: [Recording<File>] = []
  private var picture: (format: File.Format, facts: ClipPicture)?
  /// The format from the next frame on, if it is another one.
  private var nextPicture: (format: File.Format, facts: ClipPicture)?
  private var soundFormat: File.Format?
  /// Sound that a clip may still need, in order.
  private var sound = Deque<(piece: File.Sound, range: Range<ClockTime>)>()
  private var soundHead: ClockTime = 0
  private var isSoundOver = false
  /// Number of the next clip.
  private var number: UInt64 = 1
  private var hasToldOfKeyFrame = false
  /// Those that a clip may still show.
  private var boundaries: [Boundary] = []

  /// - Parameters:
  ///   - open: makes a file.
  ///   - tell: is called with a clip as soon as it has its name.
  public init(
    _ options: ClipOptions<File.Packet>, open: @escaping (ClipBeginning<File.Format>) throws -> File, tell: @escaping (News) -> Void
  ) {
    self.options = options
    self.open = open
    self.tell = tell
    plan = ClipPlan(options.mode)
  }

  /// Pieces of sound and boundaries that are kept for clips.
  package var kept: (sound: Int, boundaries: Int) { (sound.count, boundaries.count) }

  /// Does what a batch asks for.
  ///
  /// - Throws: what files throw. Nothing is written after that.
  public mutating func take(_ batch: ClipQueue<ClipItem<File>>.Batch) throws {
    // What the batch says of ends lies behind its items.
    isSoundOver = isSoundOver && batch.isSoundOver
    for item in batch.items { try take(item) }
    isSoundOver = batch.isSoundOver || batch.isClosed
    if batch.isPictureOver || batch.isClosed { try perform(plan.end()) }
    try advance()
  }

  /// Lets all open files go, without a trace.
  public mutating func abandon() { recordings.removeAll() }

  private mutating func take(_ item: ClipItem<File>) throws {
    switch item {
    case .pictureFormat(let format, let facts):
      if let picture, picture.format != format { nextPicture = (format, facts) } else { (picture, nextPicture) = ((format, facts), nil) }
    case .picture(let packet, let time):
      if let next = nextPicture {
        try perform(plan.end(before: time.running))
        (picture, nextPicture) = (next, nil)
      }
      try perform(plan.take(packet, time))
      if plan.missedKeys > 0, !hasToldOfKeyFrame {
        hasToldOfKeyFrame = true
        tell(.keyFrameIsMissing)
      }
      try advance()
      forget(now: time.running)
    case .soundFormat(let format): soundFormat = format
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

  private mutating func perform(_ steps: [ClipPlan<File.Packet>.Step]) throws {
    for step in steps {
      switch step {
      case .open(let head): if let picture { recordings.append(Recording(head, picture.format, picture.facts)) }
      case .write(let id, let packet, let time): recordings.last { $0.head.id == id }?.take(packet, time)
      case .close(let id, let end): recordings.first { $0.head.id == id }?.end = end
      }
    }
  }

  // MARK: Files

  /// Writes what can be written, and finishes clips that have everything.
  private mutating func advance(abandoningSound: Bool = false) throws {
    var open: [Recording<File>] = []
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
  private func advance(_ recording: Recording<File>, isSoundOver: Bool, before: UInt64) throws {
    if recording.file == nil {
      guard recording.first != nil else { return }
      let hasSound = options.hasSound && soundFormat != nil && soundHead > recording.head.start
      guard hasSound || isSoundOver || !options.hasSound else { return }
      recording.file = try open(
        ClipBeginning(
          path: name(of: recording, attempt: options.names.hasNumber ? before : 0), start: recording.head.start, picture: recording.format,
          sound: hasSound ? soundFormat : nil))
    }
    guard let file = recording.file else { return }
    if file.hasSound {
      // No further than the picture's last frame begins: where the clip ends is not known before.
      let limit = recording.end ?? recording.newest
      for (piece, range) in sound where range.upperBound > recording.heard && range.lowerBound < limit {
        try file.write(
          sound: piece, at: range.lowerBound, in: max(recording.heard, range.lowerBound)..<min(limit, range.upperBound))
      }
      recording.heard = max(recording.heard, min(limit, soundHead))
      if (isSoundOver && soundHead < limit) || recording.end.map({ recording.heard >= $0 }) == true { file.endSound() }
    }
    // How long a frame is shown is known when the next one is, or the clip's end.
    while let (packet, time) = recording.waiting.first, !file.hasSound || time.running < recording.heard,
      recording.waiting.count > 1 || recording.end != nil
    {
      try file.write(
        packet, at: time.running, lasting: time.duration(before: recording.waiting.dropFirst().first?.1.running ?? recording.end))
      recording.waiting.removeFirst()
    }
  }

  private mutating func finish(_ recording: Recording<File>) throws {
    guard let file = recording.file, let first = recording.first else { return }
    let (start, end) = (recording.head.start, recording.end ?? recording.reached)
    let duration = end.less(start)
    guard duration >= options.minimumDuration else { return }
    let attempt = try file.finish(overwriting: options.overwriting) { name(of: recording, attempt: $0) }
    let path = name(of: recording, attempt: attempt)
    number += options.names.hasNumber ? attempt + 1 : 1
    let record = ClipRecord(
      path: path, videoName: options.videoName, start: first.stream, end: first.stream.saturating(adding: duration),
      frames: recording.frames, shot: recording.head.shot, boundary: recording.head.boundary, width: recording.facts.width,
      height: recording.facts.height, rate: recording.facts.rate)
    let inside = boundaries.filter { boundary in boundary.shot != record.shot && boundary.runningTime.map { $0 > start && $0 < end } == true
    }
    tell(.finished(FinishedClip(record: record, start: start, end: end, isAround: options.mode != .shots, around: inside)))
  }

  /// The name of a clip when so many others were taken. A pattern without a number gets one then.
  private func name(of recording: Recording<File>, attempt: UInt64) -> String {
    let counted = options.names.hasNumber ? number + attempt : number
    let name = options.names.name(number: counted, shot: recording.head.shot, start: recording.first?.stream ?? 0)
    return options.names.hasNumber || attempt == 0 ? name : FileName.extended(name, by: "-\(attempt + 1)")
  }

  /// Lets go what no clip needs any more.
  private mutating func forget(now: ClockTime) {
    let oldest = plan.oldest ?? now
    let heard = min(oldest, recordings.map(\.heard).min() ?? .max)
    while let first = sound.first, first.range.upperBound <= heard { sound.removeFirst() }
    let shown = min(oldest, recordings.map(\.head.start).min() ?? .max)
    while let first = boundaries.first, (first.runningTime ?? 0) < shown { boundaries.removeFirst() }
  }
}

/// A clip between its first frame and its name.
private final class Recording<File: ClipFile> {
  let head: ClipPlan<File.Packet>.Head
  let format: File.Format
  let facts: ClipPicture
  var file: File?
  /// Frames that wait for their sound.
  var waiting = Deque<(File.Packet, PacketTime)>()
  var first: PacketTime?
  /// Running time at which its last frame begins, and at which it says that it ends.
  var newest: ClockTime
  var reached: ClockTime
  var frames: UInt64 = 0
  /// Running time at which it ends; nil while it goes on.
  var end: ClockTime?
  /// Up to where it has its sound.
  var heard: ClockTime

  init(_ head: ClipPlan<File.Packet>.Head, _ format: File.Format, _ facts: ClipPicture) {
    self.head = head
    self.format = format
    self.facts = facts
    heard = head.start
    newest = head.start
    reached = head.start
  }

  func take(_ packet: File.Packet, _ time: PacketTime) {
    if first == nil { first = time }
    frames += 1
    newest = max(newest, time.running)
    reached = max(reached, time.end)
    waiting.append((packet, time))
  }
}
