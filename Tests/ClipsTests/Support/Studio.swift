import Clips
import Shots
import Timing

/// 25 frames a second.
func frame(_ number: Int) -> ClockTime { ClockTime(number) * 40_000_000 }

func milliseconds(_ range: Range<Int>) -> Range<ClockTime> {
  .milliseconds(UInt64(range.lowerBound))..<(.milliseconds(UInt64(range.upperBound)))
}

func cut(_ shot: UInt64, at number: Int) -> Boundary {
  Boundary(
    kind: .cut, shot: shot, frame: UInt64(number), runningTime: frame(number), streamTime: frame(number), score: 1, detector: "test")
}

/// The queue and the writer of clips over files in memory, on one thread and by a clock of the test's.
struct Studio {
  typealias Item = ClipItem<MemoryFile>
  typealias Writer = ClipWriter<MemoryFile>

  final class News {
    var clips: [FinishedClip] = []
    var missedKeys = 0
  }

  let disk: Disk
  let news = News()
  var queue: ClipQueue<Item>
  private(set) var writer: Writer
  var now: ClockTime = 0
  /// Frames that decoding can begin at.
  var keys: (Int) -> Bool = { _ in true }
  /// Stream time of running time 0.
  var offset: ClockTime = 0
  private var shot: UInt64 = 1

  init(
    _ mode: ClipPlan<Int>.Mode = .shots, names: String = "%d", hasSound: Bool = true, overwriting: Bool = false,
    minimumDuration: ClockTime = 0, disk: Disk = Disk()
  ) throws {
    self.disk = disk
    let options = ClipOptions(
      mode: mode, names: try ClipNamePattern(names), overwriting: overwriting, minimumDuration: minimumDuration, videoName: "film",
      hasSound: hasSound)
    queue = ClipQueue(hasSound: hasSound, now: 0)
    writer = Writer(options, open: { try disk.open($0) }) { [news] in
      switch $0 {
      case .finished(let clip): news.clips.append(clip)
      case .keyFrameIsMissing: news.missedKeys += 1
      }
    }
  }

  /// Queues an item if it is admitted.
  mutating func queue(_ item: Item) {
    guard queue.admits(item.stream, reaching: item.reached) == true else { return }
    queue.add(item, of: item.stream, reaching: item.reached, bytes: 1, now: now)
  }

  /// Has the writer do what is queued.
  mutating func write() throws {
    let batch = queue.take(now: now)
    try writer.take(batch)
    queue.done(batch)
    if batch.isEnd { queue.finished() }
  }

  mutating func give(_ item: Item) throws {
    queue(item)
    try write()
  }

  mutating func begin(picture: String = "h264", width: Int = 64, sound: String? = "s16") throws {
    try give(.pictureFormat(picture, ClipPicture(width: width, height: 48, rate: FrameRate(25))))
    if let sound { try give(.soundFormat(sound)) }
  }

  func packet(_ number: Int) -> Item {
    let time = PacketTime(running: frame(number), stream: offset + frame(number), duration: frame(1), isKey: keys(number))
    return .picture(number, time)
  }

  mutating func frames(_ numbers: some Sequence<Int>) throws { for number in numbers { try give(packet(number)) } }

  /// Sound between two times in milliseconds, in pieces of so many.
  static func sound(_ range: Range<Int>, pieces: Int = 30) -> [Item] {
    stride(from: range.lowerBound, to: range.upperBound, by: pieces).map {
      .sound($0, milliseconds($0..<min(range.upperBound, $0 + pieces)))
    }
  }

  mutating func sound(_ range: Range<Int>, pieces: Int = 30) throws { for item in Self.sound(range, pieces: pieces) { try give(item) } }

  /// The next shot begins at a frame.
  mutating func mark(_ number: Int) throws {
    shot += 1
    try give(.mark(cut(shot, at: number), at: frame(number)))
  }

  mutating func end(_ stream: ClipStream) throws {
    queue.end(stream)
    try write()
  }

  mutating func flush(_ stream: ClipStream) throws {
    queue.flushBegins(stream, leaving: .jump(stream), now: now)
    try write()
    queue.flushEnds(stream, now: now)
  }

  mutating func close() throws {
    queue.close()
    try write()
  }

  /// What is told of clips: their frames as the record counts them.
  var counts: [UInt64] { news.clips.map(\.record.frames) }
  var paths: [String] { news.clips.map(\.record.path) }
}
